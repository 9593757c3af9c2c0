"""A log in memory that can be forked, a disk that can crash, and a witness on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.domain.checkpoint import Checkpoint, sign_checkpoint
from services.audit.domain.cosigning import encode_request
from services.audit.domain.merkle import ReadHash, consistency_proof, leaf_hash, root_of
from services.audit.domain.note import COSIGNATURE, ED25519, VerifierKey
from services.audit.witness.handlers import Witness
from services.audit.witness.state import States
from tests.unit.audit.fakes import Crash

NOW = 1_780_000_000


def private(words: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(words.encode().ljust(32, b"."))


WITNESS = private("unit test witness")
WITNESS_KEY = VerifierKey("unit.test/witness", COSIGNATURE, WITNESS.public_key().public_bytes_raw())


@dataclass
class Log:
    """``branch``: leaves from ``fork`` on are others'."""

    origin: str = "unit.test/log"
    fork: int = 1 << 30
    branch: str = ""

    @property
    def private(self) -> Ed25519PrivateKey:
        return private(self.origin)

    @property
    def key(self) -> VerifierKey:
        return VerifierKey(self.origin, ED25519, self.private.public_key().public_bytes_raw())

    def leaves(self, size: int) -> list[bytes]:
        return [leaf_hash(f"{number}{self.branch if number >= self.fork else ''}".encode()) for number in range(size)]

    def note(self, size: int) -> bytes:
        return sign_checkpoint(Checkpoint(self.origin, size, root_of(self.leaves(size))), self.key, self.private.sign)

    def read(self, size: int) -> ReadHash:
        leaves = self.leaves(size)

        def read(level: int, index: int) -> bytes:
            return root_of(leaves[index << level : (index + 1) << level])

        return read

    def proof(self, old: int, size: int) -> Sequence[bytes]:
        return consistency_proof(old, size, self.read(size))

    def request(self, old: int, size: int) -> bytes:
        return encode_request(old, self.proof(old, size), self.note(size))


@dataclass
class CrashingDisk:
    """``Disk`` in memory. What was not synced may be lost in a crash, or may have happened anyway: ``lost`` says which.

    ``at``: the step that is the last one; a write is torn in the middle when it crashes and happened anyway."""

    at: int | None = None
    lost: bool = True
    steps: int = 0
    durable: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)
    contents: dict[bytes, None] = field(default_factory=dict)

    def _step(self, act: Callable[[], None], torn: Callable[[], None] | None = None) -> None:
        self.steps += 1
        if self.steps == self.at:
            if not self.lost:
                (torn or act)()
            raise Crash(f"step {self.at}")
        act()

    def write(self, name: str, data: bytes) -> None:
        # Opened with O_TRUNC: the old content is gone first.
        self._step(lambda: self.seen.__setitem__(name, b""))
        self._step(lambda: self.seen.__setitem__(name, data), lambda: self.seen.__setitem__(name, data[: len(data) // 2]))
        self._step(lambda: self.contents.__setitem__(data, None))  # fsync

    def rename(self, name: str, to: str) -> None:
        self._step(lambda: self.seen.__setitem__(to, self.seen.pop(name)))

    def sync_names(self) -> None:
        def sync() -> None:
            self.durable = dict(self.seen)

        self._step(sync)

    def read(self, name: str) -> bytes | None:
        return self.seen.get(name)

    def power_cut(self) -> None:
        """What is on the disk when it comes back. Content that was never synced is not there, whatever its name says."""
        if self.lost:
            self.seen = dict(self.durable)
        else:
            self.seen = {name: data if data in self.contents else data[: len(data) // 2] for name, data in self.seen.items()}
        self.durable = dict(self.seen)
        self.at = None


def witness(disk: CrashingDisk, *logs: Log, seconds: Callable[[], float] = lambda: NOW, fresh: bool = True) -> Witness:
    """A witness of these logs. ``fresh``: they are followed from nothing."""
    states = States(disk, WITNESS_KEY)
    for log in logs if fresh else ():
        states.write(log.key, None)
    return Witness(key=WITNESS_KEY, sign=WITNESS.sign, logs=[log.key for log in logs], states=states, wall=seconds)
