"""The two loops of the audit process: records into the log, facts into findings. Clocks are arguments.

They don't wait for each other: detectors that lag never stall the log. An exception ends the process; start is recovery.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.topics import FINDINGS, REGISTRY
from services._bus.kafka import Unavailable
from services._bus.producer import Outgoing, Producer
from services._bus.telemetry import HEADER, Headers, Telemetry, at, sampled
from services.audit.adapters.detector_store import PostgresDetectorStore
from services.audit.adapters.kafka import KafkaRecords
from services.audit.appender import Appender, Oversize
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import Record
from services.audit.domain.operations import oversize_finding
from services.audit.domain.registry import Registry
from services.audit.entries import OtherRulebook
from services.audit.handlers import Detectors, operational
from services.audit.ports import Place, Plan, Span
from services.audit.reading import opened, traceparent_of
from services.audit.witnessing import Witnesses

log = logging.getLogger("mingjian.audit")

CHECKPOINT_EVERY_S = 1.0
ENDS_EVERY_S = 0.5
# How often it is looked whether the rulebook that lies here was activated (again): as a rule a process with the other one comes first.
RULEBOOK_EVERY_S = 2.0
_REPLAY_SPANS = 4_000
_REPLAY_RECORDS = 20_000
_SEND_AT_ONCE = 1_000
_LOOK_S = 0.05


@dataclass
class Progress:
    """What a loop tells about itself. ``next_offsets``: done up to there; ``ends``: what Kafka had when last asked.

    ``moved_at``: monotonic seconds of the last step, or of the last time when there was none to make."""

    phase: str = "starting"
    next_offsets: dict[Place, int] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    moved_at: float = 0.0

    def lag(self) -> int | None:
        """Records that Kafka has and the loop hasn't; None before Kafka was asked."""
        if not self.ends:
            return None
        # Asked by the metrics' thread, too: ``ends`` is replaced, never changed.
        return sum(max(0, end - self.next_offsets.get(place, 0)) for place, end in self.ends.items())


@dataclass
class LogProgress(Progress):
    """Of the log. ``signed_at``: wall clock of this process's last checkpoint, seconds since 1970; 0 before its first.

    ``held_since``: monotonic seconds since when checkpoints wait for witnesses; None while none does."""

    size: int = 0
    signed: int = 0
    signed_at: float = 0.0
    held_since: float | None = None


