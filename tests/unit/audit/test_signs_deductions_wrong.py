"""Deductions that don't add up."""

from __future__ import annotations

from typing import Any

from services.audit.domain.detectors.deductions_wrong import DeductionsWrong
from tests.toolkit import IMPORTER, key, score
from tests.unit.audit.signs_world import DAY, World, corrected, retracted, standing


def found(world: World) -> list[dict[str, Any]]:
    world.close(DAY)
    return standing(world.findings(DeductionsWrong()))


def test_a_total_that_is_not_the_maximum_less_the_deductions_is_found() -> None:
    world = World()
    world.say("score.recorded", score("96.5"), by=IMPORTER, channel="feed")
    [one] = found(world)
    assert {"name": "total", "value": "96.5", "bound": "97.5"} in one["values"]
    assert [{"code": "taken_with_a_mark", "supported": False}, {"code": "item_left_out", "supported": False}] == one["explanations"]


def test_a_mark_of_intake_speaks_for_a_taken_over_score() -> None:
    world = World()
    world.say("score.recorded", score("96.5"), by=IMPORTER, channel="feed", marks=["sum-wrong"])
    [one] = found(world)
    assert {"code": "taken_with_a_mark", "supported": True} in one["explanations"]


def test_scores_that_add_up_find_nothing() -> None:
    world = World()
    world.say("score.recorded", score())
    world.say("score.recorded", score("97.50"))
    assert [] == found(world)


def test_a_correction_by_which_it_adds_up_ends_the_matter_and_one_by_which_it_does_not_begins_it() -> None:
    world = World()
    wrong = world.say("score.recorded", score("96.5"))
    right = world.say("score.recorded", score())
    corrected(world, wrong, "score.recorded", score())
    corrected(world, right, "score.recorded", score("97"))
    [one] = found(world)
    assert right["id"] == one["event"]["id"]
    assert ["score", "correction"] == [shown["role"] for shown in one["evidence"]]


def test_a_retraction_ends_the_matter_in_the_open() -> None:
    world = World()
    wrong = world.say("score.recorded", score("96.5"))
    retracted(world, wrong)
    world.close(DAY)
    first, last = world.findings(DeductionsWrong())
    assert first["matter"] == last["matter"]
    assert (None, True) == (first.get("retracted"), last["retracted"])


def test_what_nobody_signed_who_had_a_key_accuses_nobody() -> None:
    world = World()
    world.say("score.recorded", score("96.5"), by=key("nobody's"))
    assert [] == found(world)


def test_nothing_is_found_before_the_day_has_closed() -> None:
    world = World()
    world.say("score.recorded", score("96.5"))
    assert [] == world.scan([DeductionsWrong()])
