"""What belongs to which document (R3, ids unique per source), and to which regime."""

from __future__ import annotations

import pytest

from tests.cases.ledger import act, shop

pytestmark = pytest.mark.clause("三(一)1–2", "R3")

# Ids are unique per source only
ONE_ID = "0190a5d0-0000-7000-8000-0000000000aa"
OTHER = "/departments/drug/offices/market"


def test_two_offices_that_use_one_id_change_the_grade_twice() -> None:
    ledger = shop()
    ledger.enter("penalty.decided", penalty("2026-02-01", "fine", served=True), id=ONE_ID)
    ledger.source = OTHER
    ledger.enter("penalty.decided", penalty("2026-03-01", "suspension_ordered", served=True), id=ONE_ID)
    told = ledger.determined()[-2:]
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
