"""Findings as derived events. Their ids follow from what they are about, their bytes hold no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from schemas.envelope import derived_bytes, derived_event
from schemas.ids import derived_id
from schemas.times import instant
from services.audit.domain.frame import Record
from services.audit.domain.late import KIND, READING, RETRACTED, EntryRule, Fact, Verdict, rule_version, sentences

TYPE = "mingjian.finding.raised.v1"
OVERSIZE = "oversize_record"
UNREADABLE = "unreadable_fact"


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


def late_finding(*, fact: Fact, at: Place, verdict: Verdict, rule: EntryRule, ordinal: int, cause: Place, cause_time: int) -> Raised:
    """五(三) ¶1. ``ordinal``: which verdict on this fact it is, 0 the first; ``cause``: the fact's record, or the calendar's that came.

    ``cause_time``: time of the cause's record in ms."""
    kind = KIND if verdict.late else RETRACTED
    zh, en = sentences(verdict)
    data: dict[str, Any] = {
        "kind": kind,
        "about": "entry",
        "office": fact.source,
        "clause": verdict.clause,
        "readings": [READING],
        "event": asdict(at),
        "event_type": fact.type,
        "detail_zh": zh,
        "detail_en": en,
        "rule_version": rule_version(rule, verdict),
        "cause": asdict(cause),
    }
    if verdict.late:
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
    # The source is part of the name: ids are unique per source, and nobody may silence another office's finding with a borrowed id.
    subject = f"office:{fact.source}"
    id = derived_id(cause=fact.id, kind=kind, subject=subject, regime=rule.regime, ordinal=ordinal)
    event = derived_event(id=id, service="audit", type=TYPE, subject=subject, time=instant(cause_time), data=data)
    return Raised(id, kind, derived_bytes(event))


def operational_finding(
    record: Record, *, kind: str, stack: str, detail_zh: str, detail_en: str, rule: str, event_id: str | None = None
) -> Raised:
    """About the machinery, not about anyone's entry. ``stack``: subject id of the stack; at most one of a kind for a record."""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    cause = Place(record.topic, record.partition, record.offset, event_id or derived_id(cause=place, kind="record", subject=stack))
    data = {
        "kind": kind,
        "about": "operation",
        "detail_zh": f"记录{place}：{detail_zh}",
        "detail_en": f"Record {place}: {detail_en}",
        "rule_version": rule,
        "cause": asdict(cause),
    }
    id = derived_id(cause=place, kind=kind, subject=stack)
    event = derived_event(id=id, service="audit", type=TYPE, subject=stack, time=instant(record.timestamp), data=data)
    return Raised(id, kind, derived_bytes(event))


def oversize_finding(record: Record, length: int, stack: str) -> Raised:
    """A record whose frame doesn't fit into the log: its stub and its bytes beside the log are in order, the size is not."""
    return operational_finding(
        record,
        kind=OVERSIZE,
        stack=stack,
        detail_zh=f"帧长{length}字节，超出日志条目上限；日志中存其哈希，原始字节另存。",
        detail_en=f"its frame has {length} bytes, more than an entry of the log may have; "
        "the log holds its hash, its bytes stand beside the log.",
        rule="tlog-tiles: entries of at most 65535 bytes",
    )


def unreadable_finding(record: Record, stack: str) -> Raised:
    """A fact that went past intake: no detector can judge it, and nobody should take silence for a clean record."""
    return operational_finding(
        record,
        kind=UNREADABLE,
        stack=stack,
        detail_zh="数据不符合其类型，检测无法判断。",
        detail_en="its data has not the shape of its type, so no detector could judge it.",
        rule="contract of the event type, v1",
    )


def fact_to_json(fact: Fact) -> dict[str, str | None]:
    """A fact as kept until its calendar comes."""
    kept: Mapping[str, Any] = asdict(fact)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in kept.items()}


def fact_from_json(kept: Mapping[str, Any]) -> Fact:
    """The fact again."""
    served = kept["served_on"]
    days = {"occurred_on": date.fromisoformat(kept["occurred_on"]), "served_on": date.fromisoformat(served) if served else None}
    return Fact(**{**kept, **days})
