"""Intake reads its own topics: a receipt is for what stands on Kafka, not for what was sent there.

Invariants
1. The lowest offset that carries an id in its topic is its first copy; whatever comes later under the id changes nothing.
2. ``known_ms`` of a record is the running maximum of record times in its partition, up to and with it.
3. Registry records are folded before anyone hears that they were read.
4. Positions are stored with the first copies they stand for; what was read and not stored is read again.
5. A record that can't be read is in quarantine, whole, before its place counts as read.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka import ConsumerRecord

from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import NotAnEnvelope, open_record
from schemas.times import milliseconds
from schemas.topics import FACTS, PARTITIONS, REGISTRY
from services._bus.kafka import Unavailable
from services._bus.producer import Outgoing
from services._bus.quarantine import quarantined
from services.intake.domain import standing
from services.intake.domain.registry import Registry
from services.intake.ports import FirstCopy, Place, Position, Store, StoreUnavailable

log = logging.getLogger("mingjian.intake.reading")
PLACES: tuple[Place, ...] = ((REGISTRY, 0), *((FACTS, partition) for partition in range(PARTITIONS)))
STORED_TOGETHER = 2_000
_PAUSE_S = 0.5
_NAME = re.compile(r"/[a-z0-9/-]{1,119} [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Consumer(Protocol):
    """Reads by position, without a group."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def assign(self, positions: Mapping[Place, int]) -> None: ...
    async def poll(self) -> list[ConsumerRecord]: ...
    def ends(self) -> dict[Place, int]: ...
    async def fetch_ends(self) -> dict[Place, int]: ...


class ReadBack:
    """``found`` hears of every first copy in memory at once, ``saw`` of every record's time (epoch ms); ``send`` returns once Kafka
    has the rows, or raises ``Unavailable``. ``store_every_s``: while records keep coming, they are stored so often."""

    def __init__(
        self,
        *,
        store: Store,
        consumer: Consumer,
        registry: Registry,
        found: Callable[[FirstCopy], None],
        saw: Callable[[int], None],
        send: Callable[[Sequence[Outgoing]], Awaitable[None]],
        store_every_s: float = 0.0,
    ) -> None:
        self._send = send
        self._unreadable: list[Outgoing] = []
        self._store, self._consumer, self.registry, self._found, self._saw = store, consumer, registry, found, saw
        self.positions: dict[Place, Position] = {place: Position(0, 0) for place in PLACES}
        self._stored: dict[Place, Position] = {}
        self._unstored: list[FirstCopy] = []
        self._store_every_s, self._stored_at = store_every_s, float("-inf")
        self._moved = asyncio.Condition()

    async def start(self) -> None:
        """Connect and seek. The registry is read from its beginning: its state lives in memory. Raises ``Unavailable``, ``RecordsGone``."""
        self._stored = await self._store.positions()
        await self._consumer.start()
        self.positions = {place: self._stored.get(place, Position(0, 0)) for place in PLACES}
        self.positions[REGISTRY, 0] = Position(0, 0)
        await self._seek()

    async def _seek(self) -> None:
        await self._consumer.assign({place: position.next_offset for place, position in self.positions.items()})

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    def lag(self) -> dict[Place, int]:
        """Records not yet read, by partition, as far as is known."""
        return {place: max(0, end - self.positions[place].next_offset) for place, end in self._consumer.ends().items()}

    async def run(self) -> None:
        """Until cancelled; temporary trouble is waited out."""
        while True:
            try:
                await self.step()
            except (Unavailable, StoreUnavailable) as error:
                log.warning("reading back goes on in %.1f s: %s", _PAUSE_S, error)
                await asyncio.sleep(_PAUSE_S)

    async def step(self) -> None:
        """Read once, tell who waits, store. Raises ``Unavailable`` or ``StoreUnavailable``, after which the next call goes on."""
        records = await self._consumer.poll()
        for record in records:
            self._take(record)
        if records:
            async with self._moved:
                self._moved.notify_all()
        if self._unreadable:
            await self._send(self._unreadable)
            self._unreadable = []
        if self.positions != self._stored and (not records or self._due()):
            moved = {place: position for place, position in self.positions.items() if position != self._stored.get(place)}
            await self._store.note(self._unstored, moved)
            self._stored, self._unstored, self._stored_at = dict(self.positions), [], asyncio.get_running_loop().time()

    def _due(self) -> bool:
        # What was read and not stored is read again at the next start, and receipts come from memory: this may wait, but not grow.
        return asyncio.get_running_loop().time() - self._stored_at >= self._store_every_s or len(self._unstored) >= STORED_TOGETHER

    def _take(self, record: ConsumerRecord) -> None:
        place = (record.topic, record.partition)
        before = self.positions[place]
        known = max(before.known_ms, record.timestamp)
        self.positions[place] = Position(record.offset + 1, known)
        self._saw(record.timestamp)
        if record.topic == REGISTRY:
            self.registry.apply(record.offset, record.value)
        try:
            opened = open_record(record.value)
            received = milliseconds(opened.entry["received_at"])
        except NotAnEnvelope as error:
            self._set_apart(record, str(error))
            return
        except (KeyError, TypeError, ValueError) as error:
            # The class alone: the sentence repeats what stands there.
            self._set_apart(record, f"entry.received_at: {type(error).__name__}")
            return
        if record.topic == FACTS and record.key == b"control":
            return
        event: dict[str, Any] = opened.event
        if not _NAME.fullmatch(f"{event['source']} {event['id']}"):
            self._set_apart(record, "source or id have not the form of one")
            return
        fact = standing.known(event) if record.topic == FACTS else None
        digest = hashlib.sha256(trusted_canonical_bytes(event)).digest()
        copy = FirstCopy((event["source"], event["id"]), digest, record.topic, record.partition, record.offset, received, known, fact)
        self._found(copy)
        if self._is_new(record):
            self._unstored.append(copy)

    def _is_new(self, record: ConsumerRecord) -> bool:
        """False for what a start reads once more."""
        stored = self._stored.get((record.topic, record.partition))
        return stored is None or record.offset >= stored.next_offset

    def _set_apart(self, record: ConsumerRecord, reason: str) -> None:
        if self._is_new(record):
            log.error("%s/%d@%d goes to quarantine: intake did not write it", record.topic, record.partition, record.offset)
            self._unreadable.append(quarantined(record.topic, record, service="intake", reason=reason))

    async def catch_up(self, places: Sequence[Place], *, limit_s: float) -> None:
        """Wait until what stands on these partitions now has been read. Raises ``Unavailable`` after ``limit_s`` seconds."""
        ends = await self._consumer.fetch_ends()
        wanted = {place: ends[place] for place in places}

        def there() -> bool:
            return all(self.positions[place].next_offset >= end for place, end in wanted.items())

        try:
            async with asyncio.timeout(limit_s), self._moved:
                await self._moved.wait_for(there)
        except TimeoutError:
            raise Unavailable("reading back does not keep up") from None
