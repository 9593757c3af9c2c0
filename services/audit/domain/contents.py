"""What the leaves say, read in the log's order: each leaf opened once, for whoever watches. Bytes in, faults and notices out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from schemas.envelope import NotAnEnvelope, Opened, open_record
from schemas.topics import CONTROL_KEY, FACTS, REGISTRY
from services.audit.domain.frame import CREATE_TIME, Record
from services.audit.domain.verify import Place

Tell = Callable[[str, str, str], None]
"""Takes a code, a place and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf and its record. ``one``: its envelope, None where it has none. ``earlier``: where the event stood before in its topic (a
    control copy: in its partition); None for a first copy. ``known_ms``: the running maximum of record times in the partition."""

    index: int
    record: Record
    one: Opened | None
    earlier: int | None
    known_ms: int

    @property
    def where(self) -> str:
        """As every message names it."""
        return f"leaf {self.index}, {self.record.topic} {self.record.partition}:{self.record.offset}"

    @property
    def name(self) -> tuple[str, str]:
        """Source and id of its event; empty without one."""
        return (self.one.event["source"], self.one.event["id"]) if self.one else ("", "")


class Watcher(Protocol):
    """Sees every leaf in the log's order, then the end."""

    def see(self, leaf: Leaf) -> None:
        """A leaf."""

    def end(self) -> None:
        """There are no more."""


class Opening:
    """Leaves from records. ``fault`` and ``notice`` hear of what is wrong with a record by itself."""

    def __init__(self, fault: Tell, notice: Tell, clock_mode: str | None) -> None:
        self._fault, self._notice = fault, notice
        self._clock = None if clock_mode is None else int(clock_mode != "simulated")
        self._known: dict[Place, int] = {}
        self._names: dict[bytes, tuple[int, bytes]] = {}

    def leaf(self, index: int, record: Record) -> Leaf:
        """The leaf of a record; records come in the log's order."""
        place = (record.topic, record.partition)
        known = self._known[place] = max(self._known.get(place, record.timestamp), record.timestamp)
        try:
            one = open_record(record.value)
        except NotAnEnvelope:
            one = None
        leaf = Leaf(index, record, one, self._earlier(index, record, one), known)
        if self._clock is not None and record.timestamp_type != self._clock:
            whose = "its writer's" if record.timestamp_type == CREATE_TIME else "the broker's"
            self._fault("timestamps", leaf.where, f"its time is {whose}; by genesis the stack's clock is another")
        if leaf.earlier is not None and record.topic in (FACTS, REGISTRY):
            same = self._names[_name(record, one)][1] == _content(record)
            what = "the same record again" if same else "other content under the same source and id"
            self._notice("repeated", leaf.where, f"{what}; the first copy, leaf {leaf.earlier}, counts")
        return leaf

    def _earlier(self, index: int, record: Record, one: Opened | None) -> int | None:
        if one is None:
            return None
        first, _ = self._names.setdefault(_name(record, one), (index, _content(record)))
        return first if first != index else None


def _content(record: Record) -> bytes:
    return hashlib.sha256(record.value or b"").digest()[:16]


def _name(record: Record, one: Opened | None) -> bytes:
    """What the copies of an event share: ids are unique per source. A control event has a copy in every partition of facts."""
    assert one is not None
    within = f"{record.topic} {record.partition}" if record.key == CONTROL_KEY else record.topic
    return hashlib.sha256(f"{within}\n{one.event['source']}\n{one.event['id']}".encode("utf-8", "surrogatepass")).digest()[:16]
