"""Two final scores of one year."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.domain.detectors.two_final_scores import TwoFinalScores
from tests.toolkit import IMPORTER, score
from tests.unit.audit.signs_world import DAY, World, corrected, retracted, standing

SUPPORTED = ("taken_with_a_mark", "same_total")


def found(world: World) -> list[dict[str, Any]]:
    world.close(DAY)
    return standing(world.findings(TwoFinalScores()))


def final(total: str = "97.5", points: str = "2.5", **more: Any) -> dict[str, Any]:
    return score(total, deductions=[{"item": "YL-01", "points": points}], final=True, **more)


def test_two_final_scores_of_one_year_are_found() -> None:
    world = World()
    world.say("score.recorded", final())
    later = world.say("score.recorded", final("90", "10"), by=IMPORTER, channel="feed", marks=["second-final-score"])
    [one] = found(world)
    assert (later["id"], ["first_score", "later_score"]) == (one["event"]["id"], [shown["role"] for shown in one["evidence"]])
    assert {"taken_with_a_mark": True, "same_total": False, "meant_as_correction": False} == {
        each["code"]: each["supported"] for each in one["explanations"]
    }


def test_the_same_total_twice_speaks_for_a_double_entry() -> None:
    world = World()
    world.say("score.recorded", final())
    world.say("score.recorded", final())
    [one] = found(world)
    assert {"code": "same_total", "supported": True} in one["explanations"]


def test_a_third_one_takes_the_place_of_the_finding_of_two() -> None:
    world = World()
    for points in ("2.5", "3", "4"):
        world.say("score.recorded", final(str(100 - float(points)), points))
    world.close(DAY)
    findings = world.findings(TwoFinalScores())
    assert ["2", "3"] == [one["values"][0]["value"] for one in findings]
    assert 1 == len({one["matter"] for one in findings})


@pytest.mark.parametrize("other", [{"year": 2025}, {"final": False}, {"regime": "wuhan-2017"}], ids=["year", "not final", "regime"])
def test_other_scores_find_nothing(other: dict[str, Any]) -> None:
    world = World()
    world.say("score.recorded", final())
    world.say("score.recorded", final() | other)
    assert [] == found(world)


def test_another_subjects_score_finds_nothing() -> None:
    world = World()
    world.say("score.recorded", final())
    world.say("score.recorded", final(), subject="uscc:91990000YL0000020Y")
    assert [] == found(world)


@pytest.mark.parametrize("before", [True, False], ids=["before the second", "after the second"])
def test_a_correction_or_retraction_of_the_first_one_explains_the_second(before: bool) -> None:
    for mend in (retracted, lambda world, one: corrected(world, one, "score.recorded", final() | {"final": False})):
        world = World()
        first = world.say("score.recorded", final())
        if before:
            mend(world, first)
        world.say("score.recorded", final("90", "10"))
        if not before:
            mend(world, first)
        assert [] == found(world)
