"""The term for an approval, which the operator sets: open the day before its end, on it, and found on the day after."""

from __future__ import annotations

import pytest

from services.audit.domain.detectors.approval_open import ApprovalOpen
from tests.cases import ledger
from tests.toolkit import OFFICE, REGISTER, REGISTRAR, inspection
from tests.unit.audit.signs_world import STACK, World

pytestmark = pytest.mark.clause("五(四) ¶3", "R8")

# Ten working days after 2026-03-02 end on 2026-03-16 by a calendar without a day off.
PROPOSED = "2026-03-02"


def world_of(*days_off: str) -> World:
    """An office whose proposal of 2 March nobody answers."""
    world = World()
    said = {"occurred_on": "2026-01-05", "country": "CN", "year": 2026, "days_off": list(days_off), "make_up_days": [], "document": "d"}
    world.say("calendar.issued", said, by=REGISTRAR, office=REGISTER, subject=STACK, at="2026-01-06T00:00:00.000Z")
    fact = world.say("inspection.recorded", inspection(PROPOSED), at=f"{PROPOSED}T02:00:00.000Z")
    world.told("grade.proposed", {"regime": "liyujiang", "grade": "a"}, after=fact)
    return world


def detector() -> ApprovalOpen:
    return ApprovalOpen({"liyujiang": [ledger.book("liyujiang").rulebook]})


@pytest.mark.parametrize(("day", "count"), [("2026-03-15", 0), ("2026-03-16", 0), ("2026-03-17", 1)])
def test_it_is_found_when_the_day_after_the_term_has_closed(day: str, count: int) -> None:
    world = world_of()
    world.close(day)
    found = world.findings(detector())
    assert count == len(found)
    if found:
        assert (OFFICE, "office", "2026-03-16") == (found[0]["office"], found[0]["about"], found[0]["values"][1]["value"])
        assert "(provisional" not in found[0]["detail_en"]


@pytest.mark.parametrize(("day", "count"), [("2026-03-16", 0), ("2026-03-17", 0), ("2026-03-18", 1)])
def test_a_day_off_of_the_calendar_moves_the_term(day: str, count: int) -> None:
    world = world_of("2026-03-05")
    world.close(day)
    assert count == len(world.findings(detector()))
