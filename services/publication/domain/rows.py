"""From a record to the rows it may leave. Only public fields pass (``disclosure``); what isn't for the public gives nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.canonical import sha256_hex, trusted_canonical_bytes
from schemas.envelope import NotAnEnvelope, Opened
from schemas.events import CATALOGUE
from schemas.fields import EARLIEST, LATEST
from schemas.ids import ENTERPRISE_SCHEMES, scheme_of
from schemas.times import instant, milliseconds
from services.publication.domain.disclosure import public_data
from services.publication.domain.effects import MENDING_TYPES

DETERMINED = "mingjian.grade.determined.v1"
CORRECTED = "mingjian.grade.corrected.v1"
ORDERED = "mingjian.stay.ordered.v1"
LIFTED = "mingjian.stay.lifted.v1"
COPY_NAMESPACE = uuid.UUID("6f1d5f0e-3c51-5b52-9a0b-636f70790000")


@dataclass(frozen=True, slots=True)
class Seen:
    """A decoded record and where it stands. ``known_ms``: running maximum of record time in its partition, epoch ms.

    ``trace``: the trace header, carried on by what follows from the record."""

    topic: str
    partition: int
    offset: int
    record_ms: int
    known_ms: int
    opened: Opened
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact on the public timeline. ``copy`` is the same for every copy of one event (ids are unique per source); ``lifts``: of a
    lifting the copy of the stay that it names."""

    partition: int
    offset: int
    copy: uuid.UUID
    subject: str
    type: str
    event_id: str
    event_hash: str
    occurred_on: date | None
    served_on: date | None
    received_at: str
    known_ms: int
    data: dict[str, Any]
    lifts: uuid.UUID | None = None

    @property
    def shown_on(self) -> date:
        """The day the timeline is ordered by: when it happened, else when it became known (UTC)."""
        return self.occurred_on or date.fromisoformat(instant(self.known_ms)[:10])


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A grade or status that was determined or corrected. ``in_effect``: it says what holds now, not what held once.

    ``known_ms``: when the public could know it; ``cause_offset``, ``cause_known_ms``: place and instant of the fact that caused it."""

    id: str
    type: str
    subject: str
    regime: str
    grade: str | None
    status: str
    in_force_from: date | None
    corrected_to: date | None
    partition: int
    offset: int
    known_ms: int
    cause_offset: int
    cause_known_ms: int
    time: str
    data: dict[str, Any]
    trace: str | None = None

    @property
    def in_effect(self) -> bool:
        return not (self.type == CORRECTED and self.corrected_to is not None)


def _day(value: Any) -> date | None:
    """A civil date of the contract. Raises ``NotAnEnvelope`` for another text: such a record belongs into quarantine."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise NotAnEnvelope("a date that is none") from None
    if not EARLIEST <= day <= LATEST:
        raise NotAnEnvelope("a date out of range")
    return day


def _words(data: Mapping[str, Any], *names: str) -> list[str]:
    found = [data.get(name) for name in names]
    if not all(type(one) is str and one and "\x00" not in one for one in found):
        raise NotAnEnvelope(f"one of {', '.join(names)} is missing")
    return [str(one) for one in found]


def _event_id(event: Mapping[str, Any]) -> str:
    try:
        return str(uuid.UUID(event["id"]))
    except ValueError:
        raise NotAnEnvelope("event.id is not a UUID") from None


def _mends_rightly(type_name: str, data: Mapping[str, Any]) -> None:
    """Raises ``NotAnEnvelope`` where what mends an entry can't be read as the contract has it."""
    if type_name in MENDING_TYPES and data.get("entry"):
        _words(data["entry"], "source", "id")
    if words := data.get("replacement"):
        _day(words["data"].get("occurred_on"))
        _stays_rightly(words["type"], words["data"])


