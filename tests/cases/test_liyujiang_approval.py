"""五(四) ¶3, R8: A, D and E are proposed when their conditions are met and in force from their approval; C and B need none."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act, shop

pytestmark = pytest.mark.clause("五(四) ¶3", "R8")


def graded(score: str = "95", year: int = 2024) -> Ledger:
    """A shop with a grade from the year's evaluation on 15 January; the shipped rulebook, so that A, D and E wait."""
    ledger = shop(approving=True)
    ledger.scored(year, score)
    ledger.evaluated(year)
    return ledger


def states(ledger: Ledger, *days: str) -> list[tuple[str | None, str | None]]:
    return [(ledger.grade(day), ledger.proposed(day)) for day in days]


@pytest.mark.parametrize(
    ("score", "state"),
    [
        ("99", ("B", "A")),
        ("95", ("B", None)),
        ("85", ("C", None)),
        ("75", ("not_yet_evaluated", "D")),
        ("60", ("not_yet_evaluated", "E")),
    ],
)
def test_which_grades_wait(score: str, state: tuple[str, str | None]) -> None:
    assert [state] == states(graded(score), "2025-01-15")


def test_in_force_from_the_day_of_approval() -> None:
    ledger = graded("99")
    ledger.approved("A", "2025-02-10")
    assert [("B", "A"), ("A", None), ("A", None)] == states(ledger, "2025-02-09", "2025-02-10", "2025-02-11")
    found = ledger.now()
    assert found is not None and str(found.in_force_from) == "2025-02-10"
    assert found.clauses[-1] == "五(四) ¶3" and "R8" in found.readings
    assert "A 级于 2025-02-10 经批准" in found.reasons[-1].zh


def test_a_lowering_at_once_is_proposed_at_once() -> None:
    ledger = graded()
    ledger.fined("2025-06-01", served="2025-06-10")
    assert [("B", None), ("B", "D"), ("B", "D")] == states(ledger, "2025-06-09", "2025-06-10", "2025-06-11")
    ledger.approved("D", "2025-06-20")
    assert [("B", "D"), ("D", None)] == states(ledger, "2025-06-19", "2025-06-20")


def test_a_step_to_c_needs_no_approval_and_one_to_d_does() -> None:
    ledger = graded()
    ledger.other_department("2025-06-01", number="J-1")
    assert [("C", None)] == states(ledger, "2025-06-01")
    ledger.other_department("2025-06-05", number="J-2")
    assert [("C", "D")] == states(ledger, "2025-06-05")


def test_returned_it_stays_until_there_is_a_new_fact() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    ledger.returned("D", "2025-06-12")
    assert [("B", "D"), ("B", None)] == states(ledger, "2025-06-11", "2025-06-12")
    ledger.inspected("2025-06-15")
    assert [("B", None)] == states(ledger, "2025-06-15")
    ledger.penalised("2025-06-20", act("fine", violation="GSP-09"))
    assert [("B", "D")] == states(ledger, "2025-06-20")
    ledger.approved("D", "2025-06-25")
    assert [("B", "D"), ("D", None)] == states(ledger, "2025-06-24", "2025-06-25")


def test_an_approval_of_another_grade_approves_nothing() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    ledger.approved("E", "2025-06-12")
    assert [("B", "D")] == states(ledger, "2025-06-12")


def test_approved_ahead_of_the_conditions_it_approves_nothing() -> None:
    ledger = graded()
    ledger.approved("D", "2025-06-09")
    ledger.fined("2025-06-10")
    assert [("B", "D")] == states(ledger, "2025-06-10")


def test_found_once_more_it_stays_in_force_and_is_proposed_anew() -> None:
    ledger = graded("99")
    ledger.approved("A", "2025-02-10")
    ledger.scored(2025, "98")
    ledger.evaluated(2025)
    assert [("A", None), ("A", "A")] == states(ledger, "2026-01-14", "2026-01-15")
    ledger.approved("A", "2026-02-01")
    assert [("A", "A"), ("A", None)] == states(ledger, "2026-01-31", "2026-02-01")


