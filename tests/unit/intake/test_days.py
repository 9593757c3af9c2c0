"""Days end by events: each day once, the same bytes whenever it is said again, in the stack's own time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import canonical_bytes
from schemas.envelope import Event, check_data, lookup
from schemas.times import milliseconds
from services.intake.domain.days import closing, day_closed_event

ZONE = "Asia/Shanghai"


def ms(text: str) -> int:
    return milliseconds(text)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-01-15T15:59:59.999Z", date(2026, 1, 14)),
        ("2026-01-15T16:00:00.000Z", date(2026, 1, 15)),
        ("2026-01-15T16:00:00.001Z", date(2026, 1, 15)),
    ],
)
def test_a_day_ends_at_midnight_of_the_zone(now: str, day: date) -> None:
    assert day == closing(None, ms(now), ZONE)


def test_a_day_is_announced_once() -> None:
    now = ms("2026-01-15T16:00:00.000Z")
    assert closing(date(2026, 1, 14), now, ZONE) == date(2026, 1, 15)
    assert closing(date(2026, 1, 15), now, ZONE) is None
    assert closing(date(2026, 1, 16), now, ZONE) is None


def test_many_days_are_closed_by_one_announcement() -> None:
    assert closing(date(2023, 1, 1), ms("2026-01-15T03:00:00.000Z"), ZONE) == date(2026, 1, 14)


def test_before_genesis_no_day_is_closed() -> None:
    assert closing(None, ms("2026-01-15T03:00:00.000Z"), "") is None


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from((ZONE, "Europe/London", "America/New_York", "UTC")))
def test_the_event_of_a_day_is_one_the_contract_takes_and_its_time_is_the_midnight_that_ended_it(day: date, zone: str) -> None:
    made = day_closed_event(day, zone, subject="stack:mingjian", source="/departments/register/offices/registry")
    Event.model_validate(made)
    kind = lookup(made["type"])
    assert kind is not None
    check_data(kind, made["data"], made["subject"])
    midnight = datetime.fromisoformat(made["time"]).astimezone(ZoneInfo(zone))
    assert day + timedelta(days=1) == midnight.date()
    assert closing(day - timedelta(days=1), ms(made["time"]), zone) == day


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_the_same_day_has_the_same_bytes_and_another_day_another_id(one: date, other: date) -> None:
    def made(day: date) -> dict:
        return day_closed_event(day, ZONE, subject="stack:mingjian", source="/departments/register/offices/registry")

    assert canonical_bytes(made(one)) == canonical_bytes(made(one))
    assert (made(one)["id"] == made(other)["id"]) == (one == other)
