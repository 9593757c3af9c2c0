"""三(二) and 三(三) of the Liyujiang plan as sentences, on each side of every boundary. R-numbers are the rulebook's readings."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act

OLD = "2010-03-01"


def shop(*, score: str | None = "100", year: int = 2025) -> Ledger:
    """An enterprise in operation for years, with the year's final score."""
    ledger = Ledger()
    ledger.opened(OLD)
    if score is not None:
        ledger.scored(year, score)
    return ledger


# 三(二)1(1), 1(2), 2(3), 3(3), 4(5): the score bands (R1)
@pytest.mark.clause("三(二)1(1)", "三(二)1(2)", "三(二)2(3)", "三(二)3(3)", "三(二)4(5)", "R1")
@pytest.mark.parametrize(
    ("score", "grade"),
    [
        ("100", "A"),
        ("98.01", "A"),
        ("98", "A"),
        ("97.99", "B"),
        ("90.01", "B"),
        ("90", "B"),
        ("89.99", "C"),
        ("80.01", "C"),
        ("80", "C"),
        ("79.99", "D"),
        ("70.01", "D"),
        ("70", "D"),
        ("69.99", "E"),
        ("0", "E"),
    ],
)
def test_at_a_bound_the_better_grade_holds(score: str, grade: str) -> None:
    ledger = shop(score=score)
    ledger.evaluated(2025)
    assert grade == ledger.grade()


# 三(二)1(1), R3: three years without a penalty, ending with the evaluated period
@pytest.mark.clause("三(二)1(1)", "R3")
@pytest.mark.parametrize(("served", "grade"), [("2022-12-31", "A"), ("2023-01-01", "B"), ("2023-01-02", "B")])
def test_a_penalty_counts_against_a_for_three_years_from_its_service(served: str, grade: str) -> None:
    ledger = shop()
    ledger.penalised("2022-12-30", act("criticism"), served=served)
    ledger.evaluated(2025)
    assert grade == ledger.grade()


# 三(二)1(2), R3: one year without any violation
@pytest.mark.clause("三(二)1(2)", "三(二)2", "R3", "R5")
@pytest.mark.parametrize(("on", "grade"), [("2024-12-31", "A"), ("2025-01-01", "C"), ("2025-12-31", "C"), ("2026-01-01", "A")])
def test_a_violation_counts_within_the_evaluated_year_though_nothing_was_imposed(on: str, grade: str) -> None:
    ledger = shop()
    ledger.inspected(on, found=("GSP-03",))
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.clause("三(二)1(2)", "三(二)2", "R3", "R5")
def test_a_violation_with_a_score_for_b_is_read_as_c_and_says_that_it_is_a_reading() -> None:
    ledger = shop()
    ledger.inspected("2025-06-01", found=("GSP-03",))
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None
    assert ("C", ("c_gap",)) == (found.grade, tuple(one.rule for one in found.reasons))
    assert "R5" in found.readings


@pytest.mark.clause("三(二)1(2)", "三(二)2", "R3", "R5")
def test_an_order_to_correct_alone_is_read_as_c() -> None:
    ledger = shop()
    ledger.ordered("2025-06-01")
    ledger.evaluated(2025)
    assert "C" == ledger.grade()


@pytest.mark.clause("三(二)1(2)", "三(二)2", "R3", "R5")
def test_a_case_closed_without_a_penalty_is_a_violation_all_the_same() -> None:
    ledger = shop()
    ledger.enter(
        "case.closed", {"occurred_on": "2025-06-01", "case_no": "L-1", "outcome": "violation_no_penalty", "violations": ["GSP-03"]}
    )
    ledger.evaluated(2025)
    assert "C" == ledger.grade()


@pytest.mark.clause("三(二)1(2)", "三(二)2", "R3", "R5")
def test_a_case_that_found_no_violation_counts_nothing() -> None:
    ledger = shop()
    ledger.enter("case.closed", {"occurred_on": "2025-06-01", "case_no": "L-1", "outcome": "no_violation"})
    ledger.evaluated(2025)
    assert "A" == ledger.grade()