@pytest.mark.parametrize("score", ["95", "75", "60"])
def test_a_grade_lowered_at_once_that_the_evaluation_finds_again_is_answered_by_one_approval(score: str) -> None:
    ledger = graded()
    ledger.obstructed("2025-06-10")
    ledger.approved("E", "2025-06-20")
    ledger.scored(2025, score)
    ledger.evaluated(2025)
    assert [("E", None), ("E", "E")] == states(ledger, "2026-01-14", "2026-01-15")
    ledger.approved("E", "2026-02-01")
    assert [("E", "E"), ("E", None), ("E", None)] == states(ledger, "2026-01-31", "2026-02-01", "2026-06-01")


def test_found_once_more_and_returned_it_ends() -> None:
    ledger = graded("99")
    ledger.approved("A", "2025-02-10")
    ledger.scored(2025, "98")
    ledger.evaluated(2025)
    ledger.returned("A", "2026-02-01")
    assert [("A", "A"), ("B", None)] == states(ledger, "2026-01-31", "2026-02-01")


def test_up_to_b_at_an_evaluation_without_a_word() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    ledger.approved("D", "2025-06-20")
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    ledger.scored(2026, "95")
    ledger.evaluated(2026)
    assert [("D", "D"), ("B", None)] == states(ledger, "2027-01-14", "2027-01-15")


def test_met_again_after_a_break_it_is_proposed_again() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    ledger.approved("D", "2025-06-20")
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    ledger.scored(2026, "95")
    ledger.evaluated(2026)
    ledger.fined("2027-03-01")
    assert [("B", "D")] == states(ledger, "2027-03-01")


def test_from_a_pending_to_a_graver_pending_one() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    ledger.penalised("2025-06-20", act("suspension_ordered", violation="GSP-11"))
    assert [("B", "D"), ("B", "E")] == states(ledger, "2025-06-19", "2025-06-20")
    ledger.approved("D", "2025-06-22")
    assert [("D", "E")] == states(ledger, "2025-06-22"), "the lesser may be signed while the graver waits"
    ledger.approved("E", "2025-06-23")
    assert [("E", None)] == states(ledger, "2025-06-23")


def test_an_approval_that_was_retracted_never_was() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    approval = ledger.approved("D", "2025-06-20")
    ledger.retracted(approval, "2025-06-25", "entered_twice")
    assert [("B", "D"), ("B", "D")] == states(ledger, "2025-06-20", "2025-06-26")


def test_the_fine_annulled_nothing_waits_and_nothing_was() -> None:
    ledger = graded()
    fine = ledger.fined("2025-06-10")
    ledger.approved("D", "2025-06-20")
    ledger.annulled(fine, "2025-07-01")
    assert [("B", None), ("B", None)] == states(ledger, "2025-06-20", "2025-07-01")
    assert [("2025-06-20", "2025-06-30", "D", "B")] == ledger.corrected()[-1:]


def test_a_status_needs_no_approval() -> None:
    ledger = graded("99")
    ledger.closed("2025-03-01")
    assert [("closed", None)] == states(ledger, "2025-03-01")


def test_a_new_enterprise_that_violates_is_cautioned_while_the_graver_grade_waits() -> None:
    ledger = shop("2025-03-01", approving=True)
    ledger.fined("2025-06-10")
    assert [("C", "D")] == states(ledger, "2025-06-10")
    ledger.approved("D", "2025-06-12")
    assert [("D", None)] == states(ledger, "2025-06-12")


def test_an_approval_entered_late_counts_from_its_day_and_is_told_as_a_correction() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    ledger.inspected("2025-06-30")
    ledger.approved("D", "2025-06-12")
    assert [("B", "D"), ("D", None)] == states(ledger, "2025-06-11", "2025-06-12")
    assert [("2025-06-12", "2025-06-29", "B", "D")] == ledger.corrected()[-1:]


