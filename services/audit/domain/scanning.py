"""Records of the registry and of all partitions of facts → entries in the one order → detectors → findings and scans (ADR 35).

Invariants
1. Day by closed day, of each partition the prefix up to its own copy of the ``day.closed``, sorted by (known from, partition, offset):
   what is found depends neither on batches nor on which partition was read first, and the first days' findings on nothing that came later.
2. Of an event's copies the first one in that order counts, in whichever partition; of what is broadcast the registry's own.
3. What is no entry of ours (no envelope, no office as its source, a stamp that the registry has not reached) is nobody's entry.
4. A sign holds where every record that it rests on was signed by a key that held at the record's stamp (``proved``).
5. In memory are a batch of each partition and what the detectors keep, not the records.

A partition that never got its copy of a ``day.closed`` is at its end where it has that of a later one.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import heapify, heappop, heappush
from typing import Any

from schemas.envelope import NotAnEnvelope, Opened, lookup, open_record
from schemas.ids import EVENT_ID, SOURCE
from schemas.times import milliseconds
from schemas.topics import FACTS, PARTITIONS, REGISTRY
from services.audit.domain.detectors.model import Closed, Detector, Entry, Order, Scanned, Scene, Sign
from services.audit.domain.frame import Record
from services.audit.domain.registry import DAY_CLOSED, Registry
from services.audit.domain.signs import At, Because, Found, raised, ran
from services.audit.domain.workdays import WorkCalendar, YearTable

CALENDAR = "mingjian.calendar.issued.v1"
COUNTRY = "CN"
_ODD = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, LookupError)


@dataclass(frozen=True, slots=True)
class Closing:
    """A ``day.closed`` of the registry. ``known``: epoch ms; ``digest``: of its bytes, by which its copies are known."""

    offset: int
    id: str
    through: date
    known: int
    digest: bytes
    calendar: WorkCalendar


# What waits in a lane: an entry with its scene, or the name of a record that no detector wants, or that a day is over up to a closing.
_Item = tuple[Order, bytes, Entry | None, Scene | None]


class _Lane:
    """A partition, or the registry: what was read of it and waits for its turn."""

    def __init__(self, topic: str, partition: int, derived: Iterable[Entry] = ()) -> None:
        self.topic, self.partition = topic, partition
        self.derived = deque(derived)
        self.day = -1
        self.waiting: deque[_Item | int] = deque()
        self.known = 0
        self.calendar = WorkCalendar()
        self.scene: Scene | None = None

    def head(self, closing: int) -> _Item | None:
        """The next item of the day that ends with ``closing``; None where there is none in hand."""
        while self.waiting and isinstance(one := self.waiting[0], int):
            if one >= closing:
                return None
            self.waiting.popleft()
        return self.waiting[0] if self.waiting else None  # type: ignore[return-value]

    def over(self, closing: int) -> bool:
        """Whether it is known that nothing more of that day comes."""
        return self.head(closing) is None and bool(self.waiting)


@dataclass(slots=True)
class _Count:
    """What a detector had since its last scan on record. ``first``: the day after that scan; None before anything."""

    first: date | None = None
    looked_at: int = 0
    hits: int = 0


@dataclass
class Scan:
    """``registry``: all its records; ``genesis``: the pinned event; ``detectors``: fresh ones.

    ``take`` a partition's records by offset, in any batches; then ``found``. ``lacking`` says of which partitions more is needed now.
    ``odd``: by kind of detector, how often it could not read an entry that went past intake. ``derived``: what rating makes of each
    partition's facts, in order (``domain.derived_entries``). ``trusting``: of records without genesis; nothing is asked of signatures."""

    genesis: Mapping[str, Any]
    detectors: Sequence[Detector]
    derived: Mapping[int, Sequence[Entry]] = field(default_factory=dict)
    trusting: bool = False
    through: date | None = None
    entries: int = 0
    odd: dict[str, int] = field(default_factory=dict)
    registry: Registry = field(init=False)
    closings: list[Closing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registry = Registry(self.genesis, trusting=self.trusting)
        self._lanes = {(FACTS, number): _Lane(FACTS, number, self.derived.get(number, ())) for number in range(PARTITIONS)}
        self._lanes[REGISTRY, 0] = _Lane(REGISTRY, 0)
        self._at = 0
        # Of the day in hand: what a partition lacks may still be before it, and a sign is found when its day has closed.
        self._pending: list[Found] = []
        self._seen: set[bytes] = set()
        self._copies: dict[bytes, int] = {}
        self._counts = {one.declared.kind: _Count() for one in self.detectors}
        self._wanted: dict[str, list[Detector]] = {}
        for one in self.detectors:
            for name in one.types:
                self._wanted.setdefault(f"mingjian.{name}.v1", []).append(one)

    def read_registry(self, records: Iterable[Record]) -> None:
        """All of the registry, before anything else."""
        lane = self._lanes[REGISTRY, 0]
        for record in records:
            one = _opened(record)
            lane.known = max(lane.known, record.timestamp)
            before, ignored = len(self.registry.closings), len(self.registry.without_effect)
            self.registry.apply(record.offset, one)
            if one is None or len(self.registry.without_effect) > ignored:
                continue
            if len(self.registry.closings) > before:
                self._close(record, one, lane)
            else:
                self._issue(lane, one)
                self._put(lane, record, one)

    def _close(self, record: Record, one: Opened, lane: _Lane) -> None:
        through = date.fromisoformat(self.registry.closings[-1][1])
        if self.closings and through <= self.closings[-1].through:
            return
        digest = hashlib.sha256(record.value or b"").digest()
        self._copies[digest] = len(self.closings)
        lane.waiting.append(len(self.closings))
        self.closings.append(Closing(record.offset, one.event["id"], through, lane.known, digest, lane.calendar))

    def take(self, partition: int, records: Iterable[Record]) -> None:
        """The next records of a partition of facts, by offset."""
        lane = self._lanes[FACTS, partition]
        for record in records:
            lane.known = max(lane.known, record.timestamp)
            one = _opened(record)
            closing = None
            if one is not None:
                kind = one.event["type"]
                row = lookup(kind)
                if kind == DAY_CLOSED:
                    closing = self._copies.get(hashlib.sha256(record.value or b"").digest())
                elif row is not None and row.route in ("broadcast", "registry"):
                    self._issue(lane, one)
                else:
                    self._put(lane, record, one)
            while lane.derived and lane.derived[0].order.offset <= record.offset:
                self._put_derived(lane, lane.derived.popleft())
            if closing is not None:
                lane.waiting.append(closing)
                lane.day = max(lane.day, closing)

    def _issue(self, lane: _Lane, one: Opened) -> None:
        if one.event["type"] != CALENDAR or one.event["data"].get("country") != COUNTRY:
            return
        try:
            if self.registry.keys.signed(one):
                lane.calendar = lane.calendar.issue(YearTable.of(one.event["data"]))
        except _ODD:
            return

    def _put(self, lane: _Lane, record: Record, one: Opened) -> None:
        order, event = Order(lane.known, record.partition, record.offset), one.event
        name = _name(event["source"], event["id"])
        entry = scene = None
        if event["type"] in self._wanted and (entry := entry_of(record, one, order)) is not None:
            scene = lane.scene
            if scene is None or scene.stamp != entry.stamp or scene.calendar is not lane.calendar:
                scene = lane.scene = Scene(self.registry, entry.stamp, lane.calendar)
        lane.waiting.append((order, name, entry, scene))

    def _put_derived(self, lane: _Lane, entry: Entry) -> None:
        """What follows from a fact comes right after it; what follows from a day's close belongs to that day."""
        stamp = self.closings[lane.day].offset if lane.day >= 0 else 0
        scene = Scene(self.registry, stamp, lane.calendar)
        lane.waiting.append((entry.order, _name(entry.source, entry.id), entry, scene))

    def lacking(self) -> list[int]:
        """Partitions of facts of which the next records are needed before anything more can be found; none at the end."""
        if self._at >= len(self.closings):
            return []
        lanes = (one for one in self._lanes.values() if one.topic == FACTS)
        return [one.partition for one in lanes if one.head(self._at) is None and not one.over(self._at)]

    def waiting(self, partition: int) -> int:
        """How many records of a partition were taken and wait for their turn."""
        return len(self._lanes[FACTS, partition].waiting)

    def found(self) -> Iterator[Found]:
        """What follows from what was taken, in order; ends where more is needed, or after the last closed day."""
        while self._at < len(self.closings):
            lanes = list(self._lanes.values())
            if self.lacking():
                return
            heap = [(head[0], lane.topic, lane) for lane in lanes if (head := lane.head(self._at)) is not None]
            heapify(heap)
            while heap:
                _, topic, lane = heappop(heap)
                item = lane.waiting.popleft()
                assert not isinstance(item, int)
                self._pending += self._dispatch(item)
                if (head := lane.head(self._at)) is not None:
                    heappush(heap, (head[0], topic, lane))
                elif not lane.over(self._at) and lane.topic == FACTS:
                    return
            self._pending += self._ended(self.closings[self._at])
            pending, self._pending = self._pending, []
            yield from pending
            self._at += 1

    def _dispatch(self, item: _Item) -> Iterator[Found]:
        _, name, entry, scene = item
        if name in self._seen:
            return
        self._seen.add(name)
        if entry is None or scene is None or not (self.trusting or 0 <= entry.stamp < self.registry.next_offset):
            return
        self.entries += 1
        because = Because.entry(entry)
        for one in self._wanted[f"mingjian.{entry.type}.v1"]:
            self._counts[one.declared.kind].looked_at += 1
            signs = self._asked(one, lambda one=one: list(one.take(entry, scene)))  # type: ignore[misc]
            yield from self._raised(one, signs, because)

    def _asked(self, one: Detector, ask: Callable[[], list[Any]]) -> list[Any]:
        try:
            return ask()
        except _ODD:
            # What intake let through can be read; whoever wrote past it can't end the detectors for everybody else.
            self.odd[one.declared.kind] = self.odd.get(one.declared.kind, 0) + 1
            return []

    def _raised(self, one: Detector, signs: Iterable[Sign], because: Because) -> Iterator[Found]:
        ordinals: dict[tuple[str, str, str | None], int] = {}
        for sign in signs:
            of = (sign.matter, sign.office, sign.regime)
            if not SOURCE.fullmatch(sign.office):
                continue
            ordinals[of] = ordinals.get(of, -1) + 1
            self._counts[one.declared.kind].hits += 1
            yield raised(one.declared, sign, because, ordinals[of])

    def _ended(self, closing: Closing) -> Iterator[Found]:
        closed = Closed(closing.through, closing.known, Scene(self.registry, closing.offset, closing.calendar))
        stack = str(self.genesis.get("subject", ""))
        for one in self.detectors:
            told = self._asked(one, lambda one=one: list(one.close(closed)))  # type: ignore[misc]
            yield from self._raised(one, [sign for sign in told if isinstance(sign, Sign)], Because.close(closed, closing.id))
            scans = [scan for scan in told if isinstance(scan, Scanned)] or self._own(one, closing)
            for ordinal, scan in enumerate(scans):
                yield ran(one.declared, scan, closed, closing.id, stack, ordinal)
        self.through = closing.through

    def _own(self, one: Detector, closing: Closing) -> list[Scanned]:
        """The driver's own word of an exact detector: over the days since its last one, where there were entries for it or hits."""
        count = self._counts[one.declared.kind]
        if one.declared.period is not None or not (count.looked_at or count.hits):
            return []
        self._counts[one.declared.kind] = _Count(date.fromordinal(closing.through.toordinal() + 1))
        return [Scanned(count.first or closing.through, count.looked_at, count.looked_at, count.hits)]


def entry_of(record: Record, one: Opened, order: Order) -> Entry | None:
    """The record as an entry; None where it is none that an office made."""
    event, entry = one.event, one.entry
    try:
        stamp = entry["registry_offset"]
        if type(stamp) is not int or not SOURCE.fullmatch(event["source"]) or not EVENT_ID.fullmatch(event["id"]):
            return None
        return Entry(
            topic=record.topic,
            order=order,
            received=milliseconds(entry["received_at"]),
            signed=milliseconds(event["time"]),
            id=event["id"],
            source=event["source"],
            type=event["type"][len("mingjian.") : -len(".v1")],
            subject=event["subject"],
            channel=str(entry["channel"]),
            key_id=str(one.signature.get("key_id", "")),
            stamp=stamp,
            data=event["data"],
            marks=tuple(entry.get("marks") or ()),
            sha256=hashlib.sha256(record.value or b"").hexdigest(),
        )
    except _ODD:
        return None


def proved(found: Found, values: Mapping[At, bytes | None], registry: Registry, known: dict[tuple[At, bool], bool]) -> bool:
    """Whether every record that a finding rests on was signed by a key that held (``values``: their bytes). ``known``: asked before."""
    for one in found.rests_on:
        asked = At(one.topic, one.order.partition, one.order.offset), found.held
        if asked not in known:
            known[asked] = _signed(values.get(asked[0]), one.sha256, registry, held=found.held)
        if not known[asked]:
            return False
    return True


def _signed(value: bytes | None, sha256: str, registry: Registry, *, held: bool) -> bool:
    if value is None or hashlib.sha256(value).hexdigest() != sha256:
        return False
    try:
        one = open_record(value)
        return registry.keys.signed(one) if held else registry.keys.made(one)
    except NotAnEnvelope:
        return False


def _name(source: str, id: str) -> bytes:
    """16 bytes that every copy of an event shares."""
    return hashlib.sha256(f"{source}\n{id}".encode("utf-8", "surrogatepass")).digest()[:16]


def _opened(record: Record) -> Opened | None:
    try:
        return open_record(record.value)
    except NotAnEnvelope:
        return None
