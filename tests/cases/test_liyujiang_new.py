"""三(三): new enterprises (R4); missing, contradicting and other scores (R5, R9, R15)."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act, shop

pytestmark = pytest.mark.clause("三(三)", "R4")


# R4
@pytest.mark.parametrize(("started", "grade"), [("2024-12-31", "A"), ("2025-01-01", "A"), ("2025-01-02", "new")])
def test_a_full_year_must_lie_before_the_periods_end_or_within_it(started: str, grade: str) -> None:
    ledger = shop(started)
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.parametrize(("until", "grade"), [("2025-01-31", "A"), ("2025-02-01", "A"), ("2025-02-02", "new")])
def test_days_of_interruption_do_not_count(until: str, grade: str) -> None:
    """Started on 1 December 2024, complete on 30 November; 31 days of interruption move that to 31 December."""
    ledger = shop("2024-12-01")
    ledger.interrupted("2025-01-01", until)
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.parametrize(
    ("first_until", "second", "grade"),
    [
        ("2025-01-31", ("2025-01-10", "2025-01-11"), "A"),
        ("2025-02-01", ("2025-01-10", "2025-01-11"), "A"),
        ("2025-02-02", ("2025-01-10", "2025-01-11"), "new"),
        ("2025-01-20", ("2025-01-10", "2025-02-01"), "A"),
        ("2025-01-20", ("2025-01-10", "2025-02-02"), "new"),
        ("2025-01-20", ("2025-01-10", None), "new"),
    ],
)
def test_interruptions_that_overlap_are_one(first_until: str, second: tuple[str, str | None], grade: str) -> None:
    """Started on 1 December 2024: interrupted for 31 days, the year is complete on 31 December."""
    ledger = shop("2024-12-01")
    ledger.interrupted("2025-01-01", first_until)
    ledger.interrupted(*second)
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


def test_an_interruption_ends_with_the_next_start() -> None:
    ledger = shop("2024-12-01")
    ledger.interrupted("2025-01-01")
    ledger.started("2025-02-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert "A" == ledger.grade()


def test_an_open_interruption_keeps_an_enterprise_new() -> None:
    ledger = shop("2024-12-01")
    ledger.interrupted("2025-01-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert "new" == ledger.grade()


def test_an_interruption_after_the_full_year_changes_nothing() -> None:
    ledger = shop("2020-01-01")
    ledger.interrupted("2025-01-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert "A" == ledger.grade()


def test_without_a_start_on_record_an_enterprise_is_treated_as_new() -> None:
    ledger = Ledger()
    ledger.registered("2010-03-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert "new" == ledger.grade()


def test_before_the_first_evaluation_an_enterprise_is_new_then_not_yet_evaluated() -> None:
    ledger = shop("2025-03-01")
    assert ["new", "new", "not_yet_evaluated"] == [ledger.grade(day) for day in ("2025-03-01", "2026-02-27", "2026-02-28")]


@pytest.mark.parametrize("entered", ["warned", "inspected", "ordered"])
def test_a_violation_grades_a_new_enterprise_all_the_same(entered: str) -> None:
    ledger = shop("2025-03-01")
    {
        "warned": lambda: ledger.warned("2025-06-01"),
        "inspected": lambda: ledger.inspected("2025-06-01", found=("GSP-03",)),
        "ordered": lambda: ledger.ordered("2025-06-01"),
    }[entered]()
    assert ["new", "C", "C"] == [ledger.grade(day) for day in ("2025-05-31", "2025-06-01", "2025-06-02")]


def test_a_new_enterprise_with_a_violation_meets_the_score_bands_at_the_evaluation() -> None:
    ledger = shop("2025-03-01")
    ledger.inspected("2025-06-01", found=("GSP-03",))
    ledger.scored(2025, "75")
    ledger.evaluated(2025)
    assert "D" == ledger.grade()


def test_a_new_enterprise_without_a_violation_is_not_graded_by_its_score() -> None:
    ledger = shop("2025-03-01")
    ledger.scored(2025, "75")
    ledger.evaluated(2025)
    assert "new" == ledger.grade()


def test_a_new_enterprise_that_was_fined_is_d_at_once() -> None:
    ledger = shop("2025-03-01")
    ledger.fined("2025-06-01")
    assert "D" == ledger.grade()


# R5, R9
@pytest.mark.clause("三(二)1", "R5", "R9")
def test_without_a_final_score_the_grade_stays_and_says_so() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.scored(2025, "60", final=False)
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None and found.in_force_from is not None
    assert ("A", "2025-01-15") == (found.grade, found.in_force_from.isoformat())
    assert "R5" in found.readings


@pytest.mark.clause("三(二)1", "R5", "R9")
def test_a_missing_score_is_never_full_marks() -> None:
    ledger = shop()
    ledger.evaluated(2025)
    assert "not_yet_evaluated" == ledger.grade()


@pytest.mark.clause("三(二)1", "R5", "R9")
def test_without_a_final_score_a_condition_that_needs_none_still_lowers() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.warned("2025-06-01")
    ledger.evaluated(2025)
    assert "C" == ledger.grade()


@pytest.mark.clause("三(二)1", "R5", "R9")
def test_without_a_final_score_nothing_rises() -> None:
    ledger = shop()
    ledger.fined("2024-06-01")
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.evaluated(2025)
    assert "D" == ledger.grade()


@pytest.mark.clause("三(二)1", "R5", "R9")
def test_the_years_final_score_counts_and_not_the_latest_entry() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.scored(2025, "60", final=False, on="2025-12-28")
    ledger.evaluated(2025)
    assert "A" == ledger.grade()


@pytest.mark.clause("三(二)1", "R5", "R9")
def test_of_two_contradicting_finals_the_first_is_used() -> None:
    ledger = shop()
    ledger.scored(2025, "91")
    ledger.scored(2025, "99", on="2025-12-28")
    ledger.evaluated(2025)
    assert "B" == ledger.grade()


@pytest.mark.clause("三(二)1", "R5", "R9")
def test_a_score_of_another_year_says_nothing() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2025)
    assert "not_yet_evaluated" == ledger.grade()


# R4: what an enterprise got while it was new, and when it no longer is
def test_a_grade_that_a_violation_gave_stays_while_the_enterprise_is_still_new() -> None:
    ledger = shop("2024-06-01")
    ledger.penalised("2024-09-01", act("suspension_ordered"))
    ledger.evaluated(2024)
    ledger.interrupted("2025-01-01")
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None
    assert ("E", ["e_stopped", "grade_stays"]) == (found.grade, [one.rule for one in found.reasons])
    ledger.scored(2026, "99")
    ledger.evaluated(2026)
    assert "E" == ledger.grade()


@pytest.mark.parametrize(
    ("started", "status"), [("2024-12-31", "not_yet_evaluated"), ("2025-01-01", "not_yet_evaluated"), ("2025-01-02", "new")]
)
def test_without_a_score_an_enterprise_stops_being_new_once_its_year_lies_in_the_period(started: str, status: str) -> None:
    ledger = shop(started)
    ledger.evaluated(2024, on="2025-01-15")
    ledger.evaluated(2025)
    assert status == ledger.grade()


@pytest.mark.parametrize(
    ("day", "found"),
    [
        ("2026-02-27", ("new", "2025-03-01")),
        ("2026-02-28", ("not_yet_evaluated", "2026-02-28")),
        ("2026-03-01", ("not_yet_evaluated", "2026-02-28")),
    ],
)
def test_being_new_ends_with_the_day_that_completes_the_year(day: str, found: tuple[str, str]) -> None:
    standing = shop("2025-03-01").on(day)
    assert standing is not None and found == (standing.status, str(standing.in_force_from))


@pytest.mark.parametrize(("field", "grade"), [("drug", "D"), ("device", "D"), ("price", "new"), ("food", "new")])
def test_only_a_violation_of_drug_or_device_law_makes_a_new_enterprise_gradable(field: str, grade: str) -> None:
    ledger = shop("2025-03-01")
    ledger.warned("2025-06-01", field=field)
    ledger.scored(2025, "75")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


# R15: other full marks
@pytest.mark.clause("R15")
@pytest.mark.parametrize(
    ("total", "maximum", "grade"),
    [
        ("196", "200", "A"),
        ("195.99", "200", "B"),
        ("180", "200", "B"),
        ("179.99", "200", "C"),
        ("120", "200", "E"),
        ("45", "50", "B"),
        ("269.99", "300", "C"),
        ("270", "300", "B"),
        ("0", "0", "not_yet_evaluated"),
    ],
)
def test_a_score_out_of_other_full_marks_counts_in_proportion(total: str, maximum: str, grade: str) -> None:
    ledger = shop()
    ledger.scored(2025, total, maximum=maximum)
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None and grade == (found.grade or found.status)
    assert ("R15" in found.readings) == (maximum != "0")


@pytest.mark.clause("R15")
def test_a_score_out_of_a_hundred_says_nothing_of_proportion() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None
    assert ["a_exemplary"] == [one.rule for one in found.reasons]


@pytest.mark.clause("R15")
def test_two_finals_are_named_in_the_explanation() -> None:
    ledger = shop()
    ledger.scored(2025, "91")
    ledger.scored(2025, "60", on="2025-12-28")
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None
    assert ("B", ["b_compliant", "several_scores"]) == (found.grade, [one.rule for one in found.reasons])
    assert "2 final scores" in found.reasons[-1].en and "91" in found.reasons[-1].zh and ("R9",) == found.reasons[-1].readings
    assert 2 == len(found.reasons[-1].decisive)