def told(ledger: Ledger) -> list[tuple[str, str | None]]:
    """Kinds of event with their grade or outcome, in the order told."""
    found = []
    for one in ledger.told():
        data = one.event["data"]
        found.append((one.event["type"].split(".", 1)[1].removesuffix(".v1"), data.get("outcome") or data["grade"] or data["status"]))
    return found


def test_what_is_told() -> None:
    ledger = graded()
    ledger.fined("2025-06-10")
    ledger.penalised("2025-06-12", act("fine", violation="GSP-09"))
    ledger.returned("D", "2025-06-15")
    ledger.penalised("2025-06-20", act("fine", violation="GSP-10"))
    ledger.approved("D", "2025-06-25")
    assert [
        ("grade.determined", "B"),
        ("grade.proposed", "D"),
        ("grade.proposed", "D"),
        ("proposal.closed", "returned"),
        ("grade.proposed", "D"),
        ("grade.determined", "D"),
        ("proposal.closed", "approved"),
    ] == [one for one in told(ledger) if one[1] not in ("new", "not_yet_evaluated")]


def test_a_proposal_lapses_with_its_conditions() -> None:
    ledger = graded()
    fine = ledger.fined("2025-06-10")
    ledger.annulled(fine, "2025-06-20")
    assert [("grade.proposed", "D"), ("proposal.closed", "lapsed")] == told(ledger)[-2:]


# What an approval approves, and what it doesn't.
def test_it_approves_what_could_be_seen_and_no_ground_that_came_later() -> None:
    ledger = graded()
    first = ledger.fined("2025-03-01")
    ledger.approved("D", "2025-03-10")
    ledger.annulled(first, "2025-08-01")
    assert [("B", None)] == states(ledger, "2025-08-01")
    ledger.penalised("2025-02-03", act("fine", violation="GSP-09"), served="2025-02-05", known="2025-09-01")
    assert [("B", "D"), ("B", "D")] == states(ledger, "2025-03-10", "2025-09-01")
    ledger.approved("D", "2025-09-05")
    assert [("B", "D"), ("D", None)] == states(ledger, "2025-09-04", "2025-09-05")


def test_of_two_grounds_the_seen_one_repaired_the_other_waits() -> None:
    ledger = graded()
    first = ledger.fined("2025-03-01")
    ledger.approved("D", "2025-03-10")
    ledger.penalised("2025-06-09", act("fine", violation="GSP-09"))
    ledger.repaired(first, "2025-06-10")
    assert [("D", None), ("B", "D")] == states(ledger, "2025-06-09", "2025-06-10")


def test_a_corrected_service_takes_no_approval_away() -> None:
    ledger = graded()
    fine = ledger.fined("2025-03-01")
    ledger.approved("D", "2025-03-10")
    words = {"occurred_on": "2025-03-01", "document_no": "P-2025-03-01", "acts": [act("fine")]}
    ledger.corrected_entry(fine, "2025-04-01", words | {"service": {"served_on": "2025-03-12", "method": "post"}})
    assert [("B", None), ("D", None)] == states(ledger, "2025-03-11", "2025-03-12")


def test_nobody_approves_ahead_of_the_evaluation() -> None:
    ledger = shop(approving=True)
    ledger.scored(2024, "99")
    ledger.evaluated(2024, on="2025-01-15", known="2025-01-05")
    ledger.approved("A", "2025-01-10")
    assert [("B", "A")] == states(ledger, "2025-01-15")
    ledger.approved("A", "2025-01-16")
    assert [("B", "A"), ("A", None)] == states(ledger, "2025-01-15", "2025-01-16")


