"""Of each day the grade in force by what was known at that day's end (civil days of the regime's zone), as stretches.

Invariants
1. Nothing is asked of what a service had told by then: a day's grade is a function of the facts known by its end.
2. Between two days on which something became known or may turn (``turns_of``) nothing has to be worked out.
3. A later record makes no shown day another. What holds of a day by everything known is asked with ``held``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from datetime import tzinfo as Zone
from itertools import pairwise
from typing import Protocol

from services.audit.domain.replay import (
    DAY_CLOSED,
    NOTHING,
    ONE_DAY,
    Fact,
    Pair,
    Standing,
    Subject,
    civil_day,
    decision_of,
    pair_of,
    standing,
    turns_of,
)
from services.audit.domain.supposing import Key, Life


@dataclass(frozen=True, slots=True)
class Piece:
    """Days, both inclusive, on which nothing turned. ``standing``: None where the regime doesn't rate the subject."""

    first: date
    last: date
    standing: Standing | None

    @property
    def pair(self) -> Pair:
        return pair_of(self.standing)

    def between(self, first: date, last: date) -> Piece:
        """What of it lies between two days; they have to touch it."""
        return Piece(max(self.first, first), min(self.last, last), self.standing)

    @property
    def proposed(self) -> str | None:
        """The grade that awaits approval."""
        return self.standing.proposed.grade if self.standing and self.standing.proposed else None


class Seen(Protocol):
    """Whose grades are looked at, as they follow from a life. Both raise what the fold raises of facts that it can't rate."""

    def pieces(self, life: Life, first: date, last: date) -> list[Piece]:
        """What was shown on the days from ``first`` to ``last``."""
        ...

    def held(self, life: Life, first: date, last: date) -> list[Piece]:
        """What holds of these days by everything that is known."""
        ...


class Own:
    """``Seen``: the subject's own grades."""

    def pieces(self, life: Life, first: date, last: date) -> list[Piece]:
        """See ``Seen``."""
        return pieces(life, first, last)

    def held(self, life: Life, first: date, last: date) -> list[Piece]:
        """See ``Seen``."""
        return held(life, first, last)


OWN = Own()


@dataclass(frozen=True, slots=True)
class Stay:
    """Days, both inclusive, on which publication of an act rests (R18). ``known``: from when it was known, epoch ms."""

    act: Key
    known: int
    first: date
    last: date


def pieces(life: Life, first: date, last: date) -> list[Piece]:
    """What was shown on the days from ``first`` to ``last``. Raises what the fold raises of facts that it can't rate."""
    return list(_pieces(life, first, last))


def _pieces(life: Life, first: date, last: date) -> Iterator[Piece]:
    regime = life.book.rulebook.regime
    state = Subject(life.subject, life.partition)
    facts = iter(life.facts)
    waiting = next(facts, None)
    for start, following, upto in _epochs(life, first, last):
        while waiting is not None and waiting.offset <= upto:
            state.apply(waiting)
            waiting = next(facts, None)
        end = following - ONE_DAY
        if state.known_since(regime) is None:
            yield Piece(start, end, None)
            continue
        turns = {one for one in turns_of(state, life.controls, life.book, upto=upto, first=start, last=end) if start < one <= end}
        for day, after in pairwise((start, *sorted(turns), following)):
            yield Piece(day, after - ONE_DAY, standing(state, life.controls, life.book, upto=upto, as_of=day))


def _epochs(life: Life, first: date, last: date) -> Iterator[tuple[date, date, int]]:
    """Stretches at whose days' ends the same was known: first day, the day after the last, the newest offset."""
    regime, zone = life.book.rulebook.regime, life.zone
    steps = [one for one in life.steps() if one.name != DAY_CLOSED and one.data.get("regime", regime) == regime]
    newest, days = -1, [(first, -1)]
    for one in steps:
        day = civil_day(one.known, zone)
        if day > last:
            break
        newest = one.offset
        if day <= first:
            days[0] = (first, newest)
        elif day == days[-1][0]:
            days[-1] = (day, newest)
        else:
            days.append((day, newest))
    for (start, upto), following in zip(days, [*(day for day, _ in days[1:]), last + ONE_DAY], strict=True):
        yield start, following, upto


