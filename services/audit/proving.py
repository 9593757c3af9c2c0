"""A leaf's proof from the published files: what anyone could work out from the tiles, done for those who only look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.canonical import CanonicalError, event_hash
from schemas.envelope import NotAnEnvelope, open_record
from services.audit.appender import CHECKPOINT
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.frame import Record, Stub, decode
from services.audit.domain.merkle import HASH_BYTES, ProofError, inclusion_proof, leaf_hash, perfect_root, verify_inclusion
from services.audit.domain.note import VerifierKey
from services.audit.domain.proof import LogProof
from services.audit.domain.tiles import WIDTH, bundle_path, decode_bundle, decode_tile, tile_path, width_at
from services.audit.domain.verify import whole_of

ReadFile = Callable[[str], bytes | None]


class NotPublished(LookupError):
    """No checkpoint covers the leaf yet, or the files are just being replaced."""


@dataclass(frozen=True)
class ProvedLeaf:
    """A leaf under the latest checkpoint, its proof checked. ``hash``, ``root``: 32 bytes. ``record``: what ``entry`` says."""

    index: int
    entry: bytes
    record: Record | Stub
    size: int
    hash: bytes
    root: bytes
    proof: LogProof


def published_size(read_file: ReadFile, log: VerifierKey) -> int:
    """Leaves under the latest checkpoint; 0 before the first. Raises ``NoteError`` where it was tampered with."""
    note = read_file(CHECKPOINT)
    return open_checkpoint(note, log)[0].size if note is not None else 0


def prove(index: int, read_file: ReadFile, log: VerifierKey) -> ProvedLeaf:
    """Raises ``NotPublished``; ``NoteError``, ``TileError``, ``FrameError`` or ``ProofError`` where the files were tampered with."""
    note = read_file(CHECKPOINT)
    if note is None:
        raise NotPublished("there is no checkpoint yet")
    checkpoint, _ = open_checkpoint(note, log)
    size = checkpoint.size
    if index >= size:
        raise NotPublished(f"the checkpoint has {size} leaves")

    def read(level: int, position: int) -> bytes:
        tile_level, below = divmod(level, 8)
        first = position << below
        tile, at = divmod(first, WIDTH)
        width = width_at(size, tile_level, tile)
        data = read_file(tile_path(tile_level, tile, width)) or read_file(tile_path(tile_level, tile))
        if data is None:
            raise NotPublished(f"tile {tile_level}/{tile} is just being replaced")
        hashes = decode_tile(data, width)[at * HASH_BYTES : (at + (1 << below)) * HASH_BYTES]
        return perfect_root(hashes)

    leaf = read(0, index)
    path = inclusion_proof(index, size, read)
    verify_inclusion(index=index, size=size, leaf=leaf, proof=path, root=checkpoint.root)
    entry = _entry(index, size, read_file)
    if leaf_hash(entry) != leaf:
        raise ProofError(f"the bundle of leaf {index} holds another entry than its tile says")
    return ProvedLeaf(index, entry, decode(entry), size, leaf, checkpoint.root, LogProof(index, path, note))


def _entry(index: int, size: int, read_file: ReadFile) -> bytes:
    bundle, at = divmod(index, WIDTH)
    width = width_at(size, 0, bundle)
    data = read_file(bundle_path(bundle, width)) or read_file(bundle_path(bundle))
    if data is None:
        raise NotPublished(f"entry bundle {bundle} is just being replaced")
    return decode_bundle(data, width)[at]


def event_hash_of(leaf: ProvedLeaf, read_file: ReadFile) -> str | None:
    """The hash of the event that the leaf's record carries, in hex; None where it carries none."""
    whole = whole_of(leaf.record, read_file) if isinstance(leaf.record, Stub) else leaf.record
    try:
        return event_hash(open_record(whole.value).event) if whole is not None else None
    except (NotAnEnvelope, CanonicalError):
        return None
