"""``verify``: the pure verification of ``domain.verify`` run over a folder and a broker, with progress. Clocks are arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.topics import LOGGED_TOPICS, REGISTRY, Topic
from services._bus.kafka import Connection
from services.audit.adapters import replay_reader
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.policy import NOBODY, Policy, shortfall
from services.audit.domain.signatures import SIGNED, check_registry, genesis_of
from services.audit.domain.verify import Fault, Place, Seen, Verification
from services.audit.seen import Memory
from services.audit.signatures import Found, Job, check_all, place_of, read_file

_POLL_S = 0.2
# A cosigned checkpoint is preferred: a witness that was slow for one has mostly cosigned the next.
_PREFER_S = 3.0


@dataclass(frozen=True)
class Patience:
    """``wait_s``: how long to wait for a checkpoint that covers what Kafka had at the start. Both clocks count seconds."""

    wait_s: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass
class Report:
    """What a verification found. ``pending``: records on Kafka that are no leaf yet; None without Kafka. ``cosigned_by``: names of the
    policy's witnesses under the checkpoint; ``cosigned_enough``: as many as it needs."""

    origin: str
    size: int
    root: str
    faults: list[Fault]
    stubs: int = 0
    partitions: int = 0
    compared: int = 0
    signatures: int = 0
    pending: int | None = None
    seen_before: int | None = None
    cosigned_by: list[str] = field(default_factory=list)
    cosigned_enough: bool = True

    @property
    def verified(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class Trust:
    """What the checkpoint is held against. ``policy``: whose cosignatures are looked at; ``required``: too few are a fault, and
    worth waiting for. ``memory``: folder of checkpoints seen before; ``against``: checkpoints that others were shown, as notes."""

    policy: Policy = NOBODY
    required: bool = False
    memory: Path | None = None
    against: Sequence[bytes] = ()


class _Bar:
    """Progress on a terminal, silence elsewhere."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def task(self, words: str, total: int) -> Any:
        return self._progress.add_task(words, total=total)

    def to(self, task: Any, done: int) -> None:
        self._progress.update(task, completed=done)


def run_verify(
    *,
    log_dir: Path,
    verifier: VerifierKey,
    genesis: Mapping[str, Any] | None,
    kafka: Connection | None,
    trust: Trust,
    patience: Patience,
    console: Console,
    cores: int = 1,
    beside: Callable[[Verification, Checkpoint], Iterable[Fault]] = lambda log, point: (),
) -> Report:
    """Recompute everything. ``beside``: what else is held against the leaves, once they were read.

    ``kafka``: None for the log alone. ``genesis``: the pinned event; None:
    whatever the registry begins with, if it names the log's key. ``cores``: processes for the signatures.

    Raises ``NoteError`` (no checkpoint, one that the log did not sign, a pinned witness's signature that fails) and ``KafkaError``."""
    counts = asyncio.run(replay_reader.partitions(kafka, [one.name for one in LOGGED_TOPICS])) if kafka else {}
    ends = asyncio.run(replay_reader.bounds(kafka, [place for place in _places() if place[1] < counts[place[0]]])) if kafka else {}
    point, note = _wait_for(log_dir, verifier, sum(end for _, end in ends.values()), patience, trust)
    memory = Memory(trust.memory, verifier, trust.policy) if trust.memory else None
    others = [Seen(open_checkpoint(one, verifier)[0], "shown to somebody else") for one in trust.against]
    check = Verification(point, lambda path: read_file(log_dir, path), [*(memory.seen() if memory else []), *others])
    newest = memory.newest() if memory else None
    report = Report(point.origin, point.size, point.root.hex(), check.faults, seen_before=newest.size if newest else None)
    _check_cosigned(note, report, verifier, trust)
    with _Bar(console) as bar:
        task = bar.task("leaves and tiles", point.size)
        for done in check.tree():
            bar.to(task, done)
        report.stubs, report.partitions = check.stubs, len(check.next_offsets)
        _check_signatures(check, report, Signers(log_dir, verifier, genesis, cores), bar)
        check.faults += beside(check, point)
        if kafka:
            check.faults += [fault for topic in LOGGED_TOPICS if (fault := partition_fault(topic, counts[topic.name]))]
            asyncio.run(_against_kafka(check, report, kafka, ends, bar))
    if memory and report.verified:
        memory.remember(note)
    return report


def _check_cosigned(note: bytes, report: Report, verifier: VerifierKey, trust: Trust) -> None:
    cosigned = trust.policy.cosigned(open_checkpoint(note, verifier, trust.policy.keys)[1])
    report.cosigned_by = [one.key.name for one in cosigned]
    report.cosigned_enough = trust.policy.reached(cosigned)
    if trust.required and not report.cosigned_enough:
        report.faults.append(Fault("uncosigned", "checkpoint", shortfall(trust.policy, cosigned)))


@dataclass(frozen=True)
class Signers:
    """What signatures are held against."""

    log_dir: Path
    verifier: VerifierKey
    genesis: Mapping[str, Any] | None
    cores: int


def _check_signatures(check: Verification, report: Report, by: Signers, bar: _Bar) -> None:
    if not any(topic in SIGNED for topic, _ in check.next_offsets):
        return
    genesis = by.genesis or genesis_of(check.registry.get(0), by.verifier.text)
    if genesis is None:
        check.faults.append(Fault("signature", f"{REGISTRY} 0:0", "is no genesis event of this log: nothing says whose signatures hold"))
        return
    keys, faults = check_registry(check.registry, genesis)
    report.signatures = len(check.registry) - len(faults)
    task = bar.task("signatures", report.size)
    found = Found()
    for found in check_all(Job(by.log_dir, report.size, keys), by.cores):
        bar.to(task, found.leaves)
    report.signatures += found.checked
    check.faults += faults + sorted(found.faults, key=place_of)


def partition_fault(topic: Topic, on_kafka: int) -> Fault | None:
    """A topic with other partitions than the contract's: records of those beyond are no leaves, and what is missing is lost."""
    if on_kafka == topic.partitions:
        return None
    return Fault("partitions", topic.name, f"Kafka has {on_kafka} partitions of it, the contract {topic.partitions}")


def _places() -> list[Place]:
    return [(topic.name, partition) for topic in LOGGED_TOPICS for partition in range(topic.partitions)]


async def _against_kafka(check: Verification, report: Report, kafka: Connection, ends: dict[Place, tuple[int, int]], bar: _Bar) -> None:
    logged = check.next_offsets
    for place in sorted(set(logged) - set(ends)):
        check.faults.append(Fault("unknown", f"{place[0]} {place[1]}", "the log has records of a partition that is none of ours"))
    for (topic, partition), (first, _) in sorted(ends.items()):
        if first:
            check.faults.append(Fault("deleted", f"{topic} {partition}:0", f"Kafka begins at offset {first}"))
    # Kafka may have moved on since the ends were asked, the log too: compare what both have.
    now = await replay_reader.bounds(kafka, ends)
    wanted = {place: (now[place][0], min(now[place][1], logged.get(place, 0))) for place in ends}
    report.pending = sum(max(0, now[place][1] - logged.get(place, 0)) for place in ends)
    task = bar.task("records on Kafka", sum(max(0, end - first) for first, end in wanted.values()))
    async for records in replay_reader.read_through(kafka, wanted):
        for record in records:
            check.compare(record)
        report.compared += len(records)
        bar.to(task, report.compared)
    check.compared()
    for place, (_, end) in sorted(ends.items()):
        missing = end - logged.get(place, 0)
        if missing > 0:
            check.faults.append(
                Fault("unlogged", f"{place[0]} {place[1]}:{logged.get(place, 0)}", f"{missing} records of Kafka are no leaves")
            )


def _wait_for(log_dir: Path, verifier: VerifierKey, records: int, patience: Patience, trust: Trust) -> tuple[Checkpoint, bytes]:
    """The checkpoint, as soon as it has as many leaves as Kafka had records when we began, and the cosignatures that are required, or
    preferred for a moment; or when patience ends."""
    began = patience.monotonic()
    until = began + patience.wait_s
    while True:
        note = read_file(log_dir, "checkpoint")
        late = patience.monotonic() >= until
        if note is not None:
            checkpoint, signers = open_checkpoint(note, verifier, trust.policy.keys)
            preferring = trust.required or patience.monotonic() < began + _PREFER_S
            enough = not preferring or trust.policy.reached(trust.policy.cosigned(signers))
            if (checkpoint.size >= records and enough) or late:
                return checkpoint, note
        elif late:
            raise NoteError(f"{log_dir} has no checkpoint")
        patience.sleep(_POLL_S)