def _stays_rightly(type_name: str, data: Mapping[str, Any]) -> None:
    """Raises ``NotAnEnvelope`` where a stay or a lifting can't be read as the contract has it."""
    if type_name not in (ORDERED, LIFTED):
        return
    if _day(data.get("from_day")) is None:
        raise NotAnEnvelope("a stay without its first day")
    _day(data.get("until"))
    if type_name == LIFTED:
        _words(data, "stay")
    elif type(data.get("act")) is not dict:
        raise NotAnEnvelope("a stay of no act")
    else:
        _words(data["act"], "source", "id")


def copy_of(event: Mapping[str, Any]) -> uuid.UUID:
    """What all copies of an event share, from its source and id, or from a reference to it."""
    return uuid.uuid5(COPY_NAMESPACE, event["source"] + "\n" + event["id"])


def fact_row(seen: Seen) -> FactRow | None:
    """The timeline row of a record on facts, or ``None``: control copies and subjects that are no enterprise stay out.

    Raises ``NotAnEnvelope`` where the record can't be what it says."""
    event = seen.opened.event
    if scheme_of(event["subject"]) not in ENTERPRISE_SCHEMES or "\x00" in event["subject"] + event["type"]:
        return None
    row = CATALOGUE.get(event["type"])
    if row is not None and (row.route != "facts" or row.withheld):
        return None
    data = public_data(event["type"], event["data"])
    _mends_rightly(event["type"], data)
    _stays_rightly(event["type"], data)
    service = data.get("service") or {}
    (received_at,) = _words(seen.opened.entry, "received_at")
    try:
        milliseconds(received_at)
    except ValueError:
        raise NotAnEnvelope("entry.received_at is not an instant") from None
    return FactRow(
        partition=seen.partition,
        offset=seen.offset,
        copy=copy_of(event),
        subject=event["subject"],
        type=event["type"],
        event_id=_event_id(event),
        event_hash=sha256_hex(trusted_canonical_bytes(event)),
        occurred_on=_day(data.get("occurred_on")),
        served_on=_day(service.get("served_on")),
        received_at=received_at,
        known_ms=seen.known_ms,
        data=data,
        lifts=copy_of({"source": event["source"], "id": data["stay"]}) if event["type"] == LIFTED else None,
    )


def change_row(seen: Seen) -> ChangeRow | None:
    """The change in a record on grades, or ``None``: a proposed grade is not for the public (R8).

    Raises ``NotAnEnvelope`` where the record can't be what it says."""
    event = seen.opened.event
    if event["type"] not in (DETERMINED, CORRECTED) or scheme_of(event["subject"]) not in ENTERPRISE_SCHEMES:
        return None
    data = public_data(event["type"], event["data"])
    regime, status = _words(data, "regime", "status")
    grade = data.get("grade")
    if grade is not None and type(grade) is not str:
        raise NotAnEnvelope("grade is neither text nor null")
    cause_offset, cause_known_ms = _caused(data, event["time"])
    return ChangeRow(
        id=_event_id(event),
        type=event["type"],
        subject=event["subject"],
        regime=regime,
        grade=grade,
        status=status,
        in_force_from=_day(data.get("in_force_from")),
        corrected_to=_day(data.get("corrected_to")),
        partition=seen.partition,
        offset=seen.offset,
        known_ms=seen.known_ms,
        cause_offset=cause_offset,
        cause_known_ms=cause_known_ms,
        time=event["time"],
        data=data,
        trace=seen.trace,
    )


def _caused(data: Mapping[str, Any], time: str) -> tuple[int, int]:
    """Offset and instant of a change's cause. One that was told before causes said from when they were known is taken at its own time,
    which is that of the record that caused it."""
    cause = data.get("cause") or {}
    if type(cause.get("offset")) is not int or cause["offset"] < 0:
        raise NotAnEnvelope("a grade without the offset of its cause")
    try:
        return cause["offset"], milliseconds(cause.get("known_from") or time)
    except (TypeError, ValueError):
        raise NotAnEnvelope("cause.known_from is not an instant") from None
