"""What approvers would have said, had an entry been otherwise: an assumption, so every answer is tried that makes another path (ADR 35).

Invariants
1. A proposal that the real world has as well, opened on the same day for the same grade and period, is answered as it was: approvers
   said what they said. So is one that a real word returned.
2. Any other is approved on any day on which it would have been open, as that day's last word, or is not: then what approvers really
   said later still stands, and counts where it can.
3. Of an approval's days those are tried between which both paths stay as they are, and the ends of each such stretch: the number of wrong
   days grows or falls by one from day to day in between.
4. Beyond ``MOST`` worlds the bounds are outer ones, and are said to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from services.audit.domain.replay import APPROVED, ONE_DAY, RETURNED, Fact, Pair, civil_day
from services.audit.domain.shown import OWN, Piece, Seen, pieces
from services.audit.domain.supposing import Life, Move, day_end, suppose

MOST = 400
_SUPPOSED = "supposed.approval"


class Word(NamedTuple):
    """A supposed approval."""

    grade: str
    day: date


class Run(NamedTuple):
    """Days, both inclusive, on which one proposal is open. ``period``: the last day of the period whose evaluation it follows."""

    grade: str
    period: date | None
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class World:
    """``life`` with those words said, and what would have been shown; ``own``: of the subject itself, whose proposals they answer."""

    words: tuple[Word, ...]
    life: Life
    found: tuple[Piece, ...]
    own: tuple[Piece, ...]

    def on(self) -> list[Pair]:
        """The subject's own, day by day."""
        return by_day(self.own)


def by_day(found: Iterable[Piece], first: date = date.min) -> list[Pair]:
    """Grade and status, day by day, from the first day of all, or from ``first``."""
    return [one.pair for one in found if one.last >= first for _ in range((one.last - max(one.first, first)).days + 1)]


def runs(found: Iterable[Piece]) -> list[Run]:
    """The proposals that are open at days' ends."""
    merged: list[Run] = []
    for one in found:
        if one.proposed is None or one.standing is None or one.standing.proposed is None:
            continue
        run = Run(one.proposed, one.standing.proposed.period_last, one.first, one.last)
        newest = merged[-1] if merged else None
        if newest and newest.last + ONE_DAY == run.first and newest[:2] == run[:2]:
            merged[-1] = newest._replace(last=run.last)
        else:
            merged.append(run)
    return merged


