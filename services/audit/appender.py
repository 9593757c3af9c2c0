"""The writer of the log: records in, leaves, tiles and checkpoints out. Kafka, clock and threads are its callers'.

Order of a step, and what a crash between leaves
1. The plan commits which records become which leaves. A crash here: the next start writes exactly these leaves, from Kafka.
2. Full bundles and tiles are written and synced, then read back. A crash here: they are written again with the same bytes.
3. With the checkpoint: the partial bundle and tiles at the edge, synced and read back. What is signed is the root of what was read.
4. The epoch is checked again and the signed checkpoint renamed into place; only then partial tiles of full ones are dropped.

Between 3 (``prepare``) and 4 (``publish``) records may go on becoming leaves: witnesses are asked then. A checkpoint that was prepared
and not published commits to nothing but the plan, which every later one continues. None is published below one that was.

Start is recovery: whatever was planned after the checkpoint is read from Kafka again. After any exception the object is
of no use any more; the process leaves and starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.audit.domain import tiles
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from services.audit.domain.frame import Record, entry_of, oversize_path
from services.audit.domain.merkle import HASH_BYTES, leaf_hash, perfect_root
from services.audit.domain.note import NoteError, SignatureLine, VerifierKey, with_signatures
from services.audit.ports import Head, LogDamaged, LogStore, Place, Plan, Span
from services.audit.reading import names_of

CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class LogKey:
    """The log's verifier key and what signs for it (message → 64 bytes)."""

    verifier: VerifierKey
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Oversize:
    """A record that stands in the log as a stub."""

    record: Record
    length: int


@dataclass(frozen=True)
class Prepared:
    """A signed checkpoint of ``size`` leaves, for ``publish``. ``full``: what had become full tiles and bundles by then."""

    size: int
    note: bytes
    full: tuple[str, ...] = ()


def spans_of(first: int, batch: Mapping[Place, Sequence[Record]]) -> list[Span]:
    """The batch as spans of consecutive offsets, from leaf ``first`` on, in the batch's order.

    A hole in the offsets ends a span: the log goes on, and ``verify`` names the hole."""
    spans: list[Span] = []
    for (topic, partition), records in batch.items():
        start = 0
        for at in range(1, len(records) + 1):
            if at == len(records) or records[at].offset != records[at - 1].offset + 1:
                spans.append(Span(first, at - start, topic, partition, records[start].offset))
                first += at - start
                start = at
    return spans


