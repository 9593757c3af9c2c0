"""四(一) ¶2 2, 四(四)5: who stands on the lists that the public can read follows from the grade in force, never from a proposed one."""

from __future__ import annotations

from datetime import date

import pytest

from services.publication.domain.lists import ListRule, transitions
from services.publication.domain.rows import ChangeRow
from tests.cases.ledger import Ledger, act, shop


def on_lists(ledger: Ledger) -> set[str]:
    """The lists that a subject stands on after all that was told of it."""
    book = ledger.book.rulebook
    rules = [ListRule(one.name, book.regime, frozenset(one.grades), one.clause, one.title.zh, one.title.en) for one in book.lists]
    standing: set[str] = set()
    for number, event in enumerate(one.event for one in ledger.told()):
        data = event["data"]
        if event["type"] not in ("mingjian.grade.determined.v1", "mingjian.grade.corrected.v1"):
            continue
        until = data.get("corrected_to")
        row = ChangeRow(
            id=event["id"],
            type=event["type"],
            subject=event["subject"],
            regime=data["regime"],
            grade=data["grade"],
            status=data["status"],
            in_force_from=date.fromisoformat(data["in_force_from"]) if data["in_force_from"] else None,
            corrected_to=date.fromisoformat(until) if until else None,
            partition=3,
            offset=number,
            known_ms=0,
            cause_offset=number,
            cause_known_ms=0,
            time=event["time"],
            data=data,
        )
        for change in transitions(row, frozenset(standing), rules, "Asia/Shanghai"):
            standing ^= {change.list}
    return standing


@pytest.mark.clause("四(一) ¶2 2", "四(四)5")
@pytest.mark.parametrize(
    ("score", "found"), [("98", {"exemplary"}), ("97", set()), ("80", set()), ("70", set()), ("69", {"seriously_discredited"})]
)
def test_the_two_lists_hold_the_best_and_the_worst(score: str, found: set[str]) -> None:
    ledger = shop()
    ledger.scored(2024, score)
    ledger.evaluated(2024)
    assert found == on_lists(ledger)


@pytest.mark.clause("四(四)5", "五(四) ¶3", "R8")
def test_on_the_list_from_the_approval_and_off_it_by_an_annulment() -> None:
    ledger = shop(approving=True)
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    stop = ledger.penalised("2025-06-10", act("suspension_ordered"))
    assert set() == on_lists(ledger), "a pending grade is not for the public"
    ledger.approved("E", "2025-06-20")
    assert {"seriously_discredited"} == on_lists(ledger)
    ledger.annulled(stop, "2025-09-01")
    assert set() == on_lists(ledger)