# More offences never make for a better grade in force.
def test_a_graver_condition_that_waits_hides_no_lesser_one_that_holds() -> None:
    ledger = graded()
    ledger.warned("2025-02-03")
    ledger.fined("2025-03-01")
    ledger.scored(2025, "85")
    ledger.evaluated(2025)
    assert [("C", "D")] == states(ledger, "2026-01-15")
    ledger.returned("D", "2026-01-20")
    assert [("C", None)] == states(ledger, "2026-01-20")


def test_from_c_with_a_clean_year_b_counts_while_a_waits() -> None:
    ledger = graded("85", 2021)
    ledger.scored(2022, "99")
    ledger.evaluated(2022)
    assert [("B", "A")] == states(ledger, "2023-01-15")
    ledger.returned("A", "2023-02-01")
    assert [("B", None)] == states(ledger, "2023-02-01")


def test_of_a_new_enterprise_whose_graver_grade_was_returned_the_violation_still_counts() -> None:
    ledger = shop("2024-06-01", approving=True)
    ledger.fined("2024-09-01")
    ledger.returned("D", "2024-09-10")
    assert [("C", "D"), ("C", None)] == states(ledger, "2024-09-09", "2024-09-10"), "三(三), R5"


def test_steps_start_from_the_grade_in_force() -> None:
    ledger = graded()
    ledger.fined("2025-03-01")
    ledger.returned("D", "2025-03-10")
    ledger.other_department("2025-04-01")
    assert [("C", None)] == states(ledger, "2025-04-01")
    pending = graded("99")
    pending.other_department("2025-04-01")
    assert "C" == pending.grade("2025-04-01")


def test_a_return_lasts_until_the_next_evaluation() -> None:
    ledger = graded()
    ledger.fined("2025-03-01")
    ledger.returned("D", "2025-03-10")
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert [("B", None), ("C", "D")] == states(ledger, "2026-01-14", "2026-01-15")


def test_a_decision_entered_once_more_reopens_nothing_and_other_words_do() -> None:
    ledger = graded()
    fine = ledger.fined("2025-03-01")
    ledger.returned("D", "2025-03-10")
    ledger.fined("2025-03-01", known="2025-03-20")
    assert [("B", None)] == states(ledger, "2025-03-20")
    words = {"occurred_on": "2025-03-01", "document_no": "P-2025-03-01", "acts": [act("fine", "confiscation_of_gains")]}
    ledger.corrected_entry(fine, "2025-04-01", words | {"service": {"served_on": "2025-03-01", "method": "post"}})
    assert [("B", "D")] == states(ledger, "2025-04-01")


def test_approved_and_returned_afterwards_it_stays() -> None:
    ledger = graded()
    ledger.fined("2025-03-01")
    ledger.approved("D", "2025-03-10")
    ledger.returned("D", "2025-03-11")
    assert [("D", None)] == states(ledger, "2025-03-12"), "a decision is undone by annulling it"


def test_a_graver_one_that_falls_is_no_return_of_it() -> None:
    ledger = graded()
    ledger.fined("2025-03-01")
    ledger.returned("D", "2025-03-10")
    stop = ledger.penalised("2025-04-01", act("suspension_ordered", violation="GSP-11"))
    ledger.annulled(stop, "2025-05-01")
    assert ("proposal.closed", "lapsed") == told(ledger)[-1]


@pytest.mark.parametrize("number", [40, 400])
def test_many_steps_beside_an_open_proposal(number: int) -> None:
    ledger = graded("85")
    for one in range(number):
        ledger.other_department("2025-06-02", number=f"J-{one}")
    assert [("C", "E")] == states(ledger, "2025-06-02")


# Another edition of the rulebook.
def test_another_edition_leaves_in_force_what_was_approved() -> None:
    ledger = graded()
    ledger.fined("2025-03-01")
    ledger.approved("D", "2025-03-10")
    ledger.activate(in_force_from="2025-06-01", on="2025-06-01")
    assert [("D", None), ("D", None)] == states(ledger, "2025-05-31", "2025-06-01")
