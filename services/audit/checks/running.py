"""What the checks of one verification share: the log, the outside world to hold it against, and where they write what they find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services._bus.kafka import Connection
from services.audit.adapters.stored import Stored
from services.audit.bar import Bar
from services.audit.domain.checkpoint import Checkpoint
from services.audit.domain.handed_out import HandedOut
from services.audit.domain.note import VerifierKey
from services.audit.domain.signatures import genesis_of
from services.audit.domain.verify import Fault, Place, Verification
from services.audit.resuming import Progressed
from services.audit.signatures import read_file


@dataclass
class Report:
    """What a verification found. ``faults``: each makes it fail; ``notices``: what the design calls an operational finding.

    ``pending``: records on Kafka that are no leaf yet; None without Kafka. ``postgres``: the services whose tables were looked at.
    ``cosigned_by``: names of the policy's witnesses under the checkpoint; ``cosigned_enough``: as many as it needs. ``checks``: what was
    looked at, in this order. ``resumed``: what an interrupted run had done, by check, in leaves or records."""

    origin: str
    size: int
    root: str
    faults: list[Fault]
    notices: list[Fault] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    stubs: int = 0
    partitions: int = 0
    compared: int = 0
    signatures: int = 0
    receipts: int = 0
    rows: int = 0
    postgres: list[str] = field(default_factory=list)
    pending: int | None = None
    seen_before: int | None = None
    cosigned_by: list[str] = field(default_factory=list)
    cosigned_enough: bool = True
    resumed: dict[str, int] = field(default_factory=dict)

    @property
    def verified(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class Broker:
    """Kafka when the run began. ``counts``: partitions of each topic; ``ends``: first offset kept and next one to come."""

    connection: Connection
    counts: Mapping[str, int]
    ends: Mapping[Place, tuple[int, int]]


@dataclass
class Run:
    """One verification, for its checks. ``genesis``: the pinned event, or None. ``kafka``, ``postgres``: None where they are left out.

    ``log``: the log as its own check has read it; that check comes first, and every other one may ask it. ``progress``: how far an
    interrupted run came, and where this one notes how far it is."""

    log_dir: Path
    verifier: VerifierKey
    genesis: Mapping[str, Any] | None
    point: Checkpoint
    log: Verification
    report: Report
    bar: Bar
    cores: int
    kafka: Broker | None
    postgres: Stored | None
    receipts: Sequence[HandedOut]
    progress: Progressed

    def authority(self) -> Mapping[str, Any] | None:
        """The pinned genesis event; where none is pinned, the one that the registry begins with, if it names the log's key."""
        return self.genesis or genesis_of(self.log.registry.get(0), self.verifier.text)

    def read(self, path: str) -> bytes | None:
        """A file of the log."""
        return read_file(self.log_dir, path)

    def fault(self, code: str, where: str, what: str) -> None:
        """What makes the verification fail."""
        self.log.fault(code, where, what)


@dataclass(frozen=True)
class Check:
    """``name``: a word for the report. ``work`` adds to the run's faults and notices; it runs after those before it in the list."""

    name: str
    work: Callable[[Run], None]
