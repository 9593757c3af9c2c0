"""五(四) ¶4: evaluation (R10), up and down (R11), activation, and what the close of a day tells."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act, shop

pytestmark = pytest.mark.clause("五(四) ¶4", "R10", "R11")


# R10, R11
@pytest.mark.parametrize(("served", "grade"), [("2025-12-31", "D"), ("2026-01-01", "D"), ("2026-01-05", "D"), ("2026-01-15", "D")])
def test_a_fine_served_between_the_periods_end_and_the_evaluation_stays(served: str, grade: str) -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.scored(2025, "99")
    ledger.fined("2025-12-30", served=served)
    ledger.evaluated(2025)
    assert grade == ledger.grade()
    found = ledger.now()
    assert found is not None and found.in_force_from is not None
    assert ("2026-01-15" if served == "2025-12-31" else served) == found.in_force_from.isoformat()


def test_a_lowering_that_a_worse_grade_hid_is_told_from_the_evaluation_that_lifts_it() -> None:
    """E held until 19 January; that the fine of the 5th makes it D shows on the 20th only."""
    ledger = shop()
    ledger.penalised("2024-06-03", act("suspension_ordered"))
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.scored(2025, "95")
    ledger.fined("2026-01-05")
    ledger.evaluated(2025, on="2026-01-20")
    found = ledger.now()
    assert found is not None and ("D", "2026-01-20") == (found.grade, str(found.in_force_from))
    assert ["E", "D"] == [ledger.grade(day) for day in ("2026-01-19", "2026-01-20")]


def test_that_lowering_ends_with_the_evaluation_of_its_own_period_or_later() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.fined("2025-12-30", served="2026-01-05")
    ledger.evaluated(2025)
    ledger.scored(2026, "99")
    ledger.evaluated(2026)
    assert "D" == ledger.grade("2027-01-15")
    ledger.scored(2027, "99")
    ledger.evaluated(2027)
    assert ["D", "B"] == [ledger.grade("2028-01-14"), ledger.grade("2028-01-15")]


def test_a_serious_problem_lowers_at_once_and_a_clean_year_lifts_only_at_the_evaluation() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.penalised("2025-06-10", act("suspension_ordered"), served="2025-06-20")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.scored(2026, "99")
    ledger.evaluated(2026)
    days = ("2025-01-14", "2025-01-15", "2025-06-19", "2025-06-20", "2025-06-21", "2026-01-15", "2027-01-14", "2027-01-15")
    assert ["not_yet_evaluated", "A", "A", "E", "E", "E", "E", "B"] == [ledger.grade(day) for day in days]


def test_a_warning_lowers_an_evaluated_enterprise_only_at_the_evaluation() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.warned("2025-06-01")
    assert "A" == ledger.grade("2025-12-31")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert ["A", "C"] == [ledger.grade("2026-01-14"), ledger.grade("2026-01-15")]


def test_a_lesser_cause_does_not_lift_a_worse_grade() -> None:
    ledger = shop()
    ledger.penalised("2025-06-10", act("suspension_ordered"))
    ledger.fined("2025-07-01")
    found = ledger.now()
    assert found is not None and found.in_force_from is not None
    assert ("E", "2025-06-10") == (found.grade, found.in_force_from.isoformat())


def test_a_fine_entered_after_the_evaluation_re_rates_from_its_service() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.fined("2025-11-01", known="2026-03-01")
    assert ["not_yet_evaluated", "D", "D"] == [ledger.grade(day) for day in ("2025-10-31", "2025-11-01", "2026-01-15")]


def test_nothing_before_the_activations_date_lowers_at_once() -> None:
    ledger = Ledger(activated=False)
    ledger.activate(in_force_from="2020-01-01")
    ledger.opened("2010-03-01")
    ledger.fined("2019-12-31")
    assert "not_yet_evaluated" == ledger.grade("2020-01-01")
    ledger.fined("2020-01-01")
    assert "D" == ledger.grade()


# activation: the first one is go-live, a later one lifts nothing
@pytest.mark.clause("六", "R17")
def test_a_further_activation_leaves_a_standing_lowering_alone() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.fined("2026-03-01")
    before = len(ledger.told())
    ledger.activate(in_force_from="2026-06-01", on="2026-05-01")
    assert ["D", "D", "D"] == [ledger.grade(day) for day in ("2026-05-31", "2026-06-01", "2026-06-02")]
    ledger.inspected("2026-06-10")
    assert before == len(ledger.told())


@pytest.mark.clause("六", "R17")
@pytest.mark.parametrize(("day", "grade"), [("2025-12-31", "A"), ("2026-01-01", None), ("2026-01-02", None)])
def test_another_rulebook_takes_over_on_the_day_it_is_in_force_and_not_when_it_is_activated(day: str, grade: str | None) -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.activate(sha256="b" * 64, in_force_from="2026-01-01", on="2025-06-01")
    ledger.inspected("2025-06-10")
    assert grade == ledger.grade(day)


@pytest.mark.clause("六", "R17")
@pytest.mark.parametrize(("day", "grade"), [("2019-12-31", None), ("2020-01-01", "not_yet_evaluated"), ("2020-01-02", "not_yet_evaluated")])
def test_nothing_is_rated_before_the_first_rulebook_is_in_force(day: str, grade: str | None) -> None:
    ledger = Ledger(activated=False)
    ledger.activate(in_force_from="2020-01-01")
    ledger.opened("2010-03-01")
    assert grade == ledger.grade(day)


@pytest.mark.clause("六", "R17")
def test_what_was_told_before_is_named_when_an_activation_comes_in_between() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.activate(in_force_from="2026-02-01", on="2026-02-01")
    ledger.fined("2026-03-01")
    assert ("D", "A") == tuple(ledger.told()[-1].event["data"][name] for name in ("grade", "previous_grade"))


# R10: the evaluation's date
@pytest.mark.clause("五(四) ¶4", "R10")
@pytest.mark.parametrize(("day", "grade"), [("2027-01-14", "A"), ("2027-01-15", "B"), ("2027-01-16", "B")])
def test_an_evaluation_entered_ahead_of_its_date_acts_from_its_date(day: str, grade: str) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.scored(2026, "92", on="2026-12-20")
    ledger.evaluated(2026, known="2026-12-21")
    before = len(ledger.determined())
    ledger.inspected("2027-01-01")
    assert before == len(ledger.determined())
    ledger.inspected(day)
    assert grade == ledger.grade(day)
    told = ledger.determined()[before:]
    assert [grade] * (grade != "A") == [one.event["data"]["grade"] for one in told]


@pytest.mark.clause("五(四) ¶4", "R10")
def test_a_mistyped_date_keeps_its_evaluation_from_acting_and_no_other() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025, on="2126-01-15", known="2026-01-15")
    assert "not_yet_evaluated" == ledger.told()[-1].event["data"]["status"]
    ledger.evaluated(2025, on="2026-01-16")
    ledger.scored(2026, "72")
    ledger.evaluated(2026)
    assert ["A", "D"] == [one.event["data"]["grade"] for one in ledger.told()[-2:]]


@pytest.mark.clause("五(四) ¶4", "R10")
@pytest.mark.parametrize("day", ["2026-02-28", "2026-03-01", "2026-03-02"])
def test_an_older_period_that_is_evaluated_late_does_not_overrule_the_newer(day: str) -> None:
    ledger = shop()
    ledger.scored(2024, "60")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.evaluated(2024, on="2026-03-01")
    assert "A" == ledger.grade(day)


@pytest.mark.clause("五(四) ¶4", "R10")
@pytest.mark.parametrize(("day", "since"), [("2026-02-28", "2026-01-15"), ("2026-03-01", "2026-03-01"), ("2026-03-02", "2026-03-01")])
def test_of_two_evaluations_of_one_period_the_later_counts(day: str, since: str) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.evaluated(2025, on="2026-03-01")
    found = ledger.on(day)
    assert found is not None and ("A", since) == (found.grade, str(found.in_force_from))


# the close of a day tells what became due by it
@pytest.mark.clause("五(四) ¶4", "R10")
@pytest.mark.parametrize(
    ("through", "told"), [("2026-02-26", []), ("2026-02-27", ["not_yet_evaluated"]), ("2026-02-28", ["not_yet_evaluated"])]
)
def test_being_new_ends_on_its_day_though_nothing_is_entered(through: str, told: list[str]) -> None:
    ledger = shop("2025-03-01")
    before = len(ledger.determined())
    ledger.day_closed(through)
    assert told == [one.event["data"]["status"] for one in ledger.determined()[before:]]


@pytest.mark.clause("五(四) ¶4", "R10")
@pytest.mark.parametrize(("through", "told"), [("2027-01-13", []), ("2027-01-14", ["B"]), ("2027-01-15", ["B"])])
def test_an_evaluation_ahead_is_told_when_its_day_has_come(through: str, told: list[str]) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.scored(2026, "92", on="2026-12-20")
    ledger.evaluated(2026, known="2026-12-21")
    before = len(ledger.determined())
    ledger.day_closed(through)
    assert told == [one.event["data"]["grade"] for one in ledger.determined()[before:]]
