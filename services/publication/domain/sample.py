"""The start page's button on a made-up town: an inspection, and what another department decided.

Made-up facts only; intake refuses the key elsewhere, and the button isn't there unless genesis says ``sample``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

VIOLATION = "SAMPLE-1"
_INSPECTION = "mingjian.inspection.recorded.v1"
_PENALTY = "mingjian.other_department.penalised.v1"


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
    """For a regime that grades by acts: an inspection that finds nothing, then another department's fine under price law, served on the
    spot. It lowers the grade by a step at once, where a fine under the regime's own law would first have to be approved (R7, R8)."""
    number = f"样例价罚〔{visit.day.year}〕{visit.number}号"
    inspection = {"kind": "special", "mode": "on_site", "document_no": f"样检〔{visit.day.year}〕{visit.number}号"}
    act = {
        "violation": VIOLATION,
        "kinds": ["fine"],
        "legal_field": "price",
        "basis": ["made-up basis"],
        "gravity": "general",
        "fault": "negligence",
        "amount": "2000",
    }
    served = {"served_on": visit.day.isoformat(), "method": "handed_over"}
    penalty = {"authority": "样例县物价局", "document_no": number, "service": served, "acts": [act]}
    return [_event(visit, visit.ids[0], _INSPECTION, inspection), _event(visit, visit.ids[1], _PENALTY, penalty)]


def rating(visit: Visit, components: tuple[str, ...], *, poor: bool) -> list[dict[str, Any]]:
    """For a regime that grades by the newest inspection: one whose scores are all good, or all poor."""
    scores = [{"component": name, "points": 15 if poor else 0} for name in components]
    data = {"kind": "routine", "mode": "on_site", "regime": visit.regime, "component_scores": scores}
    return [_event(visit, visit.ids[0], _INSPECTION, data)]
