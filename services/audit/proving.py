"""A leaf's proof from the published files: what anyone could work out from the tiles, done for those who only look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.canonical import CanonicalError, event_hash
from schemas.envelope import NotAnEnvelope, open_record
from services.audit.appender import CHECKPOINT
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.frame import Record, Stub, decode
from services.audit.domain.merkle import (
    HASH_BYTES,
    ProofError,
    ReadHash,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    perfect_root,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
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
    checkpoint, note = _latest(read_file, log)
    size = checkpoint.size
    if index >= size:
        raise NotPublished(f"the checkpoint has {size} leaves")
    read = hashes_of(size, read_file)
    leaf = read(0, index)
    path = inclusion_proof(index, size, read)
    verify_inclusion(index=index, size=size, leaf=leaf, proof=path, root=checkpoint.root)
    entry = _entry(index, size, read_file)
    if leaf_hash(entry) != leaf:
        raise ProofError(f"the bundle of leaf {index} holds another entry than its tile says")
    return ProvedLeaf(index, entry, decode(entry), size, leaf, checkpoint.root, LogProof(index, path, note))


@dataclass(frozen=True)
class ProvedPrefix:
    """Two trees of one log and the path that shows the first to be a prefix of the second, checked. Roots and ``path``: 32 bytes each.

    ``checkpoint``: the latest one, whose tiles all of it was read from."""

    first: int
    second: int
    first_root: bytes
    second_root: bytes
    path: tuple[bytes, ...]
    checkpoint: bytes


def prove_prefix(first: int, second: int, read_file: ReadFile, log: VerifierKey) -> ProvedPrefix:
    """``first`` ≤ ``second``, in leaves. Raises as ``prove`` does."""
    checkpoint, note = _latest(read_file, log)
    if second > checkpoint.size:
        raise NotPublished(f"the checkpoint has {checkpoint.size} leaves")
    read = hashes_of(checkpoint.size, read_file)
    roots = tree_root(first, read), tree_root(second, read)
    path = consistency_proof(first, second, read)
    verify_consistency(old=first, new=second, old_root=roots[0], new_root=roots[1], proof=path)
    to_now = consistency_proof(second, checkpoint.size, read)
    verify_consistency(old=second, new=checkpoint.size, old_root=roots[1], new_root=checkpoint.root, proof=to_now)
    return ProvedPrefix(first, second, *roots, path, note)


def _latest(read_file: ReadFile, log: VerifierKey) -> tuple[Checkpoint, bytes]:
    note = read_file(CHECKPOINT)
    if note is None:
        raise NotPublished("there is no checkpoint yet")
    return open_checkpoint(note, log)[0], note


def hashes_of(size: int, read_file: ReadFile) -> ReadHash:
    """The perfect subtrees of the tree of ``size`` leaves, from its tiles: each tile is read once. Reading raises ``NotPublished``."""
    known: dict[tuple[int, int], bytes] = {}

    def tile_of(level: int, tile: int) -> bytes:
        if (level, tile) not in known:
            width = width_at(size, level, tile)
            data = read_file(tile_path(level, tile, width)) or read_file(tile_path(level, tile))
            if data is None:
                raise NotPublished(f"tile {level}/{tile} is just being replaced")
            known[level, tile] = decode_tile(data, width)
        return known[level, tile]

    def read(level: int, position: int) -> bytes:
        tile_level, below = divmod(level, 8)
        tile, at = divmod(position << below, WIDTH)
        return perfect_root(tile_of(tile_level, tile)[at * HASH_BYTES : (at + (1 << below)) * HASH_BYTES])

    return read


def _entry(index: int, size: int, read_file: ReadFile) -> bytes:
    bundle, at = divmod(index, WIDTH)
    width = width_at(size, 0, bundle)
    data = read_file(bundle_path(bundle, width)) or read_file(bundle_path(bundle))
    if data is None:
        raise NotPublished(f"entry bundle {bundle} is just being replaced")
    return decode_bundle(data, width)[at]


def whole_record(leaf: ProvedLeaf, read_file: ReadFile) -> Record | None:
    """The leaf's record, a stub's from beside the log; None where what stands there is not it."""
    return whole_of(leaf.record, read_file) if isinstance(leaf.record, Stub) else leaf.record


def event_of(leaf: ProvedLeaf, read_file: ReadFile) -> dict[str, Any] | None:
    """The event that the leaf's record carries; None where it carries none."""
    whole = whole_record(leaf, read_file)
    try:
        return open_record(whole.value).event if whole is not None else None
    except NotAnEnvelope:
        return None


def event_hash_of(leaf: ProvedLeaf, read_file: ReadFile) -> str | None:
    """Its hash, in hex; None where it carries none."""
    event = event_of(leaf, read_file)
    try:
        return event_hash(event) if event is not None else None
    except CanonicalError:
        return None
