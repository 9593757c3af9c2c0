"""A register's history from Kafka: one partition after the other, each let go before the next is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from schemas import topics
from services._bus.kafka import Connection
from services.rating.adapters.files import Aside
from services.rating.adapters.partitions import look, reading
from services.rating.analysis.history import Known, Register, evaluations_of
from services.rating.domain.subject import Subject
from services.rating.gathering import Gathered

Progress = Callable[[int], None]


@dataclass(slots=True)
class KafkaHistory(Register):
    """All that was known at ``known_at`` (epoch ms; None: everything) of what lies on Kafka when it is opened. Read once.

    Iterating raises ``Unavailable`` and ``RecordsGone``. ``total``: records; ``progress`` hears of those that were read."""

    connection: Connection | None = None
    known_at: int | None = None
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    progress: Progress = lambda done: None

    @staticmethod
    def opened(connection: Connection, known_at: int | None = None) -> KafkaHistory:
        """Look at what there is. Raises ``Unavailable``, ``RecordsGone``."""
        spans, newest, sample = asyncio.run(_look(connection))
        last = newest if known_at is None else min(newest, known_at)
        return KafkaHistory(last_known=last, sample=sample, connection=connection, known_at=known_at, spans=spans)

    @property
    def total(self) -> int:
        """How many records there are to read."""
        return sum(end - first for first, end in self.spans.values())

    def __iter__(self) -> Iterator[Known]:
        done = 0
        with asyncio.Runner() as runner:
            for partition, (first, end) in self.spans.items():
                found, names = runner.run(self._read(partition, done))
                done += end - first
                self.progress(done)
                # Every partition has a copy of every control.
                self.evaluations = evaluations = evaluations_of(found.controls)
                for name, facts in found.each(every=True):
                    subject = Subject(name, partition)
                    subject.take_all(facts)
                    yield Known(subject, evaluations, names.get(name))

    async def _read(self, partition: int, done: int) -> tuple[Gathered, dict[str, str]]:
        assert self.connection is not None
        aside, found = Aside(), Gathered(partition, until=self.known_at)
        async with reading(self.connection) as facts:
            async for entries in facts.read(partition, *self.spans[partition]):
                for entry in entries:
                    aside.note(entry[3] or b"")
                found.take(entries)
                self.progress(done + found.records)
                if found.over:
                    break
        return found, aside.names


async def _look(connection: Connection) -> tuple[dict[int, tuple[int, int]], int, bool]:
    """What ``look`` says, and whether the genesis says sample."""
    spans, newest = await look(connection)
    aside = Aside()
    async with reading(connection, topics.REGISTRY) as registry:
        for partition, (first, end) in (await registry.spans()).items():
            async for entries in registry.read(partition, first, min(end, first + 1)):
                for entry in entries:
                    aside.note(entry[3] or b"")
    return spans, newest, aside.sample
