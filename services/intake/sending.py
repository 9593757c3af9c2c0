"""To Kafka, in the order of storing, again and again until it is read back.

Invariants
1. What goes out comes from PostgreSQL's bytes; sent again it is the same bytes.
2. One task sends, so within a partition records stand in the order of storing unless Kafka failed in between.
3. A copy of a control event is sent after its original and before whatever was stored later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from schemas.topics import CONTROL_KEY, FACTS, REFUSALS, REGISTRY
from services._bus.kafka import Unavailable
from services._bus.producer import Outgoing
from services.intake.ports import Name, RefusalRow, Row, Store, StoreUnavailable

log = logging.getLogger("mingjian.intake.sending")
TOGETHER = 1_000
IN_MEMORY = 20_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class Producer(Protocol):
    """Sends rows in order; raises ``Unavailable`` when some may be missing."""

    async def send(self, rows: Sequence[Outgoing]) -> None: ...


def outgoing(row: Row) -> list[Outgoing]:
    """The record, and its copies on facts."""
    headers: tuple[tuple[str, bytes], ...] = (
        ("ce_id", row.name[1].encode()),
        ("ce_type", row.type.encode()),
        ("content-type", b"application/json"),
    )
    if row.traceparent:
        headers = (*headers, ("traceparent", row.traceparent.encode()))
    records = [Outgoing(row.topic, row.key.encode(), row.value, headers, None, row.received_ms)]
    for partition in row.copies:
        records.append(Outgoing(FACTS, CONTROL_KEY, row.value, headers, partition, row.received_ms))
    return records


class Sender:
    """Takes stored rows and refusals. ``monotonic`` gives seconds; ``resend_after_s``: how long a sent row may stay unread by a
    reader that is ``caught_up``."""

    def __init__(
        self,
        store: Store,
        producer: Producer,
        *,
        monotonic: Callable[[], float],
        caught_up: Callable[[], bool],
        resend_after_s: float = 10.0,
    ) -> None:
        self._store, self._producer, self._monotonic, self._resend_after = store, producer, monotonic, resend_after_s
        self._caught_up = caught_up
        self._rows: deque[tuple[int, Row]] = deque()
        self._refusals: deque[RefusalRow] = deque()
        self._arrived = asyncio.Event()
        # Rows were left out of memory: they come back from PostgreSQL, beginning after the last one sent.
        self._behind = False
        self._passed_by = False
        self._last = 0
        self._unread: dict[Name, tuple[int, float]] = {}
        self._registry_unread: set[Name] = set()

    @property
    def unread(self) -> int:
        """Sent, or waiting to be sent, and not read back."""
        return len(self._unread)

    def registry_unread(self) -> bool:
        """Whether something is stored for the registry, and so meant to hold, that was not read back."""
        return bool(self._registry_unread)

    def stored(self, rows: Sequence[tuple[int, Row]]) -> None:
        """Rows that PostgreSQL has now."""
        now = self._monotonic()
        for seq, row in rows:
            self._unread[row.name] = (seq, now)
            if row.topic == REGISTRY:
                self._registry_unread.add(row.name)
        if self._behind or len(self._rows) + len(rows) > IN_MEMORY:
            self._behind = self._passed_by = True
        else:
            self._rows.extend(rows)
        self._arrived.set()

    def refused(self, rows: Sequence[RefusalRow]) -> None:
        """Refusals that PostgreSQL has now. What doesn't fit in memory goes out at the next start."""
        if len(self._refusals) < IN_MEMORY:
            self._refusals.extend(rows)
            self._arrived.set()

    def read_back(self, name: Name) -> None:
        """Its first copy was found."""
        self._unread.pop(name, None)
        self._registry_unread.discard(name)

    async def recover(self) -> int:
        """At start, when everything on Kafka has been read: queue what was stored and never arrived. Returns how many rows."""
        copies = await self._store.unsent_copies()
        originals: list[tuple[int, Row]] = []
        last = 0
        while found := await self._store.unread(after=last, limit=TOGETHER):
            originals += found
            last = found[-1][0]
        missing = {row.name: row.copies for row in copies}
        self.stored([(seq, _with_copies(row, missing.pop(row.name, ()))) for seq, row in originals])
        for row in copies:
            if row.name in missing:
                await self._deliver([one for one in outgoing(row) if one.topic == FACTS])
                await self._store.copied([(row.name, partition) for partition in row.copies])
        self.refused(await self._store.unsent_refusals(IN_MEMORY))
        return len(originals)

    async def run(self) -> None:
        """Until cancelled."""
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._rows or self._refusals or self._behind:
                    await self._step()
        finally:
            watch.cancel()

    async def _step(self) -> None:
        if not self._rows and self._behind:
            await self._fetch()
        rows = [self._rows.popleft() for _ in range(min(TOGETHER, len(self._rows)))]
        refusals = [self._refusals.popleft() for _ in range(min(TOGETHER, len(self._refusals)))]
        records = [record for _, row in rows for record in outgoing(row)]
        records += [_refusal(row) for row in refusals]
        await self._deliver(records)
        if rows:
            self._last = max(self._last, rows[-1][0])
            now = self._monotonic()
            for seq, row in rows:
                if row.name in self._unread:
                    self._unread[row.name] = (seq, now)
        copied = [(row.name, partition) for _, row in rows for partition in row.copies]
        if copied:
            await self._insist(lambda: self._store.copied(copied))
        if refusals:
            await self._insist(lambda: self._store.refusals_sent(refusals))

    async def _fetch(self) -> None:
        async def more() -> None:
            self._passed_by = False
            found = await self._store.unread(after=self._last, limit=TOGETHER)
            self._rows.extend(found)
            # What was stored while the database looked may be missing from what it found.
            self._behind = bool(found) or self._passed_by

        await self._insist(more)

    async def _deliver(self, records: Sequence[Outgoing]) -> None:
        async def send() -> None:
            await self._producer.send(records)

        if records:
            await self._insist(send)

    async def _insist(self, work: Callable) -> None:
        """Again and again: neither Kafka's nor PostgreSQL's absence loses a row."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await work()
                return
            except (Unavailable, StoreUnavailable) as error:
                log.warning("trying again in %.1f s: %s", pause, type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _watch(self) -> None:
        """Rows that were sent long ago and not read back go out again, from PostgreSQL."""
        while True:
            await asyncio.sleep(self._resend_after / 2)
            late = self._monotonic() - self._resend_after
            overdue = sorted(seq for seq, sent in self._unread.values() if sent < late and seq <= self._last)
            if overdue and not self._behind and self._caught_up():
                log.warning("%d stored events were not read back; sending again from the first of them", len(overdue))
                self._last = overdue[0] - 1
                self._behind = True
                self._arrived.set()


def _with_copies(row: Row, copies: tuple[int, ...]) -> Row:
    return Row(row.name, row.event_hash, row.topic, row.key, row.type, row.value, row.received_ms, row.traceparent, copies=copies)


def _refusal(row: RefusalRow) -> Outgoing:
    return Outgoing(REFUSALS, row.source.encode(), row.value, (("content-type", b"application/json"),), None, row.received_ms)
