"""A register in memory for tests of detectors: what is said in it stands as records of the registry and of the partitions of facts."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from schemas.events import CATALOGUE
from schemas.keys import SigningKey
from schemas.times import instant, milliseconds
from schemas.topics import CONTROL_KEY, FACTS, PARTITIONS, REGISTRY
from services.audit.domain.detectors.model import Detector
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import Record
from services.audit.domain.scanning import Scan, proved
from services.audit.domain.signs import At, Found
from tests.toolkit import EVERYBODY, OFFICE, OFFICER, REGISTER, REGISTRAR, USCC, Person, enrolment, event, genesis, key, signed

STACK = "stack:yangli"
SYSTEM = Person("system", "system", REGISTER)
DAY = "2026-03-02"


@dataclass
class World:
    """``said`` in order. Times are instants of the contract; a record is known when it is received."""

    people: Sequence[Person] = EVERYBODY
    registry: list[Record] = field(default_factory=list)
    partitions: dict[int, list[Record]] = field(default_factory=lambda: {number: [] for number in range(PARTITIONS)})

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
        scan = Scan(self.genesis, detectors)
        scan.read_registry(self.registry)
        found = list((feed or self.at_once)(scan))
        values = {At(FACTS, number, one.offset): one.value for number, some in self.partitions.items() for one in some}
        values |= {At(REGISTRY, 0, one.offset): one.value for one in self.registry}
        known: dict[At, bool] = {}
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


def after(at: str, *, minutes: int) -> str:
    """An instant so many minutes later."""
    return instant(milliseconds(at) + minutes * 60_000)


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


__all__ = ["DAY", "REGISTRAR", "STACK", "SYSTEM", "World", "after", "day", "key", "standing"]
