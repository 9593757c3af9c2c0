"""五(四) ¶4, R7: penalties of other departments lower the existing grade by a step, until the evaluation of their own period."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act, shop

pytestmark = pytest.mark.clause("五(四) ¶4", "R7")


def graded(score: str = "99", year: int = 2024) -> Ledger:
    """A shop with a grade from the year's evaluation on 15 January."""
    ledger = shop()
    ledger.scored(year, score)
    ledger.evaluated(year)
    return ledger


def grades(ledger: Ledger, *days: str) -> list[str | None]:
    return [ledger.grade(day) for day in days]


def test_a_step_from_the_day_of_service_on() -> None:
    ledger = graded()
    ledger.other_department("2025-06-02", served="2025-06-10")
    assert ["A", "B", "B"] == grades(ledger, "2025-06-09", "2025-06-10", "2025-06-11")
    found = ledger.now()
    assert found is not None and (found.moment, str(found.in_force_from)) == ("immediate", "2025-06-10")
    assert ("五(四) ¶4", "R7" in found.readings) == (found.clauses[0], True)
    assert "A 降 1 级为 B" in found.reasons[0].zh and "by 1, from A to B" in found.reasons[0].en
    assert "a_exemplary" in {reason.rule for reason in found.reasons}, "what was lowered stays part of the explanation"


def test_unserved_it_has_no_effect() -> None:
    ledger = graded()
    waiting = ledger.other_department("2025-06-02", served=None)
    assert "A" == ledger.grade("2025-07-01")
    ledger.served(waiting, "2025-07-10")
    assert ["A", "B"] == grades(ledger, "2025-07-09", "2025-07-10")


@pytest.mark.parametrize(("score", "after"), [("99", "B"), ("95", "C"), ("85", "D"), ("75", "E"), ("60", "E")])
def test_one_step_and_never_below_the_worst(score: str, after: str) -> None:
    ledger = graded(score)
    ledger.other_department("2025-06-02")
    assert after == ledger.grade("2025-06-02")


def test_each_decision_is_a_step_and_its_acts_are_one() -> None:
    ledger = graded()
    ledger.other_department("2025-06-02", act("fine", field="price"), act("warning", field="trade"), number="J-1")
    assert "B" == ledger.grade("2025-06-03")
    ledger.other_department("2025-06-04", act("fine", field="price"), number="J-2")
    assert "C" == ledger.grade("2025-06-04")
    ledger.other_department("2025-06-04", act("fine", field="price"), number="J-3")
    assert "D" == ledger.grade("2025-06-04")


def test_two_decisions_on_one_day_are_two_steps() -> None:
    ledger = graded()
    ledger.other_department("2025-06-02", number="J-1")
    ledger.other_department("2025-06-02", number="J-2")
    assert ["A", "C"] == grades(ledger, "2025-06-01", "2025-06-02")


def test_a_decision_that_two_offices_enter_counts_once_and_one_of_the_same_number_elsewhere_counts() -> None:
    ledger = graded()
    ledger.other_department("2025-06-02", number="J-1")
    ledger.source = "/departments/drug/offices/section"
    ledger.other_department("2025-06-02", number="J-1")
    assert "B" == ledger.grade("2025-06-03")
    ledger.other_department("2025-06-04", number="J-1", authority="样例市医疗保障局")
    assert "C" == ledger.grade("2025-06-04")


@pytest.mark.parametrize(
    ("field", "after"),
    [
        ("price", "B"),
        ("trade", "B"),
        ("family_planning", "B"),
        ("medical_insurance", "B"),
        ("public_security", "B"),
        ("food", "B"),
        ("cosmetics", "B"),
        ("other", "B"),
        ("drug", "D"),
        ("device", "D"),
    ],
)
def test_the_legal_field_decides_and_not_the_agency(field: str, after: str) -> None:
    theirs, ours = graded(), graded()
    theirs.other_department("2025-06-02", act("fine", field=field))
    ours.fined("2025-06-02", field=field)
    assert [after, after] == [theirs.grade("2025-06-02"), ours.grade("2025-06-02")]


