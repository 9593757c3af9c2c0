"""R18: what takes a fact out of effect; R11: what was lost comes back. Days that are over are corrected."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act, shop

pytestmark = pytest.mark.clause("R18")


def rated(grade: str = "A") -> Ledger:
    """In operation since 2010, evaluated on 15 January 2026 for 2025."""
    ledger = shop()
    ledger.scored(2025, {"A": "99", "B": "95"}[grade])
    ledger.evaluated(2025)
    return ledger


# as never done, from its start, as known from its own entry
@pytest.mark.parametrize("how", ["annulled", "retracted", "objection_upheld"])
def test_what_is_undone_counts_as_never_done_once_that_is_known(how: str) -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    ledger.inspected("2026-04-30")
    assert "D" == ledger.grade("2026-04-30")
    getattr(ledger, how)(fine, "2026-05-06")
    assert ["A", "A", "A"] == [ledger.grade(day) for day in ("2026-03-01", "2026-03-02", "2026-05-06")]
    assert ("2026-03-02", "2026-05-05", "D", "A") in ledger.corrected()
    assert "A" == ledger.determined()[-1].event["data"]["grade"]


def test_an_undone_fine_no_longer_stains_the_years_that_a_asks_for() -> None:
    ledger = shop()
    fine = ledger.fined("2023-05-10")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert "B" == ledger.grade()
    ledger.annulled(fine, "2026-02-02")
    assert "A" == ledger.grade()
    assert [("2026-01-15", "2026-02-01", "B", "A")] == [one for one in ledger.corrected() if one[2] == "B"]


def test_a_correction_and_its_own_retraction_change_nothing_but_history() -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    correction = ledger.corrected_entry(fine, "2026-04-01", warned_instead("2026-03-02"))
    assert "A" == ledger.grade("2026-04-01"), "a warning lowers at the evaluation only"
    ledger.retracted(correction, "2026-04-08")
    assert ["D", "D"] == [ledger.grade(day) for day in ("2026-03-02", "2026-04-08")]
    assert ("2026-03-02", "2026-04-07", "A", "D") in ledger.corrected()


def warned_instead(on: str) -> dict:
    service = {"served_on": on, "method": "handed_over"}
    return {"occurred_on": on, "document_no": f"P-{on}", "acts": [act("warning")], "service": service}


def test_of_two_corrections_the_last_entered_counts() -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    ledger.corrected_entry(fine, "2026-04-01", warned_instead("2026-03-02"))
    suspended = {"occurred_on": "2026-03-02", "document_no": "P", "acts": [act("suspension_ordered")]}
    ledger.corrected_entry(fine, "2026-04-02", suspended | {"service": {"served_on": "2026-03-05", "method": "post"}})
    assert ["A", "E"] == [ledger.grade(day) for day in ("2026-03-04", "2026-03-05")]


def test_what_was_annulled_stays_so_whatever_is_said_about_its_words() -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    ledger.annulled(fine, "2026-04-01")
    ledger.corrected_entry(fine, "2026-04-02", warned_instead("2026-03-02"))
    assert "A" == ledger.grade()


def test_what_a_retracted_annulment_had_undone_comes_back() -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    annulment = ledger.annulled(fine, "2026-04-01")
    again = ledger.retracted(annulment, "2026-04-10")
    assert "D" == ledger.grade()
    ledger.retracted(again, "2026-04-20")
    assert "A" == ledger.grade()


@pytest.mark.parametrize(("served", "grade"), [("same", "E"), (None, "D")])
def test_a_decision_that_is_changed_for_the_worse_waits_for_its_service(served: str | None, grade: str) -> None:
    """R3."""
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    ledger.changed(
        fine, "2026-04-01", {"occurred_on": "2026-03-02", "document_no": "P", "acts": [act("suspension_ordered")]}, served=served
    )
    assert grade == ledger.grade()


def test_a_service_that_comes_later_lets_the_change_act() -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    words = {"occurred_on": "2026-03-02", "document_no": "P", "acts": [act("suspension_ordered")]}
    change = ledger.changed(fine, "2026-04-01", words, served=None)
    ledger.served(change, "2026-04-09")
    assert "E" == ledger.grade()


def test_one_act_of_several_is_taken_out_by_a_change() -> None:
    ledger = rated()
    both = ledger.penalised("2026-03-02", act("fine"), act("suspension_ordered", violation="GSP-09"))
    assert "E" == ledger.grade()
    ledger.changed(both, "2026-04-01", {"occurred_on": "2026-03-02", "document_no": "P-2026-03-02", "acts": [act("fine")]})
    assert "D" == ledger.grade()
    assert "2026-03-02" == str(ledger.now().in_force_from), "its service stays what it was"


def test_a_decision_that_two_offices_systems_entered_is_annulled_with_both_entries() -> None:
    ledger = rated()
    first = ledger.fined("2026-03-02")
    ledger.fined("2026-03-02", known="2026-03-09")
    ledger.annulled(first, "2026-04-01")
    assert "A" == ledger.grade()


def test_a_retracted_double_entry_leaves_the_other() -> None:
    ledger = rated()
    ledger.fined("2026-03-02")
    double = ledger.fined("2026-03-02", known="2026-03-09")
    ledger.retracted(double, "2026-04-01", "entered_twice")
    assert "D" == ledger.grade()


@pytest.mark.parametrize(("ground", "grade"), [("wrong_subject", "A"), ("entered_twice", "D")])
def test_the_announcement_of_an_annulled_warning_falls_with_it(ground: str, grade: str) -> None:
    """R6: of a warning that never was nothing can be announced; of one that was entered twice it can."""
    ledger = rated()
    warning = ledger.warned("2026-02-02", term="2026-02-10")
    ledger.announced("2026-02-05", of=warning, term="2026-02-10")
    ledger.warned("2026-03-20")
    assert "D" == ledger.grade("2026-03-20")
    ledger.retracted(warning, "2026-04-01", ground)
    assert grade == ledger.grade("2026-04-01")


def test_a_retracted_score_leaves_the_other_final_or_the_grade_as_it_was() -> None:
    ledger = shop()
    score = ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert "A" == ledger.grade()
    ledger.retracted(score, "2026-02-01")
    assert "not_yet_evaluated" == ledger.grade()
    assert ("2026-01-15", "2026-01-31", "A", "not_yet_evaluated") in ledger.corrected()


def test_a_corrected_start_of_operation_makes_new_or_takes_it_back() -> None:
    ledger = Ledger()
    ledger.registered("2025-06-01")
    start = ledger.started("2025-06-01")
    assert "new" == ledger.grade("2026-03-01")
    ledger.corrected_entry(start, "2026-03-01", {"occurred_on": "2024-06-01"})
    assert ["not_yet_evaluated", "not_yet_evaluated"] == [ledger.grade(day) for day in ("2026-02-28", "2026-03-01")]


def test_when_the_registration_is_taken_back_the_regime_rates_it_no_more_and_says_so() -> None:
    ledger = Ledger()
    registration = ledger.registered("2010-03-01")
    ledger.retracted(registration, "2010-05-03")
    told = [one.event["data"]["status"] for one in ledger.determined()]
    assert ["new", "not_rated"] == told
    assert [("2010-03-01", "2010-05-02", "new", "not_rated")] == ledger.corrected()


# repair: from its date forward
@pytest.mark.parametrize(("day", "grade"), [("2026-03-31", "D"), ("2026-04-01", "A"), ("2026-04-02", "A")])
def test_a_repair_acts_from_its_date_and_not_before(day: str, grade: str) -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    ledger.repaired(fine, "2026-03-20", "2026-04-01")
    ledger.inspected("2026-04-20")
    assert grade == ledger.grade(day)


def test_a_repair_ahead_is_told_when_its_day_has_come() -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    ledger.repaired(fine, "2026-03-20", "2026-04-01")
    before = len(ledger.determined())
    ledger.day_closed("2026-03-30")
    assert [] == ledger.determined()[before:]
    ledger.day_closed("2026-03-31")
    told = [one.event["data"] for one in ledger.determined()[before:]]
    assert [("A", "2026-04-01")] == [(one["grade"], one["in_force_from"]) for one in told]


def test_a_repaired_fine_gives_back_what_its_evaluation_took() -> None:
    """R11: restored at once, from the repair's date on, and no day before it."""
    ledger = shop()
    fine = ledger.fined("2025-05-10")
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert "D" == ledger.grade()
    ledger.repaired(fine, "2026-04-01")
    assert ["D", "B"] == [ledger.grade(day) for day in ("2026-03-31", "2026-04-01")]
    assert "2026-04-01" == ledger.determined()[-1].event["data"]["in_force_from"]


