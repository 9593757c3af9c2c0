"""A leaf's proof from the published files: what anyone could work out from the tiles, done for those who only look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.audit.appender import CHECKPOINT
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.merkle import HASH_BYTES, inclusion_proof, perfect_root, verify_inclusion
from services.audit.domain.note import VerifierKey
from services.audit.domain.proof import LogProof
from services.audit.domain.tiles import WIDTH, decode_tile, tile_path, width_at

ReadFile = Callable[[str], bytes | None]


class NotPublished(LookupError):
    """No checkpoint covers the leaf yet, or the files are just being replaced."""


@dataclass(frozen=True)
class ProvedLeaf:
    """A leaf under the latest checkpoint, its proof checked. ``hash``, ``root``: 32 bytes."""

    index: int
    size: int
    hash: bytes
    root: bytes
    proof: LogProof


def published_size(read_file: ReadFile, log: VerifierKey) -> int:
    """Leaves under the latest checkpoint; 0 before the first. Raises ``NoteError`` where it was tampered with."""
    note = read_file(CHECKPOINT)
    return open_checkpoint(note, log)[0].size if note is not None else 0


def prove(index: int, read_file: ReadFile, log: VerifierKey) -> ProvedLeaf:
    """Raises ``NotPublished``; ``NoteError``, ``TileError`` or ``ProofError`` where the files were tampered with."""
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
    return ProvedLeaf(index, size, leaf, checkpoint.root, LogProof(index, path, note))
