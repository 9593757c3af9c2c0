"""``verify``: the pure verification of ``domain.verify`` run over a folder and a broker, with progress. Clocks are arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.topics import LOGGED_TOPICS, REGISTRY, Topic
from services._bus.kafka import Connection
from services.audit.adapters import replay_reader
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.signatures import SIGNED, check_registry, genesis_of
from services.audit.domain.verify import Fault, Place, Verification
from services.audit.signatures import Found, Job, check_all, place_of, read_file

_POLL_S = 0.2


@dataclass(frozen=True)
class Patience:
    """``wait_s``: how long to wait for a checkpoint that covers what Kafka had at the start. Both clocks count seconds."""

    wait_s: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass
class Report:
    """What a verification found. ``pending``: records on Kafka that are no leaf yet; None without Kafka."""

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

    @property
    def verified(self) -> bool:
        return not self.faults


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
    memory: Path | None,
    patience: Patience,
    console: Console,
    cores: int = 1,
) -> Report:
    """Recompute everything. ``kafka``: None for the log alone. ``memory``: folder of checkpoints seen before. ``genesis``: the
    pinned event; None: whatever the registry begins with, if it names the log's key. ``cores``: processes for the signatures.

    Raises ``NoteError`` (no checkpoint, or one that the log did not sign) and ``KafkaError``."""
    counts = asyncio.run(replay_reader.partitions(kafka, [one.name for one in LOGGED_TOPICS])) if kafka else {}
    ends = asyncio.run(replay_reader.bounds(kafka, [place for place in _places() if place[1] < counts[place[0]]])) if kafka else {}
    checkpoint, note = _wait_for(log_dir, verifier, sum(end for _, end in ends.values()), patience)
    seen = _remembered(memory, verifier)
    check = Verification(checkpoint, lambda path: read_file(log_dir, path), seen)
    report = Report(checkpoint.origin, checkpoint.size, checkpoint.root.hex(), check.faults, seen_before=seen.size if seen else None)
    with _Bar(console) as bar:
        task = bar.task("leaves and tiles", checkpoint.size)
        for done in check.tree():
            bar.to(task, done)
        report.stubs, report.partitions = check.stubs, len(check.next_offsets)
        _check_signatures(check, report, Signers(log_dir, verifier, genesis, cores), bar)
        if kafka:
            check.faults += [fault for topic in LOGGED_TOPICS if (fault := partition_fault(topic, counts[topic.name]))]
            asyncio.run(_against_kafka(check, report, kafka, ends, bar))
    if memory and report.verified:
        _remember(_memory_file(memory, verifier), note)
    return report


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


def _wait_for(log_dir: Path, verifier: VerifierKey, records: int, patience: Patience) -> tuple[Checkpoint, bytes]:
    """The checkpoint, as soon as it has as many leaves as Kafka had records when we began, or when patience ends."""
    until = patience.monotonic() + patience.wait_s
    while True:
        note = read_file(log_dir, "checkpoint")
        late = patience.monotonic() >= until
        if note is not None:
            checkpoint, _ = open_checkpoint(note, verifier)
            if checkpoint.size >= records or late:
                return checkpoint, note
        elif late:
            raise NoteError(f"{log_dir} has no checkpoint")
        patience.sleep(_POLL_S)


def _memory_file(memory: Path, verifier: VerifierKey) -> Path:
    return memory / f"{verifier.name.replace('/', '_')}+{verifier.key_id.hex()}.checkpoint"


def _remembered(memory: Path | None, verifier: VerifierKey) -> Checkpoint | None:
    note = read_file(memory, _memory_file(memory, verifier).name) if memory else None
    return open_checkpoint(note, verifier)[0] if note else None


def _remember(path: Path, note: bytes) -> None:
    """Keep the checkpoint that was verified, as it was signed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arriving = path.with_suffix(".arriving")
    arriving.write_bytes(note)
    arriving.rename(path)
