"""Standings → ``mingjian.grade.determined.v1`` and ``grade.corrected``: derived ids, no clock, the same bytes on every replay."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from schemas import topics
from schemas.envelope import derived_event
from schemas.ids import derived_id
from schemas.times import instant
from services.rating.domain.facts import Fact
from services.rating.domain.outlook import NO_OUTLOOK, Outlook
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing

KIND = "grade.determined"
KIND_CORRECTED = "grade.corrected"
KIND_PROPOSED, KIND_CLOSED = "grade.proposed", "proposal.closed"
TYPE, TYPE_CORRECTED, TYPE_PROPOSED, TYPE_CLOSED = (f"mingjian.{kind}.v1" for kind in (KIND, KIND_CORRECTED, KIND_PROPOSED, KIND_CLOSED))
# The contract's sizes (schemas.events.derived): an event stays well below one Kafka record.
MAX_REASONS, MAX_DECISIVE, MAX_EVENTS_OF_A_REASON, MAX_OUTLOOK = 50, 100, 20, 20


def determined(
    *,
    subject: str,
    regime: str,
    version: str,
    sha256: str,
    before: Standing | None,
    after: Standing,
    cause: Fact,
    outlook: Outlook = NO_OUTLOOK,
) -> dict[str, Any]:
    """The event that tells of ``after``. ``cause`` is the fact or control whose arrival made it due; its time is the event's."""
    return _event(KIND, subject, _data(regime, version, sha256, before, after, cause) | ahead(outlook), cause)


def proposed(
    *, subject: str, regime: str, version: str, sha256: str, before: Standing | None, after: Standing, cause: Fact
) -> dict[str, Any]:
    """The event that tells of the grade ``after`` that awaits approval, beside what is in force, ``before`` (R8)."""
    data = _data(regime, version, sha256, before, after, cause)
    return _event(KIND_PROPOSED, subject, data, cause)


def closed(*, subject: str, regime: str, grade: str, outcome: str, cause: Fact) -> dict[str, Any]:
    """The event that tells what became of the open proposal."""
    data = {"regime": regime, "grade": grade, "outcome": outcome, "cause": cause_of(cause)}
    return _event(KIND_CLOSED, subject, data, cause)


def corrected(
    *,
    subject: str,
    regime: str,
    version: str,
    sha256: str,
    first: date,
    last: date | None,
    before: Standing | None,
    after: Standing,
    cause: Fact,
    rebuilt_by: str | None = None,
) -> dict[str, Any]:
    """The event that tells what held from ``first`` (``date.min``: not known from when) to ``last`` (None: still), both inclusive, days
    that were told as ``before``. ``rebuilt_by``: the version of rating that tells otherwise than the one before it did."""
    data = _data(regime, version, sha256, before, after, cause)
    data |= {"in_force_from": None if first == date.min else first.isoformat(), "corrected_to": _text(last), "moment": "correction"}
    kind = KIND_CORRECTED
    if rebuilt_by is not None:
        data["rebuilt_by"] = rebuilt_by
        kind = f"{KIND_CORRECTED} by {rebuilt_by}"
    # By its first day, which is the same however many other stretches the step corrects.
    return _event(KIND_CORRECTED, subject, data, cause, ordinal=first.toordinal(), named=kind)


def _event(kind: str, subject: str, data: dict[str, Any], cause: Fact, *, ordinal: int = 0, named: str | None = None) -> dict[str, Any]:
    identity = derived_id(cause=identity_of(cause), kind=named or kind, subject=subject, regime=data["regime"], ordinal=ordinal)
    return derived_event(id=identity, service="rating", type=f"mingjian.{kind}.v1", subject=subject, time=instant(cause.stamp), data=data)


def _data(regime: str, version: str, sha256: str, before: Standing | None, after: Standing, cause: Fact) -> dict[str, Any]:
    return held(after) | {
        "regime": regime,
        "previous_grade": before.grade if before else None,
        "previous_status": before.status if before else None,
        "rulebook": {"regime": regime, "version": version, "sha256": sha256},
        "cause": cause_of(cause),
    }


def held(after: Standing) -> dict[str, Any]:
    """What an event says of a standing, whatever was before it and made it due."""
    return {
        "grade": after.grade,
        "status": after.status,
        "in_force_from": _text(after.in_force_from),
        "moment": after.moment,
        "period_last": _text(after.period_last),
        "clauses": list(after.clauses),
        "reasons": [_reason(one) for one in after.reasons[:MAX_REASONS]],
        "decisive_events": [decisive(one) for one in after.decisive[:MAX_DECISIVE]],
        "readings": list(after.readings),
    }


def ahead(seen: Outlook) -> dict[str, Any]:
    """What an event says of what a better grade would take."""
    return {
        "near": [asdict(one) for one in seen.near[:MAX_OUTLOOK]],
        "better": [
            {"grade": one.grade, "on": one.on.isoformat(), "period_last": one.period_last.isoformat()} for one in seen.better[:MAX_OUTLOOK]
        ],
    }


def cause_of(cause: Fact) -> dict[str, Any]:
    """``known_from`` is the fact's, not the grade's: rating's own delay changes no answer about what was known when."""
    return {
        "topic": topics.FACTS,
        "partition": cause.partition,
        "offset": cause.offset,
        "id": cause.id,
        "source": cause.source,
        "type": cause.type,
        "known_from": instant(cause.known),
    }


def identity_of(cause: Fact) -> str:
    """Ids are unique per source only, so a cause is named by both; a source holds no ``#``."""
    return f"{cause.source}#{cause.id}"


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "clause": reason.clause,
        "grade": reason.grade,
        "zh": reason.zh,
        "en": reason.en,
        "numbers": [{"name": one.name, "value": one.value, "bound": one.bound} for one in reason.numbers],
        "events": [one.fact.id for one in reason.decisive[:MAX_EVENTS_OF_A_REASON]],
        "readings": list(reason.readings),
    }


def decisive(one: Decisive) -> dict[str, Any]:
    """A fact that something rests on, as every event names it."""
    return {
        "id": one.fact.id,
        "type": one.fact.type,
        "partition": one.fact.partition,
        "offset": one.fact.offset,
        "occurred_on": one.fact.data.get("occurred_on"),
        "served_on": _text(one.served),
    }
