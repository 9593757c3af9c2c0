"""Every word of the Liyujiang conditions decides: each sanction of each act set, each legal field, each moment, each exception."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.ledger import Ledger, act

PENALTIES = (
    "warning",
    "criticism",
    "fine",
    "confiscation_of_gains",
    "confiscation_of_property",
    "advertising_approval_revoked",
    "approval_certificate_revoked",
    "suspension_ordered",
    "permit_withheld",
    "business_licence_withheld",
    "detention",
)


def shop(*, score: str | None = "100") -> Ledger:
    ledger = Ledger()
    ledger.opened("2010-03-01")
    if score is not None:
        ledger.scored(2025, score)
    return ledger


def rules(ledger: Ledger) -> list[str]:
    found = ledger.now()
    assert found is not None
    return [one.rule for one in found.reasons]


def announced(ledger: Ledger) -> object:
    return ledger.announced("2025-06-01")


def obstructed(ledger: Ledger) -> object:
    return ledger.obstructed("2025-06-01")


def found(ledger: Ledger) -> object:
    return ledger.inspected("2025-06-01", found=("GSP-03",))


def established(ledger: Ledger) -> object:
    data = {"occurred_on": "2025-06-01", "case_no": "L-1", "outcome": "violation_no_penalty", "violations": ["GSP-03"]}
    return ledger.enter("case.closed", data)


# 三(二)1(1): every penalty stains three years, and nothing else does
@pytest.mark.parametrize("kind", PENALTIES)
def test_every_kind_of_penalty_bars_a_for_three_years(kind: str) -> None:
    ledger = shop()
    ledger.penalised("2023-06-01", act(kind))
    ledger.evaluated(2025)
    assert ["b_compliant"] == rules(ledger)


@pytest.mark.parametrize("whole", [False])
def test_a_permit_revoked_in_part_bars_a_for_three_years(whole: bool) -> None:
    ledger = shop()
    ledger.permit_revoked("2023-06-01", whole=whole)
    ledger.evaluated(2025)
    assert ["b_compliant"] == rules(ledger)


def test_a_crime_bars_a_for_three_years() -> None:
    ledger = shop()
    ledger.convicted("2023-06-01")
    ledger.evaluated(2025)
    assert ["b_compliant"] == rules(ledger)


@pytest.mark.parametrize("what", [announced, obstructed, found, established, lambda ledger: ledger.ordered("2025-06-01")])
def test_what_is_no_penalty_bars_a_for_one_year_only(what: Callable[[Ledger], object]) -> None:
    ledger = shop()
    what(ledger)
    ledger.scored(2026, "100")
    ledger.evaluated(2026)
    assert ["a_exemplary"] == rules(ledger)


@pytest.mark.parametrize("what", [announced, found, established, lambda ledger: ledger.ordered("2025-06-01")])
def test_every_violation_bars_b_in_its_year_and_is_read_as_c(what: Callable[[Ledger], object]) -> None:
    ledger = shop()
    what(ledger)
    ledger.evaluated(2025)
    assert ["c_gap"] == rules(ledger)


@pytest.mark.parametrize("kind", ["criticism", "detention"])
def test_a_penalty_that_no_condition_names_is_read_as_c(kind: str) -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act(kind))
    ledger.evaluated(2025)
    assert ["c_gap"] == rules(ledger)


# 三(二)2(2), R14
@pytest.mark.parametrize("kind", PENALTIES)
def test_dealing_without_knowledge_is_c_whatever_the_penalty(kind: str) -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act(kind, concepts=("unknowing_sale",), approvals=2 if kind.startswith("advert") else None))
    ledger.evaluated(2025)
    assert "C" == ledger.grade()
    assert "c_unknowing" in rules(ledger) and {"c_unknowing", "c_warned"} >= set(rules(ledger))


def test_another_notion_is_no_dealing_without_knowledge() -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act("fine", concepts=("first_offence",)))
    ledger.evaluated(2025)
    assert ["d_money"] == rules(ledger)


# each E and D condition at the evaluation as well as at once: what was entered before go-live's day counts in its period only
@pytest.mark.parametrize(
    ("enter", "rule"),
    [
        (lambda ledger: ledger.penalised("2025-06-01", act("suspension_ordered")), "e_stopped"),
        (lambda ledger: ledger.permit_revoked("2025-06-01", whole=False), "e_stopped"),
        (obstructed, "e_obstruction"),
        (lambda ledger: ledger.convicted("2025-06-01"), "e_crime"),
        (lambda ledger: ledger.penalised("2025-06-01", act("advertising_approval_revoked", approvals=2)), "e_approvals"),
        (lambda ledger: ledger.fined("2025-06-01"), "d_money"),
        (lambda ledger: (ledger.warned("2025-03-01"), ledger.warned("2025-06-01")), "d_succession"),
    ],
)
def test_a_serious_problem_counts_at_once_and_again_at_its_periods_evaluation(enter: Callable[[Ledger], object], rule: str) -> None:
    ledger = shop()
    enter(ledger)
    assert rule == rules(ledger)[0]
    at_once = ledger.now()
    assert at_once is not None and "immediate" == at_once.moment
    ledger.evaluated(2025)
    assert rule == rules(ledger)[0]
    evaluated = ledger.now()
    assert evaluated is not None and "evaluation" == evaluated.moment


@pytest.mark.parametrize("rule", ["e_stopped", "e_crime", "e_approvals", "d_money", "d_succession", "c_warned", "c_unknowing", "c_gap"])
@pytest.mark.parametrize("field", ["food", "price"])
def test_what_happened_under_another_law_meets_no_condition(rule: str, field: str) -> None:
    ledger = shop()
    entered: dict[str, Callable[[], object]] = {
        "e_stopped": lambda: ledger.penalised("2025-06-01", act("suspension_ordered", field=field)),
        "e_crime": lambda: ledger.convicted("2025-06-01", field=field),
        "e_approvals": lambda: ledger.penalised("2025-06-01", act("advertising_approval_revoked", field=field, approvals=2)),
        "d_money": lambda: ledger.fined("2025-06-01", field=field),
        "d_succession": lambda: (ledger.warned("2025-03-01", field=field), ledger.warned("2025-06-01", field=field)),
        "c_warned": lambda: ledger.warned("2025-06-01", field=field),
        "c_unknowing": lambda: ledger.penalised("2025-06-01", act("fine", field=field, concepts=("unknowing_sale",))),
        "c_gap": lambda: ledger.penalised("2025-06-01", act("criticism", field=field)),
    }
    entered[rule]()
    ledger.evaluated(2025)
    assert ["a_exemplary"] == rules(ledger)


@pytest.mark.parametrize(("field", "status"), [("drug", "C"), ("device", "C"), ("price", "new")])
def test_a_new_enterprise_is_graded_at_once_under_the_plans_own_law_only(field: str, status: str) -> None:
    for enter in (
        lambda ledger: ledger.warned("2025-06-01", field=field),
        lambda ledger: ledger.penalised("2025-06-01", act("criticism", field=field)),
        lambda ledger: ledger.penalised("2025-06-01", act("fine", field=field, concepts=("unknowing_sale",))),
    ):
        ledger = Ledger()
        ledger.opened("2025-03-01")
        enter(ledger)
        assert status == ledger.grade()


# 三(三), R4: the full year is asked for by A and B themselves
def test_a_violation_before_the_opening_lets_no_new_enterprise_into_a_or_b() -> None:
    """A period of eighteen months: the violation lies in it and not in the year before its end."""
    ledger = Ledger()
    ledger.opened("2025-02-01")
    ledger.inspected("2024-08-01", found=("GSP-03",))
    ledger.scored(2025, "100")
    data = {"occurred_on": "2026-01-15", "regime": "liyujiang", "period": {"first": "2024-07-01", "last": "2025-12-31"}}
    ledger.enter("evaluation.closed", data | {"evaluation_date": "2026-01-15"})
    assert ["c_gap"] == rules(ledger)


@pytest.mark.parametrize(("score", "rule"), [("91", "c_gap"), ("90", "c_gap"), ("89.99", "c_score")])
def test_the_gap_is_read_as_c_only_where_the_score_would_give_b(score: str, rule: str) -> None:
    ledger = shop(score=score)
    ledger.inspected("2025-06-01", found=("GSP-03",))
    ledger.evaluated(2025)
    assert [rule] == rules(ledger)


@pytest.mark.parametrize(("cause", "status"), [("permit_revoked", "permit_revoked"), ("business_licence_revoked", "licence_revoked")])
def test_a_decision_that_revokes_the_whole_leaves_a_status(cause: str, status: str) -> None:
    ledger = shop()
    ledger.penalised("2025-06-01", act(cause))
    assert status == ledger.grade()
