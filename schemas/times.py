"""Instants as text: UTC, milliseconds, ``Z``. Pure conversions; no clock here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def instant(milliseconds: int) -> str:
    """Epoch milliseconds → ``YYYY-MM-DDTHH:MM:SS.mmmZ``."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:03d}Z"


def milliseconds(text: str) -> int:
    """An instant of the contract → epoch milliseconds (finer digits are cut)."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError("an instant needs Z")
    whole = parsed.replace(microsecond=0)
    return int(whole.timestamp()) * 1000 + parsed.microsecond // 1000


def civil_date(text: str, time_zone: str) -> date:
    """The civil date of an instant in a time zone: what lateness and windows are counted in. Raises ``ValueError`` without Z."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError("an instant needs Z")
    return parsed.astimezone(ZoneInfo(time_zone)).date()
