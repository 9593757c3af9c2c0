"""A bundle from a running town, checked on a machine that has none of the stack."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
import socket
import subprocess
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from services.audit import cli as audit_cli
from tests.e2e.laptop import Laptop
from tests.e2e.terminal import Terminal, terminal

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
SMALL = ("--enterprises", "12", "--years", "2", "--seed", "3")
REGIME = "liyujiang"


class Town:
    """A small town that is up, a bundle of it, and what the live services said when it was made."""

    def __init__(self, at: Terminal, folder: Path) -> None:
        self.at, self.bundle = at, folder / "bundle"
        self.grades = self._live_grades()
        self.said = at.mingjian("export", "--to", str(self.bundle))
        self.root = re.search(r"root ([0-9a-f]{64})", self.said)[1]  # type: ignore[index]
        self.fingerprint = json.loads(at.mingjian("status", "--json"))["genesis"]["home"]
        self.replayed = at.mingjian("replay", "--regime", REGIME)

    def _live_grades(self) -> dict[str, tuple[str, str]]:
        with httpx.Client(base_url=self.at.ports.url("publication")) as http:
            rows = csv.DictReader(io.StringIO(http.get("/api/v1/grades.csv", params={"regime": REGIME}).text))
            return {row["subject"]: (row["grade"], row["status"]) for row in rows}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with terminal() as at, at.staying("mingjian", "up", "--sample", *SMALL) as running:
        running.wait_for(r"Ctrl-C stops", 300)
        yield Town(at, tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    return Laptop(tmp_path_factory.mktemp("laptop"))


def test_without_stack_and_network_verify_and_replay_give_the_same_root_and_the_same_grades(town: Town, laptop: Laptop) -> None:
    shutil.copytree(town.bundle, laptop.desk / "bundle")
    port = int(town.at.ports.url("publication").rsplit(":", 1)[1])
    socket.create_connection(("127.0.0.1", port), 5).close()
    assert not laptop.reaches(port), "the network was not cut"

    verified = laptop.mingjian("verify", "--bundle", "bundle", "--genesis-sha256", town.fingerprint, "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    report = json.loads(verified.stdout)
    assert (report["verified"], report["pinned"], report["root"]) == (True, True, town.root)
    assert report["signatures"] > 500 and report["cosigned_enough"] and len(report["cosigned_by"]) == 1

    replayed = laptop.mingjian("replay", "--bundle", "bundle", "--regime", REGIME, "--json", "lines.jsonl")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    digest = re.search(r"^digest [0-9a-f]{64}$", replayed.stdout, re.M)
    assert digest and digest[0] in town.replayed.splitlines(), "the digest is that of the replay over Kafka"
    *lines, last = [json.loads(line) for line in (laptop.desk / "lines.jsonl").read_text().splitlines()]
    assert (last["root"], last["told"]["differences"]) == (town.root, []) and last["told"]["compared"] == len(town.grades) == 12
    assert {one[0]: (one[2] or "", one[3]) for one in lines if len(one) == 7} == town.grades

    subject, (grade, status) = next(iter(sorted(town.grades.items())))
    explained = laptop.mingjian("explain", subject, "--bundle", "bundle", "--json")
    [one] = [one for one in json.loads(explained.stdout)["grades"] if one["regime"] == REGIME]
    assert (one["grade"] or "", one["status"]) == (grade, status) and one["explanation"]["zh"]
    assert laptop.mingjian("explain", "fhrs:1", "--bundle", "bundle").returncode == 6


def test_what_the_readme_in_it_says_to_run_runs_and_says_yes(town: Town, laptop: Laptop) -> None:
    text = (town.bundle / "README.md").read_text(encoding="utf-8")
    # Text and code by turns; code begins with the rest of the line that opens it.
    blocks = [one.partition("\n") for one in text.split("```")[1::2]]
    [program] = [code for language, _, code in blocks if language == "python"]
    done = laptop.python("-c", f"import os; os.chdir({str(town.bundle)!r})\n" + program)
    assert done.stdout == "the entries lead to the checkpoint's root\n", done.stderr
    shells = [code for language, _, code in blocks if not language and not code.startswith("mingjian")]
    assert len(shells) == 3
    for one in shells:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", one], cwd=town.bundle, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{one}\n{done.stdout}{done.stderr}"
    assert done.stdout.strip() == town.fingerprint
    assert "SAMPLE DATA" in text and "SAMPLE DATA" in town.said and town.root in text and town.fingerprint in text


def test_a_byte_flipped_in_any_file_is_refused_and_the_file_named(town: Town, tmp_path: Path) -> None:
    shutil.copytree(town.bundle, tmp_path / "bundle")
    files = sorted(one for one in (tmp_path / "bundle").rglob("*") if one.is_file())
    chance = random.Random(town.root)
    assert len(files) > 40
    for path in files:
        data = bytearray(path.read_bytes())
        at = chance.randrange(len(data))
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        done = CliRunner().invoke(audit_cli.app, ["verify", "--bundle", str(tmp_path / "bundle")])
        name = path.relative_to(tmp_path / "bundle").as_posix()
        assert done.exit_code == 1 and name in done.output, f"{name}, byte {at}: {done.output}"
        data[at] = (town.bundle / name).read_bytes()[at]
        path.write_bytes(data)
    assert CliRunner().invoke(audit_cli.app, ["verify", "--bundle", str(tmp_path / "bundle")]).exit_code == 0


def test_an_evidence_pack_verifies_where_nothing_else_is_and_fails_with_one_byte_changed(town: Town, laptop: Laptop) -> None:
    every = [json.loads(line) for line in town.at.mingjian("findings", "--kind", "late_entry", "--json").splitlines()]
    finding = max(every, key=lambda one: one["event"]["data"]["late"]["calendar_days_late"])["event"]["id"]
    said = town.at.mingjian("evidence", finding, "--to", str(laptop.desk / "pack.zip"))
    assert re.search(r"pack\.zip: late_entry about uscc:\w{18}, [\d,]+ records of", said)

    words = ("evidence", "verify", "pack.zip", "--genesis-sha256", town.fingerprint)
    done = laptop.mingjian(*words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    checks = {one["check"]: one for one in found["checks"]}
    assert found["verified"] and found["pinned"] and found["sample"]
    assert checks["finding"]["said"] == "the detector of late entries, over the subject's facts, finds the same"
    assert "cosigned by" in checks["checkpoint"]["said"] and "no witness" not in checks["checkpoint"]["said"]

    whole = (laptop.desk / "pack.zip").read_bytes()
    with zipfile.ZipFile(laptop.desk / "pack.zip") as archive:
        archive.extractall(laptop.desk / "pack")
        places = {one.filename: one.header_offset + 30 + len(one.filename) + one.file_size // 2 for one in archive.infolist()}
    changed = bytearray(whole)
    changed[places["records/facts.jsonl"]] ^= 1
    (laptop.desk / "changed.zip").write_bytes(changed)
    done = laptop.mingjian("evidence", "verify", "changed.zip")
    assert done.returncode == 1 and "  records/facts.jsonl: its" in done.stdout, done.stdout + done.stderr
    readme = (laptop.desk / "pack" / "README.txt").read_text(encoding="utf-8")
    program = textwrap.dedent(readme[readme.index("    import base64") : readme.index("3. ")])
    done = laptop.python("-c", f"import os; os.chdir({str(laptop.desk / 'pack')!r})\n" + program)
    assert done.stdout.endswith("records lead to the checkpoint's root\n"), done.stderr


def test_over_http_an_auditor_gets_the_same_bundle_and_nobody_else_any(town: Town, tmp_path: Path) -> None:
    address = town.at.mingjian("enter").strip()
    said = town.at.mingjian("export", "--to", str(tmp_path / "bundle"), "--from", address)
    assert re.search(r"root ([0-9a-f]{64})", said)
    assert town.at.run("mingjian", "verify", "--bundle", str(tmp_path / "bundle")).returncode == 0
    used = town.at.run("mingjian", "export", "--to", str(tmp_path / "again"), "--from", address)
    assert used.returncode == 1 and "mingjian enter" in used.stderr
    without = town.at.run("mingjian", "export", "--to", str(tmp_path / "again"), "--from", town.at.ports.url("audit"))
    assert without.returncode == 1 and "auditors" in without.stderr and not (tmp_path / "again").exists()
    away = town.at.run("mingjian", "export", "--to", str(tmp_path / "other"), "--from", "http://127.0.0.1:9")
    assert away.returncode == 5 and not (tmp_path / "other").exists()


def test_a_bundle_is_for_its_owner_alone_and_never_over_another(town: Town) -> None:
    modes = {oct(one.stat().st_mode & 0o777) for one in town.bundle.rglob("*") if one.is_file()}
    assert modes == {"0o600"}
    assert {oct(one.stat().st_mode & 0o777) for one in (town.bundle, *town.bundle.rglob("*")) if one.is_dir()} == {"0o700"}
    again = town.at.run("mingjian", "export", "--to", str(town.bundle))
    assert again.returncode == 2 and "no empty folder" in again.stderr
