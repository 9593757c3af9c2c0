"""The way out, and the way back to facts that the state is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord

from schemas import topics
from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection
from services._bus.producer import Outgoing, Producer
from services.rating.ports import Message, Record, Row

LINGER_MS = 2
# A changelog row holds at most 64 facts, a message one envelope; both far below this, and the changelogs take it.
ROW_BYTES = 1_000_000


class KafkaSink:
    """``Sink`` on one idempotent producer. ``on_row`` hears of each row once it is acknowledged."""

    def __init__(self, connection: Connection, *, limit_s: float, on_row: Callable[[Row], None], version: int) -> None:
        self._on_row, self._version = on_row, version
        self._producer = Producer(connection, client_id="mingjian-rating-out", linger_ms=LINGER_MS, limit_s=limit_s, row_bytes=ROW_BYTES)

    async def stop(self) -> None:
        """Disconnect; what is under way is given up, for nothing behind it was acknowledged."""
        await self._producer.stop()

    async def write(self, rows: Sequence[Row], messages: Sequence[Message]) -> None:
        """See ``Sink.write``."""
        out = [Outgoing(topics.changelog(row.table, self._version), row.key, row.value, partition=row.partition) for row in rows]
        out += [Outgoing(one.topic, one.key, one.value, one.headers, one.partition, one.timestamp) for one in messages]
        await self._producer.send(out)
        for row in rows:
            self._on_row(row)


class KafkaFacts:
    """``Facts``, by a consumer without a group."""

    def __init__(self, connection: Connection) -> None:
        self._consumer = PositionedConsumer(connection, client_id="mingjian-rating")

    async def read(self, partition: int, *, first: int, last: int) -> AsyncIterator[Sequence[Record]]:
        """See ``Facts.read``."""
        async for records in self._consumer.read_span(topics.FACTS, partition, first, last):
            yield [record_of(one) for one in records]


class KafkaTold:
    """``Told``, by consumers without a group."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._consumer = PositionedConsumer(connection, client_id="mingjian-rating-told")

    async def ends(self, partition: int, topics: Sequence[str]) -> Mapping[str, int]:
        """See ``Told.ends``."""
        asked = PositionedConsumer(self._connection, client_id="mingjian-rating-told")
        try:
            await asked.start()
            await asked.assign({(topic, partition): 0 for topic in topics})
            return {topic: end for (topic, _), end in asked.ends().items()}
        finally:
            await asked.stop()

    async def read_told(self, topic: str, partition: int, end: int) -> AsyncIterator[Sequence[Record]]:
        """See ``Told.read_told``."""
        if end > 0:
            async for records in self._consumer.read_span(topic, partition, 0, end - 1):
                yield [record_of(one) for one in records]


class Ends:
    """End offsets of facts and what the group has committed, asked apart from faust, so that they are known when it hangs."""

    def __init__(self, connection: Connection, group: str) -> None:
        self._to, self._group = connection.arguments(), group
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None

    async def ask(self) -> tuple[dict[int, int], dict[int, int]]:
        """``(ends, committed)`` by partition. Raises ``KafkaError``."""
        if self._consumer is None or self._admin is None:
            await self.stop()
            consumer = AIOKafkaConsumer(**self._to, enable_auto_commit=False)
            await consumer.start()
            self._consumer = consumer
            admin = AIOKafkaAdminClient(**self._to)
            await admin.start()
            self._admin = admin
        places = [TopicPartition(topics.FACTS, number) for number in range(topics.PARTITIONS)]
        ends = await self._consumer.end_offsets(places)
        committed = await self._admin.list_consumer_group_offsets(self._group, partitions=places)
        return (
            {place.partition: end for place, end in ends.items()},
            {place.partition: one.offset for place, one in committed.items() if one.offset >= 0},
        )

    async def stop(self) -> None:
        """Disconnect."""
        consumer, admin, self._consumer, self._admin = self._consumer, self._admin, None, None
        if consumer is not None:
            await consumer.stop()
        if admin is not None:
            await admin.close()


def record_of(record: ConsumerRecord) -> Record:
    """aiokafka's record → ours."""
    return Record(record.partition, record.offset, record.timestamp, record.key, record.value, headers_of(record.headers))


def headers_of(headers: Iterable[tuple[str, bytes]] | None) -> tuple[tuple[str, bytes], ...]:
    """Headers as pairs; none for none."""
    return tuple((name, value) for name, value in headers or ())
