"""A registrar of one office has no word in another's, nor over the register's own: refused by intake, without effect in the fold."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.judging import Admitted, Denied
from services.intake.domain.registry import Registry
from tests import toolkit as kit
from tests.unit.intake.sayings import key_data

LOCAL = kit.Person("test-local", "registrar", kit.OFFICE, ("desk",), schemes=("officer", "uscc"), regimes=("fhrs",))
OTHER = kit.Person("test-local-too", "registrar", kit.OFFICE, ("desk",), schemes=("officer", "uscc"))
NEWCOMER = kit.Person("test-newcomer")
ROOT = kit.REGISTRAR.pseudonym


def register() -> Registry:
    known = kit.enrolled_registry(kit.OFFICER, kit.STRANGER, LOCAL, OTHER)
    both = [kit.by_registrar("officer.enrolled", kit.COLLEAGUE.pseudonym, enrolment(office)) for office in (kit.OFFICE, kit.OTHER_OFFICE)]
    return kit.fold(known, both)


def enrolment(office: str) -> dict[str, Any]:
    return {"occurred_on": kit.TODAY, "office": office}


def role(
    role: str = "officer", office: str = kit.OFFICE, schemes: tuple[str, ...] = ("uscc",), regimes: tuple[str, ...] = ("fhrs",)
) -> Any:
    return {"occurred_on": kit.TODAY, "role": role, "office": office, "schemes": list(schemes), "regimes": list(regimes)}


def ended(role: str = "officer", office: str = kit.OFFICE) -> dict[str, Any]:
    return {"occurred_on": kit.TODAY, "role": role, "office": office}


def revoked(person: kit.Person) -> dict[str, Any]:
    return {"occurred_on": kit.TODAY, "key_id": person.key.key_id, "reason": "lost"}


TOO_FAR: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("makes itself the root", "role.granted", LOCAL.pseudonym, role("registrar", kit.REGISTER), "office-not-granted"),
    ("makes a registrar beside it", "role.granted", kit.OFFICER.pseudonym, role("registrar"), "role-not-granted"),
    ("unmakes a registrar beside it", "role.withdrawn", OTHER.pseudonym, ended("registrar"), "role-not-granted"),
    ("grants a role elsewhere", "role.granted", kit.OFFICER.pseudonym, role(office=kit.OTHER_OFFICE), "office-not-granted"),
    ("withdraws a role elsewhere", "role.withdrawn", kit.STRANGER.pseudonym, ended(office=kit.OTHER_OFFICE), "office-not-granted"),
    ("grants a scheme that it has not", "role.granted", kit.OFFICER.pseudonym, role(schemes=("uscc", "fhrs")), "scheme-not-granted"),
    ("grants a regime that it has not", "role.granted", kit.OFFICER.pseudonym, role(regimes=("liyujiang",)), "regime-not-granted"),
    ("grants all regimes", "role.granted", kit.OFFICER.pseudonym, role(regimes=()), "regime-not-granted"),
    ("enrols elsewhere", "officer.enrolled", NEWCOMER.pseudonym, enrolment(kit.OTHER_OFFICE), "office-not-granted"),
    ("enrols at the root", "officer.enrolled", LOCAL.pseudonym, enrolment(kit.REGISTER), "office-not-granted"),
    ("declares the root registrar gone", "officer.left", ROOT, enrolment(kit.REGISTER), "office-not-granted"),
    ("declares another office's officer gone", "officer.left", kit.STRANGER.pseudonym, enrolment(kit.OTHER_OFFICE), "office-not-granted"),
    ("revokes the root registrar's key", "key.revoked", ROOT, revoked(kit.REGISTRAR), "holder-not-granted"),
    ("gives another office's officer a key", "key.registered", kit.STRANGER.pseudonym, key_data(kit.key("mine")), "holder-not-granted"),
    ("gives an officer of two offices a key", "key.registered", kit.COLLEAGUE.pseudonym, key_data(kit.key("mine")), "holder-not-granted"),
    ("gives the root registrar a key", "key.registered", ROOT, key_data(kit.key("mine")), "holder-not-granted"),
]
WITHIN: list[tuple[str, str, str, dict[str, Any]]] = [
    ("enrols", "officer.enrolled", NEWCOMER.pseudonym, enrolment(kit.OFFICE)),
    ("declares gone", "officer.left", kit.OFFICER.pseudonym, enrolment(kit.OFFICE)),
    ("grants a role", "role.granted", kit.OFFICER.pseudonym, role("approver")),
    ("withdraws a role", "role.withdrawn", kit.OFFICER.pseudonym, ended()),
    ("gives a key", "key.registered", kit.OFFICER.pseudonym, key_data(kit.key("second"))),
    ("revokes a key", "key.revoked", kit.OFFICER.pseudonym, revoked(kit.OFFICER)),
]


def said(kind: str, subject: str, data: dict[str, Any], by: kit.Person) -> dict[str, Any]:
    return kit.signed(kit.event(kind, data, subject=subject, source=by.office), by)


@pytest.mark.parametrize(("kind", "subject", "data", "code"), [one[1:] for one in TOO_FAR], ids=[one[0] for one in TOO_FAR])
def test_a_registrar_of_one_office_reaches_no_further(kind: str, subject: str, data: dict[str, Any], code: str) -> None:
    known = register()
    one = said(kind, subject, data, LOCAL)
    found = kit.judged(one, known)
    assert isinstance(found, Denied)
    assert (code, 403, LOCAL.key.key_id) == (found.fault.code, found.fault.status, found.key_id)
    offset = known.next_offset
    kit.fold(known, [one])
    assert [offset] == known.ignored


@pytest.mark.parametrize(("kind", "subject", "data"), [one[1:] for one in WITHIN], ids=[one[0] for one in WITHIN])
@pytest.mark.parametrize("by", [LOCAL, kit.REGISTRAR], ids=["of the office", "of the register"])
def test_within_the_office_both_registrars_have_a_word(kind: str, subject: str, data: dict[str, Any], by: kit.Person) -> None:
    known = register()
    one = said(kind, subject, data, by)
    assert isinstance(kit.judged(one, known), Admitted)
    assert [] == kit.fold(known, [one]).ignored


@pytest.mark.parametrize(("kind", "subject", "data"), [one[1:4] for one in TOO_FAR], ids=[one[0] for one in TOO_FAR])
def test_the_register_s_own_registrar_has_a_word_everywhere(kind: str, subject: str, data: dict[str, Any]) -> None:
    known = register()
    one = said(kind, subject, data, kit.REGISTRAR)
    found = kit.judged(one, known)
    assert isinstance(found, Admitted), found
    assert [] == kit.fold(known, [one]).ignored


def test_the_keys_of_who_has_left_are_the_register_s_own_business() -> None:
    known = kit.fold(register(), [said("officer.left", kit.OFFICER.pseudonym, enrolment(kit.OFFICE), LOCAL)])
    for by, admitted in ((LOCAL, False), (kit.REGISTRAR, True)):
        assert isinstance(kit.judged(said("key.revoked", kit.OFFICER.pseudonym, revoked(kit.OFFICER), by), known), Admitted) == admitted
