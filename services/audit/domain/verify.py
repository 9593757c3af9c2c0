"""The log held against itself, against Kafka, and against what was seen of it before. Reads through functions, writes nothing.

What is shown when no fault is found
1. The checkpoint is signed by the log; its root is that of the entries in the bundles, and every tile is theirs.
2. The tree of every checkpoint seen before, or by others, is a prefix of this one.
3. Every partition's records are leaves once, in order, from offset 0, without a gap.
4. Every record of Kafka up to there is, byte for byte, the one in its leaf (``compare``); of one that was put back from the log
   the kind of its time may be another (``putback``).
5. What stands beside the log is what its stub names.
Who signed the records is ``signatures``' question; the registry's are kept here for it.

Shares nothing with the appender's state, the detectors or rating: bytes in, faults out.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from schemas.topics import REGISTRY
from services.audit.domain import tiles
from services.audit.domain.checkpoint import Checkpoint
from services.audit.domain.frame import FrameError, Record, Stub, decode, oversize_path
from services.audit.domain.merkle import EMPTY_ROOT, leaf_hash
from services.audit.domain.putback import is_leaf

ReadFile = Callable[[str], bytes | None]
Place = tuple[str, int]

_DIGEST = 32
MARKER = "a transaction's marker (which no service of ours writes) took"
CHANGED_MEANWHILE = "its entries are not those that were read before, in this same run: somebody changes the folder meanwhile"
# More than anyone reads, and far less than a damaged log of millions could give.
_FAULTS_KEPT = 1_000
_ALIKE_KEPT = 100
# A leaf's index, a record's offset, a tile's number and width, an id.
_NUMBER = re.compile(r"leaf \d+, |(?<=[ \d]):\d+|(?<=/)[x\d][\dx/.p]*$|[0-9a-f-]{32,} ?")


@dataclass(frozen=True)
class Fault:
    """``code``: a stable word; ``where``: a file, leaf or record; ``what``: what is wrong there."""

    code: str
    where: str
    what: str

    @property
    def place(self) -> str:
        """``where`` without the one record or leaf: those of one place are alike."""
        return _NUMBER.sub("", self.where)


@dataclass(frozen=True)
class Seen:
    """A checkpoint of this log from elsewhere. ``words``: how it was met, as in *seen before*."""

    checkpoint: Checkpoint
    words: str = "seen before"


class _Leaves:
    """Digests of one partition's leaves by offset, in runs: a gap, however wide a forged offset makes it, costs nothing."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._runs: list[bytearray] = []
        self.following = 0

    def add(self, offset: int, digest: bytes) -> None:
        """``offset`` is at least ``following``."""
        if not self._runs or offset != self.following:
            self._starts.append(offset)
            self._runs.append(bytearray())
        self._runs[-1] += digest
        self.following = offset + 1

    def digest(self, offset: int) -> bytes | None:
        """None in a gap."""
        at = bisect_right(self._starts, offset) - 1
        start = (offset - self._starts[at]) * _DIGEST if at >= 0 else 0
        return bytes(self._runs[at][start : start + _DIGEST]) or None if at >= 0 else None


def whole_of(stub: Stub, read: ReadFile) -> Record | None:
    """The record that a stub stands for; None where what is beside the log is not it."""
    data = read(oversize_path(stub.sha256))
    try:
        found = decode(data) if data is not None and hashlib.sha256(data).digest() == stub.sha256 else None
    except FrameError:
        return None
    return found if isinstance(found, Record) else None


def digest_of(entries: Sequence[bytes]) -> bytes:
    """What a bundle's entries are known by when they are read again: SHA-256 of the bundle that holds these and no others."""
    return hashlib.sha256(tiles.encode_bundle(entries) if entries else b"").digest()


def read_bundle(read: ReadFile, index: int, width: int) -> list[bytes]:
    """The first ``width`` entries of a bundle; none where they can't be read."""
    try:
        return tiles.decode_bundle(read(tiles.bundle_path(index, width)) or read(tiles.bundle_path(index)) or b"", width)
    except tiles.TileError:
        return []


class _Compared:
    """How far a partition of Kafka was held against its leaves; ``digest``: over those leaves, to know them again."""

    def __init__(self) -> None:
        self.following = 0
        self.digest = hashlib.sha256()
        self.faulty = False