# 三(二)2(1): warned
@pytest.mark.clause("三(二)2(1)")
@pytest.mark.parametrize(("served", "grade"), [("2024-12-31", "B"), ("2025-01-01", "C"), ("2025-12-31", "C"), ("2026-01-01", "A")])
def test_a_warning_counts_in_the_year_of_its_service(served: str, grade: str) -> None:
    ledger = shop()
    ledger.warned("2024-12-30", served=served)
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.clause("三(二)2(1)")
def test_a_warning_under_another_law_counts_nothing_here() -> None:
    ledger = shop()
    ledger.warned("2025-06-01", field="price")
    ledger.evaluated(2025)
    assert "A" == ledger.grade()


# 三(二)2(2), R14: dealing without knowledge, act by act
@pytest.mark.clause("三(二)2(2)", "R14")
def test_a_fine_for_dealing_without_knowledge_is_c_and_not_d() -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act("fine", "confiscation_of_gains", concepts=("unknowing_sale",)))
    assert "not_yet_evaluated" == ledger.grade()
    ledger.evaluated(2025)
    assert "C" == ledger.grade()


@pytest.mark.clause("三(二)2(2)", "R14")
def test_a_fine_for_another_act_in_the_same_decision_is_still_d() -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act("fine", concepts=("unknowing_sale",)), act("fine"))
    assert "D" == ledger.grade()
    ledger.evaluated(2025)
    assert "D" == ledger.grade()


# 三(二)3(2)
@pytest.mark.clause("三(二)3(2)", "三(一)1–2")
@pytest.mark.parametrize("kind", ["fine", "confiscation_of_gains", "confiscation_of_property", "advertising_approval_revoked"])
def test_money_goods_and_advertising_approvals_are_d(kind: str) -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act(kind))
    assert "D" == ledger.grade()


@pytest.mark.clause("三(二)3(2)", "三(一)1–2")
@pytest.mark.parametrize("field", ["food", "price", "trade", "family_planning", "medical_insurance", "public_security", "cosmetics"])
def test_a_fine_outside_drug_and_device_law_is_no_d(field: str) -> None:
    ledger = shop()
    ledger.fined("2025-06-01", field=field)
    ledger.evaluated(2025)
    assert "A" == ledger.grade()


@pytest.mark.clause("三(二)3(2)", "三(一)1–2")
def test_a_fine_under_device_law_is_d() -> None:
    ledger = shop()
    ledger.fined("2025-06-01", field="device")
    assert "D" == ledger.grade()


# 三(二)4(1), R6
@pytest.mark.clause("三(二)4(1)", "R6")
@pytest.mark.parametrize(("second", "grade"), [("2025-03-09", "E"), ("2025-03-10", "E"), ("2025-03-11", "D")])
def test_two_advertising_approvals_within_twelve_months_are_e(second: str, grade: str) -> None:
    ledger = shop(score=None)
    ledger.penalised("2024-03-10", act("advertising_approval_revoked"))
    ledger.penalised(second, act("advertising_approval_revoked"))
    assert grade == ledger.grade()


@pytest.mark.clause("三(二)4(1)", "R6")
def test_two_advertising_approvals_in_one_decision_are_e() -> None:
    ledger = shop()
    ledger.penalised("2025-03-10", act("advertising_approval_revoked", approvals=2))
    assert "E" == ledger.grade()


@pytest.mark.clause("三(二)4(1)", "R6")
def test_one_decision_that_two_people_entered_revokes_no_second_approval() -> None:
    ledger = shop()
    for _ in range(2):
        ledger.penalised("2025-03-10", act("advertising_approval_revoked"))
    assert "D" == ledger.grade()


@pytest.mark.clause("三(二)4(1)", "R6")
def test_two_acts_of_one_decision_each_with_an_approval_are_e() -> None:
    ledger = shop()
    ledger.penalised("2025-03-10", act("advertising_approval_revoked"), act("advertising_approval_revoked"))
    assert "E" == ledger.grade()


@pytest.mark.clause("三(二)4(1)", "R6")
def test_decisions_of_two_offices_with_one_number_are_two() -> None:
    ledger = shop()
    ledger.penalised("2025-03-10", act("advertising_approval_revoked"))
    ledger.source = "/departments/drug/offices/market"
    ledger.penalised("2025-03-10", act("advertising_approval_revoked"))
    assert "E" == ledger.grade()


# 三(二)4(2)
@pytest.mark.clause("三(二)4(2)")
@pytest.mark.parametrize("kind", ["approval_certificate_revoked", "suspension_ordered", "permit_withheld", "business_licence_withheld"])
def test_stopped_or_withheld_is_e(kind: str) -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act(kind))
    assert "E" == ledger.grade()


