"""A file of JSON lines for a scan: envelopes, or bare events, in the order in which they were entered.

Each line has its place by its number, whatever partition it had: events of the registry and what is broadcast stand in the registry,
all others in one partition. Copies of a broadcast count once. A line without ``entry`` was received when the event's ``time`` says, and
knew the registry as far as the file had it by then. Where no day closes the last day of the file does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import lookup
from schemas.times import milliseconds
from schemas.topics import CONTROL_KEY, FACTS, PARTITIONS, REGISTRY
from services.audit.domain.frame import CREATE_TIME, Record
from services.audit.domain.keys import GENESIS
from services.audit.domain.registry import DAY_CLOSED
from services.audit.domain.signs import At

_BATCH = 2_000
_STACK = "stack:file"


class BadLine(ValueError):
    """A line that is no event; the message says which, and how to mend it."""


class LinesScan:
    """``Records`` over the lines of a file. ``genesis``: the event, where the file begins with it. Raises ``BadLine``."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.genesis: Mapping[str, Any] | None = None
        self._registry: list[Record] = []
        self._facts: list[Record] = []
        self._seen: set[tuple[str, str]] = set()
        self._at = dict.fromkeys(range(PARTITIONS), 0)
        self._closes: list[int] = []
        newest = ""
        for number, line in enumerate(lines, 1):
            if line.strip():
                newest = max(newest, self._read(number, line))
        if not self._closes and newest:
            day = datetime.fromisoformat(newest).date().isoformat()
            source, id = "/services/file", "00000000-0000-5000-8000-000000000000"
            event = {"specversion": "1.0", "id": id, "source": source, "type": DAY_CLOSED, "subject": _STACK, "time": newest}
            event |= {"datacontenttype": "application/json", "data": {"through": day, "time_zone": "UTC"}}
            self._put({"event": event, "entry": {"received_at": newest}}, newest)

    @property
    def total(self) -> int:
        """See ``Records``."""
        return len(self._registry) + len(self._facts)

    def _read(self, number: int, line: bytes) -> str:
        try:
            said = orjson.loads(line)
            whole = said if "event" in said else {"event": {name: one for name, one in said.items() if name != "received_at"}}
            event = whole["event"]
            name = (event["source"], event["id"])
            entry = dict(whole.get("entry") or {})
            received = str(entry.setdefault("received_at", said.get("received_at", event["time"])))
            milliseconds(received)
            entry.setdefault("channel", "desk")
            if not isinstance(event["type"], str) or not isinstance(event["data"], dict) or not all(isinstance(one, str) for one in name):
                raise TypeError("its type, id or source is no text, or its data no object")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadLine(f"line {number} is no event ({error}); give an envelope or a CloudEvent of the contract a line") from None
        if self.genesis is None or "registry_offset" not in entry:
            entry["registry_offset"] = max(0, len(self._registry) - 1)
        if event["type"] == GENESIS and not self._registry:
            self.genesis = event
        self._put({"entry": entry, "event": event, "signature": whole.get("signature") or {}}, received)
        return received

    def _put(self, envelope: Mapping[str, Any], received: str) -> None:
        event = envelope["event"]
        row, value, stamp = lookup(event["type"]), trusted_canonical_bytes(dict(envelope)), milliseconds(received)
        route = row.route if row is not None else "facts"
        if route in ("registry", "broadcast"):
            if (event["source"], event["id"]) in self._seen:
                return
            self._seen.add((event["source"], event["id"]))
            self._registry.append(Record(REGISTRY, 0, len(self._registry), stamp, CREATE_TIME, None, (), value))
        if event["type"] == DAY_CLOSED:
            self._closes.append(len(self._facts))
        if route in ("facts", "broadcast"):
            key = CONTROL_KEY if route == "broadcast" else event["subject"].encode()
            self._facts.append(Record(FACTS, 0, len(self._facts), stamp, CREATE_TIME, key, (), value))

    def registry(self) -> list[Record]:
        """See ``Records``."""
        return self._registry

    def more(self, partitions: Sequence[int]) -> Mapping[int, Sequence[Record]]:
        """See ``Records``: the one partition has the facts, the others the closed days alone."""
        found: dict[int, Sequence[Record]] = {}
        for number in partitions:
            at = self._at[number]
            if number:
                some: Sequence[Record] = [self._facts[place] for place in self._closes[at : at + _BATCH]]
            else:
                some = self._facts[at : at + _BATCH]
            if not some:
                return {}
            found[number] = some
            self._at[number] = at + len(some)
        return found

    def whole(self, partition: int) -> Iterator[Sequence[Record]]:
        """See ``Records``."""
        return iter(()) if partition else iter((self._facts,))

    def values(self, places: Sequence[At]) -> Mapping[At, bytes | None]:
        """See ``Records``."""
        return {at: (self._registry if at.topic == REGISTRY else self._facts)[at.offset].value for at in places}
