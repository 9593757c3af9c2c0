"""``verify``: a list of checks over a log, Kafka and PostgreSQL, one after the other, with progress. Clocks are arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from schemas.topics import LOGGED_TOPICS
from services._bus.kafka import Connection
from services.audit.adapters import replay_reader
from services.audit.adapters.stored import Stored
from services.audit.bar import Bar
from services.audit.checks import broker, contents, leaves, signing
from services.audit.checks.running import Broker, Check, Report, Run
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.handed_out import HandedOut
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.policy import NOBODY, Policy, shortfall
from services.audit.domain.verify import Fault, Place, Seen, Verification
from services.audit.resuming import Progressed
from services.audit.seen import Memory
from services.audit.signatures import read_file

_POLL_S = 0.2
# A cosigned checkpoint is preferred: a witness that was slow for one has mostly cosigned the next.
_PREFER_S = 3.0

# In this order: the first one reads the log, the others ask what it has read.
CHECKS: tuple[Check, ...] = (
    Check("log", leaves.check),
    Check("signatures", signing.check),
    Check("contents", contents.check),
    Check("kafka", broker.check),
)


@dataclass(frozen=True)
class Patience:
    """``wait_s``: how long to wait for a checkpoint that covers what Kafka had at the start. Both clocks count seconds."""

    wait_s: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True)
class Trust:
    """What the checkpoint is held against. ``policy``: whose cosignatures are looked at; ``required``: too few are a fault, and
    worth waiting for. ``memory``: folder of checkpoints seen before; ``against``: checkpoints that others were shown, as notes."""

    policy: Policy = NOBODY
    required: bool = False
    memory: Path | None = None
    against: Sequence[bytes] = ()


@dataclass(frozen=True)
class Outside:
    """What the log is held against besides itself. ``kafka``: None leaves it out. ``postgres``: an address that is a secret, None leaves
    it out. ``receipts``: what was handed out."""

    kafka: Connection | None = None
    postgres: str | None = None
    receipts: Sequence[HandedOut] = field(default_factory=tuple)


def run_verify(
    *,
    log_dir: Path,
    verifier: VerifierKey,
    genesis: Mapping[str, Any] | None,
    outside: Outside,
    trust: Trust,
    patience: Patience,
    console: Console,
    cores: int = 1,
    from_start: bool = False,
    checks: Sequence[Check] = CHECKS,
) -> Report:
    """Recompute everything. ``genesis``: the pinned event; None: whatever the registry begins with, if it names the log's key. ``cores``:
    processes for the signatures. ``from_start``: what an interrupted run did is done again.

    Raises ``NoteError`` (no checkpoint, one that the log did not sign, a pinned witness's signature that fails), ``KafkaError`` and
    ``NotReadable``."""
    # PostgreSQL's snapshot first, then Kafka's ends, then the checkpoint: so each has whatever the one before it had.
    stored = Stored.open(outside.postgres) if outside.postgres is not None else None
    try:
        kafka = _broker(outside.kafka) if outside.kafka is not None else None
        records = sum(end for _, end in kafka.ends.values()) if kafka is not None else 0
        point, note = _wait_for(log_dir, verifier, records, patience, trust)
        memory = Memory(trust.memory, verifier, trust.policy) if trust.memory else None
        others = [Seen(open_checkpoint(one, verifier)[0], "shown to somebody else") for one in trust.against]
        log = Verification(point, lambda path: read_file(log_dir, path), [*(memory.seen() if memory else []), *others])
        newest = memory.newest() if memory else None
        report = Report(point.origin, point.size, point.root.hex(), log.faults, seen_before=newest.size if newest else None)
        _check_cosigned(note, report, verifier, trust)
        kept = memory.progress if memory else None
        progress = Progressed.load(kept, verifier.text, patience.monotonic, from_start=from_start)
        with Bar(console) as bar:
            run = Run(log_dir, verifier, genesis, point, log, report, bar, cores, kafka, stored, outside.receipts, progress)
            try:
                for one in checks:
                    one.work(run)
                    report.checks.append(one.name)
            except BaseException:
                progress.write()
                raise
        progress.end()
        if memory and report.verified:
            memory.remember(note)
        return report
    finally:
        if stored is not None:
            stored.close()


def _check_cosigned(note: bytes, report: Report, verifier: VerifierKey, trust: Trust) -> None:
    cosigned = trust.policy.cosigned(open_checkpoint(note, verifier, trust.policy.keys)[1])
    report.cosigned_by = [one.key.name for one in cosigned]
    report.cosigned_enough = trust.policy.reached(cosigned)
    if trust.required and not report.cosigned_enough:
        report.faults.append(Fault("uncosigned", "checkpoint", shortfall(trust.policy, cosigned)))


def _broker(connection: Connection) -> Broker:
    counts = asyncio.run(replay_reader.partitions(connection, [one.name for one in LOGGED_TOPICS]))
    places: list[Place] = [(topic.name, number) for topic in LOGGED_TOPICS for number in range(min(topic.partitions, counts[topic.name]))]
    return Broker(connection, counts, asyncio.run(replay_reader.bounds(connection, places)))


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