@dataclass(slots=True)
class Worlds:
    """All worlds of some entries supposed otherwise, over the days from ``begin`` to ``last``; ``first``: the first that is counted.
    ``real``: what was shown on them, of whom ``seen`` looks at; ``own``: of the subject itself."""

    life: Life
    moves: tuple[Move, ...]
    begin: date
    first: date
    last: date
    real: tuple[Piece, ...]
    own: tuple[Piece, ...]
    seen: Seen = OWN
    most: int = MOST
    complete: bool = True
    all: list[World] = field(default_factory=list)

    @staticmethod
    def of(
        life: Life, moves: Sequence[Move], first: date, real: Sequence[Piece], *, own: Sequence[Piece], seen: Seen = OWN, most: int = MOST
    ) -> Worlds:
        """Try them. ``real``, ``own``: from the day by whose end the first of what is moved is known."""
        found = Worlds(life, tuple(moves), real[0].first, first, real[-1].last, tuple(real), tuple(own), seen, most)
        found._grow(found.world(()), found.begin)
        return found

    def world(self, words: Sequence[Word]) -> World:
        """One of them."""
        zone, regime = self.life.zone, self.life.book.rulebook.regime
        said = [_said(self.life, one, number, day_end(one.day, zone), regime) for number, one in enumerate(words)]
        life = suppose(self.life, self.moves, said)
        found = tuple(self.seen.pieces(life, self.begin, self.last))
        return World(tuple(words), life, found, found if self.seen is OWN else tuple(pieces(life, self.begin, self.last)))

    @property
    def unsaid(self) -> World:
        """With what approvers really said, and nothing else."""
        return self.all[0]

    def _grow(self, world: World, since: date) -> None:
        self.all.append(world)
        for run in self.free(world):
            if run.last < since:
                continue
            begin = max(run.first, since)
            soonest = self.world((*world.words, Word(run.grade, begin)))
            if soonest.on() == world.on():
                continue
            for day in self._days(run, begin, world, soonest):
                if len(self.all) >= self.most:
                    self.complete = False
                    return
                child = soonest if day == begin else self.world((*world.words, Word(run.grade, day)))
                self._grow(child, day)

    def free(self, world: World) -> Iterator[Run]:
        """The proposals that nobody answered in the real world."""
        answered = {(run.grade, run.period, run.first) for run in runs(self.own)}
        for run in runs(world.own):
            if (run.grade, run.period, run.first) not in answered and not self._returned(run):
                yield run

    def _returned(self, run: Run) -> bool:
        """Whether a real word ended it by returning it."""
        regime, zone = self.life.book.rulebook.regime, self.life.zone
        ends = (run.last, run.last + ONE_DAY)
        return any(
            one.name == RETURNED and one.data["regime"] == regime and one.data["grade"] == run.grade and civil_day(one.known, zone) in ends
            for one in self.life.facts
        )

    def _days(self, run: Run, begin: date, world: World, soonest: World) -> list[date]:
        paths = (self.real, world.found, soonest.found, self.own, world.own, soonest.own)
        turns = {one.first for path in paths for one in path}
        days = {begin, run.last, *(day for turn in turns for day in (turn - ONE_DAY, turn))}
        return sorted(day for day in days if begin <= day <= run.last)

    def wrong(self, world: World) -> frozenset[int]:
        """The days, by their number from ``first`` on, on which the world leaves what was shown."""
        path, real = by_day(world.found, self.first), by_day(self.real, self.first)
        return frozenset(number for number in range(len(real)) if path[number] != real[number])

    def stands(self, world: World) -> frozenset[int]:
        """Of the wrong days those whose supposed grade also holds by everything known at the end, with the same approvals."""
        wrong = self.wrong(world)
        if not wrong:
            return wrong
        path, by_all = by_day(world.found, self.first), by_day(self.seen.held(world.life, self.first, self.last))
        return frozenset(number for number in wrong if by_all[number] == path[number])

    def soonest(self) -> World:
        """The world in which every proposal is approved on its own day."""
        world, decided = self.unsaid, set[tuple[str, date | None]]()
        while run := next((one for one in self.free(world) if one[:2] not in decided), None):
            decided.add(run[:2])
            if all(one.day <= run.first for one in world.words):
                world = self.world((*world.words, Word(run.grade, run.first)))
        return world

    def as_long(self, known: date) -> World:
        """The world in which each answer takes as long as the real one to the same grade took, at the first real proposal that was open on
        ``known`` (the day on which the entry really was) or later. Where none was given, none is supposed."""
        delays = {grade: timedelta(0) for grade in _at_once(self.life, known)}
        for run in runs(self.own):
            approved = self._approved(run)
            if run.last >= known and approved and run.grade not in delays:
                delays[run.grade] = approved - run.first
        world, decided = self.unsaid, set[Run]()
        while run := next((one for one in self.free(world) if one.grade in delays and one not in decided), None):
            decided.add(run)
            day = run.first + delays[run.grade]
            if day <= run.last and all(one.day <= day for one in world.words):
                world = self.world((*world.words, Word(run.grade, day)))
        return world

    def _approved(self, run: Run) -> date | None:
        """The day on which a real word approved it."""
        return next((day for grade, day in _approvals(self.life) if grade == run.grade and run.first <= day <= run.last + ONE_DAY), None)


def _approvals(life: Life) -> Iterator[tuple[str, date]]:
    """Grade and day of what was really approved, as it became known."""
    regime, zone = life.book.rulebook.regime, life.zone
    for one in life.facts:
        if one.name == APPROVED and one.data["regime"] == regime:
            yield one.data["grade"], civil_day(one.known, zone)


def _at_once(life: Life, known: date) -> Iterator[str]:
    """Grades that were approved on the day on which the entry was known: their proposal was open at no day's end."""
    return (grade for grade, day in _approvals(life) if day == known)


def _said(life: Life, word: Word, number: int, known: int, regime: str) -> Fact:
    data = {"occurred_on": word.day.isoformat(), "regime": regime, "grade": word.grade, "proposal": _SUPPOSED}
    return Fact(life.partition, 2**60 + number, known, known, known, f"{_SUPPOSED}.{number}", _SUPPOSED, APPROVED, data)
