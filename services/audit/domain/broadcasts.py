"""Control events that stand once in the registry and must have a copy in every partition of facts: which never got there (ADR 0032).

Silence alone says nothing, for intake completes a half-sent broadcast at its next start. What the registry had when the day before the
last one closed is another matter: by then a day has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas.envelope import NotAnEnvelope, Opened, lookup, open_record
from schemas.topics import CONTROL_KEY, PARTITIONS
from services.audit.domain.frame import Record

DAY_CLOSED = "mingjian.day.closed.v1"
Name = tuple[str, str]
"""Source and id."""


@dataclass(frozen=True, slots=True)
class Original:
    """A control event as the registry has it. ``stamp``: the record's time, ms."""

    offset: int
    id: str
    type: str
    stamp: int
    value: bytes


@dataclass(slots=True)
class Broadcasts:
    """``originals``: of every broadcast, by name, the first one; ``closings``: where days closed, in order, with the day."""

    originals: dict[Name, Original] = field(default_factory=dict)
    closings: list[tuple[int, str]] = field(default_factory=list)
    _seen: dict[int, set[Name]] = field(default_factory=dict)

    def registry(self, records: Iterable[Record]) -> None:
        """The registry's records, by offset."""
        for record in records:
            one = _opened(record)
            if one is None or not _is_broadcast(one.event["type"]):
                continue
            name = (one.event["source"], one.event["id"])
            if name in self.originals:
                continue
            self.originals[name] = Original(record.offset, one.event["id"], one.event["type"], record.timestamp, record.value or b"")
            if one.event["type"] == DAY_CLOSED:
                self.closings.append((record.offset, str(one.event["data"].get("through"))))

    @staticmethod
    def copy_of(record: Record) -> Name | None:
        """Which control event a record of facts copies; None for an ordinary fact."""
        if record.key != CONTROL_KEY:
            return None
        one = _opened(record)
        return (one.event["source"], one.event["id"]) if one and _is_broadcast(one.event["type"]) else None

    def partition(self, number: int, copies: Mapping[Name, bytes]) -> None:
        """The copies that a partition of facts has: name → the first one's bytes."""
        right = {name for name, value in copies.items() if name in self.originals and self.originals[name].value == value}
        self._seen.setdefault(number, set()).update(right)

    def missing(self) -> list[tuple[Original, list[int]]]:
        """Control events that were there when the day before the last one closed, and the partitions that have no identical copy."""
        if len(self.closings) < 2:
            return []
        upto = self.closings[-2][0]
        found = []
        for name, one in sorted(self.originals.items(), key=lambda item: item[1].offset):
            lacking = [number for number in range(PARTITIONS) if name not in self._seen.get(number, ())]
            if one.offset <= upto and lacking:
                found.append((one, lacking))
        return found


def _opened(record: Record) -> Opened | None:
    try:
        return open_record(record.value)
    except NotAnEnvelope:
        return None


def _is_broadcast(kind: str) -> bool:
    found = lookup(kind)
    return found is not None and found.route == "broadcast"
