"""Civil dates: months, windows, inclusive ends. Every function says which ends belong to it."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

ONE_DAY = timedelta(days=1)
_QUARTER_MS = 15 * 60 * 1000


@lru_cache(maxsize=32_768)
def day(text: str | None) -> date | None:
    """``YYYY-MM-DD`` → date; None stays None."""
    return date.fromisoformat(text) if text else None


def add_months(start: date, months: int) -> date:
    """The same day of the month so many months later (or earlier), or that month's last day where it has none such."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    if start.day <= 28:
        return date(year, month + 1, start.day)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=1_024)
def window_ending(last: date, months: int) -> date:
    """First day of the span of so many months whose last day, inclusive, is ``last``: 36 months to 2025-12-31 begin on 2023-01-01."""
    return add_months(last + ONE_DAY, -months)


def within(earlier: date, later: date, months: int) -> bool:
    """True when ``later`` is not after the day that corresponds to ``earlier`` so many months on, that day included (R6)."""
    return later <= add_months(earlier, months)


@lru_cache(maxsize=8_192)
def first_reaching(later: date, months: int) -> date:
    """The first day that ``later`` is still ``within`` so many months of."""
    first = add_months(later, -months)
    while not within(first, later, months):  # months end on different days
        first += ONE_DAY
    return first


def civil_day(milliseconds: int, zone: tzinfo) -> date:
    """The civil date of an instant in a zone."""
    return _day_of(milliseconds // _QUARTER_MS, zone)


@lru_cache(maxsize=8_192)
def _day_of(quarter: int, zone: tzinfo) -> date:
    """No zone's day begins within a quarter of an hour, and facts come in crowds."""
    return datetime.fromtimestamp(quarter * (_QUARTER_MS // 1000), zone).date()
