"""A fact of a subject with thousands costs what one of a subject with a hundred costs, counted in calls and never in seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS
from services.rating.domain.fold import decide
from services.rating.domain.subject import Subject
from tests.cases.ledger import Ledger, act, book, without_approval

pytestmark = pytest.mark.sweep

BOOKS = {"liyujiang": without_approval(book("liyujiang"))}
FIRST = date(2024, 1, 10)
MANY = 2_000


def calls(work: Callable[[], object]) -> int:
    """Calls of Python functions and of builtins while ``work`` runs."""
    found = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def costs(ledger: Ledger, *places: int) -> list[int]:
    """Of the 20 facts before each place, counted from the subject's first."""
    subject, controls = Subject(ledger.subject, 3), Controls()
    own = [fact for fact in ledger.facts if fact.name not in CONTROLS or not controls.apply(fact)]
    found = []
    for place in places:
        for fact in own[: place - 21]:
            subject.apply(fact)
        for fact in own[place - 21 : place - 20]:
            decide(subject, controls, BOOKS, fact)
        found.append(sum(calls(lambda fact=fact: decide(subject, controls, BOOKS, fact)) for fact in own[place - 20 : place]))
    return found


def day(number: int) -> str:
    return (FIRST + timedelta(days=number // 6)).isoformat()


ENTER: dict[str, Callable[[Ledger, int], object]] = {
    "warnings of one code": lambda ledger, number: ledger.warned(day(number)),
    "warnings with a term": lambda ledger, number: ledger.warned(day(number), term=(FIRST + timedelta(days=number // 6 + 20)).isoformat()),
    "warnings of three codes": lambda ledger, number: ledger.warned(day(number), violation=f"GSP-{number % 3}"),
    "fines": lambda ledger, number: ledger.fined(day(number)),
    "advertising approvals": lambda ledger, number: ledger.penalised(day(number), act("advertising_approval_revoked")),
    "inspections": lambda ledger, number: ledger.inspected(day(number), found=("GSP-07",)),
}


@pytest.mark.parametrize("what", ENTER)
@pytest.mark.parametrize("evaluated", [False, True])
def test_the_two_thousandth_fact_costs_what_the_two_hundredth_costs(what: str, evaluated: bool) -> None:
    ledger = Ledger()
    ledger.opened("2010-03-01")
    ledger.scored(2023, "95")
    if evaluated:
        ledger.evaluated(2023)
    for number in range(MANY):
        ENTER[what](ledger, number)
    early, late = costs(ledger, 200, MANY)
    assert late < 1.5 * early, (early, late)


def test_facts_that_come_late_cost_no_more_than_their_number() -> None:
    """Entered from the newest to the oldest: each makes the chains be worked out again, which is in proportion to them."""
    ledger = Ledger()
    ledger.opened("2010-03-01")
    for number in reversed(range(400)):
        ledger.warned(day(6 * number))
    early, late = costs(ledger, 100, 400)
    assert late < 5 * early, (early, late)
