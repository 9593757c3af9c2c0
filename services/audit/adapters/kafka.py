"""Kafka, read by position. No consumer group and no committed offsets: positions come from PostgreSQL, with their effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from schemas.topics import MAX_MESSAGE_BYTES
from services.audit.domain.frame import Record
from services.audit.ports import Place, RecordsGone, Span

BATCH = 5_000
_IDLE_MS = 200
_REPLAY_LIMIT_S = 60.0
_SEND_LIMIT_S = 30.0


def record_of(one: ConsumerRecord) -> Record:
    """aiokafka's record as ours, nothing left out that the log keeps."""
    return Record(one.topic, one.partition, one.offset, one.timestamp, one.timestamp_type, one.key, tuple(one.headers), one.value)


def _consumer(bootstrap: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id="mingjian-audit",
        enable_auto_commit=False,
        # A position that Kafka doesn't have is never replaced by another one: the log would get a hole, or a leaf twice.
        auto_offset_reset="none",
        max_partition_fetch_bytes=8 * MAX_MESSAGE_BYTES,
        fetch_max_wait_ms=_IDLE_MS,
        check_crcs=True,
    )


class KafkaRecords:
    """``Records`` over fixed partitions. ``start`` first, ``stop`` at the end."""

    def __init__(self, bootstrap: str, places: Iterable[Place], *, linger_s: float = 0.0) -> None:
        self._bootstrap = bootstrap
        self._partitions = [TopicPartition(*place) for place in places]
        self._linger_s = linger_s
        self._consumer = _consumer(bootstrap)

    async def start(self, positions: Mapping[Place, int]) -> None:
        """Connect and seek; partitions without a position begin at 0. Raises ``RecordsGone`` when Kafka has deleted below a position."""
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        firsts = await self._consumer.beginning_offsets(self._partitions)
        ends = await self._consumer.end_offsets(self._partitions)
        for partition in self._partitions:
            wanted = positions.get((partition.topic, partition.partition), 0)
            if not firsts[partition] <= wanted <= ends[partition]:
                raise RecordsGone(
                    f"{partition.topic} {partition.partition}: offset {wanted} is next, Kafka has {firsts[partition]} to {ends[partition]}"
                )
            self._consumer.seek(partition, wanted)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def batches(self) -> AsyncIterator[Mapping[Place, Sequence[Record]]]:
        """See ``Records.batches``."""
        while True:
            try:
                found: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(timeout_ms=_IDLE_MS, max_records=BATCH)
            except OffsetOutOfRangeError as error:
                raise RecordsGone(f"Kafka no longer has the next offset: {error}") from error
            yield {(place.topic, place.partition): [record_of(one) for one in records] for place, records in found.items() if records}
            if found and self._linger_s and sum(map(len, found.values())) < BATCH // 10:
                # A few records at a time cost a commit each: let some more come together.
                await asyncio.sleep(self._linger_s)

    async def read_spans(self, spans: Sequence[Span]) -> list[list[Record]]:
        """See ``Records.read_spans``. With a consumer of its own, so that the live position stays."""
        bounds: dict[TopicPartition, tuple[int, int]] = {}
        for span in spans:
            place = TopicPartition(span.topic, span.partition)
            first = bounds.get(place, (span.first_offset, 0))[0]
            bounds[place] = (first, span.first_offset + span.count)
        consumer = _consumer(self._bootstrap)
        await consumer.start()
        try:
            found = await asyncio.wait_for(_read(consumer, bounds), _REPLAY_LIMIT_S)
        except TimeoutError:
            raise RecordsGone(f"planned records did not come from Kafka within {_REPLAY_LIMIT_S:.0f} s") from None
        finally:
            await consumer.stop()
        return [_cut(found[TopicPartition(span.topic, span.partition)], span) for span in spans]

    async def ends(self) -> dict[Place, int]:
        """See ``Records.ends``."""
        ends = await self._consumer.end_offsets(self._partitions)
        return {(place.topic, place.partition): offset for place, offset in ends.items()}


async def _read(consumer: AIOKafkaConsumer, bounds: Mapping[TopicPartition, tuple[int, int]]) -> dict[TopicPartition, list[Record]]:
    consumer.assign(list(bounds))
    firsts = await consumer.beginning_offsets(list(bounds))
    ends = await consumer.end_offsets(list(bounds))
    for place, (first, end) in bounds.items():
        if firsts[place] > first or ends[place] < end:
            raise RecordsGone(
                f"{place.topic} {place.partition}: offsets {first} to {end - 1} are planned, Kafka has {firsts[place]} to {ends[place] - 1}"
            )
        consumer.seek(place, first)
    found: dict[TopicPartition, list[Record]] = {place: [] for place in bounds}
    open_places = set(bounds)
    while open_places:
        for place, records in (await consumer.getmany(*open_places, timeout_ms=_IDLE_MS, max_records=BATCH)).items():
            end = bounds[place][1]
            found[place] += [record_of(one) for one in records if one.offset < end]
            if records and records[-1].offset >= end - 1:
                open_places.discard(place)
                consumer.pause(place)
    return found


def _cut(records: Sequence[Record], span: Span) -> list[Record]:
    end = span.first_offset + span.count
    cut = [one for one in records if span.first_offset <= one.offset < end]
    if [one.offset for one in cut] != list(range(span.first_offset, end)):
        raise RecordsGone(
            f"{span.topic} {span.partition}: offsets {span.first_offset} to {end - 1} are planned, Kafka has {len(cut)} of them"
        )
    return cut


class FindingSender:
    """Sends findings to Kafka, idempotent, acknowledged by all replicas."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id="mingjian-audit-findings",
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_request_size=MAX_MESSAGE_BYTES,
        )

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    async def stop(self) -> None:
        """Send what waits, disconnect."""
        await self._producer.stop()

    async def send(self, rows: Sequence[tuple[bytes, bytes, Mapping[str, str]]]) -> None:
        """(key, value, headers) in this order. Raises ``KafkaError`` or ``TimeoutError``: then some may have been written all the same."""
        sent: list[Any] = []
        for key, value, headers in rows:
            pairs = [(name, text.encode()) for name, text in headers.items()]
            sent.append(await self._producer.send(self._topic, value=value, key=key, headers=pairs))
        async with asyncio.timeout(_SEND_LIMIT_S):
            for done in await asyncio.gather(*sent, return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done if isinstance(done, KafkaError) else KafkaError(str(done))
