"""Shenzhen's grades for pharmacies as sentences, on each side of every boundary. R-numbers are the rulebook's readings."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act

ON = "2026-02-01"


def pharmacy(started: str | None = "2010-03-01") -> Ledger:
    """A pharmacy that has been open for years."""
    ledger = Ledger("shenzhen-pharmacy")
    ledger.registered("2010-03-01")
    if started:
        ledger.started(started)
    return ledger


def evaluated(ledger: Ledger, year: int = 2025, on: str = ON) -> tuple[str, tuple[str, ...]]:
    """The year's evaluation: grade or status, and the rules that hold."""
    ledger.evaluated(year, on=on)
    found = ledger.now()
    assert found is not None
    return found.grade or found.status, tuple(reason.rule for reason in found.reasons)


# 第十条, R1: each mark, the number itself, just below and just above it
@pytest.mark.parametrize(
    ("score", "grade", "rule"),
    [
        ("10", "A", "trustworthy"),
        ("9.99", "B", "cautioned"),
        ("9", "B", "cautioned"),
        ("8.01", "B", "cautioned"),
        ("8", "B", "cautioned"),
        ("7.99", "C", "discredited"),
        ("7", "C", "discredited"),
        ("6", "C", "discredited"),
        ("5.01", "C", "discredited"),
        ("5", "C", "discredited"),
        ("4.99", "D", "seriously_discredited"),
        ("4", "D", "seriously_discredited"),
        ("0", "D", "seriously_discredited"),
    ],
)
def test_at_a_mark_the_better_grade_holds(score: str, grade: str, rule: str) -> None:
    ledger = pharmacy()
    ledger.scored(2025, score, maximum="10")
    assert (grade, (rule,)) == evaluated(ledger)


# R3
@pytest.mark.parametrize(("score", "grade"), [("100", "A"), ("99.99", "B"), ("80", "B"), ("79.99", "C"), ("50", "C"), ("49.99", "D")])
def test_a_score_out_of_a_hundred_is_compared_in_proportion(score: str, grade: str) -> None:
    ledger = pharmacy()
    ledger.scored(2025, score, maximum="100")
    assert grade == evaluated(ledger)[0]


@pytest.mark.parametrize(("first", "second", "grade"), [("10", "7", "A"), ("7", "10", "C")])
def test_of_two_final_scores_the_first_entered_is_used(first: str, second: str, grade: str) -> None:
    ledger = pharmacy()
    ledger.scored(2025, first, maximum="10")
    ledger.scored(2025, second, maximum="10", on="2025-12-28")
    assert (grade, "several_scores") == (evaluated(ledger)[0], ledger.now().reasons[-1].rule)


# 第十条: the evaluated year, and the day of its evaluation
@pytest.mark.parametrize(("year", "grade"), [(2024, "not_yet_evaluated"), (2025, "C"), (2026, "not_yet_evaluated")])
def test_the_score_of_the_evaluated_year_counts_and_no_other(year: int, grade: str) -> None:
    ledger = pharmacy()
    ledger.scored(year, "7", maximum="10", on=ON)
    assert grade == evaluated(ledger)[0]


@pytest.mark.parametrize(("day", "grade"), [("2026-01-31", "not_yet_evaluated"), ("2026-02-01", "A"), ("2026-02-02", "A")])
def test_the_grade_begins_on_the_day_of_the_evaluation(day: str, grade: str) -> None:
    ledger = pharmacy()
    ledger.scored(2025, "10", maximum="10")
    ledger.evaluated(2025, on=ON)
    ledger.day_closed("2026-03-01")
    assert grade == ledger.grade(day)


# R2: nothing is guessed
def test_without_a_score_the_grade_stays() -> None:
    ledger = pharmacy()
    ledger.scored(2024, "8", maximum="10")
    ledger.evaluated(2024, on="2025-02-01")
    assert ("B", ("cautioned", "grade_stays")) == evaluated(ledger)


def test_a_penalty_moves_no_grade_before_it_is_in_the_years_score() -> None:
    ledger = pharmacy()
    ledger.scored(2025, "10", maximum="10")
    ledger.evaluated(2025, on=ON)
    ledger.fined("2026-03-01")
    assert "A" == ledger.grade()


# R4: who takes part
@pytest.mark.parametrize(("started", "grade"), [("2025-12-30", "A"), ("2025-12-31", "A"), ("2026-01-01", "new"), (None, "A")])
def test_who_had_begun_by_the_years_end_takes_part(started: str | None, grade: str) -> None:
    ledger = pharmacy(started)
    ledger.scored(2025, "10", maximum="10", on="2026-01-05")
    assert grade == evaluated(ledger)[0]


# R5: a status instead of a grade
@pytest.mark.parametrize(("reason", "status"), [("closed", "closed"), ("deregistered", "closed"), ("licence_revoked", "licence_revoked")])
@pytest.mark.parametrize(("day", "over"), [("2026-03-09", False), ("2026-03-10", True), ("2026-03-11", True)])
def test_who_has_closed_has_a_status_and_no_grade(reason: str, status: str, day: str, over: bool) -> None:
    ledger = pharmacy()
    ledger.scored(2025, "10", maximum="10")
    ledger.evaluated(2025, on=ON)
    ledger.closed("2026-03-10", reason)
    ledger.day_closed("2026-03-20")
    assert (status if over else "A") == ledger.grade(day)


@pytest.mark.parametrize(
    ("kind", "field", "status"), [("permit_revoked", "drug", "permit_revoked"), ("business_licence_revoked", "trade", "licence_revoked")]
)
def test_who_lost_its_papers_has_a_status_and_no_grade(kind: str, field: str, status: str) -> None:
    ledger = pharmacy()
    ledger.scored(2025, "10", maximum="10")
    ledger.evaluated(2025, on=ON)
    ledger.penalised("2026-03-10", act(kind, field=field))
    assert status == ledger.grade()


def test_the_reason_says_the_score_and_its_marks() -> None:
    ledger = pharmacy()
    ledger.scored(2025, "8.5", maximum="10")
    ledger.evaluated(2025, on=ON)
    (reason,) = ledger.now().reasons
    assert reason.en == "The score for 2025-01-01 to 2025-12-31 is 8.5, at or above 8 and below 10."
    assert reason.zh == "2025-01-01 至 2025-12-31 的信用得分为 8.5，达到 8 分而不到 10 分。"
    assert [("score", "8.5", "≥ 8 < 10")] == [(one.name, one.value, one.bound) for one in reason.numbers]