class Verification:
    """One run over one log. Faults are collected in ``faults``: one slip must not hide the next."""

    def __init__(self, checkpoint: Checkpoint, read: ReadFile, seen: Sequence[Seen] = ()) -> None:
        self._checkpoint = checkpoint
        self._read = read
        self._seen = tuple(seen)
        self._leaves: dict[Place, _Leaves] = {}
        self._compared: dict[Place, _Compared] = {}
        self.faults: list[Fault] = []
        self._alike: dict[tuple[str, str], int] = {}
        self.registry: dict[int, bytes | None] = {}
        self.bundles: list[bytes] = []
        self.stubs = 0

    def fault(self, code: str, where: str, what: str) -> None:
        """Keep a fault; of very many alike the first."""
        fault = Fault(code, where, what)
        alike = self._alike[code, fault.place] = self._alike.get((code, fault.place), 0) + 1
        if alike <= _ALIKE_KEPT and len(self.faults) < _FAULTS_KEPT:
            self.faults.append(fault)

    @property
    def next_offsets(self) -> dict[Place, int]:
        """For each partition in the log the first offset that is no leaf."""
        return {place: leaves.following for place, leaves in self._leaves.items()}

    def leaf_digest(self, place: Place, offset: int) -> bytes | None:
        """SHA-256 of the entry of a record, None where it is no leaf. After ``tree``."""
        leaves = self._leaves.get(place)
        return leaves.digest(offset) if leaves else None

    def tree(self) -> Iterator[int]:
        """Read every bundle and tile; yields the number of leaves done so far."""
        size, edge = self._checkpoint.size, tiles.Edge()
        self._check_seen_size()
        while edge.size < size:
            index = edge.size // tiles.WIDTH
            width = tiles.width_at(size, 0, index)
            entries = self._bundle(index, width)
            if entries is None:
                return
            self.bundles.append(digest_of(entries))
            hashes = [leaf_hash(entry) for entry in entries]
            self._check_seen(edge, hashes)
            first = edge.size
            edge, full = tiles.grow(edge, hashes)
            for tile in full:
                self._tile(tile)
            for number, entry in enumerate(entries):
                self._leaf(first + number, entry)
            yield edge.size
        for tile in edge.partial_tiles():
            self._tile(tile)
        if edge.root() != self._checkpoint.root:
            self.fault("root", "checkpoint", f"its root is not that of the {size} entries in the bundles")

    def _check_seen_size(self) -> None:
        now = self._checkpoint
        for one in self._seen:
            seen = one.checkpoint
            if seen.size > now.size:
                self.fault("rolled-back", "checkpoint", f"has {now.size} leaves; {seen.size} were {one.words}")
            elif seen.size == now.size and seen.root != now.root:
                self.fault("forked", "checkpoint", f"another root was {one.words} for {now.size} leaves")
            elif seen.size == 0 and seen.root != EMPTY_ROOT:
                self.fault("forked", "checkpoint", f"what was {one.words} was of no tree")

    def _check_seen(self, edge: tiles.Edge, hashes: list[bytes]) -> None:
        for one in self._seen:
            seen = one.checkpoint
            if edge.size < seen.size <= edge.size + len(hashes) and seen.size < self._checkpoint.size:
                then, _ = tiles.grow(edge, hashes[: seen.size - edge.size])
                if then.root() != seen.root:
                    self.fault("rewritten", f"leaves 0 to {seen.size - 1}", f"are not those of the checkpoint {one.words}")

    def entries(self, index: int) -> list[bytes]:
        """The entries of a bundle that ``tree`` has read, once more; none, and a fault, where they are not what they were then."""
        width = tiles.width_at(self._checkpoint.size, 0, index)
        found = read_bundle(self._read, index, width)
        if digest_of(found) == self.bundles[index]:
            return found
        self.fault("damaged", tiles.bundle_path(index, width), CHANGED_MEANWHILE)
        return []

    def _bundle(self, index: int, width: int) -> list[bytes] | None:
        path, data = self._file(tiles.bundle_path(index, width), tiles.bundle_path(index))
        if data is None:
            self.fault("missing", path, "the entry bundle is missing; what comes after it was not looked at")
            return None
        try:
            return tiles.decode_bundle(data, width)
        except tiles.TileError as error:
            self.fault("damaged", path, f"{error}; what comes after it was not looked at")
            return None

    def _tile(self, tile: tiles.Tile) -> None:
        path, data = self._file(tile.path, tiles.tile_path(tile.level, tile.index))
        if data is None:
            self.fault("missing", path, "the tile is missing")
            return
        try:
            stored = tiles.decode_tile(data, tile.width)
        except tiles.TileError as error:
            self.fault("damaged", path, str(error))
            return
        if stored != tile.data:
            self.fault("damaged", path, "its hashes are not those of the entries")

    def _file(self, path: str, full: str) -> tuple[str, bytes | None]:
        """A partial tile, or the first part of the full one that took its place."""
        data = self._read(path)
        return (path, data) if data is not None or path == full else (path, self._read(full))

    def _leaf(self, index: int, entry: bytes) -> None:
        try:
            found = decode(entry)
        except FrameError as error:
            self.fault("frame", f"leaf {index}", str(error))
            return
        leaves = self._leaves.setdefault((found.topic, found.partition), _Leaves())
        where = f"leaf {index}, {found.topic} {found.partition}:{found.offset}"
        if found.offset < leaves.following:
            self.fault("twice", where, f"the record is a leaf already; offset {leaves.following} is next")
            return
        if found.offset > leaves.following:
            self.fault(
                "gap",
                where,
                f"offset {leaves.following} is next: {found.offset - leaves.following} records are missing, or {MARKER} the offset",
            )
        leaves.add(found.offset, hashlib.sha256(entry).digest())
        if isinstance(found, Stub):
            self.stubs += 1
            self._beside(where, found)
        if found.topic == REGISTRY:
            whole = whole_of(found, self._read) if isinstance(found, Stub) else found
            self.registry[found.offset] = whole.value if whole is not None else None

    def _beside(self, where: str, stub: Stub) -> None:
        path = oversize_path(stub.sha256)
        whole = self._read(path)
        if whole is None:
            self.fault("missing", path, f"the bytes of {where} are missing")
            return
        if len(whole) != stub.length or hashlib.sha256(whole).digest() != stub.sha256:
            self.fault("damaged", path, f"are not the bytes that {where} names")
            return
        try:
            record = decode(whole)
        except FrameError as error:
            self.fault("damaged", path, str(error))
            return
        place = (stub.topic, stub.partition, stub.offset, stub.timestamp, stub.timestamp_type)
        if isinstance(record, Stub) or (record.topic, record.partition, record.offset, record.timestamp, record.timestamp_type) != place:
            self.fault("damaged", path, f"are another record's than {where}")

    def compare(self, record: Record) -> None:
        """Hold a record of Kafka against its leaf. Give each partition's records in order, from offset 0 (or from where ``resume``
        went on), up to ``next_offsets``."""
        done = self._compared.setdefault((record.topic, record.partition), _Compared())
        where = f"{record.topic} {record.partition}:{record.offset}"
        if record.offset != done.following:
            done.faulty = True
            self.fault("hole", where, f"Kafka has no record from offset {done.following} on: deleted, or {MARKER} the offset")
        done.following = record.offset + 1
        leaves = self._leaves.get((record.topic, record.partition))
        expected = leaves.digest(record.offset) if leaves else None
        done.digest.update(expected or b"")
        if expected is not None and not is_leaf(record, expected):
            done.faulty = True
            self.fault("changed", where, "Kafka's record is not the one in the log")

    def progress(self) -> dict[Place, tuple[int, str]]:
        """How far each partition without a fault was compared, and a digest of the leaves up to there."""
        return {place: (done.following, done.digest.hexdigest()) for place, done in self._compared.items() if not done.faulty}

    def resume(self, place: Place, following: int, digest: str) -> bool:
        """Take a partition as compared up to ``following``, as ``progress`` said it; False where the leaves up to there are others."""
        leaves = self._leaves.get(place)
        done = _Compared()
        for offset in range(following):
            one = leaves.digest(offset) if leaves else None
            if one is None:
                return False
            done.digest.update(one)
        if done.digest.hexdigest() != digest:
            return False
        done.following = following
        self._compared[place] = done
        return True

    def compared(self) -> None:
        """Call after the last record: what is in the log and did not come from Kafka is a fault."""
        for (topic, partition), end in sorted(self.next_offsets.items()):
            got = self._compared.get((topic, partition), _Compared()).following
            if got < end:
                self.fault("lost", f"{topic} {partition}:{got}", f"Kafka ends before it; the log has {end} records of the partition")
