"""What the log and the detectors ask of the outside. Each docstring states durability, order and atomicity."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from services._bus.kafka import Place as Place
from services._bus.kafka import RecordsGone as RecordsGone
from services.audit.domain.clocks import Clock
from services.audit.domain.frame import Record
from services.audit.domain.workdays import YearTable


class Superseded(Exception):
    """Another writer took over. Stop at once and cleanly: whatever is written from here on would be a second writer's."""


class LogDamaged(Exception):
    """What is stored is not what was signed or planned. Nothing may be signed on it; a person has to look."""


@dataclass(frozen=True, slots=True)
class Span:
    """``count`` records of a partition from ``first_offset`` on, as leaves ``first`` … ``first + count − 1``."""

    first: int
    count: int
    topic: str
    partition: int
    first_offset: int


@dataclass(frozen=True, slots=True)
class Head:
    """State of the plan when a writer took over: its ``epoch``, leaves ``planned`` and leaves under a ``signed`` checkpoint."""

    epoch: int
    planned: int
    signed: int


class Plan(Protocol):
    """Which record becomes which leaf. The one place where writers compete; everything else follows from it."""

    def take_over(self) -> Head:
        """Raise the epoch, durably, before anything else is read: from now on every other writer's call raises ``Superseded``."""

    def positions(self) -> dict[Place, int]:
        """First offset of each partition that is not planned; partitions without a row begin at 0."""

    def spans(self, first: int, limit: int) -> list[Span]:
        """Planned spans from leaf ``first`` on, at which one begins, in order, at most ``limit``. Raises ``LogDamaged`` for a hole."""

    def commit(self, epoch: int, planned: int, spans: Sequence[Span], names: Sequence[tuple[bytes, int]] = ()) -> None:
        """Append spans that continue the plan at leaf ``planned``: all of them, the positions and the names durably, or nothing.

        ``names``: of the leaves that are events, (``reading.name_of``, leaf).

        Raises ``Superseded`` when epoch or size are not what the plan has; ``LogDamaged`` when an offset is planned already."""

    def publish(self, epoch: int, size: int, act: Callable[[], None]) -> None:
        """Check the epoch, run ``act`` while no other writer can take over, then note ``size`` as signed.

        A crash after ``act`` leaves a checkpoint that is newer than the note: the next start takes the checkpoint."""

    def close(self) -> None:
        """Give the connection back."""


class LogStore(Protocol):
    """Files of the log by path (``tile/…``, ``oversize/…``, ``checkpoint``)."""

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Each file whole or not at all, and all of them, their names and folders durable on return; in any order before that.

        Writing a file again replaces it. What was written is read back; raises ``LogDamaged`` where it differs."""

    def read(self, path: str) -> bytes | None:
        """The file's bytes, None where there is none."""

    def remove_partials(self, path: str) -> None:
        """Drop the partial tiles of a full tile. Not durable at once: what comes back after a crash does no harm."""

    def leftovers(self) -> list[str]:
        """Drop what writers that died in mid-write left unfinished; the full tiles that still have partial ones beside them.

        Only to be called by the writer that took over: another one's write that is going on fails."""


class Records(Protocol):
    """Kafka, read by position. Within a partition in the order of offsets."""

    async def batches(self) -> AsyncIterator[Mapping[Place, Sequence[Record]]]:
        """New records, again and again; an empty mapping when there was nothing for a moment. Raises ``RecordsGone``."""
        yield {}

    async def read_spans(self, spans: Sequence[Span]) -> list[list[Record]]:
        """Exactly the records of each span. Spans of one partition come in the order of their offsets. Raises ``RecordsGone``."""
        raise NotImplementedError

    async def ends(self) -> dict[Place, int]:
        """The next offset that Kafka will give in each partition: what lag is measured against."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding to keep and to send. ``value``: the derived event's bytes, ``key``: the office's. ``event_id``: the fact it is about.

    ``matter``: what it is about, for ever; ``retracted``: it says that there is none any more; ``type``: of a scan or an effect their own.
    ``traceparent``: that of the record that caused it, so that one trace leads from the request to the finding."""

    id: str
    kind: str
    about: str
    office: str | None
    subject: str | None
    regime: str | None
    event_id: str | None
    key: bytes
    value: bytes
    traceparent: str | None = None
    matter: str | None = None
    retracted: bool = False
    type: str = "mingjian.finding.raised.v1"


@dataclass(frozen=True, slots=True)
class OpenVerdict:
    """A verdict that a calendar still to come may change. ``fact`` is what ``domain.late.Fact`` is made of, as JSON."""

    event_id: str
    source: str
    regime: str
    partition: int
    offset: int
    fact: Mapping[str, Any]
    registry_offset: int
    judged: int
    late: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with a document, until and after its service becomes known: ``fact`` as in ``OpenVerdict``. ``document``: its id."""

    partition: int
    subject: str
    document: str
    source: str
    offset: int
    fact: Mapping[str, Any]
    registry_offset: int


class DetectorWork(Protocol):
    """One transaction: everything asked of it becomes durable together with ``move``, or not at all."""

    async def regimes_of(self, subjects: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Regimes that rate the subjects, of those that have any so far."""

    async def put_regimes(self, rows: Mapping[str, tuple[str, ...]]) -> None:
        """Remember the subjects' regimes."""

    async def remember(self, names: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """Keep names (16 bytes) with their content (16 bytes) where they are not kept yet; returns those that were, as they were."""

    async def put_calendar(self, partition: int, offset: int, event_id: str, table: YearTable) -> None:
        """Remember a year's schedule as the partition has it."""

    async def put_decision(self, decision: Decision) -> None:
        """Remember a decision; the first one of its id, source, subject and partition stays."""

    async def decisions(self, partition: int, subject: str, document: str) -> list[Decision]:
        """The decisions of that id about the subject, by offset: more than one where two sources used the same id."""

    async def put_service(self, partition: int, subject: str, document: str, served_on: date) -> bool:
        """Remember when a document was served; False where that was known already: the first one stays."""

    async def service(self, partition: int, subject: str, document: str) -> date | None:
        """When the document was served, as far as a record said so by itself."""

    async def open_verdicts(self, partition: int) -> list[OpenVerdict]:
        """The partition's verdicts still open, by offset, those put in this transaction included."""

    async def put_open(self, verdict: OpenVerdict) -> None:
        """Keep or replace an open verdict."""

    async def close_open(self, verdict: OpenVerdict) -> None:
        """The verdict is settled."""

    async def add(self, finding: Finding, supersedes: bool) -> bool:
        """Keep a finding; False when its id is there already. ``supersedes``: where it is new, earlier ones of its matter no longer
        stand; of before there were matters, those on the same fact and regime."""

    async def read_back(self, sent: Sequence[tuple[str, bytes]]) -> None:
        """Records of findings (id, value) that were read from Kafka: those whose bytes are ours need not be sent again."""

    async def move(self, positions: Mapping[Place, int], clocks: Mapping[Place, Clock]) -> None:
        """Set the detectors' next offsets, and the clocks of those partitions."""
