"""The fold of the registry: what its prefix says, nothing else; and the beginning that outsiders pin."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.keys import SigningKey
from services.intake.domain.days import day_closed_event
from services.intake.domain.jurisdiction import Grant
from services.intake.domain.registry import Registry, same_genesis, verify_genesis
from tests import toolkit as kit

A, B = kit.Person("test-a"), kit.Person("test-b", office=kit.OTHER_OFFICE)
GENESIS = kit.genesis()


def about(person: kit.Person, kind: str, **data: Any) -> dict[str, Any]:
    return kit.by_registrar(kind, person.pseudonym, {"occurred_on": kit.TODAY, **data})


def enrolled(person: kit.Person, office: str | None = None) -> dict[str, Any]:
    return about(person, "officer.enrolled", office=office or person.office)


def left(person: kit.Person, office: str | None = None) -> dict[str, Any]:
    return about(person, "officer.left", office=office or person.office)


def registered(person: kit.Person, key: SigningKey | None = None, channels: tuple[str, ...] = ("desk",)) -> dict[str, Any]:
    return about(person, "key.registered", key=(key or person.key).public_object(), channels=list(channels))


def revoked(person: kit.Person, key: SigningKey | None = None) -> dict[str, Any]:
    return about(person, "key.revoked", key_id=(key or person.key).key_id, reason="lost")


def granted(person: kit.Person, role: str = "officer", office: str | None = None) -> dict[str, Any]:
    return about(person, "role.granted", role=role, office=office or person.office, schemes=["uscc"], regimes=[])


def withdrawn(person: kit.Person, role: str = "officer", office: str | None = None) -> dict[str, Any]:
    return about(person, "role.withdrawn", role=role, office=office or person.office)


def register(*submissions: dict[str, Any]) -> Registry:
    return kit.fold(Registry.empty(), [GENESIS, *submissions])


def state(of: Registry) -> dict[str, Any]:
    return copy.deepcopy(vars(of))


STEPS = [
    make(person)
    for person in (A, B)
    for make in (enrolled, left, registered, revoked, granted, withdrawn, lambda one: registered(one, kit.key("shared")))
] + [kit.signed(kit.event("calendar.issued", kit.golden("calendar.issued")["data"], subject="stack:calendar"), kit.REGISTRAR)]
VALUES = [kit.record(one) for one in STEPS] + [b"{}", b"\xff", kit.record(kit.genesis())]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(VALUES), max_size=14), st.integers(0, 14))
def test_the_same_prefix_gives_the_same_state_whatever_follows(values: list[bytes], cut: int) -> None:
    def folded(taken: list[bytes]) -> Registry:
        found = register()
        for value in taken:
            found.apply(found.next_offset, value)
        return found

    at_once = folded(values[:cut])
    before = state(at_once)
    for value in values[cut:]:
        at_once.apply(at_once.next_offset, value)
    assert before == state(folded(values[:cut]))
    assert state(at_once) == state(folded(values))
    assert 1 + len(values) == at_once.next_offset


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(VALUES), max_size=20))
def test_a_key_never_changes_hands_and_never_comes_back(values: list[bytes]) -> None:
    found = register()
    holders: dict[str, str] = {}
    gone: dict[str, str] = {}
    for value in values:
        found.apply(found.next_offset, value)
        for one in (A.key, B.key, kit.key("shared"), kit.REGISTRAR.key):
            known = found.key(one.key_id)
            if known is not None:
                assert holders.setdefault(known.key_id, known.holder) == known.holder
                assert known.key_id not in gone or gone[known.key_id] == known.revoked_at
                if known.revoked_at:
                    gone[known.key_id] = known.revoked_at


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(VALUES), max_size=20))
def test_whoever_has_a_role_is_enrolled(values: list[bytes]) -> None:
    found = register()
    for value in values:
        found.apply(found.next_offset, value)
        for person in (A, B):
            assert found.enrolled(person.pseudonym) or not found.grants(person.pseudonym)


def test_genesis_names_the_registrar_the_system_and_the_receipt_key() -> None:
    found = register()
    assert found.fingerprint == kit.hash_of(GENESIS) == verify_genesis(GENESIS)
    assert GENESIS["event"]["data"] == found.genesis
    assert ("stack:yangli", "Asia/Shanghai", kit.REGISTER) == (found.stack, found.time_zone, found.office)
    assert (Grant("registrar", kit.REGISTER, None, frozenset()),) == found.grants(kit.REGISTRAR.pseudonym)
    system, receipt = found.key(kit.key("system").key_id), found.key(kit.key("receipt").key_id)
    assert system and ["system"] == [one.role for one in found.grants(system.holder)]
    assert receipt and () == found.grants(receipt.holder) == receipt.channels


def test_before_genesis_nobody_is_known_and_no_day_can_be_closed() -> None:
    found = Registry.empty()
    assert (0, None, None, "") == (found.next_offset, found.genesis, found.key(kit.REGISTRAR.key.key_id), found.time_zone)


def test_an_enrolled_officer_is_known_with_key_channels_and_role() -> None:
    found = register(enrolled(A), registered(A, channels=("field", "desk")), granted(A))
    known = found.key(A.key.key_id)
    assert known is not None
    assert (A.pseudonym, ("field", "desk"), None, kit.NOW) == (known.holder, known.channels, known.revoked_at, known.registered_at)
    assert A.key.raw_public == known.raw
    assert (Grant("officer", A.office, frozenset({"uscc"}), frozenset()),) == found.grants(A.pseudonym)


def test_registering_the_same_key_again_changes_its_channels_and_nothing_else() -> None:
    found = register(enrolled(A), registered(A), registered(A, channels=("migration",)))
    assert found.key(A.key.key_id).channels == ("migration",)  # type: ignore[union-attr]
    assert [] == found.ignored


def test_a_revoked_key_stays_known_and_stays_revoked() -> None:
    found = register(enrolled(A), registered(A), revoked(A), registered(A))
    assert kit.NOW == found.key(A.key.key_id).revoked_at  # type: ignore[union-attr]
    assert [4] == found.ignored


def test_a_key_is_revoked_from_the_first_time_on() -> None:
    found = kit.fold(register(enrolled(A), registered(A), revoked(A)), [revoked(A)], received_at="2027-03-02T08:00:00.000Z")
    assert kit.NOW == found.key(A.key.key_id).revoked_at  # type: ignore[union-attr]


def test_another_officer_cannot_take_or_revoke_a_key() -> None:
    found = register(enrolled(A), enrolled(B), registered(A), registered(B, A.key), revoked(B, A.key))
    known = found.key(A.key.key_id)
    assert known is not None and (A.pseudonym, None) == (known.holder, known.revoked_at)
    assert [4, 5] == found.ignored


def test_a_withdrawn_role_ends_and_others_stay() -> None:
    found = register(enrolled(A), granted(A), granted(A, "approver"), withdrawn(A))
    assert ["approver"] == [one.role for one in found.grants(A.pseudonym)]


def test_leaving_one_office_ends_the_roles_there() -> None:
    found = register(enrolled(A), enrolled(A, kit.OTHER_OFFICE), granted(A), granted(A, office=kit.OTHER_OFFICE), left(A))
    assert found.enrolled(A.pseudonym)
    assert [kit.OTHER_OFFICE] == [one.office for one in found.grants(A.pseudonym)]


def test_leaving_the_last_office_ends_everything_until_enrolled_and_granted_anew() -> None:
    gone = register(enrolled(A), registered(A), granted(A), granted(A, office=kit.OTHER_OFFICE), left(A))
    assert not gone.enrolled(A.pseudonym) and () == gone.grants(A.pseudonym)
    back = kit.fold(gone, [enrolled(A)])
    assert back.enrolled(A.pseudonym) and () == back.grants(A.pseudonym)
    assert 1 == len(kit.fold(back, [granted(A)]).grants(A.pseudonym))


def test_a_role_for_someone_who_is_not_enrolled_has_no_effect() -> None:
    found = register(granted(A))
    assert () == found.grants(A.pseudonym) and [1] == found.ignored


def wrong_signature() -> dict[str, Any]:
    one = enrolled(A)
    return {**one, "signature": {**one["signature"], "value": granted(A)["signature"]["value"]}}


FORGED: list[tuple[str, Callable[[], bytes | None]]] = [
    ("no value", lambda: None),
    ("not JSON", lambda: b"\xff"),
    ("not an envelope", lambda: b'{"event": 1}'),
    ("signed over other bytes", lambda: kit.record(wrong_signature())),
    ("signed by a key nobody registered", lambda: kit.record(kit.signed(enrolled(A)["event"], kit.key("nobody")))),
    ("signed by an officer", lambda: kit.record(kit.signed({**enrolled(A)["event"], "source": B.office}, B))),
    ("signed by the system", lambda: kit.record(kit.signed(enrolled(A)["event"], kit.key("system")))),
    ("said for another office", lambda: kit.record(kit.signed({**enrolled(A)["event"], "source": kit.OFFICE}, kit.REGISTRAR))),
    ("unsigned", lambda: kit.record({**enrolled(A), "signature": {}})),
    ("a second genesis", lambda: kit.record(kit.signed({**GENESIS["event"], "id": kit.new_id()}, kit.REGISTRAR))),
]


@pytest.mark.parametrize("make", [one for _, one in FORGED], ids=[name for name, _ in FORGED])
def test_what_went_past_intake_has_no_effect(make: Callable[[], bytes | None]) -> None:
    found = register(enrolled(B), registered(B), granted(B))
    before = state(found)
    found.apply(4, make())
    after = state(found)
    assert 5 == after.pop("next_offset") and 4 == before.pop("next_offset")
    assert [4] == after.pop("ignored") and [] == before.pop("ignored")
    assert before == after


def test_what_a_registrar_said_stands_although_the_role_ended_before_it_was_read_back() -> None:
    other = kit.Person("test-other-registrar", "registrar", kit.REGISTER)
    said = kit.by_registrar("officer.enrolled", A.pseudonym, {"occurred_on": kit.TODAY, "office": A.office}, by=other)
    found = register(enrolled(other), registered(other), granted(other, "registrar"), withdrawn(other, "registrar"), said)
    assert found.enrolled(A.pseudonym) and [] == found.ignored


def test_a_record_is_folded_once() -> None:
    with pytest.raises(ValueError, match="folded before"):
        register().apply(0, kit.record(GENESIS))


def closed(through: date, key: str = "system") -> bytes:
    event = day_closed_event(through, "Asia/Shanghai", subject="stack:yangli", source=kit.REGISTER)
    return kit.record(kit.signed(event, kit.key(key)))


def test_the_last_closed_day_never_goes_back_and_only_the_system_closes_days() -> None:
    found = kit.fold(Registry.empty(), [GENESIS], received_at="2026-01-05T15:59:59.000Z")
    assert date(2026, 1, 4) == found.closed_through
    found.apply(1, closed(date(2026, 1, 9)))
    found.apply(2, closed(date(2026, 1, 7)))
    found.apply(3, closed(date(2026, 1, 20), "test-registrar"))
    assert date(2026, 1, 9) == found.closed_through
    assert [3] == found.ignored


def change(**data: Any) -> dict[str, Any]:
    return kit.signed({**GENESIS["event"], "data": GENESIS["event"]["data"] | data}, kit.REGISTRAR)


def test_a_genesis_that_does_not_hold_is_refused_with_a_sentence() -> None:
    bad: list[tuple[Any, str]] = [
        (None, "valid dictionary"),
        ({**GENESIS, "more": 1}, "more"),
        (kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.REGISTRAR), "type is not"),
        (kit.signed({**GENESIS["event"], "subject": kit.USCC}, kit.REGISTRAR), "subject must be stack"),
        (change(time_zone="Asia/Nowhere"), "time zone"),
        (change(partitions=6), "6 partitions"),
        (change(receipt_key=kit.key("system").public_object()), "three different keys"),
        (change(sample="no"), "sample"),
        (kit.signed(GENESIS["event"], kit.key("system")), "registrar's key"),
        ({**GENESIS, "event": {**GENESIS["event"], "id": kit.new_id()}}, "does not verify"),
    ]
    for submission, words in bad:
        with pytest.raises(ValueError, match=words):
            verify_genesis(submission)


def test_the_fingerprint_is_the_hash_of_the_event_alone() -> None:
    again = kit.genesis()
    assert verify_genesis(GENESIS) == verify_genesis(again)
    assert verify_genesis(GENESIS) != verify_genesis(change(sample=False))


def test_the_same_genesis_is_known_again_by_its_event() -> None:
    assert same_genesis(kit.record(GENESIS), GENESIS)
    assert not same_genesis(kit.record(GENESIS), change(sample=False))
    assert not same_genesis(None, GENESIS) and not same_genesis(b"[]", GENESIS)
