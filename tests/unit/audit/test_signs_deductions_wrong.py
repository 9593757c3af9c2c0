"""Deductions that don't add up."""

from __future__ import annotations

from services.audit.domain.detectors.deductions_wrong import DeductionsWrong
from tests.toolkit import IMPORTER, key, score
from tests.unit.audit.signs_world import World


def test_a_total_that_is_not_the_maximum_less_the_deductions_is_found() -> None:
    world = World()
    world.say("score.recorded", score("96.5"), by=IMPORTER, channel="feed")
    world.close("2026-03-02")
    [found] = world.findings(DeductionsWrong())
    assert {"name": "total", "value": "96.5", "bound": "97.5"} in found["values"]
    assert [{"code": "taken_with_a_mark", "supported": False}, {"code": "item_left_out", "supported": False}] == found["explanations"]


def test_a_mark_of_intake_speaks_for_a_taken_over_score() -> None:
    world = World()
    world.say("score.recorded", score("96.5"), by=IMPORTER, channel="feed", marks=["sum-wrong"])
    world.close("2026-03-02")
    [found] = world.findings(DeductionsWrong())
    assert {"code": "taken_with_a_mark", "supported": True} in found["explanations"]


def test_scores_that_add_up_find_nothing() -> None:
    world = World()
    world.say("score.recorded", score())
    world.say("score.recorded", score("97.50"))
    world.close("2026-03-02")
    assert [] == world.findings(DeductionsWrong())


def test_what_nobody_signed_who_had_a_key_accuses_nobody() -> None:
    world = World()
    world.say("score.recorded", score("96.5"), by=key("nobody's"))
    world.close("2026-03-02")
    assert [] == world.findings(DeductionsWrong())


def test_nothing_is_found_before_the_day_has_closed() -> None:
    world = World()
    world.say("score.recorded", score("96.5"))
    assert [] == world.scan([DeductionsWrong()])
