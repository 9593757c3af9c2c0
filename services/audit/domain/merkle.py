"""Merkle tree of RFC 6962 / RFC 9162 §2.1: hashes, roots, inclusion and consistency proofs.

Invariants
1. A leaf and a node never share a hash input: leaves are prefixed 00, nodes 01.
2. ``root`` of a tree depends on its leaves and their order alone, however it was grown.
3. A proof is accepted only when every one of its hashes is used, none is missing and none is left over.

Hashes are 32 bytes (SHA-256). ``level`` 0 are leaf hashes; ``(level, index)`` names the perfect subtree
over the leaves ``index·2^level`` to ``(index+1)·2^level − 1``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

ReadHash = Callable[[int, int], bytes]


class ProofError(ValueError):
    """A proof that does not show what it should."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """Root over a power of two of concatenated hashes (32 bytes each). Raises ``ValueError`` for another count."""
    count, rest = divmod(len(hashes), HASH_BYTES)
    if rest or count == 0 or count & (count - 1):
        raise ValueError(f"{len(hashes)} bytes are not a power of two of hashes")
    sha256 = hashlib.sha256
    while len(hashes) > HASH_BYTES:
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])
    return hashes


def fold(peaks: Sequence[bytes]) -> bytes:
    """Root over the roots of a tree's maximal perfect subtrees, from the largest (left) to the smallest (right)."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root over leaf hashes, by the definition (RFC 9162 §2.1.1)."""
    hashes = list(leaf_hashes)

    def over(start: int, end: int) -> bytes:
        if end - start == 1:
            return hashes[start]
        middle = start + split_point(end - start)
        return node_hash(over(start, middle), over(middle, end))

    return over(0, len(hashes)) if hashes else EMPTY_ROOT


def split_point(size: int) -> int:
    """Largest power of two smaller than ``size`` (``size`` ≥ 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def range_root(start: int, end: int, read: ReadHash) -> bytes:
    """Root over the leaves ``start`` … ``end − 1``, where ``start`` is aligned as the recursion of RFC 9162 yields it."""
    size = end - start
    if size & (size - 1) == 0 and start % size == 0:
        level = size.bit_length() - 1
        return read(level, start >> level)
    middle = start + split_point(size)
    return node_hash(range_root(start, middle, read), range_root(middle, end, read))


def tree_root(size: int, read: ReadHash) -> bytes:
    """Root of the tree of ``size`` leaves."""
    return range_root(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: ReadHash) -> tuple[bytes, ...]:
    """Hashes from the leaf to the root (RFC 9162 §2.1.3.1). Raises ``ValueError`` unless 0 ≤ index < size."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            path.append(range_root(middle, end, read))
            end = middle
        else:
            path.append(range_root(start, middle, read))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ``ProofError`` unless ``proof`` shows the leaf hash at ``index`` of the tree (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    if any(len(one) != HASH_BYTES for one in (leaf, root, *proof)):
        raise ProofError("a hash has not 32 bytes")
    fn, sn, hashed = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise ProofError("the proof is too long")
        if fn & 1 or fn == sn:
            hashed = node_hash(sibling, hashed)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            hashed = node_hash(hashed, sibling)
        fn >>= 1
        sn >>= 1
    if sn:
        raise ProofError("the proof is too short")
    if hashed != root:
        raise ProofError("the proof leads to another root")


def consistency_proof(old: int, new: int, read: ReadHash) -> tuple[bytes, ...]:
    """Hashes that show the tree of ``old`` leaves to be a prefix of that of ``new`` (RFC 9162 §2.1.4.1).

    Empty for ``old`` 0 and ``old == new``. Raises ``ValueError`` unless 0 ≤ old ≤ new."""
    if not 0 <= old <= new:
        raise ValueError(f"{old} leaves are no prefix of {new}")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while end != old:
        middle = start + split_point(end - start)
        if old <= middle:
            path.append(range_root(middle, end, read))
            end = middle
        else:
            path.append(range_root(start, middle, read))
            start, whole = middle, False
    if not whole:
        path.append(range_root(start, end, read))
    return tuple(reversed(path))


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ``ProofError`` unless ``proof`` shows the old tree to be a prefix of the new one (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new:
        raise ProofError(f"{old} leaves are no prefix of {new}")
    if any(len(one) != HASH_BYTES for one in (old_root, new_root, *proof)):
        raise ProofError("a hash has not 32 bytes")
    if old in (0, new):
        if proof:
            raise ProofError("the proof is too long")
        if (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise ProofError("trees of the same size have different roots")
        return
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofError("the proof is too short")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if sn == 0:
            raise ProofError("the proof is too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            second = node_hash(second, sibling)
        fn >>= 1
        sn >>= 1
    if sn:
        raise ProofError("the proof is too short")
    if first != old_root:
        raise ProofError("the proof leads to another old root")
    if second != new_root:
        raise ProofError("the proof leads to another new root")
