"""Entries by who had no right to make them."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.domain.detectors.key_not_valid import KeyNotValid
from tests.toolkit import COLLEAGUE, OFFICER, OTHER_OFFICE, REGISTER, REGISTRAR, Person, enrolment, inspection, key
from tests.unit.audit.signs_world import DAY, World

LATE = f"{DAY}T09:00:00.000Z"


def registrar(world: World, kind: str, data: dict[str, Any], who: Person = OFFICER) -> None:
    world.say(kind, {"occurred_on": DAY, **data}, by=REGISTRAR, office=REGISTER, subject=who.pseudonym)


def found(world: World) -> list[dict[str, Any]]:
    world.close(DAY)
    return world.findings(KeyNotValid())


def lacks(world: World) -> list[str]:
    return [one["values"][0]["value"] for one in found(world)]


def revoke(world: World, reason: str = "compromised") -> None:
    registrar(world, "key.revoked", {"key_id": OFFICER.key.key_id, "reason": reason})


def test_who_has_key_role_and_jurisdiction_is_not_found() -> None:
    world = World()
    world.say("inspection.recorded", inspection(DAY))
    world.say("inspection.recorded", inspection(DAY), by=COLLEAGUE)
    assert [] == found(world)


def test_a_revoked_key_is_found_and_names_its_holder() -> None:
    world = World()
    revoke(world)
    world.say("inspection.recorded", inspection(DAY), at=LATE)
    [one] = found(world)
    assert ("key_revoked", [OFFICER.pseudonym]) == (one["values"][0]["value"], one["concerns"])
    assert "check" == one["proposes"]


def test_a_revoked_keys_name_alone_names_nobody() -> None:
    """Whoever writes past intake can write anybody's key id: without that key's signature it says nothing of its holder."""
    world = World()
    revoke(world)
    forged = world.say("inspection.recorded", inspection(DAY), by=COLLEAGUE, at=LATE)
    some = next(some for some in world.partitions.values() if some)
    some[-1] = world.changed(some[-1], COLLEAGUE.key.key_id, OFFICER.key.key_id)
    assert forged["id"].encode() in some[-1].value
    assert [] == found(world)


def test_an_entry_made_before_the_key_was_revoked_stays_in_order() -> None:
    world = World()
    before = len(world.registry) - 1
    revoke(world)
    world.say("inspection.recorded", inspection(DAY), at=LATE, stamp=before)
    assert [] == found(world)


def test_a_replaced_key_of_who_has_another_one_is_explained() -> None:
    world = World()
    new = {"key": key("new key").public_object(), "channels": ["desk"]}
    registrar(world, "key.registered", new)
    revoke(world, "replaced")
    world.say("inspection.recorded", inspection(DAY), at=LATE)
    [one] = found(world)
    assert {"code": "key_replaced", "supported": True} in one["explanations"]


def test_an_unknown_key_is_found_and_names_nobody() -> None:
    world = World()
    world.say("inspection.recorded", inspection(DAY), by=key("nobody's"))
    [one] = found(world)
    assert ("key_unknown", None) == (one["values"][0]["value"], one.get("concerns"))


@pytest.mark.parametrize(
    ("kind", "data", "lack"),
    [
        ("officer.left", {"office": OFFICER.office}, "holder_left"),
        ("role.withdrawn", {"role": "officer", "office": OFFICER.office}, "role_missing"),
    ],
)
def test_who_left_or_lost_the_role_is_found(kind: str, data: dict[str, Any], lack: str) -> None:
    world = World()
    registrar(world, kind, data)
    world.say("inspection.recorded", inspection(DAY), at=LATE)
    assert [lack] == lacks(world)


def test_another_offices_entry_is_found() -> None:
    world = World()
    world.say("inspection.recorded", inspection(DAY), office=OTHER_OFFICE)
    assert ["office_not_granted"] == lacks(world)


def test_a_scheme_or_regime_beyond_the_role_is_found() -> None:
    some = Person("narrow-officer", schemes=("fhrs",)), Person("other-officer", regimes=("fhrs",))
    world = World((*some, OFFICER))
    world.say("inspection.recorded", inspection(DAY), by=some[0])
    world.say("inspection.recorded", inspection(DAY, regime="liyujiang"), by=some[1])
    world.say("inspection.recorded", inspection(DAY, regime="fhrs"), by=some[1])
    assert ["regime_not_granted", "scheme_not_granted"] == sorted(lacks(world))


def test_who_was_granted_the_role_later_had_none_then() -> None:
    late = Person("late-officer")
    world = World()
    for one in enrolment(late, day=DAY)[:2]:
        world.say(one["event"]["type"][9:-3], one["event"]["data"], by=REGISTRAR, office=REGISTER, subject=late.pseudonym)
    world.say("inspection.recorded", inspection(DAY), by=late)
    world.say("role.granted", enrolment(late, day=DAY)[2]["event"]["data"], by=REGISTRAR, office=REGISTER, subject=late.pseudonym)
    world.say("inspection.recorded", inspection(DAY), by=late, at=LATE)
    assert ["role_missing"] == lacks(world)


def test_an_officers_word_about_roles_changes_nothing() -> None:
    """A role that an officer gave past intake is none."""
    other = Person("other-officer")
    world = World()
    for one in enrolment(other, day=DAY):
        world.say(one["event"]["type"][9:-3], one["event"]["data"], by=OFFICER, office=REGISTER, subject=other.pseudonym)
    world.say("inspection.recorded", inspection(DAY), by=other)
    assert ["key_unknown"] == lacks(world)
