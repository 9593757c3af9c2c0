"""A pack from a small log: it verifies by itself, and whatever is changed in it, by whoever, is found and named."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from schemas.canonical import trusted_canonical_bytes
from services.audit import cli_evidence
from services.audit.bundles import Pinned
from services.audit.domain.bundle import fingerprint
from services.audit.domain.handed_out import HandedOut
from services.audit.domain.merkle import ProofError
from services.audit.domain.note import ED25519, VerifierKey
from services.audit.domain.policy import Policy, parse_policy
from services.audit.domain.proof import verify_proof
from services.audit.evidence.archive import pack, unpack
from services.audit.evidence.contents import files_of, inputs_in
from services.audit.evidence.records import MATTER_FILE, read_lines
from services.audit.evidence.verifying import Trust, Verified, as_json, verify
from services.audit.evidence.writing import LogUnreadable, NoEdition, NoFinding, make, put
from tests.unit.audit.bundled import EDITIONS, POLICY
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.packed import PackWorld, packed

NOBODY = VerifierKey("other.test/witness", 4, b"7" * 32)


@pytest.fixture(scope="module")
def world() -> PackWorld:
    return PackWorld()


@pytest.fixture(scope="module")
def data(world: PackWorld) -> bytes:
    return packed(world, receipts=[HandedOut("", one) for one in world.receipts]).data


@pytest.fixture(scope="module")
def files(data: bytes) -> dict[str, bytes]:
    return unpack(data)


@pytest.fixture(scope="module")
def pinned(files: Mapping[str, bytes]) -> Trust:
    genesis = json.loads(files["genesis.json"])["event"]
    return Trust(Pinned(sha256=fingerprint(genesis)), parse_policy(POLICY.decode()))


def places(found: Verified) -> set[str]:
    return {one.where for one in found.wrong}


def consistent(files: Mapping[str, bytes]) -> bytes:
    """As a forger would make it: manifest and sums written anew for the files as they are."""
    said = json.loads(files["manifest.json"])
    own = {path: one for path, one in files.items() if path not in ("manifest.json", "SHA256SUMS")}
    said["files"] = [{"path": path, "size": len(one), "sha256": hashlib.sha256(one).hexdigest()} for path, one in sorted(own.items())]
    own["manifest.json"] = (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()
    lines = (f"{hashlib.sha256(one).hexdigest()}  {path}\n" for path, one in sorted(own.items()))
    return pack(own | {"SHA256SUMS": "".join(lines).encode()})


def test_it_verifies_and_works_the_finding_and_its_effect_out_again(data: bytes, pinned: Trust) -> None:
    found = verify(data, pinned)
    assert [] == found.wrong
    assert found.verified and found.pinned and found.sample
    said = {one.check: one for one in found.checks}
    assert said["finding"].said == "the detector of late entries, over the subject's facts, finds the same"
    assert said["effect"].said == "worked out again from the subject's facts: the same answer, 0 to 14 days"
    assert "cosigned by unit.test/witness" in said["checkpoint"].said
    assert said["signatures"].said.startswith("8 records of the registry and 15 facts and refusals")
    assert {"complete"} == {one.check for one in found.checks if one.told} and "rests on the operator" in said["complete"].said
    assert orjson.dumps(as_json(found))


def test_the_same_checkpoint_gives_the_same_bytes_and_inputs_come_back(world: PackWorld, data: bytes, files: dict[str, bytes]) -> None:
    assert data == packed(world, receipts=[HandedOut("", one) for one in reversed(world.receipts)]).data
    assert files == files_of(inputs_in(files))


def test_it_holds_the_subject_and_nobody_else(world: PackWorld, files: dict[str, bytes]) -> None:
    counts = json.loads(files["manifest.json"])["records"]
    assert {"records/matter.jsonl": 2, "records/facts.jsonl": 8, "records/control.jsonl": 6, "records/registry.jsonl": 8} | {
        "records/refusals.jsonl": 1
    } == counts
    for name in counts:
        for one in read_lines(name, files[name]):
            assert world.kafka[one.record.topic, one.record.partition][one.record.offset] == one.record
    assert b"91350100M00000100X" not in b"".join(files.values()), "another shop's facts"


def test_a_byte_changed_anywhere_in_the_archive_is_found_and_named(data: bytes, pinned: Trust) -> None:
    """All bytes that aren't a file's own, and of these a few of each."""
    chance = random.Random(6)
    own: dict[int, str] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for one in archive.infolist():
            begin = one.header_offset + 30 + len(one.filename)
            own |= dict.fromkeys(range(begin, begin + one.file_size), one.filename)
    between = [at for at in range(len(data)) if at not in own]
    assert len(between) > 4_000
    some = chance.sample(between, 700) + [
        at for name in set(own.values()) for at in chance.choices([k for k, v in own.items() if v == name], k=4)
    ]
    for at in some:
        changed = bytearray(data)
        changed[at] ^= 1 << chance.randrange(8)
        found = verify(bytes(changed), pinned)
        assert not found.verified, at
        [where] = places(found)
        assert where == own[at] if at in own else where, f"byte {at} of {own.get(at)}: {where}"


@pytest.mark.long
def test_every_byte_of_the_archive(data: bytes, pinned: Trust) -> None:
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x20
        assert not verify(bytes(changed), pinned).verified, at


def test_a_file_changed_removed_added_renamed_or_swapped_is_named(files: dict[str, bytes], pinned: Trust) -> None:
    """By who puts the archive together again."""
    names = sorted(files)
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        one = files[name]
        flipped = bytes((one[0] ^ 1,)) + one[1:]
        assert name in places(verify(pack(files | {name: flipped}), pinned)), name
        assert name in places(verify(pack(files | {name: one + b"\n"}), pinned)), name
        assert name in places(verify(pack(files | {name: b""}), pinned)), name
        without = {path: data for path, data in files.items() if path != name}
        assert name in places(verify(pack(without), pinned)), name
        if name != "manifest.json":
            assert {name, "renamed.txt"} & places(verify(pack(without | {"renamed.txt": one}), pinned)), name
        if {name, following}.isdisjoint({"manifest.json", "SHA256SUMS"}):
            assert {name, following} <= places(verify(pack(files | {name: files[following], following: one}), pinned))
    assert {"more.txt"} == places(verify(pack(files | {"more.txt": b""}), pinned))


def test_a_forger_who_writes_the_manifest_anew_is_found_and_the_file_named(files: dict[str, bytes], pinned: Trust) -> None:
    """Whatever can be worked out is; the rest leads to the root or to a digest that the registry signed."""
    derived = {
        "report.html",
        "README.txt",
        "paths.svg",
        "finding.json",
        "effect.json",
        "genesis.json",
        "keys/log.vkey",
        "keys/receipts.json",
    }
    derived |= {name for name in files if name.startswith(("registry/", "calendars/", "proof/")) and name != "proof/hashes"}
    assert derived <= files.keys()
    for name in sorted(derived):
        assert {name} <= places(verify(consistent(files | {name: files[name].replace(b"0", b"1", 1) + b" "}), pinned)), name
    for name in ("report.html", "paths.svg", "registry/keys.json", "proof/entry.tlog-proof"):
        without = {path: data for path, data in files.items() if path != name}
        assert {name} == places(verify(consistent(without), pinned)), name
    assert {"records/more.jsonl"} <= places(verify(consistent(files | {"records/more.jsonl": b""}), pinned))
    book = next(name for name in files if name.endswith("/entry.yaml"))
    changed = files[book].replace(b"value: 5", b"value: 6")
    assert changed != files[book]
    assert {book.rpartition("/")[0]} == places(verify(consistent(files | {book: changed}), pinned))


def test_what_another_version_wrote_for_people_is_told_and_everything_else_still_compared(files: dict[str, bytes], pinned: Trust) -> None:
    said = json.loads(files["manifest.json"]) | {"software": "0.0.1"}
    other = files | {"manifest.json": json.dumps(said).encode(), "report.html": files["report.html"] + b"<!-- -->"}
    found = verify(consistent(other), pinned)
    assert found.verified
    [told] = [one.said for one in found.checks if one.check == "contents"]
    assert "but for README.txt, report.html: made by version 0.0.1" in told
    assert {"registry/keys.json"} == places(verify(consistent(other | {"registry/keys.json": b"[]\n"}), pinned))
    said["subject"] = "uscc:91350100M00000100X"
    assert (
        {"manifest.json", "SHA256SUMS"} >= places(verify(consistent(other | {"manifest.json": json.dumps(said).encode()}), pinned)) != set()
    )


def _dropped(name: str, number: int, files: dict[str, bytes]) -> dict[str, bytes]:
    lines = files[name].splitlines(keepends=True)
    return files | {name: b"".join(lines[:number] + lines[number + 1 :])}


def _line_moved(files: dict[str, bytes]) -> dict[str, bytes]:
    first, *rest = files["records/facts.jsonl"].splitlines(keepends=True)
    lines = sorted([first, *files["records/control.jsonl"].splitlines(keepends=True)], key=lambda one: json.loads(one)["leaf"])
    return files | {"records/facts.jsonl": b"".join(rest), "records/control.jsonl": b"".join(lines)}


def _readable_changed(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {"records/facts.jsonl": files["records/facts.jsonl"].replace(b'"fine"', b'"none"', 1)}


def _entry_changed(files: dict[str, bytes]) -> dict[str, bytes]:
    first, *rest = files["records/facts.jsonl"].splitlines(keepends=True)
    said = orjson.loads(first)
    entry = bytearray(base64.b64decode(said["entry"]))
    entry[-20] ^= 1
    return files | {"records/facts.jsonl": orjson.dumps(said | {"entry": base64.b64encode(entry).decode()}) + b"\n" + b"".join(rest)}


def _hash_changed(files: dict[str, bytes]) -> dict[str, bytes]:
    lines = files["proof/hashes"].splitlines(keepends=True)
    return files | {"proof/hashes": b"".join([lines[1], lines[0], *lines[2:]])}


def _other_finding(files: dict[str, bytes]) -> dict[str, bytes]:
    said = json.loads(files["manifest.json"]) | {"finding": "018f0000-0000-7000-8000-000000000000"}
    return files | {"manifest.json": json.dumps(said).encode()}


def _receipt_changed(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {"receipts.jsonl": files["receipts.jsonl"].replace(b'"received_at":"2025', b'"received_at":"2024', 1)}


@pytest.mark.parametrize(
    ("forge", "where"),
    [
        (partial(_dropped, "records/facts.jsonl", 3), "records/*.jsonl, proof/hashes"),
        (partial(_dropped, "records/registry.jsonl", 4), "records/*.jsonl, proof/hashes"),
        (partial(_dropped, "records/matter.jsonl", 0), "records/*.jsonl, proof/hashes"),
        (_line_moved, "records/control.jsonl, leaf"),
        (_readable_changed, "records/facts.jsonl, line"),
        (_entry_changed, "records/facts.jsonl, line 1"),
        (_hash_changed, "records/*.jsonl, proof/hashes"),
        (_other_finding, "records/matter.jsonl"),
        (_receipt_changed, "receipts.jsonl"),
        (lambda files: files | {"checkpoint": files["checkpoint"].replace(b"\n100\n", b"\n101\n")}, "checkpoint"),
        (lambda files: files | {"witnesses": b"quorum none\n"}, "manifest.json"),
    ],
    ids=["fact", "registry", "finding", "moved", "readable", "entry", "hash", "other", "receipt", "checkpoint", "witnesses"],
)
def test_records_dropped_moved_or_changed(
    files: dict[str, bytes], pinned: Trust, forge: Callable[[dict[str, bytes]], dict[str, bytes]], where: str
) -> None:
    forged = forge(dict(files))
    assert forged != files
    if where == "manifest.json":
        # Whose witnesses count is the reader's word; another policy in the pack is another pack, and verifies as one.
        assert verify(consistent(forged), pinned).verified
        return
    found = verify(consistent(forged), pinned)
    assert any(one.startswith(where) for one in places(found)), places(found)


def test_what_the_reader_pins_counts(data: bytes, files: dict[str, bytes]) -> None:
    assert verify(data, Trust()).verified and not verify(data, Trust()).pinned
    assert {"genesis.json"} == places(verify(data, Trust(Pinned(sha256="0" * 64))))
    genesis = json.loads(files["genesis.json"])["event"]
    assert verify(data, Trust(Pinned(genesis=genesis))).verified
    other = genesis | {"time": "2001-01-01T00:00:00.000Z"}
    assert {"genesis.json"} == places(verify(data, Trust(Pinned(genesis=other))))
    assert verify(data, Trust(Pinned(vkey=VERIFIER.text))).verified
    assert {"keys/log.vkey"} == places(verify(data, Trust(Pinned(vkey=VerifierKey("unit.test/log", ED25519, b"9" * 32).text))))
    found = verify(data, Trust(policy=Policy.of([NOBODY])))
    assert {"checkpoint"} == places(found) and "0 of 1 pinned witnesses" in found.wrong[0].what


def test_a_single_record_is_proved_with_other_tools_too(files: dict[str, bytes], world: PackWorld) -> None:
    finding = next(one for one in read_lines(MATTER_FILE, files[MATTER_FILE]) if one.event["id"] == world.late)
    assert 100 == verify_proof(files["proof/finding.tlog-proof"], finding.entry, VERIFIER).size
    with pytest.raises(ProofError):
        verify_proof(files["proof/entry.tlog-proof"], finding.entry, VERIFIER)


def _false(name: str, value: Any, kind: str) -> Callable[[bytes], bytes]:
    """Audit puts another word on record than its detector gave."""

    def told(value_: bytes) -> bytes:
        said = orjson.loads(value_)
        if not said["event"]["type"].startswith(f"mingjian.finding.{kind}"):
            return value_
        data = said["event"]["data"]
        where = data["late"] if name in data.get("late", {}) else data
        where[name] = value
        return trusted_canonical_bytes(said)

    return told


def test_a_finding_that_the_records_do_not_lead_to_is_refused_though_the_log_signed_it() -> None:
    found = verify(packed(PackWorld(told=_false("working_days_late", 12, "raised"))).data, Trust())
    assert ["late.working_days_late is told as 12; the records lead to 9"] == [
        one.what for one in found.wrong if one.where == "finding.json"
    ]


def test_a_sign_is_found_again_by_its_own_detector_and_one_that_was_changed_is_not(world: PackWorld) -> None:
    found = verify(packed(world, world.sign).data, Trust())
    said = {one.check: one for one in found.checks}
    assert found.verified
    assert said["finding"].said == "the detector two_final_scores, over the records in the pack, finds the same"
    assert said["effect"].told and said["effect"].said == "the log holds no assessment of the matter's effect"
    other = PackWorld(told=_false("proposes", "hearing", "raised"))
    wrong = verify(packed(other, other.sign).data, Trust()).wrong
    assert [("finding.json", "proposes is told as 'hearing'; the records lead to 'correction'")] == [(one.where, one.what) for one in wrong]


def test_an_effect_that_the_records_do_not_lead_to_is_refused_though_the_log_signed_it() -> None:
    found = verify(packed(PackWorld(told=_false("most", 40, "assessed"))).data, Trust())
    assert [("effect.json", "most is told as 40; the records lead to 14")] == [(one.where, one.what) for one in found.wrong]


def test_the_report_says_both_languages_what_speaks_for_those_concerned_and_accuses_nobody(files: dict[str, bytes]) -> None:
    page = files["report.html"].decode()
    for words in (
        "逾期录入",
        "Late entry",
        "2025-06-17 (Tue)",
        "2025年6月17日（周二）",
        "SAMPLE DATA",
        "rests on the operator",
        "由日志的运营者担保",
    ):
        assert words in page, words
    assert "○" in page and "signed in time and received later" in page and "finds nobody at fault" in page
    assert "<script" not in page and "http" not in page.replace("http://www.w3.org/2000/svg", "")
    picture = files["paths.svg"].decode()
    assert picture in page and picture.count("<rect") > 6


def test_what_cannot_be_packed_says_why(world: PackWorld, tmp_path: Path) -> None:
    with pytest.raises(NoFinding, match="none of the log's 100 leaves"):
        packed(world, "018f0000-0000-7000-8000-000000000000")
    with pytest.raises(NoEdition, match="--rulebooks"):
        make(world.store.read, world.late, log=VERIFIER, editions={})
    with pytest.raises(LogUnreadable, match="tile/entries/000"):
        make(lambda path: None if "entries" in path else world.store.read(path), world.late, log=VERIFIER, editions=EDITIONS)
    with pytest.raises(LogUnreadable, match="no checkpoint"):
        make(lambda path: None, world.late, log=VERIFIER, editions=EDITIONS)
    made = packed(world)
    put(made, tmp_path / made.name)
    with pytest.raises(FileExistsError):
        put(made, tmp_path / made.name)
    assert [made.name] == [one.name for one in tmp_path.iterdir()] and (tmp_path / made.name).stat().st_mode & 0o777 == 0o600


def test_on_the_command_line(world: PackWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, data in world.store.files.items():  # type: ignore[attr-defined]
        (tmp_path / "log" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "log" / path).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    run = partial(CliRunner().invoke, cli_evidence.app)
    log = ["--from", "log", "--vkey", VERIFIER.text]
    made = run(["evidence", world.late, *log])
    assert made.exit_code == 0 and f"evidence-{world.late}.zip: late_entry about uscc:91350100M00000000X" in made.output
    assert run(["evidence", world.late, *log]).exit_code == 2
    assert run(["evidence", world.late[:-1] + "0", *log, "--to", "x.zip"]).exit_code == 6
    name = f"evidence-{world.late}.zip"
    good = run(["evidence", "verify", name])
    assert good.exit_code == 0 and good.output.splitlines()[-1] == "verified ✓" and "nothing but the pack itself" in good.output
    said = json.loads(run(["evidence", "verify", name, "--json"]).output)
    pinned = run(["evidence", "verify", name, "--genesis-sha256", said["genesis_sha256"]])
    assert said["verified"] and pinned.exit_code == 0 and "nothing but" not in pinned.output
    bad = run(["evidence", "verify", name, "--genesis-sha256", "0" * 64])
    assert bad.exit_code == 1 and "genesis.json: its fingerprint is" in bad.output and "not verified: 1 fault" in bad.output
    assert run(["evidence", "verify", "nothing.zip"]).exit_code == 2
