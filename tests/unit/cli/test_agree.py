"""``mingjian agree``: a published file beside the rulebook, without a stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_commands import mingjian
from tests.unit.cli.test_nyc_rows import GOOD, text

ROWS = (
    GOOD,
    GOOD | {"violation_code": "08A"},
    GOOD | {"camis": "50000002", "grade": "B", "score": "30", "inspection_type": "Cycle Inspection / Re-inspection"},
    GOOD | {"camis": "50000003", "score": ""},
    GOOD | {"camis": "50000004", "score": "x"},
    GOOD | {"camis": "50000005", "grade": "", "score": "20"},
)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "city.csv"
    path.write_text("".join(text(*ROWS)))
    return path


def test_it_counts_what_agrees_and_lists_what_differs_with_the_rule_that_decided(published: Path, tmp_path: Path) -> None:
    done = mingjian(tmp_path / "home", "agree", "nyc", str(published), MINGJIAN_LANG="en")
    assert done.returncode == 0, done.stderr
    assert "1 of 3 inspections with an official grade agree (2 of 4 lines)" in done.stdout
    assert "1 of the others were published without" in done.stdout
    assert (
        "line 4: 50000002 2024-05-01: official B, by the rulebook C; decided by c_points (24 RCNY ch. 23, scores and grades): "
        "Re-inspection of 2024-05-01: 30 points, more than 27." in done.stdout
    )
    assert "line 6 can't be read: SCORE 'x' is not a number of points" in done.stdout
    assert not (tmp_path / "home").exists()


def test_it_says_the_same_in_chinese(published: Path, tmp_path: Path) -> None:
    done = mingjian(tmp_path / "home", "agree", "nyc", str(published), MINGJIAN_LANG="zh")
    assert "3 次有公布等级的检查中 1 次一致（4 行中 2 行）" in done.stdout
    assert "公布 B，按规则 C；依据 c_points" in done.stdout and "2024-05-01 复查：违规分 30，超过 27。" in done.stdout


def test_as_json_it_gives_every_number(published: Path, tmp_path: Path) -> None:
    told = json.loads(mingjian(tmp_path / "home", "agree", "nyc", str(published), "--json").stdout)
    assert (3, 1, 4, 2, 1) == tuple(told[name] for name in ("graded", "agreed", "graded_lines", "agreed_lines", "unscored"))
    assert [([4], "c_points", "C")] == [(one["lines"], one["rule"], one["rulebook"]) for one in told["differing"]]
    assert {"official": "", "rulebook": "awaiting_reinspection", "inspections": 1} in told["pairs"]
    assert [6] == [one["line"] for one in told["refused"]]


def test_it_compares_the_other_format_too(shared: Path, tmp_path: Path) -> None:
    told = json.loads(mingjian(tmp_path / "home", "agree", "fhrs", str(shared / "data" / "fhrs_westminster.csv"), "--json").stdout)
    assert (4740, 4601, 139, []) == tuple(told[name] for name in ("graded", "agreed", "unscored", "differing"))


def test_another_format_is_refused_in_a_sentence(published: Path, tmp_path: Path) -> None:
    done = mingjian(tmp_path / "home", "agree", "paris", str(published))
    assert done.returncode == 2
    assert "there is no format 'paris'; known: fhrs, nyc" in done.stderr
