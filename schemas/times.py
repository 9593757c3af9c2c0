"""Instants as text: UTC, milliseconds, ``Z``. Pure conversions; no clock here."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = date(1970, 1, 1)
_DAY_MS = 86_400_000


def instant(milliseconds: int) -> str:
    """Epoch milliseconds → ``YYYY-MM-DDTHH:MM:SS.mmmZ``."""
    days, within = divmod(milliseconds, _DAY_MS)
    seconds, rest = divmod(within, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{_day(days)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _day(days: int) -> str:
    """The UTC date so many days after the epoch. Instants come in crowds of the same day, and intake says several for each event."""
    return (_EPOCH + timedelta(days)).isoformat()


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
