"""Of each day the grade of a whole, a chain by its shops, as it follows from one part's life and from what all others say (ADR 26, 37).

Invariants
1. What the others say is taken as they said it; only the part whose life it is says otherwise where something is supposed of it.
2. A day's grade is a function of the words known by its end, and of days on which words, or the rulebook's own dates, turn.
3. A step of several words counts once the last of them is known, as in the whole's own log.
4. A day is counted by the edition that was in force on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from datetime import tzinfo as Zone
from itertools import pairwise
from typing import Any

from services.audit.domain.replay import ONE_DAY, Counting, Entry, civil_day, entry_of, law_of, steps_of
from services.audit.domain.shown import Piece, held, pieces
from services.audit.domain.supposing import Life


@dataclass(frozen=True, slots=True)
class OfWhole:
    """``Seen``: a whole. ``others``: what all say of it but the part whose life is asked about, known by the cut. Of a subject that is the
    whole itself the days on which no parts decide are its own."""

    name: str
    others: tuple[Entry, ...]

    def pieces(self, life: Life, first: date, last: date) -> list[Piece]:
        """See ``Seen``."""
        whole, found = _Whole(self.name, life), list[Piece]()
        for start, following, words in self._epochs(life, first, last):
            whole.enter(words)
            found += whole.between(start, following - ONE_DAY)
        return _overlaid(found, pieces(life, first, last)) if life.subject == self.name else found

    def held(self, life: Life, first: date, last: date) -> list[Piece]:
        """See ``Seen``."""
        whole = _Whole(self.name, life)
        for one in self._log(life):
            whole.enter(one.entries)
        found = list(whole.between(first, last))
        return _overlaid(found, held(life, first, last)) if life.subject == self.name else found

    def _log(self, life: Life) -> list[Any]:
        return steps_of((*self.others, *life.words.get(self.name, ())))

    def _epochs(self, life: Life, first: date, last: date) -> Iterator[tuple[date, date, list[Entry]]]:
        """Stretches at whose days' ends the same was known: first day, the day after the last, and the words that were new."""
        days: list[tuple[date, list[Entry]]] = [(first, [])]
        for step in self._log(life):
            day = civil_day(step.last.cause.known, life.zone)
            if day > last:
                break
            if day > days[-1][0]:
                days.append((day, []))
            days[-1][1].extend(step.entries)
        for (start, words), following in zip(days, [*(day for day, _ in days[1:]), last + ONE_DAY], strict=True):
            yield start, following, words

    def newest(self) -> Entry | None:
        """The last of what the others said."""
        return max(self.others, key=lambda one: one.order, default=None)


@dataclass(slots=True)
class _Whole:
    """What was entered so far. ``by``: counted by each edition."""

    name: str
    life: Life
    by: dict[str, Counting] = field(default_factory=dict)
    entered: list[Entry] = field(default_factory=list)

    def enter(self, words: Sequence[Entry]) -> None:
        self.entered += words
        for one in self.by.values():
            for word in words:
                one.enter(word)

    def between(self, first: date, last: date) -> Iterator[Piece]:
        """What holds of the days by all that was entered."""
        controls = self.life.controls
        law = law_of(controls, self.life.book, upto=max((one.offset for one in controls.facts), default=-1))
        day = first
        for _, part, since, until in law.over(first, last):
            if day < since:
                yield Piece(day, since - ONE_DAY, None)
            if part.sha256 not in self.by:
                counting = self.by[part.sha256] = Counting(self.name, part.rulebook)
                for word in self.entered:
                    counting.enter(word)
            yield from _counted(self.by[part.sha256], since, until)
            day = until + ONE_DAY
        if day <= last:
            yield Piece(day, last, None)


def _counted(whole: Counting, first: date, last: date) -> Iterator[Piece]:
    """By one edition."""
    found = whole.history(last, first)
    turns = [one.first for one in found]
    if not turns or turns[0] > first:
        yield Piece(first, turns[0] - ONE_DAY if turns else last, None)
    for one, following in zip(found, [*turns[1:], last + ONE_DAY] if turns else (), strict=True):
        yield Piece(one.first, following - ONE_DAY, whole.explained(one, one.first) if one.standing else None)


def _overlaid(found: Iterable[Piece], own: Iterable[Piece]) -> list[Piece]:
    """The first, and where they say nothing the second."""
    above, below = list(found), list(own)
    cuts = sorted({one.first for one in (*above, *below)} | {above[-1].last + ONE_DAY})
    merged = []
    for day, after in pairwise(cuts):
        said = next((one.standing for one in above if one.first <= day <= one.last), None)
        if said is None:
            said = next((one.standing for one in below if one.first <= day <= one.last), None)
        merged.append(Piece(day, after - ONE_DAY, said))
    return merged


def words_about(events: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[Entry, ...]]:
    """``part.graded`` events by whole and regime, each place of a whole's log once: as it was told last. What can't be read is passed over,
    as rating does.

    By whichever edition it was told: the days are rated by the law of their time, whichever edition is the newest."""
    found: dict[tuple[str, str], dict[Any, Entry]] = {}
    for event in events:
        try:
            one = entry_of(event)
        except (KeyError, TypeError, ValueError):
            continue
        found.setdefault((one.parent, one.regime), {})[one.order] = one
    return {name: tuple(log[order] for order in sorted(log)) for name, log in found.items()}


def known_by(words: Iterable[Entry], *, but: str, day: date, close: str, zone: Zone) -> tuple[Entry, ...]:
    """Those of all parts but one that are known when a day is over: by its end, and what its close led to. ``close``: its id, the same in
    every partition, where its copies stand some milliseconds apart."""
    return tuple(one for one in words if one.part != but and (civil_day(one.cause.known, zone) <= day or one.cause.id == close))
