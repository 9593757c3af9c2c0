"""``mingjian rate`` and ``mingjian replay`` as a person meets them: answers, sentences, exit codes. No server is there."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.rating.cli import app
from tests.cases.ledger import RULEBOOKS, Ledger
from tests.stack_fixtures import reserved_ports
from tests.unit.rating.test_bulk import lines


def run(*words: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(app, list(words), input=stdin)


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    ledger = Ledger(approving=True)
    ledger.opened("2010-03-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.approved("A", "2026-01-16")
    ledger.fined("2026-03-01", known="2026-05-01")
    path = tmp_path / "facts.jsonl"
    path.write_bytes(b"\n".join(lines(ledger)) + b"\n")
    return path


RATE = ("rate", "--rulebook", "liyujiang")


def test_one_json_object_a_subject_with_all_that_is_promised(facts: Path) -> None:
    done = run(*RATE, str(facts), "--as-of", "2026-03-01", "--json")
    assert 0 == done.exit_code, done.output
    (found,) = map(json.loads, done.stdout.splitlines())
    assert {"subject", "grade", "status", "in_force_from", "proposed", "clauses", "decisive_events", "readings", "duties"} <= found.keys()
    assert ("A", "graded", "2026-01-16") == (found["grade"], found["status"], found["in_force_from"])
    assert "D" == found["proposed"], "R8: a fine's D awaits its approval"
    assert found["clauses"] and found["decisive_events"]


def test_the_instant_asked_for_decides_what_was_known(facts: Path) -> None:
    proposed = [
        json.loads(run(*RATE, str(facts), "--as-of", "2026-03-01", "--known-at", instant, "--json").stdout)["proposed"]
        for instant in ("2026-04-30T00:00:00Z", "2026-05-02T00:00:00Z")
    ]
    assert [None, "D"] == proposed


def test_a_packed_file_and_standard_input_say_the_same(facts: Path, tmp_path: Path) -> None:
    packed = tmp_path / "facts.gz"
    packed.write_bytes(gzip.compress(facts.read_bytes()))
    wanted = ("--as-of", "2026-03-01", "--json")
    plain = run(*RATE, str(facts), *wanted).stdout
    assert plain and plain == run(*RATE, str(packed), *wanted).stdout == run(*RATE, "-", *wanted, stdin=facts.read_bytes()).stdout


def test_without_json_there_is_a_table_and_the_digest(facts: Path) -> None:
    done = run(*RATE, str(facts), "--as-of", "2026-03-01")
    assert 0 == done.exit_code
    assert "A " in done.stdout and "7 lines, 1 subjects rated · digest " in done.stdout


def test_a_rulebook_may_be_a_folder_of_any_name(facts: Path, tmp_path: Path) -> None:
    copy = tmp_path / "another town"
    shutil.copytree(RULEBOOKS / "liyujiang", copy)
    wanted = (str(facts), "--as-of", "2026-03-01", "--json")
    assert run(*RATE, *wanted).stdout == run("rate", "--rulebook", str(copy), *wanted).stdout != ""


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("rate", "--rulebook", "nowhere", "FILE", "--as-of", "2026-01-01"), 2, "there is no rulebook 'nowhere': name a regime (fhrs, "),
        (("rate", "--rulebook", "liyujiang", "none.jsonl", "--as-of", "2026-01-01"), 2, "there is no file none.jsonl"),
        (("rate", "--rulebook", "liyujiang", "FILE", "--as-of", "soon"), 2, "--as-of is 'soon'; write a day as YYYY-MM-DD"),
        (
            ("rate", "--rulebook", "liyujiang", "FILE", "--as-of", "2026-01-01", "--known-at", "now"),
            2,
            "--known-at is 'now'; write",
        ),
        (("rate", "--rulebook", "liyujiang", "BAD", "--as-of", "2026-01-01"), 1, "line 2: this is not JSON"),
        (("rate", "--rulebook", "CUT", "FILE", "--as-of", "2026-01-01"), 1, "no section 'rulebook' says which regime this is"),
        (("replay", "--sequence", "--as-of", "2026-01-01"), 2, "leave out --as-of"),
        (("replay", "--regime", "fhrs", "--rulebook-file", "OWN"), 2, "is a rulebook of liyujiang, not of fhrs"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_code(facts: Path, tmp_path: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(facts.read_bytes().splitlines()[0] + b"\n{\n")
    named = {"FILE": str(facts), "BAD": str(bad), "CUT": str(RULEBOOKS / "liyujiang" / "grades.yaml"), "OWN": str(RULEBOOKS / "liyujiang")}
    done = run(*(named.get(word, word) for word in words))
    assert (code, "") == (done.exit_code, done.stdout)
    assert sentence in done.stderr and "Traceback" not in done.stderr


def test_a_replay_without_kafka_says_so() -> None:
    with reserved_ports() as ports:
        done = run("replay", "--kafka", f"127.0.0.1:{ports.base}")
    assert 5 == done.exit_code
    assert "nothing answers as Kafka at 127.0.0.1:" in done.stderr
