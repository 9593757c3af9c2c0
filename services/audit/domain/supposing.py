"""A subject's facts as they would have been, had some of its entries been on time, true, or never made. All of it is pure.

Invariants
1. A moved entry keeps its words and id; it comes right after everything that was known by the instant it is supposed to have been known,
   so before whatever the next day brings, its own day's close included.
2. Offsets are numbered anew, further apart (``NEAR``), so that what is put in between has one; ``place`` leads back. The order of all
   that isn't moved stays, and so does what was known when, but for what only the removed entry's own record time had put later.
3. What never took place takes along what is only about it: its service, its correction or annulment, its stay, and what is about these.
4. Supposing nothing changes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from datetime import tzinfo as Zone
from functools import cached_property
from typing import Any, Literal

from services.audit.domain.replay import CONTROLS, ONE_DAY, Book, Controls, Entry, Fact, foldable, moved, words_of

Key = tuple[str, str]
"""An event's source and id."""
NEAR = 256
"""How far apart the offsets are that the log has: so many, less one, can be put between two of them."""
# What puts other words in an entry's place: of a true entry it has nothing left to say.
_REWORDING = ("entry.corrected", "objection.decided")


@dataclass(frozen=True, slots=True)
class Move:
    """One entry, supposed otherwise. ``known``: the instant (epoch ms) by which it would have been known; ``words``: type's name and data
    as they should have been; ``never``: it was not made. None and False leave it as it is."""

    key: Key
    known: int | None = None
    words: tuple[str, Mapping[str, Any]] | None = None
    never: bool = False


@dataclass(frozen=True)
class Life:
    """What a subject's grades by one regime follow from, offsets ``NEAR`` apart. ``facts``: first copies that can be folded, by offset;
    ``dropped``: what was taken along by what never took place."""

    subject: str
    partition: int
    facts: tuple[Fact, ...]
    controls: Controls
    book: Book
    dropped: tuple[Fact, ...] = ()

    @property
    def zone(self) -> Zone:
        return self.book.zone

    @cached_property
    def words(self) -> dict[str, tuple[Entry, ...]]:
        """What the subject says to whom it is a part of, by their names; to itself where its parts grade it. At the log's offsets. Raises
        what the fold raises."""
        found: dict[str, list[Entry]] = {}
        for one in words_of(self.subject, self.partition, self.facts, self.controls, self.book):
            found.setdefault(one.parent, []).append(moved(one, place))
        return {name: tuple(many) for name, many in found.items()}

    def fact(self, key: Key) -> Fact | None:
        """The entry of that name."""
        return next((one for one in self.facts if one.key == key), None)

    def steps(self) -> list[Fact]:
        """Its facts and the controls, by offset."""
        return sorted((*self.facts, *self.controls.facts), key=lambda one: one.offset)


def place(offset: int) -> int:
    """The log's offset of a record at an offset of ``Life``; of what was put in between, that of what it comes after."""
    return offset // NEAR - 1


def day_end(day: date, zone: Zone) -> int:
    """The last millisecond of a civil day."""
    return int(datetime.combine(day + ONE_DAY, time.min, zone).timestamp() * 1000) - 1


@dataclass(slots=True)
class Lives:
    """Makes lives of one partition's facts. The controls are numbered anew once for all its subjects."""

    partition: int
    controls: Controls
    _apart: Controls | None = field(default=None)

    def of(self, subject: str, facts: Iterable[Fact], book: Book, *, upto: int | None = None) -> Life:
        """The life as it was known. ``facts``: as read, with copies and what can't be folded; ``upto``: up to this offset of the log."""
        if self._apart is None:
            self._apart = controls_of(apart(self.controls.facts))
        some = [one for one in facts if upto is None or one.offset <= upto]
        kept = foldable(subject, self.partition, some, lambda: None).log.values()
        return Life(subject, self.partition, tuple(apart(kept)), self._apart, book)


def apart(facts: Iterable[Fact]) -> Iterator[Fact]:
    """The same, with their offsets ``NEAR`` apart."""
    return (replace(one, offset=(one.offset + 1) * NEAR) for one in facts)


def controls_of(facts: Iterable[Fact]) -> Controls:
    """Controls of these, in their order."""
    found = Controls()
    for one in facts:
        found.apply(one)
    return found