@pytest.mark.clause("三(二)4(2)")
def test_a_part_of_the_permit_revoked_is_e_and_the_whole_a_status() -> None:
    ledger = shop()
    ledger.permit_revoked("2025-06-01", whole=False)
    assert "E" == ledger.grade()
    ledger.permit_revoked("2025-07-01", whole=True)
    assert "permit_revoked" == ledger.grade()
    assert "E" == ledger.grade("2025-06-30")


# 三(二)4(3)
@pytest.mark.clause("三(二)4(3)")
def test_obstruction_is_e_once_its_determination_is_served() -> None:
    ledger = shop()
    ledger.obstructed("2025-06-01", served=None)
    assert "not_yet_evaluated" == ledger.grade()
    ledger.obstructed("2025-06-02", served="2025-06-10")
    assert ["not_yet_evaluated", "E", "E"] == [ledger.grade(day) for day in ("2025-06-09", "2025-06-10", "2025-06-11")]


# 三(二)4(4)
@pytest.mark.clause("三(二)4(4)")
@pytest.mark.parametrize(
    ("final", "field", "grade"),
    [(True, "drug", "E"), (True, "device", "E"), (False, "drug", "not_yet_evaluated"), (True, "food", "not_yet_evaluated")],
)
def test_a_final_judgment_under_drug_or_device_law_is_e(final: bool, field: str, grade: str) -> None:
    ledger = shop()
    ledger.convicted("2025-06-01", final=final, field=field)
    assert grade == ledger.grade()


# R2
@pytest.mark.clause("三(一)1–2", "R2")
def test_of_all_conditions_the_worst_grade_wins_whatever_the_score() -> None:
    ledger = shop(score="100")
    ledger.warned("2025-02-01")
    ledger.fined("2025-03-01")
    ledger.penalised("2025-04-01", act("suspension_ordered"))
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None
    assert "E" == found.grade
    assert ["e_stopped", "d_money", "c_warned"] == [one.rule for one in found.reasons]
    assert "R2" in found.readings


# R3: service
@pytest.mark.clause("R3")
def test_an_unserved_penalty_has_no_effect_until_it_is_served() -> None:
    ledger = shop()
    document = ledger.fined("2025-06-01", served=None)
    assert "not_yet_evaluated" == ledger.grade()
    ledger.served(document, "2025-07-10")
    assert ["not_yet_evaluated", "D", "D"] == [ledger.grade(day) for day in ("2025-07-09", "2025-07-10", "2025-07-11")]
    found = ledger.now()
    assert found is not None
    assert ["penalty.decided", "document.served"] == [one.fact.name for one in found.decisive]


@pytest.mark.clause("R3")
def test_service_known_before_the_document_itself_counts_once_the_document_comes() -> None:
    ledger = shop()
    document = "0190a5d0-0000-7000-8000-000000000001"
    ledger.served(document, "2025-07-10")
    ledger.enter("penalty.decided", {"occurred_on": "2025-06-01", "document_no": "P-9", "acts": [act("fine")]}, id=document)
    assert "D" == ledger.grade()


@pytest.mark.clause("R3")
def test_a_penalty_served_after_the_period_says_nothing_about_it() -> None:
    ledger = shop()
    ledger.fined("2025-12-20", served="2026-01-20")
    ledger.evaluated(2025)
    assert ["A", "D"] == [ledger.grade("2026-01-19"), ledger.grade("2026-01-20")]


# chapeau of 三(二)1
@pytest.mark.clause("三(二)1")
@pytest.mark.parametrize(("reason", "status"), [("closed", "closed"), ("deregistered", "closed"), ("licence_revoked", "licence_revoked")])
def test_who_closed_has_a_status_and_no_grade(reason: str, status: str) -> None:
    ledger = shop()
    ledger.evaluated(2025)
    ledger.closed("2026-03-01", reason)
    assert ["A", status, status] == [ledger.grade(day) for day in ("2026-02-28", "2026-03-01", "2026-03-02")]


@pytest.mark.clause("三(二)1")
def test_a_revoked_business_licence_leaves_a_status_from_its_service() -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act("business_licence_revoked"), served="2025-06-15")
    assert ["not_yet_evaluated", "licence_revoked"] == [ledger.grade("2025-06-14"), ledger.grade("2025-06-15")]
