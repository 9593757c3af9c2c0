"""Whole partitions of facts, read as fast as Kafka gives them: batches as they stand in the log, without an object for each record
beyond what the parser makes.

aiokafka's consumer makes a ``ConsumerRecord`` of eleven fields for every record, one after the other; for a bulk replay that costs as
much as all the rest of reading. Here its client and its parser are used without its consumer. While one fetch is worked off, the
next one is on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, NoError, NotLeaderForPartitionError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition

from schemas import topics
from schemas.topics import MAX_MESSAGE_BYTES
from services._bus.header_names import Records
from services._bus.kafka import Connection, RecordsGone, Unavailable
from services.rating.gathering import Entry

FETCH_BYTES = 4 * 1024 * 1024
_WAIT_MS, _READ_UNCOMMITTED = 500, 0
_EARLIEST, _LATEST = -2, -1
_ATTEMPTS, _PAUSE_S = 20, 0.25


@asynccontextmanager
async def reading(connection: Connection, topic: str = topics.FACTS) -> AsyncIterator[Partitions]:
    """A topic's partitions for as long as they are read."""
    partitions = Partitions(connection, topic)
    await partitions.start()
    try:
        yield partitions
    finally:
        await partitions.stop()


async def look(connection: Connection) -> tuple[dict[int, tuple[int, int]], int]:
    """The span of offsets of each partition of facts, and when the newest record became known (epoch ms; 0: there is none).

    Raises ``Unavailable``, ``RecordsGone``."""
    async with reading(connection) as facts:
        spans = await facts.spans()
        return spans, await facts.newest(spans)


class Partitions:
    """One connection for one event loop. Every method raises ``Unavailable`` when Kafka doesn't answer in time."""

    def __init__(self, connection: Connection, topic: str = topics.FACTS) -> None:
        self._connection, self._topic = connection, topic
        self._client: AIOKafkaClient | None = None

    async def start(self) -> None:
        """Connect and learn who leads the partitions."""
        client = AIOKafkaClient(**self._connection.arguments(), client_id="mingjian-replay")
        try:
            await client.bootstrap()
            client.add_topic(self._topic)
            await client.force_metadata_update()
        except (KafkaError, OSError, TimeoutError) as error:
            await client.close()
            raise Unavailable(type(error).__name__) from error
        self._client = client

    async def stop(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def spans(self) -> dict[int, tuple[int, int]]:
        """By partition: the first offset, and the one that the next record will get."""
        assert self._client is not None
        numbers = sorted(self._client.cluster.partitions_for_topic(self._topic) or ())
        return {number: (await self._offset(number, _EARLIEST), await self._offset(number, _LATEST)) for number in numbers}

    async def _offset(self, partition: int, moment: int) -> int:
        def request() -> OffsetRequest:
            return OffsetRequest(-1, _READ_UNCOMMITTED, [(self._topic, [(partition, moment)])])

        # Partition, error, time, offset.
        return int((await self._ask(partition, request))[3])

    async def newest(self, spans: Mapping[int, tuple[int, int]]) -> int:
        """The time (epoch ms) of the newest among the partitions' last records below their ends; 0 where there is none."""
        found = 0
        for partition, (first, end) in spans.items():
            if first < end:
                async for entries in self.read(partition, end - 1, end):
                    found = max(found, *(one[1] for one in entries))
        return found

    async def read(self, partition: int, first: int, end: int) -> AsyncIterator[list[Entry]]:
        """The records at ``first`` … ``end - 1``, by offset, without a hole. Raises ``RecordsGone`` as well."""
        position = first
        fetch = asyncio.ensure_future(self._fetch(partition, position)) if position < end else None
        try:
            while fetch is not None:
                data = await fetch
                fetch = None
                batches, following = self._batches(data, partition, position, end)
                if following < end:
                    fetch = asyncio.ensure_future(self._fetch(partition, following))
                    # Let it go out before the records are worked off.
                    await asyncio.sleep(0)
                for batch in batches:
                    # One at a time: whoever takes the records finds them in the processor's cache.
                    entries = self._entries(batch, partition, position, end)
                    position = min(batch.next_offset, end)
                    if entries:
                        yield entries
                position = following
        finally:
            if fetch is not None:
                fetch.cancel()

    async def _fetch(self, partition: int, position: int) -> bytes:
        def request() -> FetchRequest:
            wanted = [(self._topic, [(partition, position, FETCH_BYTES)])]
            return FetchRequest(_WAIT_MS, 1, FETCH_BYTES, _READ_UNCOMMITTED, wanted)

        answer = await self._ask(partition, request)
        return answer[-1] or b""

    def _batches(self, data: bytes, partition: int, position: int, end: int) -> tuple[list[Any], int]:
        """The batches that hold records from ``position`` on and below ``end``, not yet read, and the offset to go on with."""
        found: list[Any] = []
        following = position
        batches = Records(data)
        while batches.has_next() and following < end:
            batch = batches.next_batch()
            assert batch is not None
            if batch.next_offset > following:
                found.append(batch)
                following = batch.next_offset
        if following == position and len(data) > MAX_MESSAGE_BYTES:
            raise RecordsGone(f"{self._topic} {partition}: the record at offset {position} is larger than Kafka may hold")
        return found, min(following, end)

    def _entries(self, batch: Any, partition: int, position: int, end: int) -> list[Entry]:
        """The batch's records from ``position`` on and below ``end``."""
        if not batch.validate_crc():
            raise RecordsGone(f"{self._topic} {partition}: the records from offset {batch.base_offset} on are damaged (CRC)")
        if batch.is_control_batch:
            return []
        some = [(one.offset, one.timestamp, one.key, one.value, one.headers) for one in batch]
        if some[0][0] < position or batch.next_offset > end:
            some = [one for one in some if position <= one[0] < end]
        # Within a batch offsets rise, so ends that fit mean that none is missing between.
        if not some or some[0][0] != position or some[-1][0] != position + len(some) - 1:
            raise RecordsGone(f"{self._topic} {partition}: offsets from {position} on are missing")
        return some

    async def _ask(self, partition: int, request: Any) -> Any:
        """The partition's part of the leader's answer; who leads may change meanwhile."""
        client = self._client
        assert client is not None
        trouble: Exception | None = None
        for _ in range(_ATTEMPTS):
            leader = client.cluster.leader_for_partition(TopicPartition(self._topic, partition))
            try:
                if leader is None or leader < 0:
                    raise NotLeaderForPartitionError(partition)
                answer = await client.send(leader, request())
                found = answer.topics[0][1][0]
                error = for_code(found[1])
                if error is NoError:
                    return found
                if error is OffsetOutOfRangeError:
                    raise RecordsGone(f"{self._topic} {partition}: Kafka does not have the records where reading should go on")
                raise error(partition)
            except (KafkaError, OSError, TimeoutError) as failed:
                trouble = failed
                await asyncio.sleep(_PAUSE_S)
                await client.force_metadata_update()
        raise Unavailable(type(trouble).__name__) from trouble
