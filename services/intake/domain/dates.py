"""Dates that can't be. Days are those of the stack's time zone at the instant of receipt; the day of receipt itself is in time.

What lies ahead by its nature stays allowed: evaluation dates, terms to correct, in_force_from, valid_until, until, calendars.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.times import civil_date, milliseconds
from services.intake.domain.faults import Fault, fault

# How far a device's clock may run ahead of intake's. No law gives this number: phones and office computers without a time
# service drift by minutes, while a mistaken time zone, which this is to catch, is off by an hour at least.
CLOCK_TOLERANCE_MS = 10 * 60 * 1000
# Declared for a day to come: from when on entries can be late is announced beforehand.
_ANNOUNCED = frozenset({"mingjian.go_live.declared.v1"})
_EVALUATED, _SCORED = "mingjian.evaluation.closed.v1", "mingjian.score.recorded.v1"
_PAST_DAYS = (("served_on", "served-in-the-future"), ("known_to_office_on", "known-in-the-future"))


def impossible_date(event: Mapping[str, Any], received_at: str, zone: str) -> Fault | None:
    """The first date of a well-formed event that can't be true at receipt, or None. ``received_at``: an instant of the contract;
    ``zone``: the stack's time zone."""
    today, received_ms = civil_date(received_at, zone), milliseconds(received_at)
    data, latest = event["data"], today.isoformat()
    if milliseconds(event["time"]) > received_ms + CLOCK_TOLERANCE_MS:
        return fault("signed-in-the-future", field="/event/time", value=event["time"], minutes=CLOCK_TOLERANCE_MS // 60_000)
    if event["type"] not in _ANNOUNCED and (data.get("occurred_on") or "") > latest:
        return fault("occurred-in-the-future", field="/event/data/occurred_on", value=data["occurred_on"])
    service = data.get("service") or {}
    for name, code in _PAST_DAYS:
        if (service.get(name) or "") > latest:
            return fault(code, field=f"/event/data/service/{name}", value=service[name])
    if (data.get("result_on") or "") > latest:
        return fault("result-in-the-future", field="/event/data/result_on", value=data["result_on"])
    if event["type"] == "mingjian.day.closed.v1" and data["through"] >= latest:
        return fault("day-not-over", field="/event/data/through", value=data["through"])
    if event["type"] == _EVALUATED and data["period"]["last"] > latest:
        return fault("period-not-over", field="/event/data/period/last", value=data["period"]["last"])
    if event["type"] == _SCORED and data["year"] > today.year:
        return fault("year-in-the-future", field="/event/data/year", value=data["year"])
    ended, occurred = data.get("ended_at"), data.get("occurred_on")
    if ended and occurred and civil_date(ended, zone).isoformat() < occurred:
        return fault("ended-before-occurred", field="/event/data/ended_at", value=ended)
    for name in ("started_at", "ended_at", "started", "ended"):
        moment = data.get(name)
        if isinstance(moment, str) and milliseconds(moment) > received_ms + CLOCK_TOLERANCE_MS:
            return fault("instant-in-the-future", field=f"/event/data/{name}", value=moment)
    if words := data.get("replacement"):
        # What shall stand instead can't be true either where it could not have been entered so.
        found = impossible_date({**event, "type": words["type"], "data": words["data"]}, received_at, zone)
        return found.within("/event/data", "/event/data/replacement/data") if found else None
    return None
