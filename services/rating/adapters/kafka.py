"""The way out, and the way back to facts that the state is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from ssl import SSLContext
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from schemas import topics
from services.rating.ports import Message, Record, Row, SinkUnavailable

LINGER_MS = 2
BATCH_BYTES = 256 * 1024
# A changelog row holds at most 64 facts, a message one envelope; both far below this.
REQUEST_BYTES = 1_000_000
READ_AT_ONCE = 2_000


def connection(bootstrap: str, tls: SSLContext | None) -> dict[str, Any]:
    """aiokafka's arguments for a plain listener, or for one with mutual TLS."""
    return {"bootstrap_servers": bootstrap} | ({"security_protocol": "SSL", "ssl_context": tls} if tls else {})


class KafkaSink:
    """``Sink`` on one idempotent producer. ``on_row`` hears of each row once it is acknowledged."""

    def __init__(self, bootstrap: str, *, limit_s: float, on_row: Callable[[Row], None], tls: SSLContext | None = None) -> None:
        self._to = connection(bootstrap, tls)
        self._limit = limit_s
        self._on_row = on_row
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect. Raises ``KafkaError``."""
        self._producer = AIOKafkaProducer(
            **self._to,
            client_id="mingjian-rating-out",
            enable_idempotence=True,
            acks="all",
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Disconnect; what is under way is given up, for nothing behind it was acknowledged."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            try:
                await asyncio.wait_for(producer.stop(), 5.0)
            except TimeoutError:
                return

    async def write(self, rows: Sequence[Row], messages: Sequence[Message]) -> None:
        """See ``Sink.write``."""
        if self._producer is None:
            await self.start()
        try:
            # Idempotent batches never expire on their own, so the wait has a limit here.
            async with asyncio.timeout(self._limit):
                await asyncio.gather(*[future async for future in self._send(rows, messages)])
        except (KafkaError, TimeoutError) as error:
            raise SinkUnavailable(type(error).__name__) from error
        for row in rows:
            self._on_row(row)

    async def _send(self, rows: Sequence[Row], messages: Sequence[Message]) -> AsyncIterator[asyncio.Future]:
        producer = self._producer
        assert producer is not None
        for row in rows:
            yield await producer.send(topics.changelog(row.table), row.value, key=row.key, partition=row.partition)
        for one in messages:
            yield await producer.send(
                one.topic, one.value, key=one.key, partition=one.partition, timestamp_ms=one.timestamp, headers=list(one.headers)
            )


class KafkaFacts:
    """``Facts``, by a consumer without a group."""

    def __init__(self, bootstrap: str, *, tls: SSLContext | None = None) -> None:
        self._to = connection(bootstrap, tls)

    async def read(self, partition: int, *, first: int, last: int) -> AsyncIterator[Sequence[Record]]:
        """See ``Facts.read``."""
        consumer = AIOKafkaConsumer(**self._to, enable_auto_commit=False, auto_offset_reset="none")
        await consumer.start()
        try:
            place = TopicPartition(topics.FACTS, partition)
            consumer.assign([place])
            consumer.seek(place, first)
            expected = first
            while expected <= last:
                found = await consumer.getmany(place, timeout_ms=1_000, max_records=READ_AT_ONCE)
                records = [record_of(one) for one in found.get(place, ()) if one.offset <= last]
                if not records:
                    continue
                if records[0].offset != expected or records[-1].offset - records[0].offset + 1 != len(records):
                    raise LookupError(f"facts/{partition} has a gap at {expected}")
                expected = records[-1].offset + 1
                yield records
        finally:
            await consumer.stop()


class Ends:
    """End offsets of facts and what the group has committed, asked apart from faust, so that they are known when it hangs."""

    def __init__(self, bootstrap: str, group: str, *, tls: SSLContext | None = None) -> None:
        self._to, self._group = connection(bootstrap, tls), group
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
