"""A register in memory for tests of detectors: what is said in it stands as records of the registry and of the partitions of facts."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson

from schemas.events import CATALOGUE
from schemas.keys import SigningKey
from schemas.times import instant, milliseconds
from schemas.topics import CONTROL_KEY, FACTS, GRADES, PARTITIONS, REGISTRY
from services.audit.domain.detectors.model import Detector, Entry, Order
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import Record
from services.audit.domain.scanning import Scan, proved
from services.audit.domain.signs import At, Found
from tests.toolkit import EVERYBODY, OFFICE, OFFICER, REGISTER, REGISTRAR, USCC, Person, enrolment, event, genesis, key, new_id, signed

STACK = "stack:yangli"
SYSTEM = Person("system", "system", REGISTER)
DAY = "2026-03-02"


@dataclass
class World:
    """``said`` in order. Times are instants of the contract; a record is known when it is received."""

    people: Sequence[Person] = EVERYBODY
    registry: list[Record] = field(default_factory=list)
    partitions: dict[int, list[Record]] = field(default_factory=lambda: {number: [] for number in range(PARTITIONS)})
    derived: dict[int, list[Entry]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.genesis = genesis()["event"]
        self._append(genesis(), "2026-01-05T00:30:00.000Z")
        for person in self.people:
            for one in enrolment(person, day="2026-01-05", time="2026-01-05T01:00:00.000Z"):
                self._append(one, "2026-01-05T01:00:00.000Z")

    def say(
        self,
        kind: str,
        data: Mapping[str, Any],
        *,
        by: Person | SigningKey = OFFICER,
        office: str | None = None,
        subject: str = USCC,
        at: str = f"{DAY}T08:00:00.000Z",
        signed_at: str | None = None,
        id: str | None = None,
        channel: str = "desk",
        marks: Sequence[str] = (),
        stamp: int | None = None,
        partition: int | None = None,
    ) -> dict[str, Any]:
        """A fact, or an event of the registry by its type. Returns the event. ``by`` a bare key: nobody's, or not the holder's."""
        source = office or (by.office if isinstance(by, Person) else OFFICE)
        given = {"entered_by": by.pseudonym} if isinstance(by, Person) and kind != "day.closed" else {}
        one = signed(event(kind, {**given, **data}, subject=subject, source=source, time=signed_at or at, id=id), by)
        row = CATALOGUE[f"mingjian.{kind}.v1"]
        if row.route in ("registry", "broadcast"):
            record = self._append(one, at, stamp=stamp, channel=channel)
            if row.route == "broadcast":
                for number in self.partitions:
                    self.put(number, record.value or b"", at, CONTROL_KEY)
        else:
            number = zlib.crc32(subject.encode()) % PARTITIONS if partition is None else partition
            self.put(number, self._value(one, at, stamp, channel, marks), at, subject.encode())
        return one["event"]

    def close(self, day: str, *, at: str | None = None) -> None:
        """A day ends; every partition gets its copy."""
        at = at or f"{day}T16:00:05.000Z"
        self.say("day.closed", {"through": day, "time_zone": "Asia/Shanghai"}, by=SYSTEM, subject=STACK, at=at)

    def told(self, kind: str, data: Mapping[str, Any], *, after: Mapping[str, Any], subject: str = USCC) -> None:
        """An event that rating makes of a fact that was said."""
        place = next(one for some in self.partitions.values() for one in some if after["id"].encode() in (one.value or b""))
        order = Order(place.timestamp, place.partition, place.offset)
        cause = {"source": after["source"], "topic": FACTS, "partition": place.partition, "offset": place.offset, "id": after["id"]}
        id = new_id(f"told {kind} {after['id']}")
        entry = Entry(GRADES, order, order.known, order.known, id, "/services/rating", kind, subject, "", "", 0, {**data, "cause": cause})
        self.derived.setdefault(place.partition, []).append(entry)

    def changed(self, record: Record, was: str, now: str) -> Record:
        """The record with other words in its value."""
        return replace(record, value=(record.value or b"").replace(was.encode(), now.encode()))

    def put(self, partition: int, value: bytes, at: str, name: bytes | None) -> Record:
        """A record as it is."""
        some = self.partitions[partition]
        kind = str(orjson.loads(value)["event"]["type"]).encode()
        record = Record(FACTS, partition, len(some), milliseconds(at), 0, name, (("ce_type", kind),), value)
        some.append(record)
        return record

    def _append(self, one: Mapping[str, Any], at: str, *, stamp: int | None = None, channel: str = "desk") -> Record:
        value = self._value(one, at, stamp, channel, ())
        record = Record(REGISTRY, 0, len(self.registry), milliseconds(at), 0, b"x", (), value)
        self.registry.append(record)
        return record

    def _value(self, one: Mapping[str, Any], at: str, stamp: int | None, channel: str, marks: Sequence[str]) -> bytes:
        offset = len(self.registry) - 1 if stamp is None else stamp
        entry = {"received_at": at, "channel": channel, "registry_offset": offset} | ({"marks": list(marks)} if marks else {})
        body = {"entry": entry, "event": one["event"], "signature": one["signature"]}
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)

    def scan(self, detectors: Sequence[Detector], feed: Callable[[Scan], Iterable[Found]] | None = None) -> list[Found]:
        """Everything that is found, signatures proved, checked against the contract."""
        scan = Scan(self.genesis, detectors, self.derived)
        scan.read_registry(self.registry)
        found = list((feed or self.at_once)(scan))
        values = {At(FACTS, number, one.offset): one.value for number, some in self.partitions.items() for one in some}
        values |= {At(REGISTRY, 0, one.offset): one.value for one in self.registry}
        known: dict[tuple[At, bool], bool] = {}
        kept = [one for one in found if proved(one, values, scan.registry, known)]
        for one in kept:
            CATALOGUE[one.type].model.model_validate_json(orjson.dumps(one.data))
        assert scan.odd == {}, "a detector could not read what intake lets through"
        return kept

    def at_once(self, scan: Scan) -> Iterable[Found]:
        """Each partition whole, one after the other."""
        for number, some in self.partitions.items():
            scan.take(number, some)
        return scan.found()

    def findings(self, *detectors: Detector) -> list[dict[str, Any]]:
        """The data of the findings, without the scans."""
        return [one.data for one in self.scan(detectors) if one.type == TYPE]


def standing(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each matter the last finding, without those that were retracted."""
    last = {one["matter"]: one for one in found}
    return [one for one in last.values() if not one.get("retracted")]


def corrected(world: World, entry: Mapping[str, Any], kind: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An office's own correction of an entry."""
    return _own(world, "entry.corrected", entry, {"replacement": {"type": f"mingjian.{kind}.v1", "data": dict(data)}}, more)


def retracted(world: World, entry: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An office's own retraction of an entry."""
    return _own(world, "entry.retracted", entry, {}, more)


def _own(world: World, kind: str, entry: Mapping[str, Any], data: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    named = {"source": entry["source"], "id": entry["id"]}
    said = {"occurred_on": DAY, "entry": named, "ground": "slip_of_the_pen", "origin": "self_reported", "reason": "样例"}
    return world.say(kind, {**said, **data}, subject=entry["subject"], office=entry["source"], **more)


def after(at: str, *, minutes: int) -> str:
    """An instant so many minutes later."""
    return instant(milliseconds(at) + minutes * 60_000)


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


__all__ = ["DAY", "REGISTRAR", "STACK", "SYSTEM", "World", "after", "corrected", "day", "key", "retracted", "standing"]
