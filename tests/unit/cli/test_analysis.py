"""``mingjian simulate`` and ``mingjian quality`` from the command line: what they print, and what they refuse with which code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services._cli.main import app
from tests.cases.ledger import RULEBOOKS
from tests.unit.rating.analysis.made import Made, copy_of, subject
from tests.unit.rating.analysis.test_simulation import TO_97, made_town

MADE, MOVING = made_town(2)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return MADE.file(tmp_path / "events.jsonl")


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "my scores.yaml"
    path.write_bytes(copy_of("scores.yaml", TO_97))
    return path


def run(*words: object, **more: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in words], **more)  # type: ignore[arg-type]


def moved(result: Result) -> set[str]:
    assert 0 == result.exit_code, result.output
    return {one["subject"] for one in json.loads(result.stdout)["moves"]}


def test_a_changed_copy_of_one_file_names_exactly_those_who_move(events: Path, scores: Path) -> None:
    assert moved(run("simulate", "--rulebook-file", scores, events, "--json")) == MOVING


def test_a_changed_copy_of_the_whole_folder_does_too(events: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new rules"
    shutil.copytree(RULEBOOKS / "liyujiang", folder)
    (folder / "scores.yaml").write_bytes(copy_of("scores.yaml", TO_97))
    result = run("simulate", "--rulebook-file", folder, events, "--json")
    assert moved(result) == MOVING
    assert json.loads(result.stdout)["new"]["replaced_file"] is None


def test_the_events_may_come_by_standard_input(scores: Path) -> None:
    lines = b"\n".join(MADE.lines)
    assert moved(run("simulate", "--rulebook-file", scores, "-", "--json", input=lines)) == MOVING


def test_another_rulebook_may_be_compared_with(events: Path, scores: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(RULEBOOKS / "liyujiang", folder)
    (folder / "scores.yaml").write_bytes(copy_of("scores.yaml", TO_97))
    assert set() == moved(run("simulate", "--rulebook-file", scores, events, "--rulebook", folder, "--json"))


def test_what_became_known_later_is_left_out_where_it_is_asked(scores: Path, tmp_path: Path) -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01")
    made.scored(subject(1), 2025, "97.5")
    made.evaluated(2025)
    made.fined(subject(1), "2026-02-01")
    events = made.file(tmp_path / "few.jsonl")
    assert set() == moved(run("simulate", "--rulebook-file", scores, events, "--json"))
    assert {subject(1)} == moved(run("simulate", "--rulebook-file", scores, events, "--json", "--known-at", "2026-01-31"))
    assert {subject(1)} == moved(run("simulate", "--rulebook-file", scores, events, "--json", "--as-of", "2026-01-31"))
    assert set() == moved(run("simulate", "--rulebook-file", scores, events, "--json", "--as-of", "2026-01-31", "--known-at", "2026-01-01"))


def test_it_says_what_was_compared_with_what_and_writes_the_page(events: Path, scores: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = run("simulate", "--rulebook-file", scores, events, "--html", page)
    assert 0 == result.exit_code
    assert "rulebooks/liyujiang (liyujiang 2026.1" in result.output and "my scores.yaml in place of scores.yaml" in result.output
    assert f"{len(MOVING)} of 80 subjects move" in result.output
    assert "<!doctype html>" in page.read_text(encoding="utf-8")


Bad = Callable[[Path], list[object]]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (lambda tmp: ["--rulebook-file", tmp / "none.yaml", tmp / "events.jsonl"], 2, "there is no file or folder"),
        (
            lambda tmp: ["--rulebook-file", RULEBOOKS / "fhrs", tmp / "events.jsonl", "--rulebook", "liyujiang"],
            2,
            "two editions of one regime",
        ),
        (
            lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "events.jsonl", "--rulebook", "fhrs"],
            2,
            "no file of the topic 'scores'",
        ),
        (
            lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "events.jsonl", "--rulebook", "nowhere"],
            2,
            "use one of fhrs, liyujiang",
        ),
        (lambda tmp: ["--rulebook-file", tmp / "broken.yaml", tmp / "events.jsonl"], 1, "broken.yaml:9: "),
        (lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "broken.jsonl"], 1, "broken.jsonl, line 2: "),
        (lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "empty.jsonl"], 2, "holds no event"),
        (lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "nothing.jsonl"], 2, "nothing.jsonl can't be read"),
        (lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", "--kafka", "127.0.0.1:9"], 5, "nothing answers as Kafka at 127.0.0.1:9"),
        (lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "events.jsonl", "--as-of", "2026-02-30"], 2, "--as-of 2026-02-30"),
        (lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "events.jsonl", "--known-at", "soon"], 2, "--known-at soon"),
        (lambda tmp: ["--rulebook-file", tmp / "my scores.yaml", tmp / "events.jsonl", "--known-at", "2001-01-01"], 2, "was known by then"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_one_sentence(
    given: Bad, code: int, words: str, events: Path, scores: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_bytes(copy_of("scores.yaml", ("value: 98", "value: yes")))
    (tmp_path / "broken.jsonl").write_bytes(MADE.lines[0] + b"\n{]\n")
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    result = run("simulate", *given(tmp_path))
    assert code == result.exit_code, result.output
    assert words in result.stderr
    assert 1 == len(result.stderr.strip().splitlines())
    assert "" == result.stdout


def test_a_new_rulebook_of_a_regime_that_is_not_in_use_is_refused(events: Path, tmp_path: Path) -> None:
    here = tmp_path / "in use"
    shutil.copytree(RULEBOOKS / "fhrs", here / "fhrs")
    result = run("simulate", "--rulebook-file", RULEBOOKS / "liyujiang", events, "--rulebooks", here)
    assert 2 == result.exit_code
    assert "none of that regime is in use here (fhrs)" in result.stderr


def test_quality_writes_its_page_and_its_figures(events: Path, tmp_path: Path) -> None:
    page, figures = tmp_path / "q.html", tmp_path / "q.json"
    result = run("quality", "--rulebook", "liyujiang", events, "--html", page, "--json", figures)
    assert 0 == result.exit_code, result.output
    data = json.loads(figures.read_text(encoding="utf-8"))
    assert [80] == [one["subjects"] for one in data["cohorts"]]
    assert "twelve months after it are over yet" in result.output
    assert "<!doctype html>" in page.read_text(encoding="utf-8")
    assert data == json.loads(run("quality", "--rulebook", "liyujiang", events, "--json", "-").stdout)


def test_quality_by_an_unknown_rulebook_is_refused(events: Path) -> None:
    result = run("quality", "--rulebook", "nowhere", events)
    assert 2 == result.exit_code and "use one of fhrs, liyujiang" in result.stderr
