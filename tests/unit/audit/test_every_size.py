"""A log at every size from 0 to 1,300: what the writer publishes is the definition's tree, and every reader agrees on it.

One log grows a leaf at a time. Beside it runs the plainest account of the same tree: a list of hashes and a stack of perfect subtrees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.domain import merkle, tiles
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from services.audit.domain.frame import entry_of
from services.audit.domain.note import COSIGNATURE, NoteError, VerifierKey, cosignature_line, open_note, parse_note, with_signatures
from services.audit.domain.proof import LogProof, parse_proof, verify_proof
from services.audit.proving import prove, prove_prefix
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.golden import golden_entries, golden_folder
from tests.unit.audit.test_appender import World

pytestmark = pytest.mark.sweep
MOST = 1_300
A = ("a", 0)
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(b"witness of every size".ljust(32, b"."))
WITNESS = VerifierKey("unit.test/witness", COSIGNATURE, WITNESS_KEY.public_key().public_bytes_raw())


class Stack:
    """The tree by its definition: perfect subtrees, largest first (RFC 9162 §2.1.1), with nothing of ours."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self._peaks: list[tuple[int, bytes]] = []

    def push(self, entry: bytes) -> None:
        node = (1, hashlib.sha256(b"\0" + entry).digest())
        self.hashes.append(node[1])
        while self._peaks and self._peaks[-1][0] == node[0]:
            node = (2 * node[0], hashlib.sha256(b"\1" + self._peaks.pop()[1] + node[1]).digest())
        self._peaks.append(node)

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256().digest()
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = hashlib.sha256(b"\1" + peak + root).digest()
        return root


def expected_files(entries: Sequence[bytes], hashes: Sequence[bytes], rows: list[list[bytes]]) -> dict[str, bytes]:
    """The files at the right edge by the definition of tlog-tiles: the last tile of each row, the last bundle. ``rows``: level → hashes."""
    found = {}
    for level, row in enumerate(rows):
        if row:
            index = (len(row) - 1) // 256
            part = row[index * 256 :]
            found[_name(str(level), index, len(part))] = b"".join(part)
    if entries:
        index = (len(entries) - 1) // 256
        part = entries[index * 256 :]
        found[_name("entries", index, len(part))] = b"".join(len(one).to_bytes(2, "big") + one for one in part)
    assert list(hashes) == rows[0]
    return found


def _name(kind: str, index: int, width: int) -> str:
    return f"tile/{kind}/{index:03d}" + ("" if width == 256 else f".p/{width}")


def raise_rows(rows: list[list[bytes]], leaf: bytes) -> None:
    """Append a leaf's hash; a row of 256 becomes one hash in the row above."""
    rows[0].append(leaf)
    for level in range(len(rows)):
        if len(rows[level]) % 256:
            break
        part = rows[level][-256:]
        while len(part) > 1:
            part = [hashlib.sha256(b"\1" + part[at] + part[at + 1]).digest() for at in range(0, len(part), 2)]
        if level + 1 == len(rows):
            rows.append([])
        rows[level + 1].append(part[0])


