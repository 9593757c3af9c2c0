"""What a late or untrue entry did to its subject's grades, or to those of a whole that the subject is a part of (ADR 35, 37): two paths,
the days on which they differ, and what follows.

Invariants
1. A function of the subject's facts up to the cut, the controls, the rulebooks, the standing matters and the declared outages; no clock.
2. Days are counted by what was shown at their end. The window begins on the day after the deadline (late), else on the day on which the
   entry was known, and ends where all paths agree for good, or at the cut.
3. ``least`` and ``most`` hold of every way in which what needs approval could have been answered (``worlds``).
4. An entry of which no grade can ask anything is passed over without supposing anything; a test holds that against the full way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from services.audit.domain.late import Outage, outages_within
from services.audit.domain.matters import Matter
from services.audit.domain.replay import ONE_DAY, Fact, brings_nothing, civil_day, compact
from services.audit.domain.shown import OWN, Piece, Seen, Stay, rests_on, stays_of
from services.audit.domain.supposing import Key, Life, Move, closure, day_end, place, suppose
from services.audit.domain.whole_shown import OfWhole
from services.audit.domain.worlds import Worlds, by_day

Days = frozenset[int]
"""Days of a window by their number, its first being 0."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Up to where everything is known. ``day``: the last day that is over by then; ``offset``, ``id``: of the record that says so, in the
    subject's partition; ``known``: epoch ms."""

    day: date
    offset: int
    id: str
    known: int


@dataclass(frozen=True)
class Scene:
    """A subject under one regime. ``life``: as known at the cut; ``matters``: all that stand about its entries by the regime; ``outages``:
    as declared by then; ``whole``: whose grades are looked at where they aren't the subject's own."""

    life: Life
    cut: Cut
    asides: Sequence[Fact] = ()
    matters: Sequence[Matter] = ()
    outages: Sequence[Outage] = ()
    whole: OfWhole | None = None
    _shown: dict[tuple[date, bool], tuple[Piece, ...]] = field(default_factory=dict, init=False, repr=False)

    @property
    def affected(self) -> str:
        """Whose grades are looked at."""
        return self.whole.name if self.whole else self.life.subject

    @property
    def seen(self) -> Seen:
        return self.whole or OWN

    @cached_property
    def stays(self) -> list[Stay]:
        return stays_of(self.asides, self.life.facts)

    @cached_property
    def by_place(self) -> dict[int, Fact]:
        """The facts by their offset in the log."""
        return {place(one.offset): one for one in self.life.facts}

    def entry(self, matter: Matter) -> Fact | None:
        """The entry in question; None where no grade can ask for its type, or it can't be folded."""
        return self.by_place.get(matter.entry.offset)

    def shown(self, begin: date) -> tuple[Piece, ...]:
        """What was shown from a day to the cut."""
        return self._path(begin, self.seen)

    def own(self, begin: date) -> tuple[Piece, ...]:
        """The same of the subject itself."""
        return self._path(begin, OWN)

    def _path(self, begin: date, seen: Seen) -> tuple[Piece, ...]:
        name = (begin, seen is OWN)
        if name not in self._shown:
            self._shown[name] = tuple(seen.pieces(self.life, begin, max(begin, self.cut.day)))
        return self._shown[name]

    def worlds(self, moves: Sequence[Move], begin: date, first: date) -> Worlds:
        """All worlds in which these entries are otherwise, from the day by whose end the first of them is known."""
        begin = min(begin, max(first, self.cut.day))
        return Worlds.of(self.life, moves, first, self.shown(begin), own=self.own(begin), seen=self.seen)

    def begin(self, matter: Matter) -> date:
        """The day by whose end the entry would have been known."""
        return matter.deadline or self.first(matter)

    def first(self, matter: Matter) -> date:
        """The window's first day."""
        if matter.deadline is not None:
            return matter.deadline + ONE_DAY
        entry = self.entry(matter)
        return civil_day(entry.known, self.life.zone) if entry else self.cut.day

    def until(self, matter: Matter) -> date:
        """The day on which the entry was known, at whose end a late one was shown."""
        entry = self.entry(matter)
        if entry is None:
            return matter.entered_on or self.cut.day
        return civil_day(entry.known, self.life.zone)

    def move(self, matter: Matter) -> Move | None:
        """What is supposed; None where it can change no grade, or nobody knows what would have been true."""
        entry = self.entry(matter)
        if entry is None or inert(self.life, entry):
            return None
        if matter.supposing == "on_time":
            return Move(entry.key, known=day_end(matter.deadline, self.life.zone)) if matter.deadline else None
        if matter.supposing == "never":
            return Move(entry.key, never=True)
        return truth_of(entry, self.life.facts, self.asides)


def inert(life: Life, entry: Fact) -> bool:
    """Whether no condition asks for the entry, and nothing that was entered gives it other words: then whenever it was known, no grade
    was another."""
    if not brings_nothing(entry):
        return False
    return not any(_names(one, entry.key) or (one.id == entry.id and one.key != entry.key) for one in life.facts)


def _names(fact: Fact, key: Key) -> bool:
    return any(isinstance(one := fact.data.get(name), dict) and (one.get("source"), one.get("id")) == key for name in ("act", "entry"))


