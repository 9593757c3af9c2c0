"""三(二)3(1) and R6: the same violation warned or announced in succession."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger

pytestmark = pytest.mark.clause("三(二)3(1)", "R6")

FIRST, TERM = "2025-03-10", "2025-03-31"


def shop() -> Ledger:
    ledger = Ledger()
    ledger.opened("2010-03-01")
    return ledger


@pytest.mark.parametrize(("second", "grade"), [("2025-03-30", None), ("2025-03-31", None), ("2025-04-01", "D")])
def test_the_second_warning_counts_only_after_the_first_ones_term_has_run_out(second: str, grade: str | None) -> None:
    ledger = shop()
    ledger.warned(FIRST, term=TERM)
    ledger.warned(second)
    assert (grade or "not_yet_evaluated") == ledger.grade()


@pytest.mark.parametrize(("second", "grade"), [("2026-03-09", "D"), ("2026-03-10", "D"), ("2026-03-11", None)])
def test_the_second_warning_counts_within_twelve_months_of_the_first_ones_service(second: str, grade: str | None) -> None:
    ledger = shop()
    ledger.warned("2025-03-05", served=FIRST, term=TERM)
    ledger.warned(second)
    assert (grade or "not_yet_evaluated") == ledger.grade()


@pytest.mark.parametrize(("second", "grade"), [("2025-03-09", None), ("2025-03-10", None), ("2025-03-11", "D")])
def test_without_a_term_the_second_must_follow_the_firsts_service(second: str, grade: str | None) -> None:
    ledger = shop()
    ledger.warned("2025-03-05", served=FIRST)
    ledger.warned(second)
    assert (grade or "not_yet_evaluated") == ledger.grade()


@pytest.mark.parametrize(
    ("corrected", "grade"), [("2025-03-09", "D"), ("2025-03-10", None), ("2025-04-20", None), ("2025-05-01", None), ("2025-05-02", "D")]
)
def test_an_inspection_in_between_that_found_it_corrected_breaks_the_succession(corrected: str, grade: str | None) -> None:
    ledger = shop()
    ledger.warned(FIRST, term=TERM)
    ledger.inspected(corrected, corrected=("GSP-07",))
    ledger.warned("2025-05-01")
    assert (grade or "not_yet_evaluated") == ledger.grade()


def test_a_correction_of_another_violation_breaks_nothing() -> None:
    ledger = shop()
    ledger.warned(FIRST, term=TERM)
    ledger.inspected("2025-04-20", corrected=("GSP-08",))
    ledger.warned("2025-05-01")
    assert "D" == ledger.grade()


def test_another_violation_is_no_succession() -> None:
    ledger = shop()
    ledger.warned(FIRST, term=TERM, violation="GSP-07")
    ledger.warned("2025-05-01", violation="GSP-08")
    assert "not_yet_evaluated" == ledger.grade()


def test_a_warning_and_an_announcement_count_together() -> None:
    ledger = shop()
    ledger.warned(FIRST, term=TERM)
    ledger.announced("2025-05-01")
    assert "D" == ledger.grade()


def test_the_lowering_begins_when_the_second_warning_is_served() -> None:
    ledger = shop()
    ledger.warned(FIRST, term=TERM)
    ledger.warned("2025-05-01", served="2025-05-09")
    assert ["not_yet_evaluated", "D", "D"] == [ledger.grade(day) for day in ("2025-05-08", "2025-05-09", "2025-05-10")]
    found = ledger.now()
    assert found is not None and found.in_force_from is not None
    assert "2025-05-09" == found.in_force_from.isoformat()
    assert 2 == len(found.decisive)


def test_an_unserved_first_warning_begins_no_succession() -> None:
    ledger = shop()
    ledger.warned(FIRST, term=TERM, served=None)
    ledger.warned("2025-05-01")
    assert "not_yet_evaluated" == ledger.grade()


def test_a_succession_across_the_years_end_counts_in_the_year_of_its_second_act() -> None:
    ledger = shop()
    ledger.warned("2024-11-01", term="2024-11-30")
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    assert "C" == ledger.grade()
    ledger.warned("2025-02-01")
    ledger.scored(2025, "95")
    assert "D" == ledger.grade("2025-02-01")
    ledger.evaluated(2025)
    assert "D" == ledger.grade()


def test_one_warning_that_was_entered_twice_with_different_dates_is_no_succession() -> None:
    ledger = shop()
    for day in ("2025-03-10", "2025-04-10"):
        data = {"occurred_on": day, "document_no": "W-1", "violation": "GSP-07", "legal_field": "drug", "correction_ordered": False}
        ledger.enter("warning.issued", data | {"service": {"served_on": day, "method": "post"}})
    assert "not_yet_evaluated" == ledger.grade()


@pytest.mark.parametrize("on", ["2025-03-31", "2025-04-01", "2025-04-02"])
def test_the_announcement_of_a_warning_is_no_second_act(on: str) -> None:
    ledger = shop()
    warning = ledger.warned(FIRST, term=TERM)
    ledger.announced(on, of=warning)
    assert "not_yet_evaluated" == ledger.grade()
    ledger.warned("2025-05-01")
    found = ledger.now()
    assert found is not None
    assert ("D", ["warning.issued", "warning.issued"]) == (found.grade, [one.fact.name for one in found.decisive])


def test_the_announcement_of_another_offices_warning_with_the_same_id_is_an_act_of_its_own() -> None:
    ledger = shop()
    warning = ledger.warned(FIRST, term=TERM)
    ledger.source = "/departments/drug/offices/market"
    ledger.announced("2025-05-01", of=warning)
    assert "D" == ledger.grade()


def test_a_warning_that_was_announced_before_it_was_entered_is_one_act_with_its_announcement() -> None:
    ledger = shop()
    warning = "0190a5d0-0000-7000-8000-000000000077"
    ledger.announced("2025-03-15", of=warning)
    data = {"occurred_on": "2025-04-10", "document_no": "W-9", "violation": "GSP-07", "legal_field": "drug", "correction_ordered": False}
    ledger.enter("warning.issued", data | {"service": {"served_on": "2025-04-10", "method": "post"}}, id=warning)
    assert "not_yet_evaluated" == ledger.grade()


@pytest.mark.parametrize(("ordered", "term", "grade"), [(True, None, None), (True, TERM, "D"), (False, None, "D")])
def test_an_order_to_correct_without_a_term_begins_no_succession(ordered: bool, term: str | None, grade: str | None) -> None:
    ledger = shop()
    ledger.warned(FIRST, term=term, ordered=ordered)
    ledger.warned("2025-05-01", ordered=True)
    assert (grade or "not_yet_evaluated") == ledger.grade()
