"""One partition of ``mingjian.parts.v1`` → the grades of the parents in it: load, decide, append.

The log is the topic itself, read from its beginning when a partition is taken; what is kept is one row that says how far it was
told. The messages of a round go out first, the row after them: a crash in between tells the round again under the same ids. What
comes before a place that was told is told in its place, by ``Chronicle``.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas import topics
from schemas.envelope import NotAnEnvelope, derived_bytes, open_record
from schemas.heads import PARTS
from services._bus.quarantine import quarantined
from services._bus.telemetry import HEADER, sampled
from services.rating.domain.fold import Book
from services.rating.domain.parts.chronicle import Chronicle
from services.rating.domain.parts.entries import TYPE, Entry, Order, entry_of
from services.rating.ports import Message, Record, Row

log = logging.getLogger("mingjian.rating")


@dataclass(frozen=True, slots=True)
class Told:
    """Everything at or before ``order`` among the records below ``offset`` is told, by the rulebooks of these digests, but for the
    wholes in ``failed`` (parent, regime): their grades could not be worked out, and other code may tell all of it."""

    order: Order | None = None
    offset: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict)
    failed: frozenset[tuple[str, str]] = frozenset()

    @staticmethod
    def of(value: bytes | None) -> Told:
        """From a row's value; None where there is no row."""
        if value is None:
            return Told()
        order, offset, sha256, failed = orjson.loads(value)
        return Told(tuple(order) if order else None, offset, sha256, frozenset((parent, regime) for parent, regime in failed))


@dataclass(slots=True)
class Wholes:
    """``offset``: the next record to take; ``newest``: the last place in the order among those that were taken."""

    partition: int
    books: Mapping[str, Book]
    told: Told = field(default_factory=Told)
    offset: int = 0
    newest: Order | None = None
    chronicles: dict[tuple[str, str], Chronicle] = field(default_factory=dict)
    # Parent and regime.
    failed: set[tuple[str, str]] = field(default_factory=set)
    # Ids of what another version of rating told before this one began; see ``already``.
    sent: frozenset[str] = frozenset()
    _traces: dict[Order, bytes] = field(default_factory=dict)

    def take(self, records: Sequence[Record]) -> list[Message]:
        """The next records, by offset. Returns the quarantine's rows for those that can't be read; what was told before is known when
        the last of it was taken."""
        refused = []
        for record in records:
            try:
                event = open_record(record.value).event
                if event["type"] == TYPE:
                    self._enter(entry_of(event), record)
            except (NotAnEnvelope, KeyError, TypeError, ValueError) as error:
                log.error("parts/%d@%d goes to quarantine: %s", record.partition, record.offset, type(error).__name__)
                row = quarantined(topics.PARTS, record, service="rating", reason=f"{type(error).__name__}: no word of a part")
                if record.offset >= self.told.offset:
                    refused.append(Message(row.topic, row.key, row.value or b"", record.timestamp, row.headers, record.partition))
            self.offset = record.offset + 1
            if self.offset == self.told.offset and self.told.order is not None:
                for key, one in self.chronicles.items():
                    if self.told.sha256.get(key[1]) == one.book.sha256 and key not in self.told.failed:
                        self._settled(key, one, self.told.order)
        return refused

    def _enter(self, entry: Entry, record: Record) -> None:
        self.newest = entry.order if self.newest is None else max(self.newest, entry.order)
        book = self.books.get(entry.regime)
        if book is None or book.rulebook.parts is None:
            return
        chronicle = self.chronicles.get((entry.parent, entry.regime))
        if chronicle is None:
            chronicle = self.chronicles[entry.parent, entry.regime] = Chronicle(entry.parent, book)
        if chronicle.add(entry) and (trace := sampled(record.headers)):
            self._traces[entry.order] = trace

    def settle(self, upto: Order) -> list[Message]:
        """Tell what waits up to a place; the row of ``row`` belongs behind these messages."""
        messages = []
        for key, one in sorted(self.chronicles.items()):
            for entry, event in self._settled(key, one, upto):
                if event["id"] in self.sent:
                    continue
                headers = [("ce_id", event["id"].encode()), ("ce_type", event["type"].encode()), ("content-type", b"application/json")]
                if trace := self._traces.get(entry.order):
                    headers.append((HEADER, trace))
                key, stamp = event["subject"].encode(), entry.cause.stamp
                messages.append(Message(topics.GRADES, key, derived_bytes(event), stamp, tuple(headers), self.partition))
        self._traces = {order: trace for order, trace in self._traces.items() if order > upto}
        order = upto if self.told.order is None else max(upto, self.told.order)
        sha256 = {name: book.sha256 for name, book in self.books.items() if book.rulebook.parts}
        self.told = Told(order, self.offset, sha256, frozenset(self.failed))
        return messages

    def _settled(self, key: tuple[str, str], one: Chronicle, upto: Order) -> list[tuple[Entry, dict[str, Any]]]:
        """What a whole tells. One whose grade can't be worked out holds up no other; its half-folded log is of no use then."""
        if key in self.failed:
            return []
        try:
            return one.settle(upto)
        except Exception as error:  # the fold is pure: what fails once fails always
            where = traceback.extract_tb(error.__traceback__)[-1].name
            log.error("parts/%d: a whole's grades by %s can't be worked out: %s in %s", self.partition, key[1], type(error).__name__, where)
            self.failed.add(key)
            return []

    @staticmethod
    def already(records: Iterable[Record]) -> Iterator[str]:
        """The ids of wholes' events among records of grades."""
        for record in records:
            event = open_record(record.value).event
            if "parts" in event["data"]:
                yield event["id"]

    @property
    def waiting(self) -> int:
        """Entries that are not told yet."""
        return sum(len(one.waiting) for key, one in self.chronicles.items() if key not in self.failed)

    def row(self) -> Row:
        """How far it is told."""
        return Row(
            "heads", self.partition, PARTS, orjson.dumps([self.told.order, self.told.offset, self.told.sha256, sorted(self.told.failed)])
        )