def suppose(life: Life, moves: Sequence[Move] = (), words: Sequence[Fact] = ()) -> Life:
    """The life with these entries otherwise. ``words``: facts that are supposed besides; of each its ``known`` says where it comes.

    A move to an instant that isn't earlier than the entry's own changes nothing."""
    if not moves and not words:
        return life
    facts, dropped, removed, inserted = {one.key: one for one in life.facts}, [], [], []
    # Who is never there is not late either.
    for move in sorted(moves, key=lambda one: not one.never):
        entry = facts.get(move.key)
        if entry is None:
            continue
        if move.never:
            about = closure(entry, facts.values())
            dropped += about
            for one in about:
                removed.append(facts.pop(one.key))
            continue
        if move.words is not None:
            entry = facts[move.key] = replace(entry, name=move.words[0], data=dict(move.words[1]))
            for one in list(facts.values()):
                if one.name in _REWORDING and one.data.get("replacement") and _named(one) == {move.key}:
                    dropped.append(facts.pop(one.key))
                    removed.append(dropped[-1])
        if move.known is not None and move.known < entry.known:
            removed.append(facts.pop(move.key))
            inserted.append(replace(entry, known=move.known))
    kept = sorted(facts.values(), key=lambda one: one.offset)
    steps = sorted((*kept, *life.controls.facts), key=lambda one: one.offset)
    if later := _put_later(removed, steps):
        steps = _known_anew(steps, later)
        kept = [one for one in steps if one.name not in CONTROLS]
    controls = controls_of(one for one in steps if one.name in CONTROLS) if later else life.controls
    facts_now = sorted((*kept, *_put_in((*inserted, *words), steps)), key=lambda one: one.offset)
    able = foldable(life.subject, life.partition, facts_now, lambda: None).log.values()
    return replace(life, facts=tuple(able), controls=controls, dropped=tuple(dropped))


def _put_in(inserted: Sequence[Fact], steps: Sequence[Fact]) -> Iterator[Fact]:
    """With an offset each, right after everything known by then; of several there the earlier known first, then as the log has them."""
    instants = [one.known for one in steps]
    taken: dict[int, int] = {}
    for one in sorted(inserted, key=lambda one: (one.known, one.offset)):
        behind = bisect_right(instants, one.known)
        base = steps[behind - 1].offset if behind else 0
        taken[base] = taken.get(base, 0) + 1
        if taken[base] >= NEAR:
            raise ValueError(f"more than {NEAR - 1} entries are supposed at one place")
        yield replace(one, offset=base + taken[base])


def _put_later(removed: Sequence[Fact], steps: Iterable[Fact]) -> frozenset[int]:
    """The record times of removed entries by which others count as known later than their own."""
    stamps = {one.stamp for one in removed if one.stamp == one.known}
    return frozenset(one.known for one in steps if one.known in stamps and one.stamp < one.known) if stamps else frozenset()


def _known_anew(steps: Sequence[Fact], later: frozenset[int]) -> list[Fact]:
    """``steps`` with the running maximum without those record times."""
    found: list[Fact] = []
    for one in steps:
        if one.known in later and one.stamp < one.known:
            one = replace(one, known=max(one.stamp, found[-1].known if found else 0))
        found.append(one)
    return found


def closure(entry: Fact, facts: Iterable[Fact]) -> list[Fact]:
    """The entry and all that is about nothing else: by offset."""
    gone: dict[Key, Fact] = {entry.key: entry}
    some = [one for one in facts if one.key != entry.key]
    while more := [one for one in some if one.key not in gone and (about := _named(one, gone)) and about <= gone.keys()]:
        gone.update((one.key, one) for one in more)
    return sorted(gone.values(), key=lambda one: one.offset)


_NAMING = ("act", "entry", "announces", "application")


def _named(fact: Fact, among: Mapping[Key, Fact] | None = None) -> set[Key]:
    """The entries that a fact is about. A service names its document by its id alone: that of its own office is meant, else any
    ``among`` those looked for."""
    data = fact.data
    found = {(one["source"], one["id"]) for name in _NAMING if isinstance(one := data.get(name), Mapping) and "source" in one}
    found |= {(one["source"], one["id"]) for one in data.get("acts") or () if isinstance(one, Mapping) and "source" in one}
    if fact.name == "document.served":
        named = [key for key in among or () if key[1] == data.get("document")]
        found |= {next((key for key in named if key[0] == fact.source), named[0])} if named else set()
    return found


Supposing = Literal["on_time", "true", "never"]
