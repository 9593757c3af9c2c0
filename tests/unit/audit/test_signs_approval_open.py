"""Approvals left open; the days of the term are cases of ``tests/cases/test_liyujiang_approval_open.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.rulebook import load_all_editions
from services.audit.domain.detectors.approval_open import ApprovalOpen
from tests.toolkit import APPROVER, REGISTER, REGISTRAR, inspection
from tests.unit.audit.signs_world import STACK, World

EDITIONS = load_all_editions(Path(__file__).resolve().parents[3] / "rulebooks")
# Ten working days after 2026-03-02: without a make-up day or a day off, 2026-03-16.
PROPOSED = "2026-03-02"
CALENDAR = {"country": "CN", "year": 2026, "days_off": [], "make_up_days": [], "document": "d"}


def proposed(world: World, regime: str = "liyujiang", day: str = PROPOSED) -> None:
    fact = world.say("inspection.recorded", inspection(day), at=f"{day}T02:00:00.000Z")
    world.told("grade.proposed", {"regime": regime, "grade": "a"}, after=fact)


def answered(world: World, day: str, outcome: str = "approved") -> None:
    fact = world.say("inspection.recorded", inspection(day), at=f"{day}T02:00:00.000Z")
    world.told("proposal.closed", {"regime": "liyujiang", "grade": "a", "outcome": outcome}, after=fact)


def issued(world: World, *days_off: str) -> None:
    said = {"occurred_on": "2026-01-05", **CALENDAR, "days_off": list(days_off)}
    world.say("calendar.issued", said, by=REGISTRAR, office=REGISTER, subject=STACK, at="2026-01-06T00:00:00.000Z")


def findings(world: World) -> list[dict[str, Any]]:
    return world.findings(ApprovalOpen(EDITIONS))


def test_it_is_found_once_however_many_days_close_and_told_anew_when_it_is_answered() -> None:
    world = World()
    issued(world)
    proposed(world)
    for day in ("2026-03-17", "2026-03-18"):
        world.close(day)
    answered(world, "2026-03-20", "lapsed")
    world.close("2026-03-20")
    first, last = findings(world)
    assert first["matter"] == last["matter"]
    assert "closed on 2026-03-20 (Fri): lapsed" in last["detail_en"]
    assert {"code": "lapsed", "supported": True} in last["explanations"]


@pytest.mark.parametrize("outcome", ["approved", "returned", "lapsed"])
def test_answered_in_time_nothing_is_found(outcome: str) -> None:
    world = World()
    issued(world)
    proposed(world)
    answered(world, "2026-03-13", outcome)
    world.close("2026-03-17")
    world.close("2026-04-17")
    assert [] == findings(world)


def test_a_newer_proposal_begins_its_own_term() -> None:
    world = World()
    issued(world)
    proposed(world)
    proposed(world, day="2026-03-10")
    world.close("2026-03-20")
    assert [] == findings(world)


def test_a_declared_outage_within_the_term_is_told() -> None:
    world = World()
    issued(world)
    proposed(world)
    outage = {"occurred_on": "2026-03-06", "started": "2026-03-05T01:00:00.000Z", "ended": "2026-03-05T09:00:00.000Z", "cause": "样例"}
    world.say("outage.declared", outage, by=REGISTRAR, office=REGISTER, subject=STACK, at="2026-03-06T01:00:00.000Z")
    world.close("2026-03-17")
    [one] = findings(world)
    assert {"code": "outage", "supported": True} in one["explanations"]
    assert APPROVER.office == one["office"]


def test_without_a_calendar_the_term_is_provisional_and_a_regime_without_a_term_finds_nothing() -> None:
    world = World()
    proposed(world)
    world.close("2026-03-17")
    [one] = findings(world)
    assert "(provisional" in one["detail_en"] and "暂定" in one["detail_zh"]
    other = World()
    proposed(other, "shenzhen-pharmacy")
    other.close("2026-12-31")
    assert [] == findings(other)