def truth_of(entry: Fact, facts: Iterable[Fact], asides: Iterable[Fact]) -> Move | None:
    """The entry as it should have been: as was determined last, else as its office or an objection put it right last."""
    named = [one for one in asides if one.name == "truth.determined" and _names(one, entry.key)]
    for one in reversed(named):
        if one.data["result"] not in ("inaccurate", "false"):
            return None
        if not one.data["took_place"]:
            return Move(entry.key, never=True)
        truth = one.data["truth"]
        event = {"id": entry.id, "source": entry.source, "type": truth["type"], "data": truth["data"]}
        said = compact(event, {}, partition=entry.partition, offset=entry.offset, known=entry.known, stamp=entry.stamp)
        return Move(entry.key, words=(said.name, said.data)) if said else Move(entry.key, never=True)
    for one in sorted(facts, key=lambda one: -one.offset):
        if one.name not in ("entry.corrected", "entry.retracted", "objection.decided") or not _names(one, entry.key):
            continue
        if words := one.data.get("replacement"):
            return Move(entry.key, words=(words["name"], words["data"]))
        if one.name == "entry.retracted" or one.data.get("outcome") == "upheld":
            return Move(entry.key, never=True)
    return None


@dataclass(frozen=True, slots=True)
class Differing:
    """Days on which what was shown differs from what was supposed: in some world, in all of them, and by world the least and the most.

    ``stands_*``: of those the days whose supposed grade holds by everything known at the cut."""

    possible: Days
    certain: Days
    least: int
    most: int
    stands_least: int
    stands_most: int
    exact: bool


@dataclass(frozen=True)
class Assessed:
    """The answer about one matter. ``last`` is None while paths still differ at the cut. ``soonest``, ``as_long``, ``never``: worlds by how
    what needs approval is answered; all the same where nothing is."""

    scene: Scene
    matter: Matter
    move: Move | None
    first: date
    to: date
    ongoing: bool
    shown: tuple[Piece, ...]
    worlds: Worlds | None
    differing: Differing
    dropped: tuple[Fact, ...] = ()

    @property
    def days(self) -> int:
        return (self.to - self.first).days + 1

    def day(self, number: int) -> date:
        return self.first + timedelta(days=number)


NO_DAYS = Differing(frozenset(), frozenset(), 0, 0, 0, 0, True)


def assess(scene: Scene, matter: Matter) -> Assessed:
    """The effect of one entry. Raises what the fold raises of facts that it can't rate."""
    first, until, move = scene.first(matter), scene.until(matter), scene.move(matter)
    last = max(first, scene.cut.day)
    if move is None:
        to = min(last, max(first, until))
        return Assessed(scene, matter, None, first, to, False, tuple(scene.seen.pieces(scene.life, first, to)), None, NO_DAYS)
    worlds = scene.worlds([move], scene.begin(matter), first)
    found = differing(worlds)
    ends = max(found.possible, default=-1)
    ongoing = first + timedelta(days=ends) == last and ends >= 0
    to = last if ongoing else min(last, max(first + timedelta(days=ends + 1), first, until))
    dropped: tuple[Fact, ...] = ()
    if move.never:
        entry = scene.entry(matter)
        assert entry is not None
        dropped = tuple(closure(entry, (*scene.life.facts, *scene.asides)))
    elif move.words is not None:
        dropped = worlds.unsaid.life.dropped
    return Assessed(scene, matter, move, first, to, ongoing, worlds.real, worlds, found, dropped)


def differing(worlds: Worlds) -> Differing:
    """Where the worlds' paths leave what was shown."""
    sets = [worlds.wrong(one) for one in worlds.all]
    if worlds.complete:
        counts, stood = [len(one) for one in sets], [len(worlds.stands(one)) for one in worlds.all]
        possible, certain = frozenset().union(*sets), frozenset(sets[0]).intersection(*sets)
        return Differing(possible, certain, min(counts), max(counts), min(stood), max(stood), True)
    # Not all worlds were looked at: from the first proposal that could have been answered otherwise on anything may be.
    total = (worlds.last - worlds.first).days + 1
    free = min(((run.first - worlds.first).days for run in worlds.free(worlds.unsaid)), default=total)
    fixed, rest = frozenset(one for one in sets[0] if one < free), frozenset(range(max(0, free), total))
    of_fixed = len([one for one in worlds.stands(worlds.unsaid) if one < free])
    return Differing(fixed | rest, fixed, len(fixed), len(fixed) + len(rest), of_fixed, of_fixed + len(rest), False)


def operation_days(found: Assessed) -> Days:
    """Of the wrong days those that the entry would not have made wrong, had it been known when intake received it."""
    entry = found.scene.entry(found.matter)
    if entry is None or found.matter.supposing != "on_time" or not found.differing.possible:
        return frozenset()
    received = suppose(found.scene.life, [Move(entry.key, known=entry.received)])
    assert found.worlds is not None
    third, real = by_day(found.scene.seen.pieces(received, found.first, found.worlds.last)), by_day(found.shown, found.first)
    return frozenset(number for number in found.differing.possible if third[number] != real[number])


def outage_days(found: Assessed) -> Days:
    """Of the wrong days those that a declared outage of the office or of the stack touches."""
    office, zone, outages = found.matter.office, found.scene.life.book.rulebook.header.time_zone, found.scene.outages
    days = found.differing.possible if outages else ()
    return frozenset(one for one in days if outages_within(office, found.day(one), found.day(one), zone, outages))


def stayed_days(found: Assessed) -> Days:
    """Of the wrong days those on which a stay, by everything known, keeps an act from being published that the grade shown or a supposed
    one rests on."""
    if found.worlds is None or not found.scene.stays:
        return frozenset()
    return frozenset(number for number in found.differing.possible if _stayed(found, found.day(number)))


def _stayed(found: Assessed, day: date) -> bool:
    resting = {stay.act for stay in found.scene.stays if stay.first <= day <= stay.last}
    if not resting:
        return False
    paths = [found.shown, *(world.found for world in found.worlds.all)] if found.worlds else [found.shown]
    return any(resting & rests_on(one.standing) for path in paths for one in path if one.first <= day <= one.last)
