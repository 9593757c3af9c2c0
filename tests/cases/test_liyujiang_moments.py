"""三(三) and 五(四) ¶4: new enterprises (R4), missing scores (R5, R9), evaluation (R10), up and down (R11)."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act


def shop(started: str = "2010-03-01") -> Ledger:
    ledger = Ledger()
    ledger.opened(started)
    return ledger


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


def test_a_missing_score_is_never_full_marks() -> None:
    ledger = shop()
    ledger.evaluated(2025)
    assert "not_yet_evaluated" == ledger.grade()


def test_without_a_final_score_a_condition_that_needs_none_still_lowers() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.warned("2025-06-01")
    ledger.evaluated(2025)
    assert "C" == ledger.grade()


def test_without_a_final_score_nothing_rises() -> None:
    ledger = shop()
    ledger.fined("2024-06-01")
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.evaluated(2025)
    assert "D" == ledger.grade()


def test_the_years_final_score_counts_and_not_the_latest_entry() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.scored(2025, "60", final=False, on="2025-12-28")
    ledger.evaluated(2025)
    assert "A" == ledger.grade()


def test_of_two_contradicting_finals_the_first_is_used() -> None:
    ledger = shop()
    ledger.scored(2025, "91")
    ledger.scored(2025, "99", on="2025-12-28")
    ledger.evaluated(2025)
    assert "B" == ledger.grade()


def test_a_score_of_another_year_says_nothing() -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2025)
    assert "not_yet_evaluated" == ledger.grade()


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


@pytest.mark.parametrize(("day", "grade"), [("2025-12-31", "A"), ("2026-01-01", None), ("2026-01-02", None)])
def test_another_rulebook_takes_over_on_the_day_it_is_in_force_and_not_when_it_is_activated(day: str, grade: str | None) -> None:
    ledger = shop()
    ledger.scored(2024, "99")
    ledger.evaluated(2024)
    ledger.activate(sha256="b" * 64, in_force_from="2026-01-01", on="2025-06-01")
    ledger.inspected("2025-06-10")
    assert grade == ledger.grade(day)


@pytest.mark.parametrize(("day", "grade"), [("2019-12-31", None), ("2020-01-01", "not_yet_evaluated"), ("2020-01-02", "not_yet_evaluated")])
def test_nothing_is_rated_before_the_first_rulebook_is_in_force(day: str, grade: str | None) -> None:
    ledger = Ledger(activated=False)
    ledger.activate(in_force_from="2020-01-01")
    ledger.opened("2010-03-01")
    assert grade == ledger.grade(day)


def test_what_was_told_before_is_named_when_an_activation_comes_in_between() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.activate(in_force_from="2026-02-01", on="2026-02-01")
    ledger.fined("2026-03-01")
    assert ("D", "A") == tuple(ledger.told()[-1].event["data"][name] for name in ("grade", "previous_grade"))


# R10: the evaluation's date
@pytest.mark.parametrize(("day", "grade"), [("2027-01-14", "A"), ("2027-01-15", "B"), ("2027-01-16", "B")])
def test_an_evaluation_entered_ahead_of_its_date_acts_from_its_date(day: str, grade: str) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.scored(2026, "92", on="2026-12-20")
    ledger.evaluated(2026, known="2026-12-21")
    before = len(ledger.told())
    ledger.inspected("2027-01-01")
    assert before == len(ledger.told())
    ledger.inspected(day)
    assert grade == ledger.grade(day)
    told = ledger.told()[before:]
    assert [grade] * (grade != "A") == [one.event["data"]["grade"] for one in told]


def test_a_mistyped_date_keeps_its_evaluation_from_acting_and_no_other() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025, on="2126-01-15", known="2026-01-15")
    assert "not_yet_evaluated" == ledger.told()[-1].event["data"]["status"]
    ledger.evaluated(2025, on="2026-01-16")
    ledger.scored(2026, "72")
    ledger.evaluated(2026)
    assert ["A", "D"] == [one.event["data"]["grade"] for one in ledger.told()[-2:]]


@pytest.mark.parametrize("day", ["2026-02-28", "2026-03-01", "2026-03-02"])
def test_an_older_period_that_is_evaluated_late_does_not_overrule_the_newer(day: str) -> None:
    ledger = shop()
    ledger.scored(2024, "60")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.evaluated(2024, on="2026-03-01")
    assert "A" == ledger.grade(day)


@pytest.mark.parametrize(("day", "since"), [("2026-02-28", "2026-01-15"), ("2026-03-01", "2026-03-01"), ("2026-03-02", "2026-03-01")])
def test_of_two_evaluations_of_one_period_the_later_counts(day: str, since: str) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.evaluated(2025, on="2026-03-01")
    found = ledger.on(day)
    assert found is not None and ("A", since) == (found.grade, str(found.in_force_from))


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


# Ids are unique per source only
ONE_ID = "0190a5d0-0000-7000-8000-0000000000aa"
OTHER = "/departments/drug/offices/market"


def test_two_offices_that_use_one_id_change_the_grade_twice() -> None:
    ledger = shop()
    ledger.enter("penalty.decided", penalty("2026-02-01", "fine", served=True), id=ONE_ID)
    ledger.source = OTHER
    ledger.enter("penalty.decided", penalty("2026-03-01", "suspension_ordered", served=True), id=ONE_ID)
    told = ledger.told()[-2:]
    assert ["D", "E"] == [one.event["data"]["grade"] for one in told]
    assert told[0].event["id"] != told[1].event["id"]


def penalty(on: str, kind: str, *, served: bool = False) -> dict:
    service = {"service": {"served_on": on, "method": "post"}} if served else {}
    return {"occurred_on": on, "document_no": f"P-{on}", "acts": [act(kind)], **service}


@pytest.mark.parametrize("own_first", [True, False])
def test_a_service_serves_its_own_offices_document(own_first: bool) -> None:
    ledger = shop()
    for office in (OTHER, ledger.source) if own_first else (ledger.source, OTHER):
        ledger.source = office
        kind = "criticism" if office == OTHER else "suspension_ordered"
        ledger.enter("penalty.decided", penalty("2026-02-01", kind), id=ONE_ID)
    ledger.source = OTHER
    ledger.served(ONE_ID, "2026-04-01")
    assert "not_yet_evaluated" == ledger.grade()


def test_a_service_of_another_office_serves_the_only_document_of_that_id() -> None:
    ledger = shop()
    ledger.enter("penalty.decided", penalty("2026-02-01", "fine"), id=ONE_ID)
    ledger.source = OTHER
    ledger.served(ONE_ID, "2026-04-01")
    assert "D" == ledger.grade()


def test_a_service_that_could_mean_two_documents_serves_none() -> None:
    ledger = shop()
    for office in ("/departments/drug/offices/one", "/departments/drug/offices/two"):
        ledger.source = office
        ledger.enter("penalty.decided", penalty("2026-02-01", "fine"), id=ONE_ID)
    ledger.source = OTHER
    ledger.served(ONE_ID, "2026-04-01")
    assert "not_yet_evaluated" == ledger.grade()


def test_an_offices_own_document_takes_its_service_back_from_anothers() -> None:
    ledger = shop()
    ledger.enter("penalty.decided", penalty("2026-02-01", "suspension_ordered"), id=ONE_ID)
    ledger.source = OTHER
    ledger.served(ONE_ID, "2026-04-01")
    assert "E" == ledger.grade()
    ledger.enter("penalty.decided", penalty("2026-02-01", "fine"), id=ONE_ID)
    found = ledger.now()
    assert found is not None
    assert ("D", [OTHER, OTHER]) == (found.grade, [one.fact.source for one in found.decisive])


@pytest.mark.parametrize(("field", "grade"), [("drug", "D"), ("device", "D"), ("price", "new"), ("food", "new")])
def test_only_a_violation_of_drug_or_device_law_makes_a_new_enterprise_gradable(field: str, grade: str) -> None:
    ledger = shop("2025-03-01")
    ledger.warned("2025-06-01", field=field)
    ledger.scored(2025, "75")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


# the close of a day tells what became due by it
@pytest.mark.parametrize(
    ("through", "told"), [("2026-02-26", []), ("2026-02-27", ["not_yet_evaluated"]), ("2026-02-28", ["not_yet_evaluated"])]
)
def test_being_new_ends_on_its_day_though_nothing_is_entered(through: str, told: list[str]) -> None:
    ledger = shop("2025-03-01")
    before = len(ledger.told())
    ledger.day_closed(through)
    assert told == [one.event["data"]["status"] for one in ledger.told()[before:]]


@pytest.mark.parametrize(("through", "told"), [("2027-01-13", []), ("2027-01-14", ["B"]), ("2027-01-15", ["B"])])
def test_an_evaluation_ahead_is_told_when_its_day_has_come(through: str, told: list[str]) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    ledger.scored(2026, "92", on="2026-12-20")
    ledger.evaluated(2026, known="2026-12-21")
    before = len(ledger.told())
    ledger.day_closed(through)
    assert told == [one.event["data"]["grade"] for one in ledger.told()[before:]]


# R15: other full marks
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


def test_a_score_out_of_a_hundred_says_nothing_of_proportion() -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None
    assert ["a_exemplary"] == [one.rule for one in found.reasons]


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


# an inspection for another regime
@pytest.mark.parametrize(("regime", "grade"), [("liyujiang", "C"), (None, "C"), ("food-safety", "A")])
def test_what_an_inspection_for_another_regime_found_is_no_violation_here(regime: str | None, grade: str) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    ledger.inspected("2025-06-01", found=("GSP-03",), **({"regime": regime} if regime else {}))
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.parametrize(("regime", "grade"), [("liyujiang", "not_yet_evaluated"), ("food-safety", "D")])
def test_what_an_inspection_for_another_regime_found_corrected_breaks_no_succession(regime: str, grade: str) -> None:
    ledger = shop()
    ledger.warned("2025-03-10")
    ledger.inspected("2025-04-20", corrected=("GSP-07",), regime=regime)
    ledger.warned("2025-05-01")
    assert grade == ledger.grade()


# R3: a service dated before its decision
@pytest.mark.parametrize(("served", "grade"), [("2026-01-04", "A"), ("2026-01-05", "D"), ("2026-01-06", "D")])
def test_a_service_dated_before_the_decision_is_treated_as_none_and_marked(served: str, grade: str) -> None:
    ledger = shop()
    ledger.scored(2025, "99")
    document = ledger.fined("2026-01-05", served=None)
    ledger.served(document, served, known="2026-01-06")
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None and grade == found.grade
    marks = [one for one in found.reasons if one.rule == "served_too_early"]
    assert len(marks) == (grade == "A")
    assert all("P-2026-01-05" in one.zh and len(one.decisive) == 2 for one in marks)


def test_the_mark_goes_when_the_service_is_entered_rightly() -> None:
    ledger = shop()
    document = ledger.fined("2026-01-05", served=None)
    ledger.served(document, "2025-12-20", known="2026-01-06")
    assert "served_too_early" in [one["rule"] for one in ledger.told()[-1].event["data"]["reasons"]]
    ledger.served(document, "2026-01-20")
    found = ledger.now()
    assert found is not None
    assert ("D", ["d_money"]) == (found.grade, [one.rule for one in found.reasons])
