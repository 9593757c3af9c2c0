"""Findings about entries, as derived events. Their ids follow from what they are about, their bytes hold no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import orjson

from schemas.envelope import derived_bytes, derived_event
from schemas.ids import ENTERPRISE_SCHEMES, derived_id, scheme_of
from schemas.times import instant
from services.audit.domain.late import KIND, READING, RETRACTED, EntryRule, Fact, Verdict, rule_version, sentences

TYPE = "mingjian.finding.raised.v1"
_DAYS = ("occurred_on", "served_on", "result_on", "decided_on")
_LATEST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z


@dataclass(frozen=True, slots=True)
class Place:
    """A record and its event's id, as ``cause`` or ``event`` of a finding."""

    topic: str
    partition: int
    offset: int
    id: str


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding's id and bytes."""

    id: str
    kind: str
    value: bytes
    matter: str | None = None


def event_of(value: bytes | memoryview) -> dict[str, Any]:
    """The derived event of a record's value."""
    found: dict[str, Any] = orjson.loads(value)["event"]
    return found


def moment(ms: int) -> str:
    """A record's time as an instant of the contract; one that no calendar has becomes the nearest that it has."""
    return instant(min(max(ms, 0), _LATEST_MS))


def late_finding(*, fact: Fact, at: Place, verdict: Verdict, rule: EntryRule, ordinal: int, cause: Place, cause_time: int) -> Raised:
    """五(三) ¶1. ``ordinal``: which verdict on this fact it is, 0 the first; ``cause``: the fact's record, or the calendar's that came.

    ``cause_time``: time of the cause's record in ms."""
    kind = KIND if verdict.late else RETRACTED
    zh, en = sentences(verdict)
    # The source is part of the name: ids are unique per source, and nobody may silence another office's finding with a borrowed id.
    subject = f"office:{fact.source}"
    matter = derived_id(cause=fact.id, kind=KIND, subject=subject, regime=rule.regime)
    data: dict[str, Any] = {
        "kind": kind,
        "about": "entry",
        "matter": matter,
        "office": fact.source,
        "regime": rule.regime,
        "clause": verdict.clause,
        "readings": [READING],
        "event": asdict(at),
        "event_type": fact.type,
        "detail_zh": zh,
        "detail_en": en,
        "rule_version": rule_version(rule, verdict),
        "cause": asdict(cause),
    }
    if scheme_of(fact.subject) in ENTERPRISE_SCHEMES:
        data["subject_of"] = fact.subject
    if fact.concerns:
        data["concerns"] = list(fact.concerns)
    if fact.record_sha256 and fact.known_from:
        shown = {"known_from": fact.known_from, "source": fact.source, "type": fact.type, "sha256": fact.record_sha256}
        data["evidence"] = [asdict(at) | shown | {"role": "entry"}]
    if not verdict.late:
        data["retracted"] = True
    else:
        data["late"] = {
            "day_zero": verdict.day_zero.isoformat(),
            "deadline": verdict.deadline.isoformat(),
            "entered_on": verdict.entered_on.isoformat(),
            "working_days_late": verdict.working_days_late,
            "calendar_days_late": verdict.calendar_days_late,
            "signed_in_time": verdict.signed_in_time,
            "outage": verdict.outage,
            "provisional": verdict.provisional,
        }
    id = derived_id(cause=fact.id, kind=kind, subject=subject, regime=rule.regime, ordinal=ordinal)
    event = derived_event(id=id, service="audit", type=TYPE, subject=subject, time=moment(cause_time), data=data)
    return Raised(id, kind, derived_bytes(event), matter)


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """A fact as kept until its calendar comes."""
    kept: Mapping[str, Any] = asdict(fact)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in kept.items()}


def fact_from_json(kept: Mapping[str, Any]) -> Fact:
    """The fact again."""
    days = {name: date.fromisoformat(kept[name]) for name in _DAYS if kept.get(name)}
    return Fact(**{**kept, **days, "concerns": tuple(kept.get("concerns") or ())})
