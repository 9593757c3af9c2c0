"""New York City's published inspections worked out again: every official letter but one, by the rows, the importer and the fold that
the services use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from services._cli.agreement import PASSED_OVER, Agreement, Case, agreement, cases
from services._cli.importing import read_rows
from services.intake.importers import nyc
from tests.cases.ledger import book

# Letters that the register gives without a score or a pending grade, and the inspections that have them.
GRADED, GRADED_LINES, DIFFERING = 1891, 1925, 1
PENDING = {"P": 19, "Z": 59}


@pytest.fixture(scope="module")
def worked_out(shared: Path) -> list[Case]:
    rows, refused = read_rows(shared / "data" / "nyc_restaurants.csv", nyc)
    assert refused == []
    return list(cases(rows, book("nyc").rulebook))


def test_1890_of_1891_official_letters_are_reproduced_at_their_inspection(shared: Path) -> None:
    rows, _ = read_rows(shared / "data" / "nyc_restaurants.csv", nyc)
    found: Agreement = agreement(rows, book("nyc").rulebook)
    assert (GRADED, GRADED_LINES) == (found.graded, found.graded_lines)
    assert (GRADED - DIFFERING, GRADED_LINES - DIFFERING, 0) == (found.agreed, found.agreed_lines, found.unscored)
    (other,) = found.differing
    assert ((2015,), "50088385", "2023-03-01", "B", "C", "c_points") == (
        other.lines,
        other.premises,
        other.on,
        other.official,
        other.ours,
        other.rule,
    )
    assert "Re-inspection of 2023-03-01: 38 points, more than 27." == other.en


def test_every_letter_is_decided_by_the_rule_that_its_inspection_calls_for(worked_out: list[Case]) -> None:
    by_rule = Counter((one.official, one.rule) for one in worked_out if one.official in ("A", "B", "C"))
    assert {
        ("A", "a_points"): 1480,
        ("B", "b_points"): 235,
        ("B", "c_points"): 1,
        ("C", "c_points"): 163,
        # Premises open again: of one the closing re-inspection is in the file, of the others it isn't.
        ("C", "reopened_c"): 1,
        ("C", "reopened_unrecorded"): 11,
    } == by_rule


def test_no_grade_is_shown_where_the_register_says_that_it_is_pending(worked_out: list[Case]) -> None:
    for letter, number in PENDING.items():
        assert {"grade_pending": number} == Counter(one.ours for one in worked_out if one.official == letter)


def test_an_inspection_that_is_not_yet_graded_gives_no_letter_above_a(worked_out: list[Case]) -> None:
    assert {"awaiting_reinspection": 114, "closed_by_order": 6, PASSED_OVER: 13, "A": 1} == Counter(
        one.ours for one in worked_out if one.official == "N"
    )


def test_where_the_register_has_no_word_the_rulebook_mostly_says_why(worked_out: list[Case]) -> None:
    """An A comes of points that the tribunal lowered afterwards, a C of a re-opening whose closing inspection is not in the file."""
    silent = Counter((one.ours, one.rule) for one in worked_out if not one.official)
    assert {
        ("awaiting_reinspection", "initial_above_a"): 1488,
        ("closed_by_order", "ordered_closed"): 135,
        (PASSED_OVER, ""): 310,
        ("A", "a_points"): 54,
        ("C", "reopened_unrecorded"): 4,
    } == silent
