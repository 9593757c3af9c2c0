"""The standing matters about entries, of what findings say: of each matter the last finding stands, a retracted one ends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.ids import derived_id
from services.audit.domain.findings import TYPE, Place
from services.audit.domain.late import KIND, RETRACTED
from services.audit.domain.supposing import Supposing

SUPPOSING: Mapping[str, Supposing] = {KIND: "on_time", "entry_untrue": "true", "backdated_correction": "never"}
"""What is supposed of the entry that a kind of finding is about. Of all other kinds nothing is."""
_OFFICE = "office:"


@dataclass(frozen=True, slots=True)
class Matter:
    """``id``: the same for all its findings; ``finding``: the one that stands. ``regime``: '' where it is every regime's that rates the
    subject. ``entry``: the record in question. ``deadline``: the last
    day on which it was in time, and ``entered_on`` the day of its entry, of a late one; ``marks``: what speaks for the officer."""

    id: str
    finding: str
    kind: str
    office: str
    regime: str
    entry: Place
    deadline: date | None = None
    entered_on: date | None = None
    marks: tuple[str, ...] = ()

    @property
    def supposing(self) -> Supposing:
        return SUPPOSING[self.kind]


def standing_matters(events: Iterable[Mapping[str, Any]]) -> list[Matter]:
    """Those that stand after all these findings, in the order of the topic; by id. What is about no entry is left out."""
    found: dict[str, Matter] = {}
    for event in events:
        data = event["data"]
        if event["type"] != TYPE or data.get("about") != "entry" or (data["kind"] not in SUPPOSING and data["kind"] != RETRACTED):
            continue
        if not data.get("event"):
            # What is retracted, or was never there: nothing is supposed of it.
            found.pop(data.get("matter") or "", None)
            continue
        matter = _matter(event)
        if data["kind"] == RETRACTED or data.get("retracted"):
            found.pop(matter.id, None)
        else:
            found[matter.id] = matter
    return [found[id] for id in sorted(found)]


def _matter(event: Mapping[str, Any]) -> Matter:
    data, late = event["data"], event["data"].get("late") or {}
    kind = KIND if data["kind"] == RETRACTED else data["kind"]
    # A verdict from before there were matters names its regime in the rule's version alone.
    regime = data.get("regime") or (data["rule_version"].partition(" ")[0] if kind == KIND else "")
    office = data.get("office") or event["subject"].removeprefix(_OFFICE)
    at = data["event"]
    # Of a late entry the matter is the id that its first verdict has.
    first = derived_id(cause=at["id"], kind=kind, subject=f"{_OFFICE}{office}", regime=regime, ordinal=0)
    return Matter(
        id=data.get("matter") or first,
        finding=event["id"],
        kind=kind,
        office=office,
        regime=regime,
        entry=Place(at["topic"], at["partition"], at["offset"], at["id"]),
        deadline=date.fromisoformat(late["deadline"]) if late else None,
        entered_on=date.fromisoformat(late["entered_on"]) if late else None,
        marks=tuple(one for one in ("signed_in_time", "outage", "provisional") if late.get(one)),
    )