class Appender:
    """One writer of one log. Not to be used from two threads at once."""

    def __init__(self, *, plan: Plan, store: LogStore, key: LogKey) -> None:
        self._plan = plan
        self._store = store
        self._key = key
        self._epoch = 0
        self._edge = tiles.Edge()
        self._tail: list[bytes] = []
        self._signed = 0
        self._note = b""
        self._became_full: list[str] = []
        self.oversize: list[Oversize] = []
        self.signed_at_start = False

    @property
    def size(self) -> int:
        """Leaves integrated so far."""
        return self._edge.size

    @property
    def signed(self) -> int:
        """Leaves under the published checkpoint."""
        return self._signed

    def start(self) -> Head:
        """Take over, read the edge back, and publish what is there. Raises ``LogDamaged`` when it is not what was signed.

        Afterwards the leaves from ``size`` to the head's ``planned`` have to be given to ``replay``, in order."""
        head = self._plan.take_over()
        self._epoch = head.epoch
        note = self._store.read(CHECKPOINT)
        if note is None:
            if head.signed:
                raise LogDamaged(f"the plan says that {head.signed} leaves were signed, but there is no checkpoint: restore the folder")
        else:
            self._load(note, head)
        for path in self._store.leftovers():
            # A crash between checkpoint and clearing away left them; those of leaves that are not signed yet are still asked for.
            if tiles.covered_by(path) <= self._signed:
                self._store.remove_partials(path)
        self.signed_at_start = self.checkpoint()
        return head

    def _load(self, note: bytes, head: Head) -> None:
        try:
            checkpoint, _ = open_checkpoint(note, self._key.verifier)
        except NoteError as error:
            raise LogDamaged(f"the checkpoint is not this log's: {error}") from error
        if checkpoint.size < head.signed:
            raise LogDamaged(f"the checkpoint has {checkpoint.size} leaves, {head.signed} were signed: the folder is an old copy")
        if checkpoint.size > head.planned:
            raise LogDamaged(f"the checkpoint has {checkpoint.size} leaves, the plan {head.planned}: the database is an old copy")
        edge = self._edge_on_disk(checkpoint.size)
        if edge.root() != checkpoint.root:
            raise LogDamaged(f"the tiles of {checkpoint.size} leaves don't lead to the signed root")
        self._tail = self._tail_on_disk(checkpoint.size)
        if b"".join(map(leaf_hash, self._tail)) != (edge.levels[0] if edge.levels else b""):
            raise LogDamaged("the last entry bundle is not what its tile says")
        self._edge, self._signed, self._note = edge, checkpoint.size, note

    def _edge_on_disk(self, size: int) -> tiles.Edge:
        found = {}
        for level, index, width in tiles.edge_tiles(size):
            found[level] = tiles.decode_tile(self._part(tiles.tile_path(level, index, width), tiles.tile_path(level, index)), width)
        return tiles.edge_of(size, found)

    def _tail_on_disk(self, size: int) -> list[bytes]:
        index, width = divmod(size, tiles.WIDTH)
        if not width:
            return []
        return tiles.decode_bundle(self._part(tiles.bundle_path(index, width), tiles.bundle_path(index)), width)

    def _part(self, partial: str, full: str) -> bytes:
        """A partial tile, or the full one that took its place."""
        data = self._store.read(partial) or self._store.read(full)
        if data is None:
            raise LogDamaged(f"{partial} is missing")
        return data

    def append(self, batch: Mapping[Place, Sequence[Record]]) -> int:
        """Make the batch's records leaves; returns their number. Within each partition the records are the next ones, in order."""
        spans = spans_of(self.size, batch)
        if not spans:
            return 0
        entries, beside = self._entries(record for records in batch.values() for record in records)
        # The frames were made before: a record that has none must stop us here, not after its place is planned.
        self._plan.commit(self._epoch, self.size, spans, names_of(self.size, (one for records in batch.values() for one in records)))
        self._integrate(entries, beside)
        return len(entries)

    def replay(self, span: Span, records: Sequence[Record]) -> None:
        """Write leaves that are planned already. ``span`` begins at ``size`` and is made of exactly these records."""
        if span.first != self.size or len(records) != span.count:
            raise LogDamaged(f"leaf {self.size} was expected from the plan, not leaf {span.first}")
        self._integrate(*self._entries(records))

    def _entries(self, records: Sequence[Record] | object) -> tuple[list[bytes], list[tuple[str, bytes]]]:
        entries: list[bytes] = []
        beside: list[tuple[str, bytes]] = []
        for record in records:  # type: ignore[attr-defined]
            entry, whole = entry_of(record)
            entries.append(entry)
            if whole is not None:
                beside.append((oversize_path(entry[-HASH_BYTES:]), whole))
                self.oversize.append(Oversize(record, len(whole)))
        return entries, beside

    def _integrate(self, entries: Sequence[bytes], beside: Sequence[tuple[str, bytes]]) -> None:
        edge, full = tiles.grow(self._edge, [leaf_hash(entry) for entry in entries])
        tail = [*self._tail, *entries]
        first = self.size // tiles.WIDTH
        bundles = []
        while len(tail) >= tiles.WIDTH:
            bundles.append((tiles.bundle_path(first + len(bundles)), tiles.encode_bundle(tail[: tiles.WIDTH])))
            tail = tail[tiles.WIDTH :]
        files = [*beside, *bundles, *((tile.path, tile.data) for tile in full)]
        if files:
            self._store.write(files)
            self._check_full(full, edge)
            self._became_full += [path for path, _ in bundles] + [tile.path for tile in full]
        self._edge, self._tail = edge, tail

    def _check_full(self, full: Sequence[tiles.Tile], edge: tiles.Edge) -> None:
        """Hold what is on disk against the tree in memory: the entries against their tile, each tile against its hash above."""
        written = {(tile.level, tile.index): self._stored(tile.path) for tile in full}
        for (level, index), data in written.items():
            if level == 0:
                entries = tiles.decode_bundle(self._stored(tiles.bundle_path(index)), tiles.WIDTH)
                if b"".join(map(leaf_hash, entries)) != data:
                    raise LogDamaged(f"entry bundle {index} is not what its tile says")
            above, place = divmod(index, tiles.WIDTH)
            hashes = written.get((level + 1, above)) or (edge.levels[level + 1] if len(edge.levels) > level + 1 else b"")
            if hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES] != perfect_root(data):
                raise LogDamaged(f"tile {index} of level {level} is not what the level above says")

    def _stored(self, path: str) -> bytes:
        data = self._store.read(path)
        if data is None:
            raise LogDamaged(f"{path} is missing")
        return data

    @property
    def published(self) -> Prepared:
        """The published checkpoint, to be published again with more signatures. Not before ``start``."""
        return Prepared(self._signed, self._note)

    def checkpoint(self) -> bool:
        """Prepare and publish at once; False when the published one is of all leaves already and still in its place."""
        prepared = self.prepare()
        if prepared is not None:
            self.publish(prepared)
        return prepared is not None

    def prepare(self) -> Prepared | None:
        """A signed checkpoint of all leaves, whose edge was read back; None when the published one is and still in its place."""
        if self._note and self._signed == self.size and self._store.read(CHECKPOINT) == self._note:
            return None
        files = [(tile.path, tile.data) for tile in self._edge.partial_tiles()]
        if self._tail:
            files.append((tiles.bundle_path(self.size // tiles.WIDTH, len(self._tail)), tiles.encode_bundle(self._tail)))
        if files:
            self._store.write(files)
        edge = self._edge_on_disk(self.size)
        tail = self._tail_on_disk(self.size)
        if edge != self._edge or b"".join(map(leaf_hash, tail)) != (edge.levels[0] if edge.levels else b""):
            raise LogDamaged("the edge of the tree does not read back as it was written")
        point = Checkpoint(self._key.verifier.name, self.size, edge.root())
        if self._note and self._signed == self.size:
            # Somebody took it from its place: it comes back as it was, with the cosignatures that it has.
            note = self._note
        else:
            note = sign_checkpoint(point, self._key.verifier, self._key.sign)
        self._check_reads_back(note, point)
        return Prepared(self.size, note, tuple(self._became_full))

    def _check_reads_back(self, note: bytes, point: Checkpoint) -> None:
        # Our own reader must accept it, too: a signature by a faulty key or a flipped bit ends here, not at the public.
        if open_checkpoint(note, self._key.verifier)[0] != point:
            raise LogDamaged("the checkpoint does not read back as it was signed")

    def publish(self, prepared: Prepared, cosignatures: Sequence[SignatureLine] = ()) -> None:
        """Rename a prepared checkpoint into place, with these lines under it. Raises ``Superseded``, ``LogDamaged``."""
        note = with_signatures(prepared.note, cosignatures)
        self._check_reads_back(note, open_checkpoint(prepared.note, self._key.verifier)[0])
        if prepared.size < self._signed:
            raise LogDamaged(f"a checkpoint of {prepared.size} leaves came after one of {self._signed}")
        self._plan.publish(self._epoch, prepared.size, lambda: self._store.write([(CHECKPOINT, note)]))
        self._signed, self._note = prepared.size, note
        # What became full since then goes with the next one: this one is still read by its partial tiles.
        self._became_full = self._became_full[len(prepared.full) :]
        for path in prepared.full:
            self._store.remove_partials(path)
