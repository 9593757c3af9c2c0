"""What is said about the two clocks, whatever keeps the detectors' state. Run where ``detector_suite`` is run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schemas.times import instant, milliseconds
from services.audit.domain.frame import Record
from tests.unit.audit.detector_suite import STACK, Scene, are_valid


async def a_partitions_time_that_goes_back_is_named_each_time(store: Any) -> None:
    scene = Scene(store)
    for second in (20, 21, 21, 19, 20, 22, 21):
        known = f"2026-03-20T08:00:{second}.000Z"
        scene.say("enterprise.closed", {"occurred_on": "2026-03-19"}, known=known, received_at=known)
    for record in scene.records:
        await scene.restart()
        await scene.fold([record])
    found = await scene.data()
    assert [(one["kind"], one["cause"]["offset"]) for one in found] == [("clock_step_back", 3), ("clock_step_back", 6)]
    assert "went back 2000 ms" in found[0]["detail_en"] and "倒退1000毫秒" in found[1]["detail_zh"]
    are_valid(found)


async def on_a_simulated_stack_there_is_one_clock(store: Any) -> None:
    scene = Scene(store)
    scene.say("enterprise.closed", {"occurred_on": "2026-03-19"}, received_at="2026-03-20T08:00:00.000Z")
    scene.raw((scene.records[0].value or b"").replace(b"018f", b"018e"))
    scene.records[1] = replace(scene.records[1], timestamp=5)
    await scene.fold()
    assert await scene.data() == []


def taken(scene: Scene, seconds: float, later: float, **more: Any) -> Record:
    """A fact received so many seconds after eight, and known so much later."""
    first = milliseconds("2026-03-20T08:00:00.000Z") + round(1000 * seconds)
    received, known = instant(first), instant(first + round(1000 * later))
    return scene.say("enterprise.closed", {"occurred_on": "2026-03-19"}, received_at=received, known=known, **more)


async def two_clocks_apart_are_named_once_until_they_agree_again(store: Any) -> None:
    scene = Scene(store)
    for seconds, later in ((0, 0.02), (10, 5.0), (20, 5.001), (21, 60), (100, 0), (200, 0), (300, -5.0), (400, -5.001)):
        taken(scene, seconds, later)
    for record in scene.records:
        await scene.restart()
        await scene.fold([record])
    found = await scene.data()
    assert [(one["kind"], one["cause"]["offset"]) for one in found] == [("clocks_apart", 2), ("clocks_apart", 7)]
    assert "5001 ms apart" in found[0]["detail_en"] and "相差5001毫秒" in found[1]["detail_zh"]
    are_valid(found)


async def a_copy_that_comes_late_says_nothing_about_clocks(store: Any) -> None:
    scene = Scene(store)
    first = taken(scene, 0, 0.02)
    scene.raw(first.value, known="2026-03-20T09:00:00.000Z")
    await scene.fold(scene.records[:1])
    await scene.restart()
    await scene.fold(scene.records[1:])
    assert await scene.data() == []


async def a_declared_outage_explains_why_a_record_waited(store: Any) -> None:
    scene = Scene(store)
    outage = {"started": "2026-03-20T07:00:00.000Z", "ended": "2026-03-20T08:00:05.000Z"}
    scene.declare("mingjian.outage.declared.v1", STACK, outage)
    taken(scene, 0, 60, registry_offset=2)
    taken(scene, 5, 60, registry_offset=2)
    known_before = taken(scene, 6, 60, registry_offset=2)
    await scene.fold()
    assert [one["cause"]["offset"] for one in await scene.data()] == [known_before.offset]
    other = Scene()
    other.declare("mingjian.outage.declared.v1", STACK, outage)
    taken(other, 0, 60, registry_offset=1)
    await other.fold()
    assert len(await other.data()) == 1, "the outage was not yet on record when the fact was taken"


CLOCKS = [
    a_partitions_time_that_goes_back_is_named_each_time,
    on_a_simulated_stack_there_is_one_clock,
    two_clocks_apart_are_named_once_until_they_agree_again,
    a_copy_that_comes_late_says_nothing_about_clocks,
    a_declared_outage_explains_why_a_record_waited,
]
