"""What stands on the derived topics, held against what the facts lead to. Knows no rating: events are matched by id, then by bytes.

Invariants
1. A record that stands is right (the bytes of an expected event, under its key) or a difference by itself, whatever other copies say.
2. An expected event is missing only where no record has its id and rating has worked its cause off.
3. Identical copies are no difference, wherever they stand: delivery is at least once, and the first copy is the one with a place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.envelope import NotAnEnvelope, open_record
from schemas.topics import DUTIES, GRADES, PARTS
from services.audit.domain.frame import Record
from services.audit.domain.replay import GRADED, Expected

What = Literal["differs", "invented", "missing", "out_of_order"]
WORDS = {GRADES: "grade", DUTIES: "duty", PARTS: "part"}
Order = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class Stood:
    """A record of a derived topic. ``event`` None: its value holds none; ``stamp``: the record's time, ms."""

    topic: str
    partition: int
    offset: int
    stamp: int
    key: bytes | None
    value: bytes
    event: Mapping[str, Any] | None

    @staticmethod
    def of(record: Record) -> Stood:
        try:
            event = open_record(record.value).event
        except NotAnEnvelope:
            event = None
        return Stood(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value or b"", event)

    @property
    def regime(self) -> str:
        """The regime that it names; '' where it names none."""
        found = self.event["data"].get("regime") if self.event else None
        return found if isinstance(found, str) else ""

    @property
    def of_whole(self) -> bool:
        """Whether it tells a grade that was counted from parts."""
        return self.topic == GRADES and self.event is not None and "parts" in self.event["data"]

    @property
    def cause(self) -> object:
        """The place of what it says it follows from; None where it doesn't say."""
        said = self.event["data"].get("cause") if self.event else None
        return (said.get("partition"), said.get("offset")) if isinstance(said, dict) else None


