"""Kafka for publication: reading by position, and writing what the outbox holds."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from schemas.topics import MAX_MESSAGE_BYTES, QUARANTINE
from services.publication.ports import Outgoing, Place, Position, Record, RecordsGone

_IDLE_MS = 200
_SEND_LIMIT_S = 30.0


class KafkaRecords:
    """``Records`` on aiokafka."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._ends: dict[Place, int] = {}

    async def start(self) -> None:
        """Connect. Raises ``ConnectionError``."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="mingjian-publication",
            enable_auto_commit=False,
            # A position that Kafka doesn't have is never replaced by another one: the projection would have a hole.
            auto_offset_reset="none",
            max_partition_fetch_bytes=4 * MAX_MESSAGE_BYTES,
            fetch_max_wait_ms=_IDLE_MS,
        )
        try:
            await consumer.start()
        except KafkaError as error:
            await consumer.stop()
            raise ConnectionError(type(error).__name__) from error
        self._consumer = consumer

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()
            self._consumer = None

    def _open(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise ConnectionError("the consumer is not connected")
        return self._consumer

    async def assign(self, positions: Mapping[Place, Position]) -> None:
        """See ``Records.assign``."""
        consumer = self._open()
        places = [TopicPartition(topic, partition) for topic, partition in positions]
        try:
            consumer.assign(places)
            for place in places:
                consumer.seek(place, positions[(place.topic, place.partition)].next_offset)
            ends = await consumer.end_offsets(places)
        except KafkaError as error:
            raise ConnectionError(type(error).__name__) from error
        self._ends = {(place.topic, place.partition): end for place, end in ends.items()}

    async def poll(self, *, limit: int) -> list[Record]:
        """See ``Records.poll``."""
        consumer = self._open()
        try:
            found = await consumer.getmany(timeout_ms=_IDLE_MS, max_records=limit)
        except OffsetOutOfRangeError as error:
            raise RecordsGone(f"Kafka doesn't have the records where reading should go on: {error}") from error
        except KafkaError as error:
            raise ConnectionError(type(error).__name__) from error
        for place in found:
            known = consumer.highwater(place)
            if known is not None:
                self._ends[(place.topic, place.partition)] = known
        return [record for records in found.values() for record in records]

    def ends(self) -> dict[Place, int]:
        """See ``Records.ends``."""
        return dict(self._ends)


class KafkaSender:
    """``Sender`` on aiokafka."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect. Raises ``ConnectionError``."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="mingjian-publication",
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_request_size=MAX_MESSAGE_BYTES,
        )
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            raise ConnectionError(type(error).__name__) from error
        self._producer = producer

    async def stop(self) -> None:
        """Disconnect, without waiting long for what is under way: the outbox still has it."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await asyncio.wait_for(producer.stop(), 5.0)

    async def send(self, rows: Sequence[Outgoing]) -> None:
        """See ``Sender.send``."""
        producer = self._producer
        if producer is None:
            raise ConnectionError("the producer is not connected")
        try:
            # Idempotent batches never expire on their own, so the wait has a limit here.
            async with asyncio.timeout(_SEND_LIMIT_S):
                waiting = [
                    await producer.send(
                        row.topic,
                        row.value,
                        key=row.key,
                        timestamp_ms=row.record_ms,
                        headers=[(name, value.encode()) for name, value in row.headers.items()],
                    )
                    for row in rows
                ]
                await asyncio.gather(*waiting)
        except (KafkaError, TimeoutError) as error:
            raise ConnectionError(type(error).__name__) from error


def quarantined(record: Record, reason: str) -> Outgoing:
    """A record that can't be read, whole, with the reason."""
    value = {
        "reason": reason,
        "service": "publication",
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": base64.b64encode(record.key).decode() if record.key is not None else None,
        "value": base64.b64encode(record.value).decode() if record.value is not None else None,
    }
    headers = {"content-type": "application/json", "source": f"{record.topic}/{record.partition}/{record.offset}"}
    return Outgoing(QUARANTINE, record.key, orjson.dumps(value, option=orjson.OPT_SORT_KEYS), headers, record.timestamp)
