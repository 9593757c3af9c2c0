"""Duties → ``mingjian.duty.*.v1``: derived ids, no clock, the same bytes on every replay."""

from __future__ import annotations

from datetime import date
from typing import Any

from schemas.envelope import derived_event
from schemas.ids import derived_id
from schemas.rulebook import Rulebook
from schemas.times import instant
from services.rating.domain.days import day
from services.rating.domain.duties import Duty, Met, readings_of, set_by_operator
from services.rating.domain.emit import cause_of, decisive, identity_of
from services.rating.domain.facts import Fact
from services.rating.domain.sentences import Decisive

PREFIX = "duty."
OPENED, PERFORMED, OVERDUE, LAPSED, CORRECTED = (f"{PREFIX}{word}" for word in ("opened", "performed", "overdue", "lapsed", "corrected"))
KINDS = (OPENED, PERFORMED, OVERDUE, LAPSED, CORRECTED)
TYPES = frozenset(f"mingjian.{kind}.v1" for kind in KINDS)
# The contract's size (schemas.events.duties).
MAX_EVENTS = 20
_BY_STATE = {"open": OPENED, "performed": PERFORMED, "overdue": OVERDUE, "lapsed": LAPSED}
# What follows in the course of things; performed from overdue: late.
_COURSE = {("open", "performed"), ("open", "overdue"), ("open", "lapsed"), ("overdue", "performed")}


def told(
    *,
    subject: str,
    version: str,
    sha256: str,
    cause: Fact,
    rulebook: Rulebook,
    before: Duty | None,
    after: Duty | None,
) -> dict[str, Any]:
    """The event that tells what became of a duty. ``after`` None: it never was one."""
    one = after or before
    assert one is not None
    kind, regime = _kind(before, after), rulebook.regime
    data = {
        "duty": one.id,
        "regime": regime,
        **row(one, rulebook),
        "state": after.state if after else "void",
        "previous_state": before.state if before else None,
        "rulebook": {"regime": regime, "version": version, "sha256": sha256},
        "cause": cause_of(cause),
    }
    # By the duty, so that it is the same however many others the step tells.
    identity = derived_id(cause=f"{identity_of(cause)}#{one.id}", kind=kind, subject=subject, regime=regime)
    return derived_event(id=identity, service="rating", type=f"mingjian.{kind}.v1", subject=subject, time=instant(cause.stamp), data=data)


def _kind(before: Duty | None, after: Duty | None) -> str:
    if before is None:
        assert after is not None
        return _BY_STATE[after.state]
    if after is None or (before.state, after.state) not in _COURSE or _dates(before) != _dates(after):
        return CORRECTED
    in_time = after.performed_on is not None and after.performed_on <= after.due_on
    return CORRECTED if before.state == "overdue" and in_time else _BY_STATE[after.state]


def _dates(one: Duty) -> tuple[object, ...]:
    return (one.measure.name, one.opened_on, one.due_on, one.provisional)


def row(one: Duty, rulebook: Rulebook) -> dict[str, Any]:
    """What is said of a duty wherever it is shown, but for the state and its id."""
    period, fact = one.opening.period, one.opening.fact
    counted = {fact.offset: fact for need in one.needs for fact in need.found}
    return {
        "office": one.office,
        "measure": one.measure.name,
        "clause": one.measure.clause,
        "readings": list(readings_of(rulebook, one.measure)),
        "grade": one.grade,
        "opened_on": one.opened_on.isoformat(),
        "due_on": one.due_on.isoformat(),
        "provisional": one.provisional,
        "set_by_operator": set_by_operator(rulebook, one.measure),
        "performed_on": _text(one.performed_on),
        "lapsed_on": _text(one.lapsed_on),
        "period": {"first": period[0].isoformat(), "last": period[1].isoformat()} if period else None,
        "opened_by": _named(fact) if fact else None,
        "needed": [_needed(need) for need in one.needs],
        "events": [_named(counted[offset]) for offset in sorted(counted)[:MAX_EVENTS]],
    }


def _needed(need: Met) -> dict[str, Any]:
    return {"acts": list(need.acts), "at_least": need.at_least, "found": len(need.found)}


def _named(fact: Fact) -> dict[str, Any]:
    return decisive(Decisive(fact, day((fact.data.get("service") or {}).get("served_on"))))


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
