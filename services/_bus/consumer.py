"""Reading by position: no group, no committed offsets. Positions are kept by the reader, with the effect of what was read.

Invariants
1. A partition's records come in the order of their offsets, from the assigned position on, without a hole and without a double.
2. A position that Kafka does not have is never replaced by another one: ``RecordsGone``.
3. After ``Unavailable`` the next ``poll`` connects again, if need be, and goes on where the last one ended.
4. The first record after a pause comes at once; while records keep coming, Kafka gathers a little before it answers. Else each
   record is an answer of its own, and a stream of two hundred a second costs as much as one of two thousand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError

from schemas.topics import MAX_MESSAGE_BYTES
from services._bus import header_names
from services._bus.kafka import Connection, Place, RecordsGone, Unavailable

log = logging.getLogger("mingjian.bus.consumer")

header_names.accept()

FETCH_BYTES = 8 * MAX_MESSAGE_BYTES
LIMIT_S = 30.0
GATHER_MS = 20
_GATHER_BYTES = 65_536
_STOP_LIMIT_S = 5.0


class PositionedConsumer:
    """``max_records``: at most so many from one ``poll``. ``idle_ms``: how long it waits when there is nothing; ``gather_ms``: how
    long Kafka may gather records while they keep coming.

    ``fetch_bytes``: of one partition at once. ``limit_s``: how long Kafka may take to connect or to tell offsets. One task
    assigns and polls; ``ends`` and ``fetch_ends`` may be asked by others of the same event loop."""

    def __init__(
        self,
        connection: Connection,
        *,
        client_id: str,
        max_records: int = 2_000,
        idle_ms: int = 200,
        gather_ms: int = GATHER_MS,
        fetch_bytes: int = FETCH_BYTES,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._connection, self._client_id, self._gather_ms = connection, client_id, gather_ms
        self._max_records, self._idle_ms, self._fetch_bytes, self._limit_s = max_records, idle_ms, fetch_bytes, limit_s
        self._consumer: AIOKafkaConsumer | None = None
        self._next: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._opening = asyncio.Lock()
        self._placed = False
        self._stopped = False

    async def start(self) -> None:
        """Connect. Raises ``Unavailable``."""
        self._stopped = False
        await self._open()

    async def stop(self) -> None:
        """Disconnect; positions are forgotten."""
        self._stopped = True
        await self._drop()
        self._next = {}

    async def assign(self, positions: Mapping[Place, int]) -> None:
        """Read these partitions from here on, in place of what was read before. Raises ``RecordsGone``, ``Unavailable``."""
        await self._seek(await self._open(), positions)
        self._next = dict(positions)

    async def poll(self) -> list[ConsumerRecord]:
        """The next records, partition by partition; empty after a short wait. Raises ``RecordsGone``, ``Unavailable``."""
        if not self._next and not self._stopped:
            await asyncio.sleep(self._idle_ms / 1000)
            return []
        consumer = await self._open()
        if not self._placed:
            await self._seek(consumer, self._next)
        try:
            found = await consumer.getmany(timeout_ms=self._idle_ms, max_records=self._max_records)
        except OffsetOutOfRangeError as error:
            raise RecordsGone(f"Kafka does not have the records where reading should go on: {error}") from error
        except ConsumerStoppedError as error:
            raise Unavailable("the consumer is stopped") from error
        except (KafkaError, OSError) as error:
            await self._drop()
            raise Unavailable(type(error).__name__) from error
        records: list[ConsumerRecord] = []
        for place, some in found.items():
            if some:
                self._next[place.topic, place.partition] = some[-1].offset + 1
                records += some
        self._gather(consumer, coming=bool(records))
        return records

    def _gather(self, consumer: AIOKafkaConsumer, *, coming: bool) -> None:
        # Reaches into aiokafka: its fetcher reads both for every request, and they can't be set from outside once it runs.
        fetcher = consumer._fetcher
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = (_GATHER_BYTES, self._gather_ms) if coming else (1, self._idle_ms)

    def pause(self, places: Sequence[Place]) -> None:
        """Read no more from these partitions until the next ``assign``; they must be assigned."""
        if self._consumer is not None:
            self._consumer.pause(*(TopicPartition(*place) for place in places))
        for place in places:
            self._next.pop(place, None)

    def ends(self) -> dict[Place, int]:
        """Next offset that each assigned partition will give out, as far as it is known from reading."""
        consumer = self._consumer
        if consumer is not None:
            for place in consumer.assignment():
                known = consumer.highwater(place)
                if known is not None and known > self._ends.get((place.topic, place.partition), -1):
                    self._ends[place.topic, place.partition] = known
        return dict(self._ends)

    async def fetch_ends(self) -> dict[Place, int]:
        """The same, asked of Kafka now. Raises ``Unavailable``."""
        consumer = await self._open()
        ends = await self._ask(consumer, list(self._next), beginning=False)
        self._ends = {**self._ends, **ends}
        return dict(ends)

    async def read_span(self, topic: str, partition: int, first: int, last: int) -> AsyncIterator[list[ConsumerRecord]]:
        """Exactly the offsets ``first`` … ``last``, in order, in batches, by a connection of their own: live positions stay.

        Raises ``RecordsGone`` where one of them isn't there, ``Unavailable``."""
        reader = PositionedConsumer(
            self._connection,
            client_id=f"{self._client_id}-again",
            max_records=self._max_records,
            idle_ms=self._idle_ms,
            gather_ms=self._gather_ms,
            fetch_bytes=self._fetch_bytes,
            limit_s=self._limit_s,
        )
        expected = first
        try:
            await reader.start()
            await reader.assign({(topic, partition): first})
            end = reader._ends[topic, partition]
            if end <= last:
                raise RecordsGone(f"{topic} {partition}: offset {last} is wanted, Kafka has offsets up to {end - 1}")
            while expected <= last:
                records = await reader._poll_within_limit()
                records = [one for one in records if one.offset <= last]
                for one in records:
                    if one.offset != expected:
                        raise RecordsGone(f"{topic} {partition}: offset {expected} is missing, Kafka went on with {one.offset}")
                    expected += 1
                yield records
        finally:
            await reader.stop()

    async def _poll_within_limit(self) -> list[ConsumerRecord]:
        """Records that are known to be there. Raises ``Unavailable`` when they don't come."""
        try:
            async with asyncio.timeout(self._limit_s):
                while not (records := await self.poll()):
                    continue
        except TimeoutError:
            raise Unavailable("Kafka does not give its records in time") from None
        return records

    async def _open(self) -> AIOKafkaConsumer:
        async with self._opening:
            if self._stopped:
                raise Unavailable("the consumer is stopped")
            if self._consumer is None:
                self._placed = False
                self._consumer = await self._connected()
            return self._consumer

    async def _connected(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._connection.arguments(),
            client_id=self._client_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=self._fetch_bytes,
            fetch_max_wait_ms=self._idle_ms,
            check_crcs=True,
        )
        try:
            async with asyncio.timeout(self._limit_s):
                await consumer.start()
                # aiokafka's own tasks must have begun: one that is stopped before that takes its cancellation for ours.
                await asyncio.sleep(0)
        except BaseException as error:
            await _close(consumer)
            if isinstance(error, KafkaError | OSError | TimeoutError):
                raise Unavailable(type(error).__name__) from error
            raise
        return consumer

    async def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _close(consumer)

    async def _seek(self, consumer: AIOKafkaConsumer, positions: Mapping[Place, int]) -> None:
        places = list(positions)
        firsts = await self._ask(consumer, places, beginning=True)
        ends = await self._ask(consumer, places, beginning=False)
        for place, wanted in positions.items():
            if not firsts[place] <= wanted <= ends[place]:
                raise RecordsGone(
                    f"{place[0]} {place[1]}: offset {wanted} is next, Kafka has records from {firsts[place]} and the end at {ends[place]}"
                )
        # Nothing is awaited between these two: without a position the fetcher would complain that there is none.
        consumer.assign([TopicPartition(*place) for place in places])
        for place, wanted in positions.items():
            consumer.seek(TopicPartition(*place), wanted)
        self._ends = ends
        self._placed = True

    async def _ask(self, consumer: AIOKafkaConsumer, places: Sequence[Place], *, beginning: bool) -> dict[Place, int]:
        wanted = [TopicPartition(*place) for place in places]
        try:
            async with asyncio.timeout(self._limit_s):
                found = await (consumer.beginning_offsets(wanted) if beginning else consumer.end_offsets(wanted))
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(type(error).__name__) from error
        return {(place.topic, place.partition): offset for place, offset in found.items()}


async def _close(consumer: AIOKafkaConsumer) -> None:
    """Within a bound: whatever was read and not handed out is read again."""
    try:
        async with asyncio.timeout(_STOP_LIMIT_S):
            await consumer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("a connection to Kafka did not close: %s", type(error).__name__)
