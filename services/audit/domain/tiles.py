"""Tiles of the log (C2SP tlog-tiles): paths, contents, and how the tree grows in them.

Invariants
1. A tile holds 1 to 256 hashes; level ``L`` holds roots of perfect subtrees of ``256^L`` leaves.
2. Only a full tile has a hash in the level above; an empty tile does not exist.
3. ``grow`` gives the same tiles for the same leaves however they are cut into batches.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from services.audit.domain.merkle import HASH_BYTES, fold, perfect_root

WIDTH = 256
MAX_ENTRY_BYTES = 65_535
ENTRIES = "entries"

_LENGTH = struct.Struct(">H")
_PATH = re.compile(r"tile/(entries|0|[1-5]?[0-9])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class TileError(ValueError):
    """Bytes or a path that no log may have."""


def index_path(index: int) -> str:
    """Tile number in groups of three digits, all but the last with x: 1234067 → ``x001/x234/067``."""
    groups = [f"{index % 1000:03d}"]
    index //= 1000
    while index:
        groups.append(f"x{index % 1000:03d}")
        index //= 1000
    return "/".join(reversed(groups))


def _path(kind: str, index: int, width: int) -> str:
    if not 1 <= width <= WIDTH or index < 0:
        raise TileError(f"no tile {index} of width {width}")
    return f"tile/{kind}/{index_path(index)}" + ("" if width == WIDTH else f".p/{width}")


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """``tile/<L>/<N>[.p/<W>]``."""
    if not 0 <= level <= 63:
        raise TileError(f"no level {level}")
    return _path(str(level), index, width)


def bundle_path(index: int, width: int = WIDTH) -> str:
    """``tile/entries/<N>[.p/<W>]``."""
    return _path(ENTRIES, index, width)


def is_tile_path(path: str) -> bool:
    """True for exactly the paths that ``tile_path`` and ``bundle_path`` can give."""
    match = _PATH.fullmatch(path)
    if not match:
        return False
    kind, number, width = match.groups()
    if width is not None and int(width) >= WIDTH:
        return False
    index = int(number.replace("x", "").replace("/", ""))
    return _path(kind, index, int(width or WIDTH)) == path


def covered_by(path: str) -> int:
    """How many leaves a tree must have for the full tile or bundle at ``path`` to be complete. Raises ``TileError`` for another path."""
    match = _PATH.fullmatch(path)
    if not match or match[3] is not None or not is_tile_path(path):
        raise TileError(f"{path} is no full tile's path")
    level = 0 if match[1] == ENTRIES else int(match[1])
    return (int(match[2].replace("x", "").replace("/", "")) + 1) * WIDTH ** (level + 1)


def width_at(size: int, level: int, index: int) -> int:
    """How many hashes tile ``index`` of ``level`` has in a tree of ``size`` leaves: 0 to 256."""
    return max(0, min(WIDTH, (size >> (8 * level)) - index * WIDTH))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """1 to 256 entries, each u16 big-endian length and bytes. Raises ``TileError``."""
    if not 1 <= len(entries) <= WIDTH:
        raise TileError(f"a bundle of {len(entries)} entries")
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TileError(f"an entry of {len(entry)} bytes")
        parts.append(_LENGTH.pack(len(entry)))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The first ``width`` entries; ``data`` may hold more (a fuller bundle), never fewer or a torn one. Raises ``TileError``."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise TileError(f"entry {len(entries)} has half a length")
        end = at + 2 + _LENGTH.unpack_from(data, at)[0]
        if end > len(data):
            raise TileError(f"entry {len(entries)} is cut off")
        entries.append(data[at + 2 : end])
        at = end
    if not width <= len(entries) <= WIDTH:
        raise TileError(f"{len(entries)} entries where {width} are expected")
    return entries[:width]


def decode_tile(data: bytes, width: int) -> bytes:
    """The first ``width`` hashes, concatenated. Raises ``TileError`` where there are fewer or half a hash."""
    if len(data) % HASH_BYTES or not width * HASH_BYTES <= len(data) <= WIDTH * HASH_BYTES:
        raise TileError(f"{len(data)} bytes where {width} hashes are expected")
    return data[: width * HASH_BYTES]


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile to be written; ``data`` is its hashes concatenated."""

    level: int
    index: int
    data: bytes

    @property
    def width(self) -> int:
        return len(self.data) // HASH_BYTES

    @property
    def path(self) -> str:
        return tile_path(self.level, self.index, self.width)


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of the tree: per level the hashes of the tile that is not yet full (concatenated, may be empty).

    It is all that is needed to append and to work out the root."""

    size: int = 0
    levels: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """Root of the tree of ``size`` leaves."""
        peaks: list[bytes] = []
        for hashes in reversed(self.levels):
            at, width = 0, len(hashes) // HASH_BYTES
            for bit in range(width.bit_length() - 1, -1, -1):
                if width >> bit & 1:
                    end = at + (HASH_BYTES << bit)
                    peaks.append(perfect_root(hashes[at:end]))
                    at = end
        return fold(peaks)

    def partial_tiles(self) -> list[Tile]:
        """The tiles at the edge that are not full, as a checkpoint of this size needs them."""
        return [Tile(level, (self.size >> (8 * level)) // WIDTH, hashes) for level, hashes in enumerate(self.levels) if hashes]


def grow(edge: Edge, leaf_hashes: Sequence[bytes]) -> tuple[Edge, list[Tile]]:
    """Append leaf hashes: the new edge and the tiles that became full, lowest level first."""
    levels = list(edge.levels)
    full: list[Tile] = []
    coming = b"".join(leaf_hashes)
    level, before = 0, edge.size
    while coming:
        if level == len(levels):
            levels.append(b"")
        hashes = levels[level] + coming
        first = before // WIDTH
        count = len(hashes) // (HASH_BYTES * WIDTH)
        roots: list[bytes] = []
        for number in range(count):
            data = hashes[number * HASH_BYTES * WIDTH : (number + 1) * HASH_BYTES * WIDTH]
            full.append(Tile(level, first + number, data))
            roots.append(perfect_root(data))
        levels[level] = hashes[count * HASH_BYTES * WIDTH :]
        coming = b"".join(roots)
        before //= WIDTH
        level += 1
    return Edge(edge.size + len(leaf_hashes), tuple(levels)), full


def edge_tiles(size: int) -> list[tuple[int, int, int]]:
    """(level, index, width) of the tiles that are not full in a tree of ``size`` leaves: what ``edge_of`` needs."""
    found: list[tuple[int, int, int]] = []
    level = 0
    while size >> (8 * level):
        count = size >> (8 * level)
        if count % WIDTH:
            found.append((level, count // WIDTH, count % WIDTH))
        level += 1
    return found


def edge_of(size: int, tiles: dict[int, bytes]) -> Edge:
    """The edge from the stored tiles (level → hashes) that ``edge_tiles`` names."""
    depth = 0
    while size >> (8 * depth):
        depth += 1
    return Edge(size, tuple(tiles.get(level, b"") for level in range(depth)))
