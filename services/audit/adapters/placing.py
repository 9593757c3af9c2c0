"""Records written to offsets that are known beforehand.

Invariants
1. One batch of a partition is under way at a time; the next one goes out once the broker has said where the one before stands.
2. What isn't answered is sent again as the same bytes under the same producer id and sequence number: the broker takes it once.
3. An answer that names another offset than the record's, or another time than it carries, ends the writing: ``Displaced``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, NoError, NotLeaderForPartitionError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.structs import TopicPartition

from schemas.topics import MAX_MESSAGE_BYTES
from services._bus.kafka import Connection, Unavailable
from services.audit.adapters.batches import HEAD_BYTES, encode, size_of
from services.audit.domain.frame import Record
from services.audit.ports import Place

_ALL_REPLICAS, _TIMEOUT_MS = -1, 30_000
_ATTEMPTS, _PAUSE_S = 60, 0.5
_RECORDS = 2_000
_SEQUENCES = 1 << 31
# The broker took the writer's time, and did not stamp its own.
_NOT_STAMPED = -1


class Displaced(Exception):
    """A record did not come to stand where its leaf says. Somebody else writes to the topic, or it is not as it was said to be."""


class Placer:
    """``start`` first, ``stop`` at the end. Raises ``Unavailable`` where Kafka doesn't answer for half a minute."""

    def __init__(self, connection: Connection) -> None:
        self._client = AIOKafkaClient(**connection.arguments(), client_id="mingjian-restore")
        self._producer = (-1, -1)
        self._sequences: dict[Place, int] = {}

    async def start(self, topics: Sequence[str]) -> None:
        """Connect and become a producer."""
        try:
            await self._client.bootstrap()
            for topic in topics:
                self._client.add_topic(topic)
            await self._client.force_metadata_update()
            self._producer = await self._become()
        except (KafkaError, OSError, TimeoutError) as error:
            await self._client.close()
            if isinstance(error, Unavailable):
                raise
            raise Unavailable(type(error).__name__) from error

    async def _become(self) -> tuple[int, int]:
        """An id of its own. A broker that has just started says for a moment that it doesn't know its producers yet."""
        error: type[KafkaError] = NoError
        for _ in range(_ATTEMPTS):
            answer = await self._client.send(self._client.get_random_node(), InitProducerIdRequest(None, _TIMEOUT_MS))
            error = for_code(answer.error_code)
            if error is NoError:
                return answer.producer_id, answer.producer_epoch
            await asyncio.sleep(_PAUSE_S)
        raise Unavailable(f"Kafka gives no producer id: {error.__name__}")

    async def stop(self) -> None:
        """Disconnect."""
        await self._client.close()

    async def write(self, records: Sequence[Record]) -> None:
        """Consecutive records of one partition, the first of which is the partition's next one. Raises ``Displaced``."""
        for batch in _batches(records):
            await self._write(batch)

    async def _write(self, batch: Sequence[Record]) -> None:
        first = batch[0]
        place = (first.topic, first.partition)
        sequence = self._sequences.get(place, 0)
        data = encode(batch, producer=self._producer, sequence=sequence)
        request = ProduceRequest(None, _ALL_REPLICAS, _TIMEOUT_MS, [(first.topic, [(first.partition, data)])])
        _, _, offset, stamped, *_ = await self._insist(place, request)
        where = f"{first.topic} {first.partition}:{first.offset}"
        if offset != first.offset:
            raise Displaced(f"{where} came to stand at offset {offset}; whoever else writes to the topic must be stopped first")
        if stamped != _NOT_STAMPED:
            raise Displaced(f"{where} was given a time by the broker, which does not yet take the record's own; make the topic anew")
        self._sequences[place] = (sequence + len(batch)) % _SEQUENCES

    async def _insist(self, place: Place, request: ProduceRequest) -> Any:
        """The partition's part of the answer, once it says that the batch is written."""
        trouble: Exception | None = None
        for _ in range(_ATTEMPTS):
            leader = self._client.cluster.leader_for_partition(TopicPartition(*place))
            try:
                if leader is None or leader < 0:
                    raise NotLeaderForPartitionError(place)
                found = (await self._client.send(leader, request)).topics[0][1][0]
                error = for_code(found[1])
                if error is NoError:
                    return found
                if error is MessageSizeTooLargeError:
                    raise Displaced(f"{place[0]} {place[1]}: Kafka refuses a record for its size; raise max.message.bytes of the topic")
                if not error.retriable:
                    raise Displaced(f"{place[0]} {place[1]}: Kafka refuses what is put back: {error.__name__}")
                raise error(place)
            except (KafkaError, OSError, TimeoutError) as failed:
                trouble = failed
                await asyncio.sleep(_PAUSE_S)
                await self._client.force_metadata_update()
        raise Unavailable(type(trouble).__name__) from trouble


def _batches(records: Sequence[Record]) -> Iterator[list[Record]]:
    """As many together as a topic takes; a record that is larger than that by itself."""
    batch: list[Record] = []
    size = HEAD_BYTES
    for one in records:
        more = size_of(one)
        if batch and (size + more > MAX_MESSAGE_BYTES or len(batch) == _RECORDS):
            yield batch
            batch, size = [], HEAD_BYTES
        batch.append(one)
        size += more
    if batch:
        yield batch