class LogLoop:
    """Everything in Kafka's logged topics becomes a leaf. ``monotonic`` and ``wall`` count seconds."""

    def __init__(
        self,
        *,
        appender: Appender,
        plan: Plan,
        records: KafkaRecords,
        findings: PostgresDetectorStore,
        stack: str,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        telemetry: Telemetry,
        witnesses: Witnesses,
    ) -> None:
        self._telemetry = telemetry
        self._witnesses = witnesses
        self._appender = appender
        self._plan = plan
        self._records = records
        self._findings = findings
        self._stack = stack
        self._monotonic = monotonic
        self._wall = wall
        # The appender has one user at a time: records, or a step of a checkpoint. Nobody waits for witnesses while holding it.
        self._turn = asyncio.Lock()
        self.progress = LogProgress()

    async def run(self) -> None:
        """Recover, then append for ever. Raises ``Superseded``, ``LogDamaged``, ``RecordsGone``, ``OSError``, ``psycopg.Error``."""
        head = await asyncio.to_thread(self._appender.start)
        log.info("log taken over: epoch %d, %d leaves planned, %d signed", head.epoch, head.planned, self._appender.signed)
        self.progress.size = self.progress.signed = self._appender.signed
        if self._appender.signed_at_start:
            self._note_checkpoint()
        self.progress.phase = "recovering"
        async with asyncio.TaskGroup() as group:
            group.create_task(self._checkpoints())
            while self._appender.size < head.planned:
                await self._replay()
            async with self._turn:
                self.progress.next_offsets = await asyncio.to_thread(self._plan.positions)
            await self._records.start(self.progress.next_offsets)
            self.progress.phase = "live"
            group.create_task(self._append())
            group.create_task(self._watch_ends())

    async def _replay(self) -> None:
        spans: list[Span] = []
        async with self._turn:
            planned = await asyncio.to_thread(self._plan.spans, self._appender.size, _REPLAY_SPANS)
        for span in planned:
            if spans and sum(one.count for one in spans) + span.count > _REPLAY_RECORDS:
                break
            spans.append(span)
        began = self._telemetry.now_ns()
        records = await self._records.read_spans(spans)

        def write() -> None:
            for span, found in zip(spans, records, strict=True):
                self._appender.replay(span, found)

        first = self._appender.size
        async with self._turn:
            await asyncio.to_thread(write)
        self._telemetry.spans("leaf", leaves([one for found in records for one in found], first), began_ns=began)
        log.info("recovered leaves up to %d", self._appender.size)

    async def _append(self) -> None:
        async for batch in self._records.batches():
            if batch:
                began, first = self._telemetry.now_ns(), self._appender.size
                async with self._turn:
                    await asyncio.to_thread(self._appender.append, batch)
                self._telemetry.spans("leaf", leaves([one for records in batch.values() for one in records], first), began_ns=began)
                for place, records in batch.items():
                    self.progress.next_offsets[place] = records[-1].offset + 1
                self.progress.size = self._appender.size
                self.progress.moved_at = self._monotonic()

    async def _checkpoints(self) -> None:
        while True:
            began = self._monotonic()
            await self._checkpoint()
            await asyncio.sleep(max(0.0, began + CHECKPOINT_EVERY_S - self._monotonic()))

    async def _checkpoint(self) -> None:
        async with self._turn:
            found, self._appender.oversize = self._appender.oversize, []
            prepared = await asyncio.to_thread(self._appender.prepare)
        # Before it is published: a crash in between finds the same stubs again, because it starts from the checkpoint before.
        if found:
            await self._keep_oversize(found)
        new = prepared is not None
        prepared = prepared or self._appender.published
        if not new and not self._witnesses.lacking(prepared.note):
            self.progress.held_since = None
            return
        came = await self._witnesses.ask(prepared.note)
        if prepared.size > self._appender.signed and not came.reached and self._witnesses.missing == "wait":
            # The next one is asked for in its place: it continues this one, wherever this one was cosigned.
            self.progress.held_since = self.progress.held_since or self._monotonic()
            return
        self.progress.held_since = None
        if new or came.lines:
            async with self._turn:
                await asyncio.to_thread(self._appender.publish, prepared, came.lines)
            self._note_checkpoint()

    async def _keep_oversize(self, found: Sequence[Oversize]) -> None:
        async with self._findings.work() as work:
            for one in found:
                raised = oversize_finding(one.record, one.length, self._stack)
                await work.add(operational(raised, traceparent_of(one.record)), supersedes=False)

    def _note_checkpoint(self) -> None:
        self.progress.size = self._appender.size
        self.progress.signed = self._appender.signed
        self.progress.signed_at = self._wall()

    async def _watch_ends(self) -> None:
        await watch_ends(self._records, self.progress, self._monotonic)


def leaves(records: Sequence[Record], first: int) -> Iterator[tuple[Headers, dict[str, str | int]]]:
    """Those of the records whose trace is kept, each with its place on Kafka and its leaf's index; the first one is leaf ``first``.

    So a trace leads to a leaf, and the index to its proof."""
    for index, one in enumerate(records, first):
        if sampled(one.headers):
            yield one.headers, at(one.topic, one.partition, one.offset) | {"mingjian.leaf.index": index}


async def watch_ends(records: KafkaRecords, progress: Progress, monotonic: Callable[[], float]) -> None:
    """Ask Kafka now and then how far its partitions reach. While it can't be asked, the last answer stands."""
    while True:
        try:
            progress.ends = await records.ends()
            if not progress.lag():
                # Nothing to do is no standstill: the first record after a quiet night finds a loop that is in order.
                progress.moved_at = monotonic()
        except Unavailable as error:
            log.warning("Kafka does not say how far its partitions reach: %s", error)
        await asyncio.sleep(ENDS_EVERY_S)


async def reached(progress: Progress, limit_s: float) -> bool:
    """Wait until all that Kafka has by now is done; False where that takes longer than ``limit_s`` seconds.

    Of what Kafka says after this begins the second answer counts: the first one may be to a question asked before."""
    try:
        async with asyncio.timeout(limit_s):
            ends = progress.ends
            for _ in range(2):
                before = ends
                while (ends := progress.ends) is before:
                    await asyncio.sleep(_LOOK_S)
            while any(progress.next_offsets.get(place, 0) < end for place, end in ends.items()):
                await asyncio.sleep(_LOOK_S)
            return True
    except TimeoutError:
        return False


