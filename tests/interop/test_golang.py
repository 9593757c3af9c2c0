"""Our log read by programs of another language, built from published modules; and another implementation's log read by ours."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from services.audit import cli_proofs
from services.audit.adapters.folder import FolderStore
from services.audit.domain import verify
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.merkle import consistency_proof, inclusion_proof
from services.audit.domain.note import COSIGNATURE, SignatureLine, VerifierKey, cosignature_message, parse_note
from services.audit.domain.proof import parse_proof
from services.audit.proving import hashes_of, prove, prove_prefix
from services.audit.signatures import read_file
from tests.conftest import skip_or_fail
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.golden import golden_folder
from tests.unit.audit.test_appender import World

pytestmark = pytest.mark.sweep
A = ("a", 0)
PROGRAM = Path(__file__).parent / "golang"
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"interop witness key".ljust(32, b"."))
WITNESS = VerifierKey("unit.test/witness", COSIGNATURE, PRIVATE.public_key().public_bytes_raw())


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built from go.mod and go.sum as they stand."""
    go = shutil.which("go")
    if go is None:
        skip_or_fail("there is no go on this machine: the log was not read by a program of another language")
    made = tmp_path_factory.mktemp("interop") / "interop"
    env = os.environ | {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    done = subprocess.run([str(go), "build", "-o", str(made), "."], cwd=PROGRAM, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return made


def cosign(note: bytes) -> bytes:
    """The checkpoint with the witness's line beneath."""
    text, seconds = parse_note(note).text, 1_790_000_000
    rest = seconds.to_bytes(8, "big") + PRIVATE.sign(cosignature_message(text, seconds))
    return note + SignatureLine(WITNESS.name, WITNESS.key_id, rest).text.encode()


@dataclass(frozen=True)
class Written:
    """A log that our appender wrote, cosigned, with an earlier checkpoint and its proof, and a proof of one leaf."""

    folder: Path

    @property
    def arguments(self) -> list[str]:
        names = {"log": "log", "proof": "leaf.proof", "entry": "leaf.entry", "old": "old", "prefix": "prefix.json"}
        keys = ["-vkey", VERIFIER.text, "-witness", WITNESS.text]
        return keys + [word for name, file in names.items() for word in (f"-{name}", str(self.folder / file))]


def write(folder: Path, first: int, second: int, index: int) -> Written:
    world = World(store=FolderStore(folder / "log", "interop"))
    world.say(A, first, 60)
    world.run(world.writer(), 10_000)
    read = world.store.read
    (folder / "old").write_bytes(cosign(read("checkpoint") or b""))
    world.say(A, second - first, 60)
    world.run(world.writer(), 10_000)
    (folder / "log" / "checkpoint").write_bytes(cosign(read("checkpoint") or b""))
    found = prove(index, read, VERIFIER)
    (folder / "leaf.proof").write_bytes(found.proof.data)
    (folder / "leaf.entry").write_bytes(found.entry)
    path = prove_prefix(first, second, read, VERIFIER).path
    (folder / "prefix.json").write_text(json.dumps({"path": [one.hex() for one in path]}))
    return Written(folder)


def run(program: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("first", "second", "index"), [(1, 2, 1), (3, 255, 254), (1, 256, 0), (256, 257, 256), (255, 700, 300), (700, 1300, 699)]
)
def test_a_program_of_another_language_accepts_our_log(first: int, second: int, index: int, program: Path, tmp_path: Path) -> None:
    written = write(tmp_path, first, second, index)
    done = run(program, written.arguments)
    assert done.returncode == 0, done.stderr
    root = open_checkpoint((tmp_path / "log" / "checkpoint").read_bytes(), VERIFIER)[0].root.hex()
    assert done.stdout == f"{second} leaves, root {root}\n"


def test_two_levels_of_tiles_are_accepted(program: Path, tmp_path: Path) -> None:
    """Beyond 65,536 leaves a tile of the level above is full."""
    written = write(tmp_path, 300, 65_800, 65_700)
    done = run(program, written.arguments)
    assert done.returncode == 0, done.stderr


def flips(path: Path, step: int) -> Iterator[str]:
    """Change one byte of the file at a time, from its start to its end; what was there is put back."""
    data = path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // step)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        yield f"{path.name} byte {at}"
    path.write_bytes(data)


def test_it_refuses_our_log_with_any_byte_changed(program: Path, tmp_path: Path) -> None:
    written = write(tmp_path, 255, 300, 270)
    for path in sorted(one for one in tmp_path.rglob("*") if one.is_file()):
        if path.name == "prefix.json":
            continue
        for where in flips(path, 12):
            done = run(program, written.arguments)
            assert done.returncode == 1 and done.stderr.startswith("refused: "), where
    said = json.loads((tmp_path / "prefix.json").read_text())
    for at in range(len(said["path"])):
        other = said["path"][:at] + ["00" * 32] + said["path"][at + 1 :]
        (tmp_path / "prefix.json").write_text(json.dumps({"path": other}))
        assert run(program, written.arguments).returncode == 1
    (tmp_path / "prefix.json").write_text(json.dumps(said))
    assert run(program, written.arguments).returncode == 0


def test_it_refuses_a_checkpoint_that_the_witness_did_not_sign(program: Path, tmp_path: Path) -> None:
    written = write(tmp_path, 3, 10, 5)
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    (tmp_path / "log" / "checkpoint").write_bytes(note[: note.rindex(b"\xe2\x80\x94")])
    done = run(program, written.arguments)
    assert done.returncode == 1 and "1 of 2 signatures" in done.stderr


def test_it_accepts_the_golden_log_as_ours(program: Path, tmp_path: Path) -> None:
    """The same program, the same checks: what it says of another implementation's log it says of ours."""
    golden = golden_folder()
    shutil.copytree(golden / "log", tmp_path / "log")
    shutil.copy(golden / "checkpoint.1300.cosigned", tmp_path / "log" / "checkpoint")
    keys = ["-vkey", (golden / "log.vkey").read_text().strip(), "-witness", (golden / "witness.vkey").read_text().strip()]
    for index in (0, 255, 256, 699, 1299):
        proof = ["-proof", str(golden / f"entry-{index}.tlog-proof"), "-entry", str(golden / f"entry-{index}.bin")]
        done = run(program, ["-log", str(tmp_path / "log"), *keys, *proof])
        assert done.returncode == 0, done.stderr


def test_our_verifier_accepts_the_golden_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles, tiles, root: all is as it should be but for the entries, which are no frames of ours."""
    monkeypatch.setattr(verify, "_FAULTS_KEPT", 10_000)
    golden = golden_folder()
    key = VerifierKey.parse((golden / "log.vkey").read_text())
    for size in (700, 1300):
        point, _ = open_checkpoint((golden / f"checkpoint.{size}").read_bytes(), key)
        check = verify.Verification(point, lambda path: read_file(golden / "log", path))
        assert list(check.tree())[-1] == size
        assert {one.code for one in check.faults} == {"frame"} and len(check.faults) == size


def test_our_readers_make_the_golden_proofs_from_the_golden_tiles() -> None:
    golden = golden_folder()
    read = hashes_of(1300, lambda path: read_file(golden / "log", path))
    for path in sorted(golden.glob("entry-*.tlog-proof")):
        proof = parse_proof(path.read_bytes())
        assert inclusion_proof(proof.index, 1300, read) == proof.path
    lines = (golden / "add-checkpoint.700-1300.body").read_text().split("\n\n")[0].split("\n")[1:]
    assert [base64.b64encode(one).decode() for one in consistency_proof(700, 1300, read)] == lines


def test_our_commands_accept_the_golden_files(tmp_path: Path) -> None:
    golden = golden_folder()
    shutil.copytree(golden / "log", tmp_path / "log")
    shutil.copy(golden / "checkpoint.1300.cosigned", tmp_path / "log" / "checkpoint")
    vkey = ["--vkey", (golden / "log.vkey").read_text().strip()]
    points = [str(golden / "checkpoint.700"), str(golden / "checkpoint.1300")]
    said = CliRunner().invoke(cli_proofs.app, ["consistency", *points, *vkey, "--log-dir", str(tmp_path / "log")])
    assert said.exit_code == 0, said.output
    for index in (0, 255, 256, 699, 1299):
        proof, entry = str(golden / f"entry-{index}.tlog-proof"), str(golden / f"entry-{index}.bin")
        assert CliRunner().invoke(cli_proofs.app, ["verify-proof", proof, *vkey, "--entry", entry]).exit_code == 0
        other = str(golden / f"entry-{0 if index else 255}.bin")
        assert CliRunner().invoke(cli_proofs.app, ["verify-proof", proof, *vkey, "--entry", other]).exit_code == 1
