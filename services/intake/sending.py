"""To Kafka, in the order of storing, again and again until it is read back.

Invariants
1. What goes out comes from PostgreSQL's bytes; sent again it is the same bytes.
2. One task sends events, so within a partition records stand in the order of storing unless Kafka or PostgreSQL failed in between.
3. A copy of a control event is sent after its original and before whatever was stored later, wherever the row comes from.
4. What is stored goes out, whoever heard of it: after a doubt PostgreSQL is asked again for what nobody handed over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from schemas.topics import CONTROL_KEY, FACTS, REFUSALS, REGISTRY
from services._bus.kafka import Unavailable
from services._bus.producer import Outgoing
from services.intake.ports import Kept, Name, RefusalRow, Row, Store, StoreUnavailable

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
        # Refusals were left out of memory, or may be stored without anyone having said so.
        self._more_refusals = False
        self._arrived, self._refusals_arrived, self._doubted = asyncio.Event(), asyncio.Event(), asyncio.Event()
        # Rows were left out of memory: they come back from PostgreSQL, beginning after the last one sent.
        self._behind = False
        self._passed_by = False
        self._last = 0
        # Rows above ``_doubt`` may be stored that are in no table here. ``_heard``: the highest place that was handed over.
        self._doubt: int | None = None
        # A transaction that was cut off may end after the first look: the second one, and when.
        self._once_more: tuple[int, float] | None = None
        self._heard = 0
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
        new = self._enter(rows)
        if self._behind or len(self._rows) + len(new) > IN_MEMORY:
            self._behind = self._passed_by = True
        else:
            self._rows.extend(new)
        self._arrived.set()

    def _enter(self, rows: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
        """Expect these back. Returns those that were not expected already: a row found in PostgreSQL may be handed over as well."""
        now = self._monotonic()
        new = [(seq, row) for seq, row in rows if row.name not in self._unread]
        for seq, row in new:
            self._unread[row.name] = (seq, now)
            self._heard = max(self._heard, seq)
            if row.topic == REGISTRY:
                self._registry_unread.add(row.name)
        return new

    def doubt(self, stored: Kept | None = None, name: Name | None = None) -> None:
        """Storing failed, and may have happened all the same: look for what nobody handed over. ``stored``, ``name``: of a row that
        is known to be stored and was not read back."""
        if name is not None and name in self._unread:
            return
        after = self._heard if stored is None or stored.seq is None else stored.seq - 1
        if stored is None:
            before = after if self._once_more is None else self._once_more[0]
            self._once_more = (min(before, after), self._monotonic() + self._resend_after)
        self._look_above(after)

    def _look_above(self, after: int) -> None:
        self._doubt = after if self._doubt is None else min(self._doubt, after)
        self._doubted.set()

    def refused(self, rows: Sequence[RefusalRow]) -> None:
        """Refusals that PostgreSQL has now."""
        if self._more_refusals or len(self._refusals) + len(rows) > IN_MEMORY:
            self._more_refusals = True
        else:
            self._refusals.extend(rows)
        self._refusals_arrived.set()

    def doubt_refusals(self) -> None:
        """Storing refusals failed, and may have happened all the same."""
        self._more_refusals = True
        self._refusals_arrived.set()

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
        waiting = {row.name for _, row in originals}
        self.stored(originals)
        for row in copies:
            if row.name not in waiting:
                await self._deliver([one for one in outgoing(row) if one.topic == FACTS])
                await self._store.copied([(row.name, partition) for partition in row.copies])
        self.doubt_refusals()
        return len(originals)

    async def run(self) -> None:
        """Until cancelled. Refusals and looking wait for nothing that events wait for, and the other way round."""
        async with asyncio.TaskGroup() as group:
            for work in (self._send_events, self._send_refusals, self._look, self._watch):
                group.create_task(work())

    async def _send_events(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._rows or self._behind:
                await self._step()

    async def _step(self) -> None:
        if not self._rows and self._behind:
            await self._fetch()
        rows = [self._rows.popleft() for _ in range(min(TOGETHER, len(self._rows)))]
        await self._deliver([record for _, row in rows for record in outgoing(row)])
        if rows:
            self._last = max(self._last, *(seq for seq, _ in rows))
            now = self._monotonic()
            for seq, row in rows:
                if row.name in self._unread:
                    self._unread[row.name] = (seq, now)
        copied = [(row.name, partition) for _, row in rows for partition in row.copies]
        if copied:
            await self._insist(lambda: self._store.copied(copied))

    async def _fetch(self) -> None:
        async def more() -> None:
            self._passed_by = False
            found = await self._store.unread(after=self._last, limit=TOGETHER)
            self._rows.extend(found)
            # What was stored while the database looked may be missing from what it found.
            self._behind = bool(found) or self._passed_by

        await self._insist(more)

    async def _look(self) -> None:
        """Find what may have been missed, page by page."""

        async def more() -> None:
            assert self._doubt is not None
            after, self._doubt = self._doubt, None
            try:
                found = await self._store.unread(after=after, limit=TOGETHER)
            except StoreUnavailable:
                self._look_above(after)
                raise
            for seq, row in self._enter(found):
                if self._behind and seq > self._last:
                    # It comes by ``_fetch``, which may have looked before it was there.
                    self._passed_by = True
                else:
                    self._rows.append((seq, row))
                    self._arrived.set()
            if len(found) == TOGETHER:
                self._look_above(found[-1][0])

        while True:
            await self._doubted.wait()
            self._doubted.clear()
            while self._doubt is not None:
                await self._insist(more)

    async def _send_refusals(self) -> None:
        async def more() -> None:
            self._more_refusals = False
            try:
                found = await self._store.unsent_refusals(TOGETHER)
            except StoreUnavailable:
                self._more_refusals = True
                raise
            self._refusals.extend(found)
            self._more_refusals = self._more_refusals or len(found) == TOGETHER

        while True:
            await self._refusals_arrived.wait()
            self._refusals_arrived.clear()
            while self._refusals or self._more_refusals:
                if not self._refusals:
                    await self._insist(more)
                rows = [self._refusals.popleft() for _ in range(min(TOGETHER, len(self._refusals)))]
                await self._deliver([_refusal(row) for row in rows])
                if rows:
                    await self._insist(partial(self._store.refusals_sent, rows))

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
            now = self._monotonic()
            if self._once_more is not None and self._once_more[1] <= now:
                (after, _), self._once_more = self._once_more, None
                self._look_above(after)
            late = now - self._resend_after
            overdue = sorted(seq for seq, sent in self._unread.values() if sent < late and seq <= self._last)
            if overdue and not self._behind and self._caught_up():
                log.warning("%d stored events were not read back; sending again from the first of them", len(overdue))
                self._last = overdue[0] - 1
                self._behind = True
                self._arrived.set()


def _refusal(row: RefusalRow) -> Outgoing:
    return Outgoing(REFUSALS, row.source.encode(), row.value, (("content-type", b"application/json"),), None, row.received_ms)
