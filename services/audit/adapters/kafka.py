"""Kafka, read by position. No consumer group and no committed offsets: positions come from PostgreSQL, with their effect."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from aiokafka import ConsumerRecord

from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection, Unavailable
from services.audit.domain.frame import Record
from services.audit.ports import Place, RecordsGone, Span

log = logging.getLogger("mingjian.audit")

CLIENT = "mingjian-audit"
BATCH = 5_000
_REPLAY_LIMIT_S = 60.0
_PAUSE_S = 0.5


def record_of(one: ConsumerRecord) -> Record:
    """aiokafka's record as ours, nothing left out that the log keeps."""
    return Record(one.topic, one.partition, one.offset, one.timestamp, one.timestamp_type, one.key, tuple(one.headers), one.value)


class KafkaRecords:
    """``Records`` over fixed partitions. ``start`` first, ``stop`` at the end."""

    def __init__(self, connection: Connection, places: Iterable[Place], *, linger_s: float = 0.0) -> None:
        self._connection = connection
        self._places = list(places)
        self._linger_s = linger_s
        self._consumer = PositionedConsumer(connection, client_id=CLIENT, max_records=BATCH)

    async def start(self, positions: Mapping[Place, int]) -> None:
        """Connect and seek; partitions without a position begin at 0. Raises ``RecordsGone``, ``Unavailable``."""
        await self._consumer.start()
        await self._consumer.assign({place: positions.get(place, 0) for place in self._places})

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def batches(self) -> AsyncIterator[Mapping[Place, Sequence[Record]]]:
        """See ``Records.batches``."""
        while True:
            try:
                found = await self._consumer.poll()
            except Unavailable as error:
                log.warning("reading goes on in %.1f s: %s", _PAUSE_S, error)
                await asyncio.sleep(_PAUSE_S)
                found = []
            batch: dict[Place, list[Record]] = {}
            for one in found:
                batch.setdefault((one.topic, one.partition), []).append(record_of(one))
            yield batch
            if found and self._linger_s and len(found) < BATCH // 10:
                # A few records at a time cost a commit each: let some more come together.
                await asyncio.sleep(self._linger_s)

    async def read_spans(self, spans: Sequence[Span]) -> list[list[Record]]:
        """See ``Records.read_spans``. With a consumer of its own, so that the live position stays."""
        bounds: dict[Place, tuple[int, int]] = {}
        for span in spans:
            place = (span.topic, span.partition)
            first = bounds.get(place, (span.first_offset, 0))[0]
            bounds[place] = (first, span.first_offset + span.count)
        consumer = PositionedConsumer(self._connection, client_id=f"{CLIENT}-again", max_records=BATCH)
        await consumer.start()
        try:
            async with asyncio.timeout(_REPLAY_LIMIT_S):
                found = await _read(consumer, bounds)
        except TimeoutError:
            raise RecordsGone(f"planned records did not come from Kafka within {_REPLAY_LIMIT_S:.0f} s") from None
        finally:
            await consumer.stop()
        return [_cut(found[span.topic, span.partition], span) for span in spans]

    async def ends(self) -> dict[Place, int]:
        """See ``Records.ends``."""
        return await self._consumer.fetch_ends()


async def _read(consumer: PositionedConsumer, bounds: Mapping[Place, tuple[int, int]]) -> dict[Place, list[Record]]:
    await consumer.assign({place: first for place, (first, _) in bounds.items()})
    for place, kafka_end in consumer.ends().items():
        first, end = bounds[place]
        if kafka_end < end:
            raise RecordsGone(f"{place[0]} {place[1]}: offsets {first} to {end - 1} are planned, Kafka has them up to {kafka_end - 1}")
    found: dict[Place, list[Record]] = {place: [] for place in bounds}
    left = set(bounds)
    while left:
        for one in await consumer.poll():
            if one.offset < bounds[one.topic, one.partition][1]:
                found[one.topic, one.partition].append(record_of(one))
        done = [place for place in left if found[place] and found[place][-1].offset >= bounds[place][1] - 1]
        consumer.pause(done)
        left.difference_update(done)
    return found


def _cut(records: Sequence[Record], span: Span) -> list[Record]:
    end = span.first_offset + span.count
    cut = [one for one in records if span.first_offset <= one.offset < end]
    if [one.offset for one in cut] != list(range(span.first_offset, end)):
        raise RecordsGone(
            f"{span.topic} {span.partition}: offsets {span.first_offset} to {end - 1} are planned, Kafka has {len(cut)} of them"
        )
    return cut