class RegistryReader:
    """The registry, read from its beginning at every start (it is small) and followed on demand. ``genesis``: the pinned event."""

    def __init__(self, records: KafkaRecords, genesis: Mapping[str, Any]) -> None:
        self._records = records
        self._moved = asyncio.Condition()
        self.state = Registry(genesis)

    async def run(self) -> None:
        """Follow the registry for ever."""
        async for batch in self._records.batches():
            if not batch:
                continue
            async with self._moved:
                for record in batch[REGISTRY, 0]:
                    self.state.apply(record.offset, opened(record))
                self._moved.notify_all()

    async def up_to(self, offset: int) -> Registry:
        """The registry once it is read up to and with ``offset``; where Kafka has no such offset, as far as Kafka has it.

        So a record that names an offset which never was can't stop its readers."""
        while self.state.next_offset <= offset:
            try:
                end = (await self._records.ends())[REGISTRY, 0]
            except Unavailable as error:
                log.warning("Kafka does not say how far the registry reaches: %s", error)
                await asyncio.sleep(ENDS_EVERY_S)
                continue
            wanted = min(offset + 1, end)
            async with self._moved:
                await self._moved.wait_for(lambda: self.state.next_offset >= wanted)  # noqa: B023 (waited for at once)
            if wanted == end:
                break
        return self.state


class DetectorLoop:
    """Facts in, findings out: kept in PostgreSQL with the position, then sent until they are read back from Kafka."""

    def __init__(
        self,
        *,
        detectors: Detectors,
        store: PostgresDetectorStore,
        records: KafkaRecords,
        sender: Producer,
        monotonic: Callable[[], float],
    ) -> None:
        self._detectors = detectors
        self._store = store
        self._records = records
        self._sender = sender
        self._monotonic = monotonic
        self._sent: set[str] = set()
        self.progress = Progress()

    async def run(self) -> None:
        """Fold for ever. Raises ``Superseded``, ``RecordsGone``, ``psycopg.Error``, ``Unavailable`` at the start."""
        for partition, event_id, table in await self._store.calendars():
            self._detectors.remember_calendar(partition, event_id, table)
        self._detectors.remember_clocks(self._store.clocks)
        self.progress.next_offsets = dict(self._store.positions)
        await self._records.start(self._store.positions)
        await self._sender.start()
        self.progress.phase = "live"
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fold())
            group.create_task(watch_ends(self._records, self.progress, self._monotonic))

    async def _fold(self) -> None:
        # What was sent before a crash comes back first; only what is still missing then is sent again.
        own = {place: end for place, end in (await self._records.ends()).items() if place[0] == FINDINGS}
        async for batch in self._records.batches():
            if batch:
                while (new := await self._handle(batch)) is None:
                    await asyncio.sleep(RULEBOOK_EVERY_S)
                if new:
                    log.info("%d findings raised", new)
                # Ours are not asked for any more; another one of the same id leaves ours to be sent again.
                back = (opened(one) for (topic, _), some in batch.items() if topic == FINDINGS for one in some)
                self._sent -= {one.event["id"] for one in back if one}
                self.progress.next_offsets = dict(self._store.positions)
                self.progress.moved_at = self._monotonic()
            if own and all(self._store.positions.get(place, 0) >= end for place, end in own.items()):
                own = {}
            if not own:
                await self._send()

    async def _handle(self, batch: Mapping[Place, Sequence[Record]]) -> int | None:
        """None while the batch can't be judged: it waits, nothing of it is lost, and readiness says why."""
        try:
            async with self._store.work() as work:
                new = await self._detectors.handle(batch, work)
        except OtherRulebook as error:
            if self.progress.phase == "live":
                log.error("the detectors stop: %s", error)
            self.progress.phase = f"stopped, {error}"
            return None
        self.progress.phase = "live"
        return new

    async def _send(self) -> None:
        # By what was sent, not by the last number: two connections write findings, and a lower number may come after a higher one.
        while rows := await self._store.unsent(self._sent, _SEND_AT_ONCE):
            try:
                await self._sender.send(
                    [Outgoing(FINDINGS, key, value, headers_of(id, trace, kind)) for _, id, key, value, trace, kind in rows]
                )
            except Unavailable as error:
                # They are kept, and the next round begins with them: the order stays.
                log.warning("%d findings wait for Kafka: %s", len(rows), error)
                return
            self._sent |= {id for _, id, *_ in rows}


def headers_of(id: str, traceparent: str | None, kind: str = TYPE) -> tuple[tuple[str, bytes], ...]:
    """Kafka headers of a finding, scan or effect (``kind``: the event's type). The trace is that of the record that caused it."""
    headers = (("ce_id", id.encode()), ("ce_type", kind.encode()), ("content-type", b"application/json"))
    return (*headers, (HEADER, traceparent.encode())) if traceparent else headers
