"""The start page's button on a made-up town: an inspection that finds something, and what follows from it.

Made-up facts only; intake refuses the key elsewhere, and the button isn't there unless genesis says ``sample``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

VIOLATION = "SAMPLE-1"
_INSPECTION = "mingjian.inspection.recorded.v1"
_PENALTY = "mingjian.penalty.decided.v1"


@dataclass(frozen=True, slots=True)
class Visit:
    """Who goes where and when. ``ids``: one UUIDv7 an event; ``number``: makes the documents' numbers differ."""

    officer: str
    office: str
    subject: str
    regime: str
    day: date
    now: str
    ids: tuple[str, str]
    number: int


def _event(visit: Visit, id: str, type_name: str, data: dict[str, Any]) -> dict[str, Any]:
    common = {"occurred_on": visit.day.isoformat(), "officers": [visit.officer], "entered_by": visit.officer}
    return {
        "specversion": "1.0",
        "id": id,
        "source": visit.office,
        "type": type_name,
        "subject": visit.subject,
        "time": visit.now,
        "datacontenttype": "application/json",
        "data": common | data,
    }


def decision(visit: Visit) -> list[dict[str, Any]]:
    """For a regime that grades by acts: an inspection with a violation, then a fine, served on the spot."""
    number = f"样罚〔{visit.day.year}〕{visit.number}号"
    inspection = {
        "kind": "special",
        "mode": "on_site",
        "document_no": f"样检〔{visit.day.year}〕{visit.number}号",
        "violations": [VIOLATION],
    }
    act = {
        "violation": VIOLATION,
        "kinds": ["fine"],
        "legal_field": "drug",
        "basis": ["made-up basis"],
        "gravity": "general",
        "fault": "negligence",
        "amount": "2000",
    }
    penalty = {"document_no": number, "service": {"served_on": visit.day.isoformat(), "method": "handed_over"}, "acts": [act]}
    return [_event(visit, visit.ids[0], _INSPECTION, inspection), _event(visit, visit.ids[1], _PENALTY, penalty)]


def rating(visit: Visit, components: tuple[str, ...], *, poor: bool) -> list[dict[str, Any]]:
    """For a regime that grades by the newest inspection: one whose scores are all good, or all poor."""
    scores = [{"component": name, "points": 15 if poor else 0} for name in components]
    data = {"kind": "routine", "mode": "on_site", "regime": visit.regime, "component_scores": scores}
    return [_event(visit, visit.ids[0], _INSPECTION, data)]
