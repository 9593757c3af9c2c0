"""A plan and a store in memory that check what the ports promise, and can crash at any step in either way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.appender import LogKey
from services.audit.domain.frame import Record
from services.audit.domain.note import ED25519, VerifierKey
from services.audit.ports import Head, LogDamaged, Place, Span, Superseded

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"unit test log key".ljust(32, b"."))
VERIFIER = VerifierKey("unit.test/log", ED25519, PRIVATE.public_key().public_bytes_raw())
KEY = LogKey(VERIFIER, PRIVATE.sign)


class Crash(Exception):
    """The process died here."""


class Fuse:
    """Counts steps that touch the outside and dies at the chosen one: before it happened (``lost``) or after (``anyway``)."""

    def __init__(self, at: int | None = None, lost: bool = True) -> None:
        self.at = at
        self.lost = lost
        self.steps = 0

    def step(self, act: Callable[[], None]) -> None:
        self.steps += 1
        if self.steps == self.at:
            if not self.lost:
                act()
            raise Crash(f"step {self.at}")
        act()


class MemoryStore:
    """``LogStore``. Each file of a ``write`` is a step: a crash leaves some of them. A checkpoint may never shrink."""

    def __init__(self, fuse: Fuse) -> None:
        self.files: dict[str, bytes] = {}
        self.fuse = fuse

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        for path, data in files:

            def put(path: str = path, data: bytes = data) -> None:
                if path == "checkpoint" and path in self.files:
                    before, now = (int(one.split(b"\n")[1]) for one in (self.files[path], data))
                    assert now >= before, "a checkpoint went back"
                self.files[path] = data

            self.fuse.step(put)

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def leftovers(self) -> list[str]:
        return sorted({path.rpartition(".p/")[0] for path in self.files if ".p/" in path} & set(self.files))

    def remove_partials(self, path: str) -> None:
        for one in [name for name in self.files if name.startswith(f"{path}.p/")]:
            self.fuse.step(lambda one=one: self.files.__delitem__(one))


class MemoryPlan:
    """``Plan``. Commits are a step; so is what ``publish`` notes afterwards."""

    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.epoch = 0
        self.signed = 0
        self.rows: list[Span] = []
        self.names: list[tuple[bytes, int]] = []

    @property
    def planned(self) -> int:
        return sum(one.count for one in self.rows)

    def take_over(self) -> Head:
        self.epoch += 1
        return Head(self.epoch, self.planned, self.signed)

    def positions(self) -> dict[Place, int]:
        return {(one.topic, one.partition): one.first_offset + one.count for one in self.rows}

    def spans(self, first: int, limit: int) -> list[Span]:
        found = [one for one in self.rows if one.first >= first][:limit]
        if found and found[0].first != first:
            raise LogDamaged("no span begins there")
        return found

    def commit(self, epoch: int, planned: int, spans: Sequence[Span], names: Sequence[tuple[bytes, int]] = ()) -> None:
        if (epoch, planned) != (self.epoch, self.planned):
            raise Superseded("not the writer any more")
        known = self.positions()
        for one in spans:
            if known.get((one.topic, one.partition), 0) > one.first_offset:
                raise LogDamaged("an offset was planned twice")
            known[one.topic, one.partition] = one.first_offset + one.count

        def keep() -> None:
            self.rows.extend(spans)
            self.names.extend(names)

        self.fuse.step(keep)

    def publish(self, epoch: int, size: int, act: Callable[[], None]) -> None:
        if epoch != self.epoch:
            raise Superseded("not the writer any more")
        act()

        def note() -> None:
            self.signed = size

        self.fuse.step(note)

    def close(self) -> None:
        pass


def record(topic: str, partition: int, offset: int, size: int = 40) -> Record:
    """A record whose bytes follow from its place."""
    value = f"{topic}/{partition}/{offset} ".encode().ljust(size, b".")
    return Record(topic, partition, offset, 1_700_000_000_000 + offset, 1, b"key", (("ce_id", b"x"),), value)
