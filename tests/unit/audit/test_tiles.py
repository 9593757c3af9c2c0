"""Tiles: paths, growth in any batches, and another implementation's log written again byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain import merkle, tiles
from services.audit.domain.checkpoint import open_checkpoint, parse_checkpoint
from services.audit.domain.note import NoteError, VerifierKey, open_note, parse_note
from services.audit.domain.proof import parse_proof, verify_proof
from tests.unit.audit.golden import golden_entries, golden_folder

LEAVES = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(70_000)]


@pytest.mark.parametrize(
    ("index", "path"),
    [(0, "000"), (5, "005"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (10**9, "x001/x000/x000/000")],
)
def test_tile_numbers_in_groups_of_three(index: int, path: str) -> None:
    assert tiles.tile_path(0, index) == f"tile/0/{path}"
    assert tiles.bundle_path(index, 7) == f"tile/entries/{path}.p/7"
    assert tiles.is_tile_path(f"tile/0/{path}") and tiles.is_tile_path(f"tile/entries/{path}.p/255")


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/data/000",
        "tile/entries/../000",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/64/000",
        "tile/0/٠٠٠",
    ],
)
def test_paths_that_no_tile_has(path: str) -> None:
    assert not tiles.is_tile_path(path)


def test_the_edge_gives_the_root_at_every_size() -> None:
    edge = tiles.Edge()
    for size in range(301):
        assert edge.root() == merkle.root_of(LEAVES[:size])
        assert edge.size == size
        edge, _ = tiles.grow(edge, LEAVES[size : size + 1])


def test_two_levels_of_tiles() -> None:
    edge, full = tiles.grow(tiles.Edge(), LEAVES)
    assert edge.root() == merkle.root_of(LEAVES)
    assert [(one.level, one.index) for one in full if one.level] == [(1, 0)]
    assert [one.path for one in edge.partial_tiles()] == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=8))
def test_growth_does_not_depend_on_batches(batches: list[int]) -> None:
    edge, written, at = tiles.Edge(), {}, 0
    for count in batches:
        edge, full = tiles.grow(edge, LEAVES[at : at + count])
        for tile in full:
            assert tile.path not in written, "a full tile is written once"
            written[tile.path] = tile.data
        at += count
    whole, full = tiles.grow(tiles.Edge(), LEAVES[:at])
    assert edge == whole
    assert written == {one.path: one.data for one in full}
    stored = {level: next(one.data for one in edge.partial_tiles() if one.level == level) for level, _, _ in tiles.edge_tiles(at)}
    assert tiles.edge_of(at, stored) == edge
    assert [(one.level, one.index, one.width) for one in edge.partial_tiles()] == tiles.edge_tiles(at)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_read_back(entries: list[bytes]) -> None:
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data, len(entries)) == entries
    for cut in {1, len(data) // 2, len(data) - 1} - {0, len(data)}:
        with pytest.raises(tiles.TileError):
            tiles.decode_bundle(data[:cut], len(entries))


def test_bundles_have_bounds() -> None:
    assert len(tiles.encode_bundle([bytes(65_535)])) == 65_537
    for bad in ([], [b""] * 257, [bytes(65_536)]):
        with pytest.raises(tiles.TileError):
            tiles.encode_bundle(bad)


def test_the_golden_log_is_read_and_its_roots_agree() -> None:
    folder = golden_folder()
    key = VerifierKey.parse((folder / "log.vkey").read_text())
    hashes = [merkle.leaf_hash(one) for one in golden_entries()]
    for size in (700, 1300):
        checkpoint, signers = open_checkpoint((folder / f"checkpoint.{size}").read_bytes(), key)
        assert checkpoint.size == size and checkpoint.root == merkle.root_of(hashes[:size])
        assert [one.key for one in signers] == [key]


def test_the_golden_tiles_are_written_again_byte_for_byte() -> None:
    folder = golden_folder()
    entries = golden_entries()
    edge, written = tiles.Edge(), {}
    for start, end in ((0, 700), (700, 1300)):
        edge, full = tiles.grow(edge, [merkle.leaf_hash(one) for one in entries[start:end]])
        for tile in (*full, *edge.partial_tiles()):
            written[tile.path] = tile.data
        for index in range(start // 256, (end - 1) // 256 + 1):
            width = tiles.width_at(end, 0, index)
            written[tiles.bundle_path(index, width)] = tiles.encode_bundle(entries[index * 256 : index * 256 + width])
    log = folder / "log"
    stored = {str(path.relative_to(log)): path.read_bytes() for path in (log / "tile").rglob("*") if path.is_file()}
    assert written == stored
    assert all(tiles.is_tile_path(path) for path in stored)


def test_the_golden_proofs_hold_and_are_ours() -> None:
    folder = golden_folder()
    log, witness = (VerifierKey.parse((folder / name).read_text()) for name in ("log.vkey", "witness.vkey"))
    hashes = [merkle.leaf_hash(one) for one in golden_entries()]

    def read(level: int, index: int) -> bytes:
        return merkle.perfect_root(b"".join(hashes[index << level : (index + 1) << level]))

    for index in (0, 255, 256, 699, 1299):
        data = (folder / f"entry-{index}.tlog-proof").read_bytes()
        entry = (folder / f"entry-{index}.bin").read_bytes()
        proof = parse_proof(data)
        assert verify_proof(data, entry, log).size == 1300
        assert proof.path == merkle.inclusion_proof(index, 1300, read)
        assert proof.data == data and proof.index == index
        assert [one.key for one in open_note(proof.checkpoint, (log, witness))[1]] == [log, witness]


def test_the_golden_request_to_the_witness_is_a_consistency_proof() -> None:
    folder = golden_folder()
    old, _, rest = (folder / "add-checkpoint.700-1300.body").read_bytes().partition(b"\n")
    lines, _, note = rest.partition(b"\n\n")
    import base64

    proof = [base64.b64decode(line) for line in lines.decode().split("\n")]
    hashes = [merkle.leaf_hash(one) for one in golden_entries()]
    roots = {size: merkle.root_of(hashes[:size]) for size in (700, 1300)}
    assert old == b"old 700" and parse_checkpoint(parse_note(note).text).root == roots[1300]
    merkle.verify_consistency(old=700, new=1300, old_root=roots[700], new_root=roots[1300], proof=proof)


def test_every_flipped_byte_of_a_golden_proof_or_note_is_refused() -> None:
    folder = golden_folder()
    key = VerifierKey.parse((folder / "log.vkey").read_text())
    note = (folder / "checkpoint.1300").read_bytes()
    proof = (folder / "entry-256.tlog-proof").read_bytes()
    cosigned = proof.rindex(b"\xe2\x80\x94")
    entry = (folder / "entry-256.bin").read_bytes()
    for at in range(len(note)):
        with pytest.raises(NoteError):
            open_checkpoint(note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :], key)
    for at in range(cosigned):
        with pytest.raises((NoteError, merkle.ProofError)):
            verify_proof(proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :], entry, key)


def test_a_flipped_byte_of_a_verifier_key_is_refused() -> None:
    text = Path(golden_folder() / "log.vkey").read_text().strip()
    for at in range(len(text)):
        with pytest.raises(NoteError):
            VerifierKey.parse(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :])
