"""What rating told on one of its topics, read whole by a command."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol, TypeVar

from services.rating.adapters.partitions import reading
from services.rating.cli import FAILED, sentences, stop
from services.rating.gathering import Entry
from services.rating.replaying import Source


class Takes(Protocol):
    """Who makes a list of records. ``take`` raises ``ValueError``, ``KeyError`` or ``TypeError`` for what rating didn't write."""

    def take(self, entries: Iterable[Entry]) -> None: ...


T = TypeVar("T", bound=Takes)


def told(source: Source, topic: str, into: T) -> T:
    """Every record of the topic, by partition and offset. Ends with a sentence and an exit code where Kafka doesn't answer, or one of them
    is none of rating's."""
    with sentences(source.bootstrap):
        try:
            asyncio.run(_read(source, topic, into))
        except (ValueError, KeyError, TypeError) as error:
            stop(f"a record on {topic} is none of rating's ({type(error).__name__})", FAILED)
    return into


async def _read(source: Source, topic: str, into: Takes) -> None:
    async with reading(source.connection(), topic) as reader:
        for partition, (first, end) in (await reader.spans()).items():
            async for entries in reader.read(partition, first, end):
                into.take(entries)