def test_a_retracted_repair_lets_the_fine_count_again() -> None:
    ledger = rated()
    fine = ledger.fined("2026-03-02")
    repair = ledger.repaired(fine, "2026-04-01")
    ledger.retracted(repair, "2026-04-15")
    assert ["D", "D"] == [ledger.grade(day) for day in ("2026-04-01", "2026-04-15")]
    assert ("2026-04-01", "2026-04-14", "A", "D") in ledger.corrected()


# late facts and skipped days
def test_a_late_fine_corrects_the_days_on_which_the_better_grade_was_shown() -> None:
    ledger = rated()
    ledger.fined("2026-02-10", known="2026-03-20")
    assert ("2026-02-10", "2026-03-19", "A", "D") in ledger.corrected()


def test_a_fine_entered_on_its_day_corrects_nothing() -> None:
    ledger = rated()
    before = len(ledger.corrected())
    ledger.fined("2026-02-10")
    assert before == len(ledger.corrected())


def test_a_change_on_a_day_without_an_entry_is_corrected_with_the_next() -> None:
    ledger = shop("2025-03-01")
    ledger.inspected("2026-03-10")
    assert ("2026-02-28", "2026-03-09", "new", "not_yet_evaluated") in ledger.corrected()


def test_what_put_other_words_is_named_beside_the_fact_that_decides() -> None:
    ledger = rated()
    warning = ledger.penalised("2026-03-02", act("warning"))
    words = {"occurred_on": "2026-03-02", "document_no": "P-2026-03-02", "acts": [act("fine")]}
    correction = ledger.corrected_entry(warning, "2026-04-01", words | {"service": {"served_on": "2026-03-02", "method": "post"}})
    assert {warning, correction} <= {one.fact.id for one in ledger.now().decisive}