def held(life: Life, first: date, last: date) -> list[Piece]:
    """What holds of these days by everything in ``life``."""
    regime = life.book.rulebook.regime
    state = Subject(life.subject, life.partition)
    for one in life.facts:
        state.apply(one)
    if state.known_since(regime) is None:
        return [Piece(first, last, None)]
    upto = max((one.offset for one in life.steps()), default=-1)
    turns = {one for one in turns_of(state, life.controls, life.book, upto=upto, first=first, last=last) if first < one <= last}
    found = pairwise((first, *sorted(turns), last + ONE_DAY))
    return [Piece(day, after - ONE_DAY, standing(state, life.controls, life.book, upto=upto, as_of=day)) for day, after in found]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days, both inclusive, of one grade and status; neighbours differ in something."""

    first: date
    last: date
    pair: Pair
    displayed: bool = True

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def path(found: Sequence[Piece]) -> list[Stretch]:
    """What of the pieces a reader sees, by date."""
    merged: list[Stretch] = []
    for one in found:
        merged = _joined(merged, Stretch(one.first, one.last, one.pair))
    return merged


def displayed(found: Sequence[Piece], stays: Sequence[Stay], zone: Zone) -> list[Stretch]:
    """The same with whether the public saw it: not while nothing said that the regime rates the subject, nor while a stay of an act that
    the grade rests on was known at the day's end."""
    merged: list[Stretch] = []
    for one in found:
        cuts = {one.first, one.last + ONE_DAY}
        resting = [stay for stay in stays if stay.act in rests_on(one.standing)]
        for stay in resting:
            since = max(stay.first, civil_day(stay.known, zone))
            cuts |= {day for day in (since, stay.last + ONE_DAY if stay.last < date.max else date.max) if one.first < day <= one.last}
        for day, after in pairwise(sorted(cuts)):
            hidden = one.pair == NOTHING or any(max(stay.first, civil_day(stay.known, zone)) <= day <= stay.last for stay in resting)
            merged = _joined(merged, Stretch(day, after - ONE_DAY, one.pair, not hidden))
    return merged


def _joined(before: list[Stretch], one: Stretch) -> list[Stretch]:
    newest = before[-1] if before else None
    if newest and newest.last + ONE_DAY == one.first and (newest.pair, newest.displayed) == (one.pair, one.displayed):
        before[-1] = replace(newest, last=one.last)
    else:
        before.append(one)
    return before


def rests_on(found: Standing | None) -> frozenset[Key]:
    """The entries that decided a standing."""
    return frozenset(one.fact.key for one in found.decisive) if found else frozenset()


def stays_of(asides: Iterable[Fact], facts: Iterable[Fact]) -> list[Stay]:
    """Stays of a subject's acts, each until it ends or is lifted; of an act that several entries name, for each of them."""
    asides = list(asides)
    lifted: dict[tuple[str, str], date] = {}
    for one in asides:
        if one.name == "stay.lifted":
            day = date.fromisoformat(one.data["from_day"])
            key = (one.source, one.data["stay"])
            lifted[key] = min(day, lifted.get(key, day))
    by_decision: dict[object, list[Key]] = {}
    known = list(facts)
    for fact in known:
        if decision := decision_of(fact):
            by_decision.setdefault(decision, []).append(fact.key)
    named = {fact.key: fact for fact in known}
    found, seen = [], set()
    for one in asides:
        if one.name != "stay.ordered" or one.key in seen:
            continue
        seen.add(one.key)
        act = (one.data["act"]["source"], one.data["act"]["id"])
        last = date.fromisoformat(one.data["until"]) if one.data.get("until") else date.max
        if end := lifted.get(one.key):
            last = min(last, end - ONE_DAY)
        first = date.fromisoformat(one.data["from_day"])
        decision = decision_of(named[act]) if act in named else None
        for key in by_decision.get(decision, [act]) if decision else [act]:
            if first <= last:
                found.append(Stay(key, one.known, first, last))
    return found
