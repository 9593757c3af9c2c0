"""What a better grade would take: conditions that were near, and the earliest day on which each better grade is possible."""

from __future__ import annotations

from datetime import date

import pytest

from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS
from services.rating.domain.outlook import better, near
from services.rating.domain.subject import Subject
from tests.cases.ledger import Ledger, shop


def asked(ledger: Ledger, day: str) -> tuple[list[tuple[str, str]], list[tuple[str, str, str, str]]]:
    """Better grades with their days, near conditions with value and bound, as of a day."""
    subject, controls = Subject(ledger.subject, 3), Controls()
    for fact in ledger.facts:
        controls.apply(fact) if fact.name in CONTROLS else subject.apply(fact)
    found = ledger.on(day)
    assert found is not None
    about = (subject, controls, ledger.book, found)
    when = {"upto": ledger.offset, "as_of": date.fromisoformat(day)}
    reached = [(one.grade, one.on.isoformat()) for one in better(*about, **when)]
    return reached, [(one.grade, one.condition, one.value, one.bound) for one in near(*about, **when)]


@pytest.mark.clause("三(二)1(1)", "三(二)1(2)", "R11")
def test_after_a_fine_b_comes_with_a_clean_year_and_a_after_three() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.fined("2025-06-10")
    reached, _ = asked(ledger, "2025-06-11")
    assert [("C", "2027-01-01"), ("B", "2027-01-01"), ("A", "2029-01-01")] == reached


@pytest.mark.clause("三(二)1(1)", "R1")
@pytest.mark.parametrize(("score", "missed"), [("97.5", [("A", "score", "97.5", "98")]), ("98", [])])
def test_a_score_that_alone_was_too_low_is_near(score: str, missed: list[tuple[str, str, str, str]]) -> None:
    ledger = shop()
    ledger.scored(2024, score)
    ledger.evaluated(2024)
    assert missed == asked(ledger, "2025-01-15")[1]


@pytest.mark.clause("三(二)1(1)", "R3")
def test_a_penalty_that_alone_stands_in_the_way_is_near_with_its_window() -> None:
    ledger = shop()
    ledger.fined("2023-05-04")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    reached, missed = asked(ledger, "2026-01-15")
    assert [("A", "no_acts", "2023-05-04", "2023-01-01")] == missed
    assert [("A", "2027-01-01")] == reached


@pytest.mark.clause("三(三)", "R4")
@pytest.mark.parametrize(("started", "on"), [("2025-01-01", "2026-01-01"), ("2025-01-02", "2027-01-01")])
def test_a_new_enterprise_waits_for_its_full_year(started: str, on: str) -> None:
    reached, _ = asked(shop(started), "2025-02-01")
    assert ("A", on) == reached[-1]


def test_an_entered_score_is_not_assumed_better() -> None:
    ledger = shop()
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.scored(2025, "96")
    assert [("A", "2027-01-01")] == asked(ledger, "2026-01-02")[0]


def test_the_best_grade_and_an_ended_enterprise_have_nothing_better() -> None:
    best, closed = shop(), shop()
    for one in (best, closed):
        one.scored(2024, "99")
        one.evaluated(2024)
    closed.closed("2025-03-01")
    assert ([], []) == asked(best, "2025-01-15") == asked(closed, "2025-03-01")


def test_whoever_reaches_the_day_and_the_score_gets_the_grade() -> None:
    """The promise kept: what was said to be possible comes about when nothing more happens and the score is full."""
    ledger = shop()
    ledger.scored(2024, "85")
    ledger.evaluated(2024)
    ledger.warned("2025-03-01")
    reached, _ = asked(ledger, "2025-03-02")
    for year in range(2025, 2029):
        ledger.scored(year, "100")
        ledger.evaluated(year, on=f"{year + 1}-01-01")
    for grade, on in reached:
        shown = ledger.grade(on)
        assert shown is not None and shown <= grade
        before = ledger.grade(f"{int(on[:4]) - 1}-12-31")
        assert before is not None and before > grade


@pytest.mark.clause("三(三)", "R4")
@pytest.mark.parametrize(("until", "complete"), [("2025-03-01", "2026-02-19"), (None, None)])
def test_the_day_of_a_full_year_is_named_where_it_is_known(until: str | None, complete: str | None) -> None:
    ledger = shop("2025-02-01")
    ledger.interrupted("2025-02-10", until)
    ledger.scored(2025, "98")
    ledger.evaluated(2025)
    reached, missed = asked(ledger, "2026-01-15")
    assert ([(grade, "operated_for", complete, "2025-12-31") for grade in "AB"] if complete else []) == missed
    assert ([("A", "2027-01-01")] if complete else []) == reached, "no grade is stepped over on the way to the first"
