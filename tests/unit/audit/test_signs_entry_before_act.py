"""Entries made before the act that they record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.rulebook import load_all_editions
from services.audit.domain.detectors.entry_before_act import EntryBeforeAct
from tests.toolkit import inspection, warning
from tests.unit.audit.signs_world import DAY, World, corrected, standing

EDITIONS = load_all_editions(Path(__file__).resolve().parents[3] / "rulebooks")
ENDED = f"{DAY}T08:00:00.000Z"


def found(world: World) -> list[dict[str, Any]]:
    world.close("2026-03-05")
    return standing(world.findings(EntryBeforeAct(EDITIONS)))


def supported(one: dict[str, Any]) -> set[str]:
    return {each["code"] for each in one["explanations"] if each["supported"]}


def visit(**more: Any) -> dict[str, Any]:
    return inspection(DAY, started_at=f"{DAY}T07:00:00.000Z", ended_at=ENDED, **more)


@pytest.mark.parametrize(("signed_at", "codes"), [("07:40", {"device_clock"}), ("06:00", {"device_clock", "wrong_zone"})])
def test_a_visit_signed_before_it_ended_is_found(signed_at: str, codes: set[str]) -> None:
    world = World()
    world.say("inspection.recorded", visit(), signed_at=f"{DAY}T{signed_at}:00.000Z", at=f"{DAY}T09:00:00.000Z")
    [one] = found(world)
    assert codes == supported(one)
    assert {"name": "ended_at", "value": ENDED, "bound": f"{DAY}T{signed_at}:00.000Z"} in one["values"]


@pytest.mark.parametrize("signed_at", ["07:46", "08:00", "12:00"])
def test_signed_within_the_tolerance_of_clocks_or_after_it_nothing_is_found(signed_at: str) -> None:
    world = World()
    world.say("inspection.recorded", visit(), signed_at=f"{DAY}T{signed_at}:00.000Z", at=f"{DAY}T13:00:00.000Z")
    assert [] == found(world)


def test_received_before_it_ended_no_clock_of_a_device_explains_it() -> None:
    world = World()
    world.say("inspection.recorded", visit(), at=f"{DAY}T07:30:00.000Z")
    [one] = found(world)
    assert set() == supported(one)
    assert "received" in one["detail_en"] and "接收" in one["detail_zh"]


@pytest.mark.parametrize(("day", "count"), [("2026-03-02", 0), ("2026-03-03", 1), ("2026-03-05", 1)])
def test_a_day_to_come_is_found_and_the_day_itself_not(day: str, count: int) -> None:
    """2026-03-02T15:30Z is still the 2nd in Shanghai; with the tolerance the clock shows 23:45."""
    world = World()
    world.say("inspection.recorded", inspection(day), at="2026-03-02T15:30:00.000Z")
    assert count == len(found(world))


def test_an_instant_shortly_before_midnight_counts_for_the_next_day() -> None:
    world = World()
    world.say("inspection.recorded", inspection("2026-03-03"), at="2026-03-02T15:50:00.000Z")
    assert [] == found(world)


def test_a_service_that_is_still_to_come_is_found() -> None:
    world = World()
    world.say("warning.issued", warning(DAY, "2026-03-04"), at=f"{DAY}T08:00:00.000Z")
    [one] = found(world)
    assert "served_on" == one["values"][0]["name"]


def test_a_correction_to_the_right_time_ends_the_matter() -> None:
    world = World()
    wrong = world.say("inspection.recorded", visit(), signed_at=f"{DAY}T06:00:00.000Z", at=f"{DAY}T09:00:00.000Z")
    corrected(world, wrong, "inspection.recorded", inspection(DAY, ended_at=f"{DAY}T05:00:00.000Z"), at=f"{DAY}T10:00:00.000Z")
    assert [] == found(world)
