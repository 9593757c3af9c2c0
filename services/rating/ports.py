"""What rating asks of the outside: where its rows are kept and how its words get out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

TableName = Literal["chunks", "heads"]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of ``mingjian.facts.v1`` as Kafka gave it. ``timestamp`` is epoch ms."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the state in its source partition. ``value`` None removes it."""

    table: TableName
    partition: int
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Message:
    """A derived record. ``timestamp`` (epoch ms) is the causing record's; it counts where the topic takes CreateTime."""

    topic: str
    key: bytes | None
    value: bytes
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


class Sink(Protocol):
    """The way out to Kafka.

    Durability: ``write`` returns when every row and message is acknowledged by all in-sync replicas. Order: rows and messages
    of one call go out in the order given, per partition; nothing of a later call goes before. Atomicity: none across
    partitions; a call that failed may have written any part, so it is repeated whole, which the receivers' derived ids and the
    rows' keys make harmless. Raises ``Unavailable`` when Kafka did not take all in time."""

    async def write(self, rows: Sequence[Row], messages: Sequence[Message]) -> None: ...


class Told(Protocol):
    """What was told about a partition of facts, for a version of the app that begins. Raises ``RecordsGone`` and ``Unavailable``."""

    async def ends(self, partition: int, topics: Sequence[str]) -> Mapping[str, int]:
        """By topic: the offset that the next record of the partition will get."""

    def read_told(self, topic: str, partition: int, end: int) -> AsyncIterator[Sequence[Record]]:
        """Every record of the partition below ``end``, in order, in batches."""


class Facts(Protocol):
    """Reads facts again, for what a lost or shortened state is missing.

    Yields every record of the partition from ``first`` to ``last``, both included, in order, in batches; raises ``RecordsGone``
    when one of them is not there, for facts are kept for ever and their offsets have no gap, and ``Unavailable``."""

    def read(self, partition: int, *, first: int, last: int) -> AsyncIterator[Sequence[Record]]: ...
