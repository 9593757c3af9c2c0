"""What a condition of 三(二) alone decides where another gives the same grade on most days: clauses named, fields, what waits."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act, shop
from tests.cases.test_liyujiang_outlook import asked


def evaluated(ledger: Ledger, score: str | None, year: int = 2025) -> Ledger:
    if score is not None:
        ledger.scored(year, score)
    ledger.evaluated(year)
    return ledger


def clauses(ledger: Ledger) -> tuple[str | None, tuple[str, ...]]:
    found = ledger.now()
    return (None, ()) if found is None else (found.grade or found.status, found.clauses)


@pytest.mark.clause("三(二)1(2)", "三(一)1–2")
def test_an_order_under_another_law_keeps_nobody_from_b() -> None:
    ledger = shop()
    ledger.ordered("2025-06-01", field="food")
    assert "B" == evaluated(ledger, "92").grade()


@pytest.mark.clause("三(二)2", "R5")
@pytest.mark.parametrize(("score", "grade"), [("90", "C"), (None, "B")])
def test_a_violation_for_which_nothing_was_imposed_is_c_by_its_score_and_not_without_one(score: str | None, grade: str) -> None:
    ledger = evaluated(shop(), "95", 2024)
    ledger.inspected("2025-06-01", found=("GSP-03",))
    assert grade == evaluated(ledger, score).grade()


@pytest.mark.clause("三(三)", "三(二)2(1)", "R4")
def test_a_new_enterprise_that_was_warned_is_c_by_the_clause_on_warnings_alone() -> None:
    ledger = shop("2025-03-01")
    ledger.warned("2025-06-01")
    assert ("C", ("三(二)2(1)",)) == clauses(ledger)


@pytest.mark.clause("三(三)", "三(二)2(2)", "R14")
def test_a_new_enterprise_penalised_for_dealing_without_knowledge_is_c_by_that_clause_alone() -> None:
    ledger = shop("2025-03-01")
    ledger.penalised("2025-06-01", act("fine", concepts=("unknowing_sale",)))
    assert ("C", ("三(二)2(2)",)) == clauses(ledger)


@pytest.mark.clause("三(三)", "R4")
def test_a_new_enterprise_in_which_a_violation_was_found_is_c_by_the_clause_on_the_new() -> None:
    ledger = shop("2025-03-01")
    ledger.inspected("2025-06-01", found=("GSP-03",))
    assert ("C", ("三(三)",)) == clauses(ledger)


@pytest.mark.clause("三(二)3(3)", "R1")
@pytest.mark.parametrize(("score", "missed"), [("69.5", "ABCD"), ("70", "ABC"), ("79.99", "ABC"), ("80", "AB")])
def test_a_score_misses_the_mark_of_each_better_band_and_of_no_other(score: str, missed: str) -> None:
    assert missed == "".join(grade for grade, *_ in asked(evaluated(shop(), score, 2024), "2025-01-15")[1])


# R8: what waits for approval makes nothing better meanwhile
@pytest.mark.clause("三(二)1(2)", "R8")
@pytest.mark.parametrize("grave", ["partly_revoked", "convicted", "obstructed", "withheld"])
def test_while_a_grave_grade_waits_its_cause_keeps_the_year_from_being_clean(grave: str) -> None:
    ledger = shop(approving=True)
    evaluated(ledger, "85", 2024)
    {
        "partly_revoked": lambda: ledger.permit_revoked("2025-06-01", whole=False),
        "convicted": lambda: ledger.convicted("2025-06-01"),
        "obstructed": lambda: ledger.obstructed("2025-06-01"),
        "withheld": lambda: ledger.penalised("2025-06-01", act("permit_withheld")),
    }[grave]()
    evaluated(ledger, "95")
    assert ("C", "E") == (ledger.grade("2026-01-15"), ledger.proposed("2026-01-15"))
    ledger.returned("E", "2026-01-20")
    assert "C" == ledger.grade("2026-01-20")


@pytest.mark.clause("三(二)4(2)", "三(二)1(1)", "R3")
@pytest.mark.parametrize("kind", ["permit_withheld", "business_licence_withheld", "approval_certificate_revoked", "suspension_ordered"])
@pytest.mark.parametrize(("served", "grade"), [("2022-12-31", "A"), ("2023-01-01", "B"), ("2024-12-31", "B"), ("2025-01-01", "E")])
def test_what_stopped_business_stains_three_years_and_weighs_in_its_own(kind: str, served: str, grade: str) -> None:
    ledger = shop()
    ledger.penalised(served, act(kind))
    assert grade == evaluated(ledger, "99").grade()
