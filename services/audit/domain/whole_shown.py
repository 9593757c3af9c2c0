"""Of each day the grade of a whole, a chain by its shops, as it follows from one part's life and from what all others say (ADR 26, 37).

Invariants
1. What the others say is taken as they said it; only the part whose life it is says otherwise where something is supposed of it.
2. A day's grade is a function of the words known by its end, and of days on which words, or the rulebook's own dates, turn.
3. A step of several words counts once the last of them is known, as in the whole's own log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.audit.domain.replay import ONE_DAY, Book, Counting, Entry, civil_day, entry_of, steps_of
from services.audit.domain.shown import Piece
from services.audit.domain.supposing import Life


@dataclass(frozen=True, slots=True)
class OfWhole:
    """``Seen``: a whole. ``others``: what all say of it but the part whose life is asked about, known by the cut."""

    name: str
    others: tuple[Entry, ...]

    def pieces(self, life: Life, first: date, last: date) -> list[Piece]:
        """See ``Seen``."""
        whole = Counting(self.name, life.book.rulebook)
        found: list[Piece] = []
        for start, following, words in self._epochs(life, first, last):
            for one in words:
                whole.enter(one)
            found += _between(whole, start, following - ONE_DAY)
        return found

    def held(self, life: Life, first: date, last: date) -> list[Piece]:
        """See ``Seen``."""
        whole = Counting(self.name, life.book.rulebook)
        for one in self._log(life):
            for word in one.entries:
                whole.enter(word)
        return list(_between(whole, first, last))

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


def _between(whole: Counting, first: date, last: date) -> Iterator[Piece]:
    """What holds of the days by all that was entered."""
    found = whole.history(last, first)
    turns = [one.first for one in found]
    if not turns or turns[0] > first:
        yield Piece(first, turns[0] - ONE_DAY if turns else last, None)
    for one, following in zip(found, [*turns[1:], last + ONE_DAY], strict=True):
        yield Piece(one.first, following - ONE_DAY, whole.explained(one, one.first) if one.standing else None)


def words_about(events: Iterable[Mapping[str, Any]], books: Mapping[str, Book]) -> dict[tuple[str, str], tuple[Entry, ...]]:
    """``part.graded`` events, in any order, by whole and regime, each place of a whole's log once: by the newest edition that said it.

    An earlier edition's words count where no newer one spoke: the days are rated by the law of their time, whichever edition is the newest.
    Raises ``KeyError``, ``TypeError``, ``ValueError`` for what is no such event."""
    found: dict[tuple[str, str], dict[Any, Entry]] = {}
    for event in events:
        one = entry_of(event)
        book = books.get(one.regime)
        if book is None or one.sha256 not in (book.sha256, *book.earlier):
            continue
        log = found.setdefault((one.parent, one.regime), {})
        if one.order not in log or one.sha256 == book.sha256:
            log[one.order] = one
    return {name: tuple(log[order] for order in sorted(log)) for name, log in found.items()}
