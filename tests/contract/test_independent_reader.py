"""A stranger's program reads our evidence: receipts, signatures, checkpoint, tree; and another implementation's log."""

from __future__ import annotations

import ast
import base64
import json
import sys
from pathlib import Path

import pytest

from schemas.keys import SigningKey, b64
from schemas.receipts import Receipt, sign_receipt
from services.audit.adapters.folder import FolderStore
from services.audit.domain.frame import Record
from tests import independent_reader as reader
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.golden import golden_folder
from tests.unit.audit.test_appender import World

VECTORS = Path(__file__).resolve().parents[2] / "schemas" / "vectors"
KEYS = {one["alg"]: one for one in json.loads((VECTORS / "keys.json").read_text())["cases"] if "test key" in one["name"]}


def cases(name: str) -> list:
    return json.loads((VECTORS / f"{name}.json").read_text())["cases"]


def test_it_imports_the_standard_library_and_cryptography_alone() -> None:
    tree = ast.parse(Path(reader.__file__).read_text())
    names = {one.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    names |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names) | {"cryptography"}


@pytest.mark.parametrize("case", cases("canonical"), ids=lambda one: one["name"])
def test_canonical_bytes_are_the_vectors(case: dict) -> None:
    value = json.loads(reader.from_b64url(case["text_b64"]))
    assert reader.canonical(value) == reader.from_b64url(case["canonical_b64"])


@pytest.mark.parametrize("case", cases("events"), ids=lambda one: one["name"])
def test_every_signature_of_the_vectors_holds(case: dict) -> None:
    for signature in case["signatures"]:
        public = reader.from_b64url(KEYS[signature["alg"]]["public_key"])
        assert reader.check_event({"event": case["event"], "signature": signature}, signature["alg"], public) == case["event_hash"]


@pytest.mark.parametrize("case", json.loads((VECTORS / "bad_signatures.json").read_text())["cases"], ids=lambda one: one["name"])
def test_no_bad_signature_of_the_vectors_holds(case: dict) -> None:
    event = json.loads((VECTORS / "bad_signatures.json").read_text())["event"]
    for key in KEYS.values():
        with pytest.raises((reader.Refused, ValueError, KeyError)):
            reader.check_event({"event": event, "signature": case["signature"]}, key["alg"], reader.from_b64url(key["public_key"]))


@pytest.mark.parametrize("case", [one for one in cases("receipts") if one["part"] == "receipt"], ids=lambda one: one["name"])
def test_receipts_of_the_vectors(case: dict) -> None:
    public = reader.from_b64url(KEYS["Ed25519"]["public_key"])
    if case["valid"]:
        assert reader.check_receipt(case["signed"], public, case["event"]) == case["signed"]["receipt"]
    else:
        with pytest.raises(reader.Refused):
            reader.check_receipt(case["signed"], public, case["event"])


def test_another_implementations_log_is_read_by_the_same_code() -> None:
    folder = golden_folder()
    vkey = (folder / "log.vkey").read_text()
    size, root = reader.check_log(folder / "log", vkey)
    assert (size, base64.b64encode(root).decode()) == (1300, "rOM6H4rGyGrFMAKrEV5tyfZD6svteKa/AXQYFWUhkLs=")
    size, root = reader.check_checkpoint((folder / "checkpoint.700").read_bytes(), vkey)
    assert reader.tree_root(reader.entries(folder / "log", size)) == root


def event(number: int) -> dict:
    return {"id": f"018f0000-0000-7000-8000-{number:012x}", "source": "/departments/a/offices/b", "data": {"name": "样例药店"}}


def envelope(number: int) -> Record:
    value = json.dumps({"entry": {}, "event": event(number)}, ensure_ascii=False).encode()
    return Record("mingjian.facts.v1", 3, number, 1_790_000_000_000, 1, b"uscc:1", (("ce_id", b"x"), ("none", None)), value)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of ours: 300 envelopes, then a record that became a stub."""
    world = World(kafka={("mingjian.facts.v1", 3): []}, store=FolderStore(tmp_path / "log", "test"))
    world.kafka["mingjian.facts.v1", 3] += [envelope(number) for number in range(300)]
    world.kafka["mingjian.facts.v1", 3].append(Record("mingjian.facts.v1", 3, 300, 0, 0, None, (), bytes(70_000)))
    world.run(world.writer())
    return tmp_path / "log"


def receipt_for(number: int, key: SigningKey, **changes: object) -> dict:
    made = {
        "source": event(number)["source"],
        "id": event(number)["id"],
        "event_hash": reader.hashlib.sha256(reader.canonical(event(number))).hexdigest(),
        "topic": "mingjian.facts.v1",
        "partition": 3,
        "offset": number,
        "received_at": "2026-09-21T00:00:00.000Z",
        "known_from": "2026-09-21T00:00:00.001Z",
    }
    return sign_receipt(Receipt(**(made | changes)), key)


def test_a_receipt_leads_to_its_leaf(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = SigningKey.generate()
    signed = receipt_for(123, key)
    assert reader.check_receipt(signed, key.raw_public, event(123))["offset"] == 123
    assert reader.find_receipt_in_log(log, VERIFIER.text, signed["receipt"]) == 123
    assert reader.read_leaf(list(reader.entries(log, 301))[300])["stub"]["length"] > 70_000
    (tmp_path / "receipt.json").write_text(json.dumps(signed))
    (tmp_path / "event.json").write_text(json.dumps({"event": event(123)}))
    assert reader.main(["log", str(log), "--vkey", VERIFIER.text, "--receipt", str(tmp_path / "receipt.json")]) == 0
    arguments = ["receipt", str(tmp_path / "receipt.json"), f"--key={b64(key.raw_public)}", "--event", str(tmp_path / "event.json")]
    assert reader.main(arguments) == 0
    assert "leaf 123" in capsys.readouterr().out


def test_a_receipt_for_what_is_not_in_the_log_is_refused(log: Path) -> None:
    key = SigningKey.generate()
    for signed in (receipt_for(123, key, offset=122), receipt_for(123, key, offset=400), receipt_for(123, key, event_hash="0" * 64)):
        with pytest.raises(reader.Refused):
            reader.find_receipt_in_log(log, VERIFIER.text, signed["receipt"])


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/000", "tile/1/000.p/1", "tile/0/001.p/45", "checkpoint"])
def test_a_changed_byte_of_our_log_is_refused(log: Path, path: str) -> None:
    data = (log / path).read_bytes()
    for at in range(0, len(data), max(1, len(data) // 12)):
        (log / path).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises((reader.Refused, ValueError)):
            reader.check_log(log, VERIFIER.text)
    (log / path).write_bytes(data)
    assert reader.check_log(log, VERIFIER.text)[0] == 301
