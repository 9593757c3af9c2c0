"""What may be said: dates, people and keys, personal data, private values, sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from schemas.keys import b64
from services.intake.domain.dates import CLOCK_TOLERANCE_MS
from services.intake.domain.judging import Admitted, judge
from services.intake.domain.registry import Registry
from tests import toolkit as kit
from tests.unit.intake.sayings import D, admitted, denied, granting, inspected, key_data

# Dates that can't be.

TOMORROW = "2027-03-02"
DATES: list[tuple[str, dict[str, Any], str, str]] = [
    ("inspection.recorded", kit.inspection(TOMORROW), "occurred-in-the-future", D + "/occurred_on"),
    ("warning.issued", kit.warning(served=TOMORROW), "served-in-the-future", D + "/service/served_on"),
    (
        "warning.issued",
        kit.warning(service={"served_on": kit.TODAY, "method": "post", "known_to_office_on": TOMORROW}),
        "known-in-the-future",
        D + "/service/known_to_office_on",
    ),
    (
        "sampling.recorded",
        {"occurred_on": kit.TODAY, "product": "样例片", "result": "qualified", "result_on": TOMORROW},
        "result-in-the-future",
        D + "/result_on",
    ),
    ("inspection.recorded", kit.inspection(ended_at="2027-03-01T09:00:00.000Z"), "instant-in-the-future", D + "/ended_at"),
    ("score.recorded", kit.score(year=2028), "year-in-the-future", D + "/year"),
    ("score.recorded", kit.score(year=2028, final=True), "year-in-the-future", D + "/year"),
    # 23:59 of 28 February in Shanghai.
    ("inspection.recorded", kit.inspection(ended_at="2027-02-28T15:59:59.999Z"), "ended-before-occurred", D + "/ended_at"),
]


@pytest.mark.parametrize(("kind", "data", "code", "field"), DATES)
def test_what_has_happened_cannot_lie_in_the_future(kind: str, data: dict[str, Any], code: str, field: str, registry: Registry) -> None:
    found = denied(kit.signed(kit.event(kind, data), kit.OFFICER), registry)
    assert (code, 422, field) == (found.fault.code, found.fault.status, found.fault.field)


def test_what_ends_on_its_day_or_later_and_the_score_of_this_year_are_admitted(registry: Registry) -> None:
    # Midnight in Shanghai is 16:00 in UTC.
    admitted(kit.signed(inspected(started_at="2027-02-28T15:00:00.000Z", ended_at="2027-02-28T16:00:00.000Z"), kit.OFFICER), registry)
    admitted(kit.signed(kit.event("score.recorded", kit.score(year=2027)), kit.OFFICER), registry)


@pytest.mark.parametrize(("last", "code"), [("2027-03-01", None), ("2027-03-02", "period-not-over"), ("2190-12-31", "period-not-over")])
def test_an_evaluation_closes_when_its_period_is_over(last: str, code: str | None, registry: Registry) -> None:
    period = {"first": "2027-01-01", "last": last}
    data = {"occurred_on": kit.TODAY, "regime": "liyujiang", "period": period, "evaluation_date": last}
    one = kit.signed(kit.event("evaluation.closed", data, subject="regime:liyujiang", source=kit.APPROVER.office), kit.APPROVER)
    if code is None:
        admitted(one, registry)
    else:
        found = denied(one, registry)
        assert (code, D + "/period/last") == (found.fault.code, found.fault.field)


DEGREES = [
    ("30.1234567", "-179.9999999", None),
    ("-90", "180", None),
    ("90.0000001", "0", "/lat"),
    ("0", "-180.5", "/lon"),
    ("9999", "0", "/lat"),
    ("30.12345678", "0", "/lat"),
    ("0", "1e2", "/lon"),
]


@pytest.mark.parametrize(("lat", "lon", "wrong"), DEGREES)
def test_a_position_lies_on_the_earth(lat: str, lon: str, wrong: str | None, registry: Registry) -> None:
    one = kit.signed(inspected(position={"lat": lat, "lon": lon, "accuracy_m": 1}), kit.OFFICER)
    if wrong is None:
        admitted(one, registry)
    else:
        found = denied(one, registry)
        assert ("degrees-form", D + "/position" + wrong) == (found.fault.code, found.fault.field)


def test_a_change_names_what_changed(registry: Registry) -> None:
    day = {"occurred_on": kit.TODAY}
    assert "contradiction" == denied(kit.signed(kit.event("enterprise.changed", day), kit.OFFICER), registry).fault.code
    noted = {**day, "note": "样例", "officers": [kit.OFFICER.pseudonym]}
    assert "contradiction" == denied(kit.signed(kit.event("enterprise.changed", noted), kit.OFFICER), registry).fault.code
    admitted(kit.signed(kit.event("enterprise.changed", {**day, "name": "样例店"}), kit.OFFICER), registry)
    admitted(kit.signed(kit.event("enterprise.changed", day), kit.OFFICER, {"legal_representative": "样例甲"}), registry)


def test_today_is_the_day_in_the_stack_s_time_zone(registry: Registry) -> None:
    submission = kit.signed(kit.event("inspection.recorded", kit.inspection(TOMORROW), time="2027-03-01T15:00:00.000Z"), kit.OFFICER)
    assert "occurred-in-the-future" == denied(submission, registry, at="2027-03-01T15:59:59.999Z").fault.code
    assert isinstance(kit.judged(submission, registry, at="2027-03-01T16:00:00.000Z"), Admitted)


def test_a_device_s_clock_may_run_ahead_a_little_and_no_more(registry: Registry) -> None:
    for more, fits in ((CLOCK_TOLERANCE_MS, True), (CLOCK_TOLERANCE_MS + 1, False)):
        submission = kit.signed({**inspected(), "time": kit.later(kit.NOW, milliseconds_more=more)}, kit.OFFICER)
        assert isinstance(kit.judged(submission, registry), Admitted) == fits
    assert "signed-in-the-future" == denied(submission, registry).fault.code


AHEAD: list[tuple[str, str, dict[str, Any], kit.Person]] = [
    ("go_live.declared", "regime:liyujiang", {"occurred_on": "2027-06-01", "regime": "liyujiang"}, kit.REGISTRAR),
    (
        "rulebook.activated",
        "regime:liyujiang",
        {"occurred_on": kit.TODAY, "regime": "liyujiang", "version": "2027.1", "sha256": "0" * 64, "in_force_from": "2027-06-01"},
        kit.REGISTRAR,
    ),
    (
        "evaluation.announced",
        "regime:liyujiang",
        {
            "occurred_on": kit.TODAY,
            "regime": "liyujiang",
            "period": {"first": "2027-01-01", "last": "2027-12-31"},
            "evaluation_date": "2028-01-17",
        },
        kit.APPROVER,
    ),
    ("warning.issued", kit.USCC, kit.warning(correct_by="2027-04-01"), kit.OFFICER),
    ("operation.interrupted", kit.USCC, {"occurred_on": kit.TODAY, "until": "2027-05-01"}, kit.OFFICER),
]


@pytest.mark.parametrize(("kind", "subject", "data", "signer"), AHEAD)
def test_what_lies_ahead_by_its_nature_is_admitted(
    kind: str, subject: str, data: dict[str, Any], signer: kit.Person, registry: Registry
) -> None:
    admitted(kit.signed(kit.event(kind, data, subject=subject, source=signer.office), signer), registry)


# Officers and keys.

NOBODY = kit.Person("test-nobody")
OFFICERS: list[tuple[str, str, dict[str, Any], str]] = [
    ("key.registered", NOBODY.pseudonym, key_data(NOBODY.key), "officer-not-enrolled"),
    ("role.granted", NOBODY.pseudonym, granting(kit.REGISTER)["data"], "officer-not-enrolled"),
    ("officer.left", NOBODY.pseudonym, {"occurred_on": kit.TODAY, "office": kit.OFFICE}, "officer-not-enrolled"),
    ("officer.left", kit.OFFICER.pseudonym, {"occurred_on": kit.TODAY, "office": kit.OTHER_OFFICE}, "officer-not-enrolled"),
    ("key.registered", kit.COLLEAGUE.pseudonym, key_data(kit.OFFICER.key), "key-taken"),
    ("key.registered", kit.COLLEAGUE.pseudonym, key_data(kit.key("system")), "key-taken"),
    ("key.registered", kit.COLLEAGUE.pseudonym, key_data(kit.key("receipt")), "key-taken"),
    (
        "key.revoked",
        kit.COLLEAGUE.pseudonym,
        {"occurred_on": kit.TODAY, "key_id": kit.OFFICER.key.key_id, "reason": "lost"},
        "key-not-of-subject",
    ),
    ("key.revoked", kit.COLLEAGUE.pseudonym, {"occurred_on": kit.TODAY, "key_id": "0" * 32, "reason": "lost"}, "key-not-of-subject"),
    ("role.withdrawn", kit.OFFICER.pseudonym, {"occurred_on": kit.TODAY, "role": "approver", "office": kit.OFFICE}, "role-not-held"),
    ("role.withdrawn", kit.OFFICER.pseudonym, {"occurred_on": kit.TODAY, "role": "officer", "office": kit.OTHER_OFFICE}, "role-not-held"),
]


@pytest.mark.parametrize(("kind", "subject", "data", "code"), OFFICERS)
def test_what_cannot_be_of_officers_and_keys_is_refused(
    kind: str, subject: str, data: dict[str, Any], code: str, registry: Registry
) -> None:
    found = denied(kit.by_registrar(kind, subject, data), registry)
    assert (code, 422) == (found.fault.code, found.fault.status)


def test_a_revoked_key_is_not_registered_again() -> None:
    known = kit.enrolled_registry()
    gone = {"occurred_on": kit.TODAY, "key_id": kit.OFFICER.key.key_id, "reason": "lost"}
    kit.fold(known, [kit.by_registrar("key.revoked", kit.OFFICER.pseudonym, gone)])
    again = kit.by_registrar("key.registered", kit.OFFICER.pseudonym, key_data(kit.OFFICER.key))
    assert "key-not-again" == denied(again, known).fault.code


def test_the_same_officer_enrols_at_another_office_with_the_same_key(registry: Registry) -> None:
    for made in kit.enrolment(replace(kit.OFFICER, office=kit.OTHER_OFFICE)):
        admitted(made, registry)


# Whom an entry names.

FEED = kit.Person("test-feed", "officer", channels=("feed", "migration", "desk", "field"))
APPROVER = kit.Person("test-approver", "approver", channels=("desk",))
PROPOSAL = "3c1bb2a4-7a55-8c0e-9d3e-0a54c6f0e001"
GHOST = "officer:nobody-at-all"


def obstructed(*officers: str) -> dict[str, Any]:
    service = {"served_on": kit.TODAY, "method": "handed_over"}
    data = {"occurred_on": kit.TODAY, "document_no": "样例阻1号", "service": service, "act": "inspection", "reply": "given"}
    return kit.event("obstruction.determined", {**data, "officers": list(officers)})


def test_whoever_enters_signs_with_their_own_key() -> None:
    known = kit.enrolled_registry(FEED, kit.COLLEAGUE)
    own, other = (kit.signed(inspected(entered_by=one), FEED) for one in (FEED.pseudonym, kit.COLLEAGUE.pseudonym))
    for channel in ("desk", "field"):
        found = denied(other, known, channel=channel)
        assert ("entered-by-another", 422, D + "/entered_by") == (found.fault.code, found.fault.status, found.fault.field)
        assert () == admitted(own, known, channel=channel).marks
    for channel in ("feed", "migration"):
        assert () == admitted(other, known, channel=channel).marks


@pytest.mark.parametrize(("kind", "name", "more"), [("approved", "approved_by", {}), ("returned", "returned_by", {"reason": "样例"})])
def test_an_approver_s_word_is_the_signer_s(kind: str, name: str, more: dict[str, Any]) -> None:
    known = kit.enrolled_registry(APPROVER, kit.COLLEAGUE)
    for signer in (APPROVER.pseudonym, kit.COLLEAGUE.pseudonym):
        data = {"occurred_on": kit.TODAY, "regime": "liyujiang", "proposal": PROPOSAL, "grade": "D", name: signer, **more}
        made = kit.signed(kit.event(f"grade.{kind}", data), APPROVER)
        if signer == APPROVER.pseudonym:
            assert () == admitted(made, known, channel="desk").marks
        else:
            found = denied(made, known, channel="desk")
            assert ("approved-by-another", D + f"/{name}") == (found.fault.code, found.fault.field)


@pytest.mark.parametrize("named", [{"officers": [GHOST]}, {"on_behalf_of": GHOST}, {"reviewed_by": GHOST}])
def test_people_whom_nobody_enrolled_are_marked_by_every_way(named: dict[str, Any]) -> None:
    known = kit.enrolled_registry(FEED)
    for channel in FEED.channels:
        assert ("officer-unknown",) == admitted(kit.signed(inspected(**named), FEED), known, channel=channel).marks


def test_who_has_left_since_is_no_stranger() -> None:
    known = kit.enrolled_registry(FEED, kit.COLLEAGUE)
    kit.fold(known, [kit.by_registrar("officer.left", kit.COLLEAGUE.pseudonym, {"occurred_on": kit.TODAY, "office": kit.OFFICE})])
    assert () == admitted(kit.signed(inspected(officers=[kit.COLLEAGUE.pseudonym]), FEED), known).marks
    admitted(kit.signed(obstructed(FEED.pseudonym, kit.COLLEAGUE.pseudonym), FEED), known, channel="desk")


def test_an_obstruction_is_determined_by_two_officers_who_are_enrolled() -> None:
    known = kit.enrolled_registry(FEED, kit.COLLEAGUE)
    admitted(kit.signed(obstructed(FEED.pseudonym, kit.COLLEAGUE.pseudonym), FEED), known, channel="desk")
    assert "contradiction" == denied(kit.signed(obstructed(FEED.pseudonym), FEED), known, channel="desk").fault.code
    one = kit.signed(obstructed(FEED.pseudonym, GHOST), FEED)
    found = denied(one, known, channel="field")
    assert ("officer-not-enrolled", D + "/officers/1") == (found.fault.code, found.fault.field)
    assert ("officer-unknown",) == admitted(one, known, channel="feed").marks


def test_a_fine_has_an_amount_from_people_and_a_mark_without_one_from_other_systems() -> None:
    known = kit.enrolled_registry(FEED)
    act = {
        "violation": "YP-1",
        "kinds": ["warning", "fine"],
        "legal_field": "drug",
        "basis": ["样例法"],
        "gravity": "minor",
        "fault": "none",
    }
    without, given = (
        kit.signed(kit.event("penalty.decided", {"occurred_on": kit.TODAY, "document_no": "样例1号", "acts": [act | more]}), FEED)
        for more in ({}, {"amount": "500"})
    )
    for channel in FEED.channels:
        assert () == admitted(given, known, channel=channel).marks
    for channel in ("desk", "field"):
        found = denied(without, known, channel=channel)
        assert ("amount-missing", 422, D + "/acts/0/amount") == (found.fault.code, found.fault.status, found.fault.field)
    for channel in ("feed", "migration"):
        assert ("amount-missing",) == admitted(without, known, channel=channel).marks


# Personal data and private values.

PERSONAL = ("身份证11010519491231002X", "电话 13800138000", "１３８００１３８０００", "座机 0571-87654321")


@pytest.mark.parametrize("text", PERSONAL)
def test_personal_data_in_free_text_is_refused_and_not_repeated(text: str, registry: Registry) -> None:
    places = [
        (inspected(note=f"当事人{text}。"), D + "/note"),
        (inspected(items=[{"code": "A-1", "result": "fail", "remark": text}]), D + "/items/0/remark"),
    ]
    for one, field in places:
        found = denied(kit.signed(one, kit.OFFICER), registry)
        assert ("personal-data", 422, field) == (found.fault.code, found.fault.status, found.fault.field)
        assert found.fault.value is None
        assert text not in repr(found)


def test_personal_data_in_a_pseudonym_is_refused_too(registry: Registry) -> None:
    person = kit.Person("13800138000")
    found = denied(kit.enrolment(person)[0], registry)
    assert ("personal-data", "/event/subject") == (found.fault.code, found.fault.field)
    assert "13800138000" not in repr(found)


def private(**values: str) -> dict[str, Any]:
    return kit.signed(inspected(), kit.OFFICER, values)


def test_private_values_that_match_their_commitments_are_admitted(registry: Registry) -> None:
    found = admitted(private(name="张三丰", telephone="13800138000"), registry)
    assert {"name", "telephone"} == set(found.read.private or {})
    assert b"13800138000" not in found.read.event_bytes


def moved() -> dict[str, Any]:
    one = private(name="样例甲", witness="样例甲")
    one["private"]["name"], one["private"]["witness"] = one["private"]["witness"], one["private"]["name"]
    return one


def changed(field: str, **values: str) -> dict[str, Any]:
    one = private(name="样例甲")
    one["private"][field] = {**one["private"]["name"], **values}
    return one


PRIVATE: list[tuple[str, Callable[[], dict[str, Any]], str]] = [
    ("another value", lambda: changed("name", value="样例乙"), "commitment-wrong"),
    ("another salt", lambda: changed("name", salt=b64(bytes(16))), "commitment-wrong"),
    ("values exchanged", moved, "commitment-wrong"),
    ("no value beside the event", lambda: {k: v for k, v in private(name="样例甲").items() if k != "private"}, "commitment-without-value"),
    ("one value is missing", lambda: {**private(name="样例甲"), "private": {}}, "commitment-without-value"),
    ("a value without a commitment", lambda: changed("witness"), "value-without-commitment"),
    ("a salt with stray bits", lambda: changed("name", salt="A" * 21 + "B"), "salt-form"),
]


@pytest.mark.parametrize(("make", "code"), [one[1:] for one in PRIVATE], ids=[one[0] for one in PRIVATE])
def test_every_commitment_has_its_value_and_every_value_its_commitment(
    make: Callable[[], dict[str, Any]], code: str, registry: Registry
) -> None:
    found = denied(make(), registry)
    assert (code, 422) == (found.fault.code, found.fault.status)
    assert "样例" not in repr(found)


# Sums.


def test_a_sum_that_does_not_add_up_is_refused_from_people_and_marked_from_other_systems() -> None:
    people = replace(kit.OFFICER, channels=("desk", "field"))
    machine = replace(kit.IMPORTER, channels=("migration", "feed"))
    known = kit.enrolled_registry(people, machine)
    wrong, right = kit.event("score.recorded", kit.score("97")), kit.event("score.recorded", kit.score())
    for channel in people.channels:
        found = denied(kit.signed(wrong, people), known, channel=channel)
        assert ("sum-wrong", 422, D + "/total") == (found.fault.code, found.fault.status, found.fault.field)
        assert () == admitted(kit.signed(right, people), known, channel=channel).marks
    for channel in machine.channels:
        assert ("sum-wrong",) == admitted(kit.signed(wrong, machine), known, channel=channel).marks
        assert () == admitted(kit.signed(right, machine), known, channel=channel).marks


def test_judging_changes_nothing(registry: Registry) -> None:
    submission = kit.signed(inspected(), kit.OFFICER)
    first = judge(submission, registry=registry, channel=None, received_at=kit.NOW)
    assert first == judge(submission, registry=registry, channel=None, received_at=kit.NOW)
