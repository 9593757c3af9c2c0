"""Guessing is slow, and whoever signs with a registered key is never held up by others at the same address."""

from __future__ import annotations

import pytest

from services.intake.answers import Answer
from services.intake.domain.faults import Refused, fault
from services.intake.web.limits import Limits

UNPROVEN = Answer(401, fault=fault("key-unknown"))
PROVEN = Answer(422, fault=fault("sum-wrong"), refusal=b"{}")
ENTERED = Answer(201, receipt={})
KEPT = Answer(202, retry_after=1)
BUSY = Answer(503, fault=fault("busy"), retry_after=1)
HERE, THERE = "10.0.0.1", "10.0.0.2"


def test_beyond_the_burst_only_what_is_unproven_is_held_up() -> None:
    limits = Limits(lambda: 0.0, burst=3, per_second=0.5)
    assert [401, 401, 401, 429, 429] == [one.status for one in limits.held(HERE, [UNPROVEN] * 5)]
    mixed = [ENTERED, PROVEN, UNPROVEN, KEPT, BUSY]
    found = limits.held(HERE, mixed)
    assert [201, 422, 429, 202, 503] == [one.status for one in found]
    assert "too-many-unproven" == found[2].fault.code and 2 == found[2].retry_after  # type: ignore[union-attr]
    assert mixed == limits.held(THERE, mixed)


def test_what_is_proven_entered_or_put_off_costs_nothing() -> None:
    limits = Limits(lambda: 0.0, burst=1, per_second=0.5)
    limits.held(HERE, [ENTERED, PROVEN, KEPT, BUSY] * 100)
    assert [UNPROVEN] == limits.held(HERE, [UNPROVEN])


@pytest.mark.parametrize("code", ["json-broken", "body-too-large", "content-type", "batch-shape"])
def test_bodies_that_can_t_be_read_count(code: str) -> None:
    limits = Limits(lambda: 0.0, burst=2, per_second=0.5)
    refused = Refused(fault(code, line=1, column=1, most=1))
    answers = [limits.refuse(HERE, refused) for _ in range(3)]
    assert [refused.fault.status] * 2 + [429] == [one.status for one in answers]
    assert [429] == [one.status for one in limits.held(HERE, [UNPROVEN])]


def test_the_bucket_fills_again_when_it_said_it_would() -> None:
    now = [0.0]
    limits = Limits(lambda: now[0], burst=2, per_second=0.25)
    [*_, late] = limits.held(HERE, [UNPROVEN] * 3)
    assert 4 == late.retry_after
    now[0] += 4.0
    assert [401, 429] == [one.status for one in limits.held(HERE, [UNPROVEN] * 2)]
