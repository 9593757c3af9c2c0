"""A subject's grade events, read from its partition of the grades topic when somebody asks.

Not kept in a table: a copy of every grade would be one more thing to hold against the topic, for a question that an auditor asks now and
then. A partition is read through once, and records of other keys are never parsed.
"""

from __future__ import annotations

import asyncio

from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from schemas.envelope import NotAnEnvelope, open_record
from schemas.topics import GRADES, PARTITIONS
from services._bus.kafka import Connection, Unavailable
from services.audit.adapters import replay_reader
from services.audit.domain.known_grades import Told, told

_LIMIT_S = 20.0
_AT_ONCE = 2


class GradesUnread(Exception):
    """Kafka gave no answer in time."""


def partition_of(subject: str) -> int:
    """Where every producer puts the records of a key."""
    return (murmur2(subject.encode()) & 0x7FFFFFFF) % PARTITIONS


class SubjectGrades:
    """A few questions at a time: each opens a consumer of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def of(self, subject: str) -> list[Told]:
        """By the order in which they were known. What is no event of ours is passed over. Raises ``GradesUnread``."""
        try:
            async with asyncio.timeout(_LIMIT_S), self._turns:
                return sorted(await self._read(subject), key=lambda one: one.order)
        except (KafkaError, Unavailable, OSError, TimeoutError) as error:
            raise GradesUnread(f"{type(error).__name__}: {error}") from error

    async def _read(self, subject: str) -> list[Told]:
        place, key = (GRADES, partition_of(subject)), subject.encode()
        ends = await replay_reader.bounds(self._connection, [place])
        found: list[Told] = []
        async for records in replay_reader.read_through(self._connection, ends):
            for record in records:
                if record.key != key:
                    continue
                try:
                    event = open_record(record.value).event
                    one = told(event, record.offset) if event["subject"] == subject else None
                except (NotAnEnvelope, KeyError, TypeError, ValueError):
                    continue
                if one is not None:
                    found.append(one)
        return found
