"""One proof for many leaves of one tree: the hashes that are needed besides theirs, each once, in the order of a walk.

The walk is that of the tree's definition (RFC 9162 §2.1.1), from the root, left before right: over a range in which no leaf is wanted the
next hash of the proof stands; over a wanted leaf its own; over any other range the hash of its two halves.

Invariants
1. For the same leaves of the same tree there is one proof: as many hashes as ranges are met without a wanted leaf, none left over.
2. From the leaves and the proof follow the root and, of each wanted leaf, its own inclusion proof (``path``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from services.audit.domain.merkle import EMPTY_ROOT, HASH_BYTES, ProofError, ReadHash, node_hash, range_root, split_point

Range = tuple[int, int]
"""First leaf, and the one after the last."""


class Proved:
    """The hashes of all ranges that a walk met. ``size``: leaves of the tree; ``root``: what they lead to."""

    def __init__(self, size: int, root: bytes, hashes: Mapping[Range, bytes]) -> None:
        self.size, self.root = size, root
        self._hashes = hashes

    def path(self, index: int) -> tuple[bytes, ...]:
        """A wanted leaf's own inclusion proof, from the leaf to the root. Raises ``KeyError`` for one that was not wanted."""
        found: list[bytes] = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + split_point(end - start)
            left = index < middle
            found.append(self._hashes[(middle, end) if left else (start, middle)])
            start, end = (start, middle) if left else (middle, end)
        return tuple(reversed(found))


def prove_many(indices: Sequence[int], size: int, read: ReadHash) -> tuple[bytes, ...]:
    """The proof for leaves, ascending, each once. Raises ``ValueError`` for others."""
    _check(indices, size)
    return tuple(range_root(start, end, read) for start, end in _unwanted(indices, 0, size)) if size else ()


def verify_many(leaves: Mapping[int, bytes], size: int, proof: Sequence[bytes], root: bytes) -> Proved:
    """``leaves``: leaf hashes (32 bytes) by index. Raise ``ProofError`` unless the proof shows all of them in the tree."""
    indices = sorted(leaves)
    try:
        _check(indices, size)
    except ValueError as error:
        raise ProofError(str(error)) from None
    if any(len(one) != HASH_BYTES for one in (root, *proof, *leaves.values())):
        raise ProofError("a hash has not 32 bytes")
    hashes, given = dict[Range, bytes](), iter(proof)

    def over(start: int, end: int) -> bytes:
        first = bisect_left(indices, start)
        if first == len(indices) or indices[first] >= end:
            found = next(given, None)
            if found is None:
                raise ProofError("the proof is too short")
        elif end - start == 1:
            found = leaves[start]
        else:
            middle = start + split_point(end - start)
            found = node_hash(over(start, middle), over(middle, end))
        hashes[start, end] = found
        return found

    found = over(0, size) if size else EMPTY_ROOT
    if next(given, None) is not None:
        raise ProofError("the proof is too long")
    if found != root:
        raise ProofError("the leaves and the proof lead to another root")
    return Proved(size, root, hashes)


def _check(indices: Sequence[int], size: int) -> None:
    if any(second <= first for first, second in pairwise(indices)) or (indices and not 0 <= indices[0] <= indices[-1] < size):
        raise ValueError(f"these are not leaves of a tree of {size}, ascending, each once")


def _unwanted(indices: Sequence[int], start: int, end: int) -> Iterator[Range]:
    first = bisect_left(indices, start)
    if first == len(indices) or indices[first] >= end:
        yield start, end
    elif end - start > 1:
        middle = start + split_point(end - start)
        yield from _unwanted(indices, start, middle)
        yield from _unwanted(indices, middle, end)