@dataclass(frozen=True, slots=True)
class Difference:
    """``stands``: the record, None where one is missing; ``should``: what the facts lead to, None where nothing leads to it; ``after``:
    the offset of the record behind which it should not stand."""

    what: What
    topic: str
    stands: Stood | None
    should: Expected | None
    after: int | None = None

    @property
    def kind(self) -> str:
        """Of the finding."""
        return f"{WORDS[self.topic]}_{self.what}"

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition, offset: of the record, or of the fact of which it is missing."""
        if self.stands:
            return (self.topic, self.stands.partition, self.stands.offset)
        assert self.should is not None
        return ("", *self.should.cause)

    @property
    def named(self) -> tuple[str, str]:
        """Subject and regime concerned: those that the facts say, else those that the record claims."""
        if self.should:
            return (self.should.subject, self.should.regime)
        assert self.stands is not None
        return (self.stands.event["subject"] if self.stands.event else "", self.stands.regime)


@dataclass(frozen=True, slots=True)
class Worked:
    """How far rating is in one partition, see ``schemas.heads``. ``pending``: offset of a control → the last subject done; ``wholes``: the
    place up to which wholes are told; ``refused``, ``untold``: from which offset on rating owes grades by a regime, or those of a subject
    by a regime, and says so itself."""

    head: int = -1
    pending: Mapping[int, str] = field(default_factory=dict)
    wholes: Order | None = None
    refused: Mapping[str, int] = field(default_factory=dict)
    untold: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def due(self, one: Expected) -> bool:
        """Whether the event must have been told by now, with everything before it."""
        offset = one.cause[1]
        owed = min(self.refused.get(one.regime, offset + 1), self.untold.get((one.regime, one.about), offset + 1))
        if owed <= offset:
            return False
        return offset <= self.head and (offset not in self.pending or one.about <= self.pending[offset])


@dataclass(slots=True)
class Standing:
    """Records of derived topics by id. ``unreadable``: those without an event. Taken out as they are matched; what is left was invented."""

    by_id: dict[tuple[str, str], list[Stood]] = field(default_factory=dict)
    unreadable: list[Stood] = field(default_factory=list)
    records: int = 0

    def add(self, one: Stood) -> None:
        """A record, in the order of offsets."""
        self.records += 1
        if one.event is None:
            self.unreadable.append(one)
        else:
            self.by_id.setdefault((one.topic, one.event["id"]), []).append(one)

    def match(
        self, expected: Sequence[Expected], due: Callable[[Expected], bool], *, ordered: bool = True
    ) -> tuple[list[Difference], list[Stood], int]:
        """Hold the events of one subject and regime against what stands: differences, the records matched, and how many events are not
        due yet. ``expected``: in order; ``ordered``: they stand in it, within each topic."""
        found: list[Difference] = []
        matched: list[Stood] = []
        pending = 0
        firsts: dict[str, list[tuple[int, Stood, Expected]]] = {}
        for at, one in enumerate(expected):
            copies = self.by_id.pop((one.topic, one.id), None)
            if copies is None:
                if due(one):
                    found.append(Difference("missing", one.topic, None, one))
                else:
                    pending += 1
                continue
            matched += copies
            found += [Difference("differs", one.topic, copy, one) for copy in copies if not same(copy, one)]
            firsts.setdefault(one.topic, []).append((at, copies[0], one))
        if ordered:
            for topic, many in firsts.items():
                found += [Difference("out_of_order", topic, stood, one, after) for stood, one, after in displaced(many)]
        return found, matched, pending

    def left(self, aside: Callable[[Stood], bool] = lambda one: False) -> list[Difference]:
        """Everything that no expected event accounts for, but what is to be left ``aside``."""
        rest = [*self.unreadable, *(one for copies in self.by_id.values() for one in copies)]
        rest.sort(key=lambda one: (one.topic, one.partition, one.offset))
        return [Difference("invented", one.topic, one, None) for one in rest if not aside(one)]


def same(stands: Stood, one: Expected) -> bool:
    """Whether a record is the expected one, byte for byte, under the key of its subject."""
    return stands.value == one.value and stands.key == one.subject.encode()


def displaced(firsts: Sequence[tuple[int, Stood, Expected]]) -> list[tuple[Stood, Expected, int]]:
    """Of first copies, given in the order in which they should stand, as few as possible without which the others stand in it; each
    with the offset of a record before it that should come after it, or behind it that should come before it."""
    # A longest rising run of offsets stays; patience sorting.
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    offsets = [stood.offset for _, stood, _ in firsts]
    for at, offset in enumerate(offsets):
        place = bisect_left(tails, offset)
        before.append(ends[place - 1] if place else -1)
        if place == len(tails):
            tails.append(offset)
            ends.append(at)
        else:
            tails[place], ends[place] = offset, at
    stays: set[int] = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        stays.add(at)
        at = before[at]
    found = []
    for at, (_, stood, one) in enumerate(firsts):
        if at not in stays:
            beside = [other for place, other in enumerate(offsets) if (place < at) == (other > stood.offset) and place != at]
            found.append((stood, one, min(beside, key=lambda other: abs(other - stood.offset))))
    return found


def explained(found: Iterable[Difference], stood: Sequence[Stood], other: Sequence[Expected]) -> list[Difference]:
    """The differences that another way of telling, ``other``, does not explain either: a cause is told rightly where the records that
    name it are exactly the events that it leads to there. ``stood``: all records of the subject and regime."""
    told: dict[object, set[tuple[str, str, bytes]]] = {}
    for one in stood:
        if one.event is not None:
            told.setdefault(one.cause, set()).add((one.topic, one.event["id"], one.value))
    led: dict[object, set[tuple[str, str, bytes]]] = {}
    for each in other:
        led.setdefault(each.cause, set()).add((each.topic, each.id, each.value))

    def right(one: Difference) -> bool:
        cause = one.should.cause if one.should else one.stands.cause if one.stands else None
        return one.what != "out_of_order" and told.get(cause, set()) == led.get(cause, set())

    return [one for one in found if not right(one)]


def graded_only(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that say what grade or status days have."""
    return [one for one in events if one["type"] in GRADED]
