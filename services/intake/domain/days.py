"""The end of a day as an event: time passes by these, never by a clock in a service."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

from schemas.ids import derived_id
from schemas.times import civil_date, instant

DAY_CLOSED = "mingjian.day.closed.v1"


def closing(last_through: date | None, now_ms: int, zone: str) -> date | None:
    """The last civil day that is over at ``now_ms`` (epoch milliseconds), or None when it was announced before.

    ``zone`` '' (before genesis): None."""
    if not zone:
        return None
    over = civil_date(instant(now_ms), zone) - timedelta(days=1)
    return over if last_through is None or over > last_through else None


def day_closed_event(through: date, zone: str, *, subject: str, source: str) -> dict[str, Any]:
    """The event that all days up to and with ``through`` are over. The same day always gives the same bytes: ``time`` is the
    midnight that ended it."""
    midnight = datetime.combine(through + timedelta(days=1), time_of_day(), ZoneInfo(zone)).astimezone(UTC)
    return {
        "specversion": "1.0",
        "id": derived_id(cause=zone, kind=DAY_CLOSED, subject=subject, regime=through.isoformat()),
        "source": source,
        "type": DAY_CLOSED,
        "subject": subject,
        "time": midnight.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "datacontenttype": "application/json",
        "data": {"through": through.isoformat(), "time_zone": zone},
    }