def test_a_warning_of_another_field_is_a_penalty_and_an_order_is_none() -> None:
    ledger = graded()
    ledger.ordered("2025-06-02", field="price")
    assert "A" == ledger.grade("2025-06-02")
    ledger.warned("2025-06-03", field="price")
    assert "B" == ledger.grade("2025-06-03")


def test_until_the_evaluation_of_its_own_period() -> None:
    ledger = graded()
    ledger.other_department("2025-06-02")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert ["B", "A"] == grades(ledger, "2026-01-14", "2026-01-15")


def test_served_after_the_period_it_stays_through_that_periods_evaluation() -> None:
    """R10: of what was lowered and what the evaluation finds the worse holds; nothing is lowered twice."""
    ledger = graded()
    ledger.scored(2025, "95")
    ledger.other_department("2025-12-30", served="2026-01-05")
    ledger.evaluated(2025)
    assert ["A", "B", "B", "B"] == grades(ledger, "2026-01-04", "2026-01-05", "2026-01-14", "2026-01-15")
    ledger.scored(2026, "99")
    ledger.evaluated(2026)
    assert ["B", "A"] == grades(ledger, "2027-01-14", "2027-01-15")


@pytest.mark.parametrize(("served", "held"), [("2025-12-31", "A"), ("2026-01-01", "B"), ("2026-01-02", "B")])
def test_the_last_day_of_the_period_belongs_to_it(served: str, held: str) -> None:
    ledger = graded()
    ledger.scored(2025, "99")
    ledger.other_department("2025-12-30", served=served)
    ledger.evaluated(2025)
    assert held == ledger.grade("2026-01-15")


def test_a_step_and_a_condition_on_one_day_both_start_from_the_day_before() -> None:
    ledger = graded()
    ledger.fined("2025-06-02")
    ledger.other_department("2025-06-02")
    assert "D" == ledger.grade("2025-06-02")
    ledger.other_department("2025-06-03", number="J-9")
    assert ["D", "E"] == grades(ledger, "2025-06-02", "2025-06-03")


def test_a_step_before_a_condition_is_hidden_by_it() -> None:
    ledger = graded()
    ledger.other_department("2025-06-02")
    ledger.fined("2025-06-10")
    assert ["B", "D"] == grades(ledger, "2025-06-09", "2025-06-10")


def test_where_there_is_no_grade_there_is_nothing_to_lower() -> None:
    ledger = shop("2025-03-01")
    ledger.other_department("2025-06-02")
    assert "new" == ledger.grade("2025-06-02")
    ledger.fined("2025-07-01")
    assert "D" == ledger.grade("2025-07-01")


def test_annulled_it_never_was_and_repaired_it_ends() -> None:
    ledger = graded()
    first = ledger.other_department("2025-06-02", number="J-1")
    second = ledger.other_department("2025-06-20", number="J-2")
    assert ["B", "C"] == grades(ledger, "2025-06-19", "2025-06-20")
    ledger.annulled(first, "2025-07-01")
    assert ["A", "B"] == grades(ledger, "2025-06-19", "2025-06-20")
    ledger.repaired(second, "2025-08-01")
    assert ["B", "A"] == grades(ledger, "2025-07-31", "2025-08-01")


def test_without_a_score_the_lowered_grade_stays() -> None:
    ledger = graded()
    ledger.other_department("2025-06-02")
    ledger.evaluated(2025)
    assert "B" == ledger.grade("2026-01-15")


def test_many_decisions_cost_no_more_than_the_worst_grade() -> None:
    ledger = graded()
    for number in range(60):
        ledger.other_department("2025-06-02", number=f"J-{number}")
    assert "E" == ledger.grade("2025-06-02")
    found = ledger.now()
    assert found is not None and "等 60 件" in found.reasons[0].zh
