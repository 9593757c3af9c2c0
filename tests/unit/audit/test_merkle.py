"""The tree: published vectors, every small size, every flipped bit, and what Hypothesis can think of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain import merkle
from services.audit.domain.merkle import ProofError

SIZES = 300
# RFC 6962 reference vectors, as certificate-transparency publishes them: roots over the first n of eight entries.
ENTRIES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(f"entry {number}".encode()) for number in range(count)]


def reader(hashes: list[bytes]) -> Callable[[int, int], bytes]:
    """Perfect subtrees worked out from the leaves, and no others."""

    def read(level: int, index: int) -> bytes:
        first, last = index << level, (index + 1) << level
        assert last <= len(hashes), "a subtree that the tree does not have"
        return merkle.perfect_root(b"".join(hashes[first:last]))

    return read


ALL = leaves(SIZES)
READ = reader(ALL)
TREE_ROOTS = [merkle.root_of(ALL[:size]) for size in range(SIZES + 1)]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    assert merkle.root_of(merkle.leaf_hash(one) for one in ENTRIES[:size]).hex() == ROOTS[size]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.tree_root(0, READ) == hashlib.sha256(b"").digest()


def test_roots_from_subtrees_are_roots_from_leaves_at_every_size() -> None:
    for size in range(SIZES + 1):
        assert merkle.tree_root(size, READ) == TREE_ROOTS[size]


def test_every_leaf_of_every_size_is_proved() -> None:
    for size in range(1, SIZES + 1, 1):
        step = 1 if size <= 70 else 7
        for index in {*range(0, size, step), size - 1}:
            proof = merkle.inclusion_proof(index, size, READ)
            merkle.verify_inclusion(index=index, size=size, leaf=ALL[index], proof=proof, root=TREE_ROOTS[size])


def test_every_prefix_of_every_size_is_proved() -> None:
    for new in range(SIZES + 1):
        step = 1 if new <= 70 else 7
        for old in {*range(0, new + 1, step), new}:
            proof = merkle.consistency_proof(old, new, READ)
            merkle.verify_consistency(old=old, new=new, old_root=TREE_ROOTS[old], new_root=TREE_ROOTS[new], proof=proof)


def test_a_flipped_bit_in_any_hash_of_an_inclusion_proof_is_refused() -> None:
    for size in (1, 2, 3, 5, 8, 13):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, READ)
            for at in range(len(proof) * 32):
                number, byte = divmod(at, 32)
                bad = list(proof)
                bad[number] = bad[number][:byte] + bytes([bad[number][byte] ^ 1]) + bad[number][byte + 1 :]
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(index=index, size=size, leaf=ALL[index], proof=bad, root=TREE_ROOTS[size])


def test_a_flipped_bit_in_any_hash_of_a_consistency_proof_is_refused() -> None:
    for new in (2, 3, 5, 8, 13):
        for old in range(1, new):
            proof = merkle.consistency_proof(old, new, READ)
            for at in range(len(proof) * 32):
                number, byte = divmod(at, 32)
                bad = list(proof)
                bad[number] = bad[number][:byte] + bytes([bad[number][byte] ^ 0x80]) + bad[number][byte + 1 :]
                with pytest.raises(ProofError):
                    merkle.verify_consistency(old=old, new=new, old_root=TREE_ROOTS[old], new_root=TREE_ROOTS[new], proof=bad)


def test_a_hash_too_many_or_too_few_is_refused() -> None:
    for size in range(1, 20):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, READ)
            for bad in (proof + (bytes(32),), (bytes(32),) + proof, proof[:-1], proof[1:]):
                if bad != proof:
                    with pytest.raises(ProofError):
                        merkle.verify_inclusion(index=index, size=size, leaf=ALL[index], proof=bad, root=TREE_ROOTS[size])


def test_a_proof_for_another_index_is_refused() -> None:
    for size in range(2, 20):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, READ)
            for other in set(range(size)) - {index}:
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(index=other, size=size, leaf=ALL[index], proof=proof, root=TREE_ROOTS[size])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_no_proof_beyond_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError):
        merkle.inclusion_proof(index, size, READ)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index=index, size=size, leaf=ALL[0], proof=(), root=TREE_ROOTS[1])


def test_equal_sizes_need_equal_roots() -> None:
    with pytest.raises(ProofError):
        merkle.verify_consistency(old=4, new=4, old_root=TREE_ROOTS[4], new_root=TREE_ROOTS[5], proof=())
    with pytest.raises(ProofError):
        merkle.verify_consistency(old=0, new=4, old_root=TREE_ROOTS[4], new_root=TREE_ROOTS[4], proof=())


@settings(max_examples=150, deadline=None)
@given(entries=st.lists(st.binary(max_size=40), min_size=1, max_size=90), data=st.data())
def test_a_changed_entry_changes_the_root_and_breaks_its_proof(entries: list[bytes], data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(one) for one in entries]
    index = data.draw(st.integers(0, len(entries) - 1))
    changed = data.draw(st.binary(max_size=40).filter(lambda other: other != entries[index]))
    root = merkle.root_of(hashes)
    proof = merkle.inclusion_proof(index, len(hashes), reader(hashes))
    merkle.verify_inclusion(index=index, size=len(hashes), leaf=hashes[index], proof=proof, root=root)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index=index, size=len(hashes), leaf=merkle.leaf_hash(changed), proof=proof, root=root)
    assert root != merkle.root_of([*hashes[:index], merkle.leaf_hash(changed), *hashes[index + 1 :]])


@settings(max_examples=150, deadline=None)
@given(old=st.integers(1, 200), more=st.integers(1, 90), place=st.integers(0, 199))
def test_a_rewritten_past_has_no_consistency_proof(old: int, more: int, place: int) -> None:
    new = old + more
    rewritten = list(ALL[:new])
    rewritten[place % old] = merkle.leaf_hash(b"rewritten")
    proof = merkle.consistency_proof(old, new, reader(rewritten))
    with pytest.raises(ProofError):
        merkle.verify_consistency(old=old, new=new, old_root=TREE_ROOTS[old], new_root=merkle.root_of(rewritten), proof=proof)
