"""What intake needs from outside, and what it may rely on: durability, order, atomicity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.intake.domain.standing import Known

Place = tuple[str, int]
"""Topic and partition."""
Name = tuple[str, str]
"""An event's source and id, unique together."""


class StoreUnavailable(ConnectionError):
    """PostgreSQL did not answer: whether something was stored is not known, and sending again finds out."""


class NotStorable(ValueError):
    """PostgreSQL refuses these values, and will again: a fault of ours, nothing was stored, somebody has to look."""


class OtherRegister(RuntimeError):
    """Kafka's registry, PostgreSQL and the genesis file do not belong together; the message says which differs."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A private value and its salt, encrypted for the vault. ``key``: which key opens it."""

    field: str
    key: str
    nonce: bytes
    box: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """An admitted event, whole: ``value`` is the envelope that goes to Kafka, always these bytes.

    ``copies``: partitions of facts that get the same bytes under the control key. ``received_ms``: epoch milliseconds. ``known``:
    what later events may ask of a fact; None for everything else, and where a row comes back from the table."""

    name: Name
    event_hash: bytes
    topic: str
    key: str
    type: str
    value: bytes
    received_ms: int
    traceparent: str | None = None
    private: tuple[Sealed, ...] = ()
    copies: tuple[int, ...] = ()
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A signed refusal. The same request refused for the same reason is refused once: the first one stands."""

    key_id: str
    event_hash: bytes
    reason: str
    source: str
    value: bytes
    received_ms: int


@dataclass(frozen=True, slots=True)
class Kept:
    """``seq``: place in the order of storing, None where the id was there before. ``event_hash``: of what is stored under the id."""

    seq: int | None
    event_hash: bytes


@dataclass(frozen=True, slots=True)
class FirstCopy:
    """Where an event stands: everything that a receipt says. Times in epoch milliseconds; ``known_ms`` is the running maximum of
    record times in the partition. ``known``: what later events may ask of a fact, for whoever enters it in the tables."""

    name: Name
    event_hash: bytes
    topic: str
    partition: int
    offset: int
    received_ms: int
    known_ms: int
    known: Known | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading goes on in a partition, and the running maximum of record times before it (epoch ms)."""

    next_offset: int
    known_ms: int


class Store(Protocol):
    """Intake's tables. Every method is one transaction and returns after it is on the disk. Raises ``StoreUnavailable``; what was
    to be written may stand there all the same, where the connection broke with the answer."""

    async def keep(self, rows: Sequence[Row]) -> list[Kept]:
        """Store what isn't stored yet, in this order; the answers in the same order. Vault rows and copies come with their event or
        not at all. An id that is there, in this table, as a first copy or before in ``rows``, is left as it is. Raises ``NotStorable``."""

    async def refuse(self, rows: Sequence[RefusalRow]) -> list[tuple[bytes, bool]]:
        """Store refusals; returns for each the bytes that stand, its own or those of the same refusal before, and whether it is new.
        Raises ``NotStorable``."""

    async def note(self, found: Sequence[FirstCopy], positions: Mapping[Place, Position]) -> None:
        """Enter first copies and how far the partitions were read, together. An event's first copy never changes."""

    async def positions(self) -> dict[Place, Position]:
        """How far each partition was read; partitions never read are missing."""

    async def find(self, name: Name) -> tuple[Kept | None, FirstCopy | None]:
        """What is known of an id: stored, and where its first copy is."""

    async def standing(self, mentioned: Sequence[tuple[str, str]], finals: Sequence[tuple[str, str]]) -> list[Known]:
        """The facts that are stored or were read back, of those mentioned (subject and id) and of the final scores asked for
        (subject, and regime with year). What can't be an id is unknown."""

    async def values(self, names: Sequence[Name]) -> list[bytes]:
        """The envelopes of those of these events that are stored, in any order."""

    async def unread(self, *, after: int, limit: int) -> list[tuple[int, Row]]:
        """Stored events without a first copy and with ``seq`` above ``after``, in their order; ``copies`` holds the partitions that
        miss one."""

    async def unsent_copies(self) -> list[Row]:
        """Events whose copies were not all acknowledged; ``copies`` holds the partitions that miss one."""

    async def copied(self, sent: Sequence[tuple[Name, int]]) -> None:
        """These copies were acknowledged."""

    async def unsent_refusals(self, limit: int) -> list[RefusalRow]:
        """Refusals not acknowledged by Kafka, the oldest first."""

    async def refusals_sent(self, sent: Sequence[RefusalRow]) -> None:
        """These were acknowledged."""

    async def reached_today(self) -> bool:
        """A simulated clock has been told to go on by itself."""

    async def go_on_by_itself(self) -> None:
        """Keep that a simulated clock goes on at wall speed from here."""
