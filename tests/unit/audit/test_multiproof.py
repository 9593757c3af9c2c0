"""One proof for many leaves: every small size, every subset of leaves of the smallest, and any change refused."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.merkle import ProofError, ReadHash, inclusion_proof, leaf_hash, node_hash, root_of
from services.audit.domain.multiproof import prove_many, verify_many


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(size)]


def reading(leaves: list[bytes]) -> ReadHash:
    def read(level: int, index: int) -> bytes:
        return leaves[index] if level == 0 else node_hash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1))

    return read


def test_every_subset_of_every_small_tree_is_proved_and_gives_each_leaf_its_own_proof() -> None:
    for size in range(1, 10):
        leaves = leaves_of(size)
        read, root = reading(leaves), root_of(leaves)
        for some in chain.from_iterable(combinations(range(size), count) for count in range(size + 1)):
            proof = prove_many(some, size, read)
            proved = verify_many({one: leaves[one] for one in some}, size, proof, root)
            assert root == proved.root
            for one in some:
                assert inclusion_proof(one, size, read) == proved.path(one)


@given(st.data())
def test_any_leaves_of_any_tree_are_proved_and_whatever_differs_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    some = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=20)))
    leaves = leaves_of(size)
    root, proof = root_of(leaves), list(prove_many(some, size, reading(leaves)))
    wanted = {one: leaves[one] for one in some}
    verify_many(wanted, size, proof, root)
    other = leaf_hash(b"other")
    changed = data.draw(st.sampled_from(["leaf", "root", "more", "index", *(["hash", "less", "swap"] if proof else [])]))
    if changed == "leaf":
        wanted[some[0]] = other
    elif changed == "root":
        root = other
    elif changed == "more":
        proof.append(other)
    elif changed == "index":
        wanted = {one + 1: hashed for one, hashed in wanted.items()}
    elif changed == "hash":
        proof[data.draw(st.integers(0, len(proof) - 1))] = other
    elif changed == "less":
        del proof[-1]
    elif len(proof) < 2:
        proof[0] = other
    else:
        proof[0], proof[1] = proof[1], proof[0]
    with pytest.raises(ProofError):
        verify_many(wanted, size, proof, root)


def test_a_tree_without_leaves_and_a_proof_of_none() -> None:
    leaves = leaves_of(7)
    assert prove_many([], 7, reading(leaves)) == (root_of(leaves),)
    assert verify_many({}, 0, (), root_of([])).root == root_of([])
    for bad in ([3, 2], [2, 2], [7], [-1]):
        with pytest.raises(ValueError, match="ascending"):
            prove_many(bad, 7, reading(leaves))
