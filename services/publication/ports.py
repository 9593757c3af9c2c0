"""What the projection asks of the outside. Each docstring states durability, order and atomicity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services._bus.kafka import Place as Place
from services._bus.producer import Outgoing
from services.publication.domain.lists import ListChange
from services.publication.domain.parts import PartRow
from services.publication.domain.registry import RegistryRow, Stack
from services.publication.domain.rows import ChangeRow, FactRow
from services.publication.domain.search import Index
from services.publication.domain.stays import Paper, Resting, StayedAct, Suspension
from services.publication.domain.story import Story
from services.publication.domain.subjects import Registration, Subject


class Record(Protocol):
    """A Kafka record as aiokafka gives it. ``timestamp``: record time, epoch milliseconds."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True)
class Position:
    """``next_offset``: first offset not yet read. ``known_ms``: running maximum of record time before it, -1 at the start."""

    next_offset: int
    known_ms: int


class UnitOfWork(Protocol):
    """One transaction: everything asked of it becomes durable and visible together with ``move``, or not at all."""

    async def put_stack(self, stack: Stack) -> None:
        """Keep genesis. A second genesis with another fingerprint raises ``OtherStack``."""

    async def insert_registry(self, rows: Sequence[RegistryRow]) -> None:
        """Keep registry events; rows already there stay as they are."""

    async def insert_facts(self, rows: Sequence[FactRow]) -> set[tuple[int, int]]:
        """Keep first copies, in the order given; returns the (partition, offset) of those that were new."""

    async def registrations(self, subjects: Sequence[str]) -> dict[str, list[Registration]]:
        """All registration facts of the subjects, those inserted in this transaction included."""

    async def put_subjects(self, rows: Sequence[tuple[Subject, Index]]) -> None:
        """Replace the register data of subjects."""

    async def touch(self, subjects: Iterable[str]) -> None:
        """Give the subjects the batch's revision; a subject that has no row yet gets an empty one."""

    async def new_changes(self, ids: Sequence[str]) -> set[str]:
        """Those of ``ids`` that have no number yet."""

    async def append_changes(self, rows: Sequence[ChangeRow]) -> int:
        """Give each row the next number without a gap, or the one an earlier build gave it; returns the new head."""

    async def put_grades(self, rows: Sequence[ChangeRow]) -> None:
        """Make each row its subject's current grade. Its change must have been appended."""

    async def newest_causes(self, subjects: Sequence[str]) -> dict[tuple[str, str], int]:
        """By (subject, regime): the offset of what caused its current grade."""

    async def put_parts(self, rows: Sequence[PartRow]) -> None:
        """Keep what parts told; rows already there stay as they are."""

    async def members(self, subjects: Sequence[str]) -> dict[tuple[str, str], frozenset[str]]:
        """Lists on which each (subject, regime) stands."""

    async def append_list_changes(self, rows: Sequence[ListChange]) -> None:
        """Move subjects on and off lists, and put the records about it in the outbox unless an earlier build sent them."""

    async def with_stays(self, subjects: Sequence[str] | None) -> list[str]:
        """Those of ``subjects`` (None: of all) about whom a stay was ever ordered, sorted."""

    async def papers(self, subjects: Sequence[str]) -> dict[str, list[Paper]]:
        """Of each subject the facts that ``domain.stays.stayed`` takes, those inserted in this transaction included."""

    async def put_stayed(self, subjects: Sequence[str], acts: Sequence[StayedAct]) -> list[int]:
        """Replace what is stayed of the subjects. Returns the numbers of all changes that rest on what was stayed or is, sorted."""

    async def numbers(self, ids: Sequence[str]) -> list[int]:
        """The numbers of changes that rest on an act that is stayed, sorted."""

    async def resting(self, numbers: Sequence[int]) -> list[Resting]:
        """Of the changes those that rest on an act that is stayed, with its stays."""

    async def suspended(self) -> list[int]:
        """The numbers of all changes that aren't told at some time."""

    async def put_suspensions(self, numbers: Sequence[int], rows: Sequence[Suspension]) -> None:
        """Replace when the changes so numbered aren't told."""

    async def keep_story(self, story: Story) -> None:
        """Keep the story if it outweighs the one there is. Possible only where genesis says ``sample``."""

    async def put_outbox(self, rows: Sequence[Outgoing]) -> None:
        """Append to the outbox, in order."""

    async def move(self, positions: Mapping[Place, Position]) -> None:
        """Set where reading goes on."""


class Projection(Protocol):
    """The store's writing side. There is one writer: whoever has ``acquire``d it, until its connection ends."""

    async def acquire(self) -> None:
        """Wait until no one else writes. The right and the transactions share one connection, so neither outlives the other."""

    async def positions(self) -> dict[Place, Position]:
        """Where reading goes on; a partition never read is absent."""

    async def stack(self) -> Stack | None:
        """Genesis, if it was read."""

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A serial unit of work; leaving the block by an exception undoes all of it.

        Raises ``Unstorable`` for values no retry can store, ``ConnectionError`` for trouble that may pass."""


class Records(Protocol):
    """Kafka, read by position; no group and no committed offsets."""

    async def start(self) -> None:
        """Connect. Raises ``Unavailable``."""

    async def stop(self) -> None:
        """Disconnect."""

    async def assign(self, positions: Mapping[Place, int]) -> None:
        """Read the given partitions from these offsets. Raises ``RecordsGone`` where Kafka doesn't have one, ``Unavailable``."""

    async def poll(self) -> Sequence[Record]:
        """The next records, in offset order within a partition; empty after a short wait. Raises ``RecordsGone``, ``Unavailable``."""

    def ends(self) -> dict[Place, int]:
        """First offset after the last record of each assigned partition, as far as known."""


class Sender(Protocol):
    """Kafka, written idempotently with acks from all in-sync replicas."""

    async def start(self) -> None:
        """Connect. Raises ``Unavailable``."""

    async def stop(self) -> None:
        """Disconnect soon; what is under way stays in the outbox."""

    async def send(self, rows: Sequence[Outgoing]) -> None:
        """Return once every record is acknowledged, in order within a key. Raises ``Unavailable``: some may stand there. Equal ids
        on the other side make a second copy harmless."""


class OtherStack(RuntimeError):
    """The registry begins with another genesis than the one the projection was built from."""


class Unstorable(ValueError):
    """The store refuses a value for good (a character or a number it can't hold)."""
