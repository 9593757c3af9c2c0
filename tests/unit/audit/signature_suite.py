"""Who said it: nothing is found of what nobody signed who had a key. On any store."""

from __future__ import annotations

from typing import Any

from schemas.keys import SigningKey
from tests.unit.audit.detector_suite import YEAR_2026, YEAR_2027, Scene, are_valid
from tests.unit.audit.service_suite import decided, served

STRANGER = SigningKey.from_seed(b"nobody whom the registry knows".ljust(32, b"."))
OFFICER = SigningKey.from_seed(b"officer of the unit tests".ljust(32, b"."))
LATE = {"occurred_on": "2026-03-02"}


async def kinds(scene: Scene) -> list[tuple[str, int]]:
    return [(one["kind"], one["cause"]["offset"]) for one in await scene.data()]


async def a_record_that_no_known_key_signed_accuses_nobody_and_is_named(store: Any) -> None:
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    scene.say("inspection.recorded", LATE, key=STRANGER)
    scene.say("inspection.recorded", {"occurred_on": "2026-03-19"}, key=STRANGER)
    value = scene.say("inspection.recorded", LATE, number=99).value or b""
    scene.records[-1:] = []
    scene.raw(value.replace(b"2026-03-02", b"2026-03-03"))
    scene.say("inspection.recorded", LATE)
    await scene.fold()
    assert await kinds(scene) == [("unsigned_fact", 1), ("unsigned_fact", 3), ("late_entry", 4)]
    are_valid(await scene.data())


async def a_key_holds_from_its_registration_until_it_is_revoked(store: Any) -> None:
    scene = Scene(store)
    holder = "officer:a"
    scene.declare("mingjian.key.registered.v1", holder, {"key": OFFICER.public_object(), "channels": ["desk"]})
    scene.declare("mingjian.key.revoked.v1", holder, {"key_id": OFFICER.key_id})
    scene.declare("mingjian.key.registered.v1", holder, {"key": OFFICER.public_object(), "channels": ["desk"]})
    scene.declare("mingjian.key.registered.v1", "officer:b", {"key": STRANGER.public_object(), "channels": ["desk"]}, key=STRANGER)
    assert scene.registry.without_effect == [4, 5]
    for stamp in range(1, 6):
        scene.say("inspection.recorded", LATE, key=OFFICER, registry_offset=stamp)
    scene.say("inspection.recorded", LATE, key=STRANGER, registry_offset=5)
    await scene.fold()
    assert await kinds(scene) == [("late_entry" if offset == 1 else "unsigned_fact", offset) for offset in range(6)]


async def nothing_that_nobody_signed_is_kept_for_later(store: Any) -> None:
    """Neither a decision nor a service nor a calendar nor a verdict that is open: each would lead to a finding one day."""
    scene = Scene(store)
    scene.say("calendar.issued", {**YEAR_2026, "days_off": []}, key=STRANGER, number=71)
    scene.say("calendar.issued", YEAR_2026)
    scene.say("inspection.recorded", {"occurred_on": "2026-12-29"}, received_at="2027-01-06T04:00:00.000Z", key=STRANGER, number=73)
    scene.say("penalty.decided", {"occurred_on": "2026-03-02"}, number=7, key=STRANGER, received_at="2026-03-24T04:00:00.000Z")
    served(scene, "2026-03-17")
    decided(scene, "2026-03-24", number=74)
    served(scene, "2026-03-17", number=75, document=74, key=STRANGER)
    scene.say("calendar.issued", YEAR_2027, number=76)
    await scene.fold()
    assert await kinds(scene) == [("unsigned_fact", offset) for offset in (0, 2, 3, 6)]


async def of_the_registrys_copies_the_first_counts(store: Any) -> None:
    """A, B, A again: the second A changes nothing, neither does another content under A's id."""
    scene = Scene(store)
    first = {"regime": "liyujiang", "occurred_on": "2026-02-01"}
    second = {"regime": "liyujiang", "occurred_on": "2026-03-10"}
    scene.declare("mingjian.go_live.declared.v1", "regime:liyujiang", first, number=0xA)
    scene.declare("mingjian.go_live.declared.v1", "regime:liyujiang", second, number=0xB)
    scene.declare("mingjian.go_live.declared.v1", "regime:liyujiang", first, number=0xA)
    scene.declare("mingjian.go_live.declared.v1", "regime:liyujiang", {**first, "occurred_on": "2026-01-05"}, number=0xB)
    for stamp in (2, 3, 4, 5):
        scene.say("inspection.recorded", LATE, registry_offset=stamp)
    await scene.fold()
    assert await kinds(scene) == [("late_entry", 0)], "from the second declaration on the act lies before go-live"


SIGNATURES = [
    a_record_that_no_known_key_signed_accuses_nobody_and_is_named,
    a_key_holds_from_its_registration_until_it_is_revoked,
    nothing_that_nobody_signed_is_kept_for_later,
    of_the_registrys_copies_the_first_counts,
]
