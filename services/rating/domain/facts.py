"""Compact facts: what rating keeps of an envelope, with its place in Kafka.

A fact is the same whichever driver read it. Only the fields that a rulebook can ask for are kept; the rest stays in Kafka,
which is the source of truth. ``pack`` and ``unpack`` are the form in which facts stand in the state's chunks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from schemas.times import milliseconds

PREFIX, SUFFIX = "mingjian.", ".v1"

# event name → the keys of ``data`` that are kept
KEPT: dict[str, tuple[str, ...]] = {
    "enterprise.registered": ("occurred_on", "business_kind", "regimes"),
    "enterprise.closed": ("occurred_on", "reason"),
    "enterprise.status.declared": ("occurred_on", "regime", "status"),
    "operation.started": ("occurred_on",),
    "operation.interrupted": ("occurred_on", "until"),
    "permit.revoked": ("occurred_on", "document_no", "service", "whole"),
    "inspection.recorded": (
        "occurred_on",
        "kind",
        "mode",
        "document_no",
        "violations",
        "corrected",
        "regime",
        "component_scores",
        "published_outcome",
        "outcome_pending",
        "closure",
    ),
    "case.closed": ("occurred_on", "case_no", "outcome", "violations"),
    "obstruction.determined": ("occurred_on", "document_no", "service", "act"),
    "score.recorded": ("occurred_on", "regime", "year", "maximum", "total", "final", "standard"),
    "warning.issued": ("occurred_on", "document_no", "service", "violation", "legal_field", "correct_by", "correction_ordered"),
    "announcement.made": ("occurred_on", "document_no", "service", "violation", "legal_field", "correct_by", "announces"),
    "correction.ordered": ("occurred_on", "document_no", "service", "violations", "legal_field", "correct_by"),
    "penalty.decided": ("occurred_on", "document_no", "service", "case_no", "acts"),
    "other_department.penalised": ("occurred_on", "document_no", "service", "authority", "acts"),
    "crime.judged": ("occurred_on", "document_no", "service", "legal_field", "final"),
    "document.served": ("occurred_on", "document", "document_no", "service"),
    "grade.approved": ("occurred_on", "regime", "grade", "document_no"),
    "grade.returned": ("occurred_on", "regime", "grade", "document_no"),
    "act.annulled": ("occurred_on", "document_no", "act"),
    "act.changed": ("occurred_on", "document_no", "service", "act", "replacement"),
    "repair.decided": ("occurred_on", "document_no", "acts", "outcome", "effective_from"),
    "entry.corrected": ("occurred_on", "entry", "replacement"),
    "entry.retracted": ("occurred_on", "entry", "ground"),
    "objection.decided": ("occurred_on", "document_no", "outcome", "entry", "replacement"),
}
# Broadcast copies that every subject of the partition lives by.
CONTROLS: dict[str, tuple[str, ...]] = {
    "evaluation.closed": ("regime", "period", "evaluation_date"),
    "rulebook.activated": ("regime", "version", "sha256", "in_force_from"),
    "day.closed": ("through",),
}
DAY_CLOSED = "day.closed"


@dataclass(slots=True)
class Fact:
    """``known`` is the running maximum of record times in the partition, ``stamp`` the record's own; both epoch ms, as is
    ``received``. ``name`` is the event type without prefix and version. ``worded_by``: the fact that put these words in the place of
    the entered ones; never kept, for it follows from the log."""

    partition: int
    offset: int
    known: int
    stamp: int
    received: int
    id: str
    source: str
    name: str
    data: dict[str, Any]
    worded_by: Fact | None = None

    @property
    def type(self) -> str:
        return f"{PREFIX}{self.name}{SUFFIX}"

    @property
    def key(self) -> tuple[str, str]:
        """What a second copy shares: ids are unique per source."""
        return (self.source, self.id)


def name_of(event_type: str) -> str:
    """``mingjian.inspection.recorded.v1`` → ``inspection.recorded``; '' for a type of another version or vendor."""
    if event_type.startswith(PREFIX) and event_type.endswith(SUFFIX):
        return event_type[len(PREFIX) : -len(SUFFIX)]
    return ""


def compact(event: dict[str, Any], entry: dict[str, Any], *, partition: int, offset: int, known: int, stamp: int) -> Fact | None:
    """The compact fact, or None where no rulebook asks for this type. Raises ``ValueError`` for an entry time that can't be."""
    name = name_of(event["type"])
    keys = KEPT.get(name) or CONTROLS.get(name)
    if keys is None:
        return None
    kept = _kept(keys, event["data"])
    if words := kept.get("replacement"):
        instead = name_of(words["type"])
        kept["replacement"] = {"name": instead, "data": _kept(KEPT.get(instead, ()), words["data"])}
    received = milliseconds(entry["received_at"]) if entry.get("received_at") else stamp
    return Fact(partition, offset, known, stamp, received, event["id"], event["source"], name, kept)


def _kept(keys: tuple[str, ...], data: dict[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in keys if data.get(key) is not None}


def pack(facts: list[Fact]) -> bytes:
    """A chunk's bytes. The partition is the chunk's own and isn't repeated."""
    return orjson.dumps([[f.offset, f.known, f.stamp, f.received, f.id, f.source, f.name, f.data] for f in facts])


def unpack(chunk: bytes, partition: int) -> list[Fact]:
    """The facts of a chunk, in the order of their offsets."""
    return [Fact(partition, *row) for row in orjson.loads(chunk)]
