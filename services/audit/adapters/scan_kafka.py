"""Facts and registry on Kafka for a scan: read in step, a batch at a time; single records again by place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from schemas.topics import FACTS, MAX_MESSAGE_BYTES, PARTITIONS, REGISTRY
from services._bus.kafka import Connection
from services.audit.adapters import replay_reader
from services.audit.adapters.kafka import record_of
from services.audit.domain.frame import Record
from services.audit.domain.signs import At
from services.audit.ports import Place

_BATCH = 2_000
_WAIT_MS = 1_000
# Records so far apart are read for themselves; what lies between nearer ones is read over.
_APART = 500


class KafkaScan(AbstractContextManager["KafkaScan"]):
    """``Records`` over Kafka, up to where it ended when this was opened. Raises ``KafkaError``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._runner = asyncio.Runner()
        self._consumer: AIOKafkaConsumer | None = None
        self._spans: dict[Place, tuple[int, int]] = {}

    def __enter__(self) -> KafkaScan:
        self._spans = self._runner.run(self._open())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._consumer is not None:
            self._runner.run(self._consumer.stop())
        self._runner.close()

    @property
    def total(self) -> int:
        """See ``Records``."""
        return sum(end - first for first, end in self._spans.values())

    async def _open(self) -> dict[Place, tuple[int, int]]:
        # Facts first: whatever they are stamped with, the registry then has.
        facts = await replay_reader.bounds(self._connection, [(FACTS, number) for number in range(PARTITIONS)])
        registry = await replay_reader.bounds(self._connection, [(REGISTRY, 0)])
        self._consumer = AIOKafkaConsumer(
            **self._connection.arguments(),
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4 * MAX_MESSAGE_BYTES,
            check_crcs=True,
        )
        await self._consumer.start()
        self._consumer.assign([TopicPartition(*place) for place in facts])
        for place, (first, _) in facts.items():
            self._consumer.seek(TopicPartition(*place), first)
        return facts | registry

    def registry(self) -> list[Record]:
        """See ``Records``."""

        async def read() -> list[Record]:
            spans = {(REGISTRY, 0): self._spans[REGISTRY, 0]}
            return [one async for some in replay_reader.read_through(self._connection, spans) for one in some]

        return self._runner.run(read())

    def more(self, partitions: Sequence[int]) -> dict[int, list[Record]]:
        """See ``Records``."""
        return self._runner.run(self._more(partitions))

    async def _more(self, partitions: Sequence[int]) -> dict[int, list[Record]]:
        assert self._consumer is not None
        wanted = [TopicPartition(FACTS, number) for number in partitions]
        while True:
            for one in wanted:
                if await self._consumer.position(one) >= self._spans[FACTS, one.partition][1]:
                    return {}
            try:
                found = await self._consumer.getmany(*wanted, timeout_ms=_WAIT_MS, max_records=_BATCH)
            except OffsetOutOfRangeError:
                return {}
            if found:
                ends = {place.partition: self._spans[FACTS, place.partition][1] for place in found}
                return {
                    place.partition: [record_of(one) for one in some if one.offset < ends[place.partition]] for place, some in found.items()
                }

    def whole(self, partition: int) -> Iterator[list[Record]]:
        """See ``Records``. A partition is read before it is given."""

        async def read() -> list[list[Record]]:
            spans = {(FACTS, partition): self._spans[FACTS, partition]}
            return [some async for some in replay_reader.read_through(self._connection, spans)]

        return iter(self._runner.run(read()))

    def values(self, places: Sequence[At]) -> Mapping[At, bytes | None]:
        """See ``Records``."""
        return self._runner.run(self._values(places))

    async def _values(self, places: Sequence[At]) -> dict[At, bytes | None]:
        found: dict[At, bytes | None] = {}
        spans: list[tuple[Place, int, int]] = []
        for at in sorted(places):
            place = (at.topic, at.partition)
            if spans and spans[-1][0] == place and at.offset <= spans[-1][2] + _APART:
                spans[-1] = (place, spans[-1][1], at.offset + 1)
            else:
                spans.append((place, at.offset, at.offset + 1))
        wanted = frozenset(places)
        by_place: dict[Place, list[tuple[int, int]]] = {}
        for place, first, end in reversed(spans):
            by_place.setdefault(place, []).append((first, end))
        assert self._consumer is not None
        self._consumer.assign([TopicPartition(*place) for place in by_place])
        # One span of each partition at a time, all partitions at once.
        now: dict[TopicPartition, int] = {}
        for place in list(by_place):
            self._next(by_place, TopicPartition(*place), now)
        while now:
            try:
                got = await self._consumer.getmany(*now, timeout_ms=_WAIT_MS, max_records=_BATCH)
            except OffsetOutOfRangeError:
                return found
            for some in got.values():
                found |= {at: one.value for one in some if (at := At(one.topic, one.partition, one.offset)) in wanted}
            for one in [one for one, end in now.items() if one in got or not got]:
                if await self._consumer.position(one) >= now[one]:
                    self._next(by_place, one, now)
        return found

    def _next(self, left: dict[Place, list[tuple[int, int]]], one: TopicPartition, now: dict[TopicPartition, int]) -> None:
        """Go to a partition's next span, or be done with it."""
        assert self._consumer is not None
        if not left[one.topic, one.partition]:
            now.pop(one, None)
            return
        first, now[one] = left[one.topic, one.partition].pop()
        self._consumer.seek(one, first)
