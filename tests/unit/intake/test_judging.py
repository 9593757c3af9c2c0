"""Who may say what: signature and authority."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from schemas.keys import SigningKey
from services.intake.domain.days import day_closed_event
from services.intake.domain.judging import Admitted
from services.intake.domain.registry import Registry
from tests import toolkit as kit
from tests.unit.intake.sayings import admitted, denied, granting, inspected, key_data

# Signatures: what proves that somebody tried.


@pytest.mark.parametrize("name", kit.enterable())
def test_every_type_in_use_is_admitted_from_whoever_may_say_it(name: str, registry: Registry) -> None:
    [(submission, signer)] = kit.valid_submissions([name])
    found = admitted(submission, registry)
    assert (signer.pseudonym, signer.key.key_id, signer.channels[0]) == (found.officer, found.key_id, found.channel)
    assert submission["event"]["type"] == found.event_type.type
    assert kit.hash_of(submission) == found.read.event_hash


def test_an_es256_key_signs_as_well(registry: Registry) -> None:
    key = SigningKey.generate("ES256")
    known = kit.fold(kit.enrolled_registry(), [kit.by_registrar("key.registered", kit.OFFICER.pseudonym, key_data(key))])
    assert admitted(kit.signed(inspected(), key), known).key_id == key.key_id


def over_other_bytes() -> dict[str, Any]:
    one, other = kit.signed(inspected(), kit.OFFICER), kit.signed(inspected(), kit.OFFICER)
    return {**one, "signature": other["signature"]}


def with_anothers_id() -> dict[str, Any]:
    one = kit.signed(inspected(), kit.COLLEAGUE)
    return {**one, "signature": {**one["signature"], "key_id": kit.OFFICER.key.key_id}}


def with_another_algorithm() -> dict[str, Any]:
    one = kit.signed(inspected(), kit.OFFICER)
    return {**one, "signature": {**one["signature"], "alg": "ES256"}}


UNPROVEN: list[tuple[str, Callable[[], Any], str, int]] = [
    ("not a submission", lambda: 7, "submission-shape", 422),
    ("an unknown key", lambda: kit.signed(inspected(), kit.key("nobody")), "key-unknown", 401),
    ("over other bytes", over_other_bytes, "signature-wrong", 401),
    ("another's key id", with_anothers_id, "signature-wrong", 401),
    ("another algorithm", with_another_algorithm, "algorithm-mismatch", 401),
]


@pytest.mark.parametrize(("make", "code", "status"), [one[1:] for one in UNPROVEN], ids=[one[0] for one in UNPROVEN])
def test_without_a_registered_key_s_signature_nothing_is_proven(
    make: Callable[[], Any], code: str, status: int, registry: Registry
) -> None:
    found = denied(make(), registry)
    assert (code, status, None) == (found.fault.code, found.fault.status, found.key_id)


def test_whatever_is_wrong_with_the_event_a_good_signature_proves_who_tried(registry: Registry) -> None:
    id = kit.new_id()
    found = denied(kit.signed({"id": id, "source": kit.OTHER_OFFICE, "anything": [1]}, kit.OFFICER), registry)
    assert (kit.OFFICER.key.key_id, id, kit.OTHER_OFFICE) == (found.key_id, found.id, found.source)
    assert found.event_hash is not None


def test_a_revoked_key_admits_nothing_and_still_proves_who_tried() -> None:
    known = kit.enrolled_registry()
    gone = {"occurred_on": kit.TODAY, "key_id": kit.OFFICER.key.key_id, "reason": "lost"}
    kit.fold(known, [kit.by_registrar("key.revoked", kit.OFFICER.pseudonym, gone)])
    found = denied(kit.signed(inspected(), kit.OFFICER), known)
    assert ("key-revoked", 403, kit.OFFICER.key.key_id) == (found.fault.code, found.fault.status, found.key_id)


def test_who_left_admits_nothing_and_still_proves_who_tried() -> None:
    known = kit.enrolled_registry()
    kit.fold(known, [kit.by_registrar("officer.left", kit.OFFICER.pseudonym, {"occurred_on": kit.TODAY, "office": kit.OFFICE})])
    found = denied(kit.signed(inspected(), kit.OFFICER), known)
    assert ("holder-not-enrolled", 403, kit.OFFICER.key.key_id) == (found.fault.code, found.fault.status, found.key_id)


def test_before_genesis_the_answer_is_to_come_again() -> None:
    found = denied(kit.signed(inspected(), kit.OFFICER), Registry.empty())
    assert ("not-ready", 503, None) == (found.fault.code, found.fault.status, found.key_id)


FREE = (
    "z" * 500,
    "330106199001011231 13800138000",
    "张三家住样例街2号楼301",
    "/departments/\0/offices/x",
    "/departments/13800138000/offices/x",
    "/services/rating",
    "019E62DE-5B00-7EFF-A375-174FF1DB500A",
    "",
    7,
    None,
)


@pytest.mark.parametrize("text", FREE)
def test_a_refusal_names_an_office_and_an_id_and_repeats_no_other_text(text: Any, registry: Registry) -> None:
    found = denied(kit.signed({"id": text, "source": text}, kit.OFFICER), registry)
    assert ("", "", kit.OFFICER.key.key_id) == (found.id, found.source, found.key_id)


# Authority.


def test_the_channel_is_the_one_asked_for_else_the_key_s_first(registry: Registry) -> None:
    submission = kit.signed(inspected(), kit.OFFICER)
    assert "desk" == admitted(submission, registry).channel
    assert "field" == admitted(submission, registry, channel="field").channel
    assert "channel-not-allowed" == denied(submission, registry, channel="migration").fault.code
    assert "channel-unknown" == denied(submission, registry, channel="pigeon").fault.code


def test_the_receipt_key_says_nothing(registry: Registry) -> None:
    submission = kit.signed({**inspected(), "source": kit.REGISTER}, kit.key("receipt"))
    assert "holder-not-enrolled" == denied(submission, registry).fault.code


AUTHORITY: list[tuple[str, Callable[[], dict[str, Any]], str]] = [
    ("an approver records no inspection", lambda: kit.signed(inspected(), kit.APPROVER), "role-missing"),
    ("an officer grants no role", lambda: kit.signed(granting(kit.OFFICE), kit.OFFICER), "role-missing"),
    ("an officer closes no day", lambda: kit.signed(_closing(kit.OFFICE), kit.OFFICER), "role-missing"),
    ("a registrar closes no day", lambda: kit.signed(_closing(kit.REGISTER), kit.REGISTRAR), "role-missing"),
    ("an officer speaks for the own office only", lambda: kit.signed(inspected(), kit.STRANGER), "office-not-granted"),
    ("a registrar speaks for the own office only", lambda: kit.signed(granting(kit.OFFICE), kit.REGISTRAR), "office-not-granted"),
]


def _closing(source: str) -> dict[str, Any]:
    return day_closed_event(date(2027, 2, 28), "Asia/Shanghai", subject="stack:yangli", source=source)


@pytest.mark.parametrize(("make", "code"), [one[1:] for one in AUTHORITY], ids=[one[0] for one in AUTHORITY])
def test_authority_ends_where_the_grant_ends(make: Callable[[], dict[str, Any]], code: str, registry: Registry) -> None:
    found = denied(make(), registry)
    assert (code, 403) == (found.fault.code, found.fault.status)
    assert found.key_id is not None


def test_a_grant_holds_for_its_schemes_and_regimes_alone() -> None:
    narrow = replace(kit.OFFICER, schemes=("fhrs",), regimes=("fhrs",))
    known = kit.enrolled_registry(narrow)
    assert "scheme-not-granted" == denied(kit.signed(inspected(), narrow), known).fault.code
    shop = {**inspected(), "subject": "fhrs:1234"}
    assert isinstance(kit.judged(kit.signed(shop, narrow), known), Admitted)
    named = {**shop, "data": kit.inspection(regime="fhrs")}
    assert isinstance(kit.judged(kit.signed(named, narrow), known), Admitted)
    foreign = {**shop, "data": kit.inspection(regime="liyujiang")}
    assert "regime-not-granted" == denied(kit.signed(foreign, narrow), known).fault.code


def test_one_of_two_grants_must_cover_all_of_it() -> None:
    here = replace(kit.OFFICER, schemes=("fhrs",))
    known = kit.fold(kit.enrolled_registry(here), kit.enrolment(replace(kit.OFFICER, office=kit.OTHER_OFFICE, schemes=("uscc",))))
    assert "scheme-not-granted" == denied(kit.signed(inspected(), kit.OFFICER), known).fault.code
    there = {**inspected(), "source": kit.OTHER_OFFICE}
    assert isinstance(kit.judged(kit.signed(there, kit.OFFICER), known), Admitted)


def test_nobody_grants_more_regimes_than_they_have() -> None:
    local = kit.Person("test-local", "registrar", kit.OFFICE, schemes=("officer", "uscc"), regimes=("fhrs",))
    known = kit.enrolled_registry(local, kit.COLLEAGUE)
    for regimes, code in (([], "regime-not-granted"), (["fhrs", "liyujiang"], "regime-not-granted")):
        one = granting(kit.OFFICE)
        one["data"]["regimes"] = regimes
        assert code == denied(kit.signed(one, local), known).fault.code
    one["data"]["regimes"] = ["fhrs"]
    assert isinstance(kit.judged(kit.signed(one, local), known), Admitted)


def test_the_system_s_key_closes_a_day_that_is_over_and_no_other(registry: Registry) -> None:
    over = kit.signed(_closing(kit.REGISTER), kit.key("system"))
    assert "system:intake" == admitted(over, registry).officer
    today = day_closed_event(date(2027, 3, 1), "Asia/Shanghai", subject="stack:yangli", source=kit.REGISTER)
    assert "day-not-over" == denied(kit.signed({**today, "time": kit.NOW}, kit.key("system")), registry).fault.code