def test_the_writers_files_proofs_and_checkpoints_agree_at_every_size() -> None:
    world, stack, rows = World(), Stack(), [[]]
    writer = world.writer()
    entries: list[bytes] = []
    before = Checkpoint(VERIFIER.name, 0, stack.root())
    for size in range(MOST + 1):
        if size:
            world.say(A, 1)
            entries.append(entry_of(world.kafka[A][-1])[0])
            stack.push(entries[-1])
            raise_rows(rows, stack.hashes[-1])
            writer.append({A: [world.kafka[A][-1]]})
            writer.checkpoint()
        note = world.store.read("checkpoint") or b""
        point, _ = open_checkpoint(note, VERIFIER)
        assert (point.size, point.root) == (size, stack.root())
        line = cosignature_line(point.text, WITNESS, WITNESS_KEY.sign, 1_750_000_000 + size)
        cosigned, signers = open_checkpoint(with_signatures(note, [line]), VERIFIER, [WITNESS])
        assert (cosigned, [one.key for one in signers]) == (point, [VERIFIER, WITNESS])
        if size:
            with pytest.raises(NoteError):
                open_checkpoint(with_signatures(note, [cosignature_line(before.text, WITNESS, WITNESS_KEY.sign, 1)]), VERIFIER, [WITNESS])
        for path, data in expected_files(entries, stack.hashes, rows).items():
            assert world.store.read(path) == data, (size, path)
        for index in sorted({0, size // 3, size - 1} & set(range(size))):
            proved = prove(index, world.store.read, VERIFIER)
            assert (proved.entry, proved.size, proved.root) == (entries[index], size, point.root)
            assert verify_proof(proved.proof.data, entries[index], VERIFIER) == point
            with pytest.raises(merkle.ProofError):
                verify_proof(proved.proof.data, entries[index] + b"\0", VERIFIER)
        prefix = prove_prefix(before.size, size, world.store.read, VERIFIER)
        assert (prefix.first_root, prefix.second_root) == (before.root, point.root)
        before = point
    assert world.verify().size == MOST


def test_the_golden_log_agrees_at_every_size() -> None:
    """Another implementation's entries, one at a time: at 700 and 1,300 they end in its own checkpoints and files."""
    folder = golden_folder()
    stack, rows, edge = Stack(), [[]], tiles.Edge()
    entries: list[bytes] = []
    signed = {size: parse_checkpoint(parse_note((folder / f"checkpoint.{size}").read_bytes()).text) for size in (700, MOST)}
    for size, entry in enumerate([b"", *golden_entries()]):
        if size:
            entries.append(entry)
            stack.push(entry)
            raise_rows(rows, stack.hashes[-1])
            edge, full = tiles.grow(edge, [merkle.leaf_hash(entry)])
            written = {one.path: one.data for one in (*full, *edge.partial_tiles())}
            index, width = (size - 1) // 256, (size - 1) % 256 + 1
            written[tiles.bundle_path(index, width)] = tiles.encode_bundle(entries[index * 256 :])
            assert written.items() <= (wanted := expected_files(entries, stack.hashes, rows)).items(), size
            if size in signed:
                for path, data in wanted.items():
                    assert (folder / "log" / path).read_bytes() == data
        assert edge.root() == stack.root()
        if size in signed:
            assert Checkpoint(signed[size].origin, size, stack.root()) == signed[size]
            assert Checkpoint(signed[size].origin, size, stack.root()).text == parse_note((folder / f"checkpoint.{size}").read_bytes()).text
    assert len(entries) == MOST


def test_the_golden_proofs_and_notes_are_written_again_byte_for_byte() -> None:
    folder = golden_folder()
    hashes = [merkle.leaf_hash(one) for one in golden_entries()]

    def read(level: int, index: int) -> bytes:
        return merkle.perfect_root(b"".join(hashes[index << level : (index + 1) << level]))

    note = (folder / "checkpoint.1300.cosigned").read_bytes()
    for path in sorted(folder.glob("checkpoint.*")):
        assert parse_note(path.read_bytes()).data == path.read_bytes()
    for path in sorted(folder.glob("entry-*.tlog-proof")):
        index = int(path.name.removesuffix(".tlog-proof").removeprefix("entry-"))
        assert LogProof(index, merkle.inclusion_proof(index, MOST, read), note).data == path.read_bytes()


def _flipped(data: bytes, refused: Callable[[bytes], bool]) -> list[int]:
    """The places where a changed byte passes: every byte, and three of its bits."""
    passed = []
    for at in range(len(data)):
        for bit in (0x01, 0x20, 0x80):
            if not refused(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]):
                passed.append(at)
    return passed


def test_every_byte_of_a_cosigned_proof_counts_for_who_demands_the_cosignature() -> None:
    """Whoever knows the witness and demands it gets no proof through with any byte changed, the cosignature's own line among them."""
    folder = golden_folder()
    log, witness = (VerifierKey.parse((folder / name).read_text()) for name in ("log.vkey", "witness.vkey"))
    proof, entry = (folder / "entry-699.tlog-proof").read_bytes(), (folder / "entry-699.bin").read_bytes()

    def refused(data: bytes) -> bool:
        try:
            verify_proof(data, entry, log)
            _, signers = open_note(parse_proof(data).checkpoint, (log, witness))
        except (NoteError, merkle.ProofError):
            return True
        return [one.key for one in signers] != [log, witness]

    assert not refused(proof)
    assert _flipped(proof, refused) == []


def test_every_byte_of_our_own_proof_and_of_its_entry_counts(tmp_path: Path) -> None:
    world = World()
    world.say(A, 13)
    world.run(world.writer())
    found = prove(5, world.store.read, VERIFIER)
    data, entry = found.proof.data, found.entry

    def refused(proof: bytes, leaf: bytes) -> bool:
        try:
            verify_proof(proof, leaf, VERIFIER)
        except (NoteError, merkle.ProofError):
            return True
        return False

    assert not refused(data, entry)
    assert _flipped(data, lambda changed: refused(changed, entry)) == []
    assert _flipped(entry, lambda changed: refused(data, changed)) == []
