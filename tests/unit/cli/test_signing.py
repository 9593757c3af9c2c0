"""`sign` fills in what a device knows, leaves what a person wrote, and keeps private values beside the event."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from schemas.commitments import matches
from schemas.envelope import Submission
from schemas.keys import SigningKey, unb64
from schemas.receipts import verify_signed
from services._cli.errors import CliError
from services._cli.signing import sign_draft, uuid7

KEY = SigningKey.from_seed(b"k" * 32)
OFFICE = "/departments/d/offices/o"
NOW = 1_795_000_000_123
DRAFT = {"type": "mingjian.operation.started.v1", "subject": "fhrs:1", "data": {"occurred_on": "2026-01-15"}}


def chance() -> Callable[[int], bytes]:
    drawn = iter(range(1, 200))
    return lambda count: bytes([next(drawn)]) * count


def sign(draft: dict[str, object], source: str | None = OFFICE) -> dict[str, object]:
    return sign_draft(draft, key=KEY, now_ms=NOW, source=source, chance=chance())


def test_id_time_and_source_are_filled_in_and_the_submission_is_the_contract_s() -> None:
    made = sign(DRAFT)
    Submission.model_validate(made)
    assert made["event"]["time"] == "2026-11-18T11:06:40.123Z"
    assert made["event"]["source"] == OFFICE
    assert uuid.UUID(made["event"]["id"]).version == 7
    assert verify_signed(made, "event", KEY.alg, KEY.raw_public)


def test_what_the_person_wrote_stays() -> None:
    given = {"id": "01890a5d-ac96-774b-bcce-b302099a8057", "time": "2026-01-15T08:30:00.000Z", "source": "/departments/x/offices/y"}
    made = sign(DRAFT | given)
    assert {key: made["event"][key] for key in given} == given


def test_private_values_become_commitments_and_travel_beside_the_event() -> None:
    made = sign(DRAFT | {"private": {"legal_representative": "样例·张某", "telephone": "0735-000"}})
    commitments = made["event"]["data"]["commitments"]
    assert set(commitments) == set(made["private"]) == {"legal_representative", "telephone"}
    for field, one in made["private"].items():
        assert matches(field, one["value"], unb64(one["salt"]), commitments[field])
    assert len({one["salt"] for one in made["private"].values()}) == 2


def test_a_submission_signed_again_keeps_its_salts() -> None:
    first = sign(DRAFT | {"private": {"name": "样例"}})
    again = sign({"event": first["event"], "private": first["private"]})
    assert again["event"] == first["event"]
    assert again["private"] == first["private"]


def test_a_key_that_no_event_has_is_named() -> None:
    with pytest.raises(CliError, match="'subjct'"):
        sign(DRAFT | {"subjct": "fhrs:1"})


def test_without_an_office_the_source_is_asked_for() -> None:
    with pytest.raises(CliError, match="lacks 'source'"):
        sign(DRAFT, source=None)


def test_a_float_is_refused_before_it_is_signed() -> None:
    with pytest.raises(CliError, match="decimal string"):
        sign(DRAFT | {"data": {"occurred_on": "2026-01-15", "note": 1.5}})


def test_uuid7_orders_by_its_millisecond() -> None:
    made = [uuid7(NOW + step, bytes([255 - step]) * 10) for step in range(50)]
    assert sorted(made) == made
    assert all(uuid.UUID(one).version == 7 and uuid.UUID(one).variant == uuid.RFC_4122 for one in made)
