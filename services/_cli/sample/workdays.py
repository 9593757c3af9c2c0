"""Working days, counted a second time.

The town's own reading of 五(三) ¶1 (R13), kept apart from the audit service's on purpose: what was planted late is worked
out here, what is found late is worked out there, and a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

# 五(三) ¶1: entered within five working days after the activity ended and its document was served.
ENTRY_WORKING_DAYS = 5
_SATURDAY = 5


@dataclass(frozen=True)
class Workdays:
    """The State Council's schedule. ``days_off``: weekdays that are free. ``make_up``: weekend days that are worked.

    ``years`` are the years whose schedule was issued; any other year has weekends only and is provisional."""

    days_off: frozenset[date] = field(default_factory=frozenset)
    make_up: frozenset[date] = field(default_factory=frozenset)
    years: frozenset[int] = field(default_factory=frozenset)

    @staticmethod
    def from_tables(tables: Iterable[Mapping[str, Any]]) -> Workdays:
        """Tables have ``year``, ``days_off`` and ``make_up_days`` (dates), as in ``calendar.issued``."""
        off: set[date] = set()
        worked: set[date] = set()
        years: set[int] = set()
        for table in tables:
            years.add(table["year"])
            off.update(table["days_off"])
            worked.update(table["make_up_days"])
        return Workdays(frozenset(off), frozenset(worked), frozenset(years))

    def is_working(self, day: date) -> bool:
        if day in self.make_up:
            return True
        return day.weekday() < _SATURDAY and day not in self.days_off

    def after(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day``; ``day`` itself is day 0 and is not counted."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day

    def deadline(self, day_zero: date) -> date:
        """The last day on which an entry is in time."""
        return self.after(day_zero, ENTRY_WORKING_DAYS)

    def between(self, first: date, last: date) -> int:
        """Working days after ``first`` up to and with ``last``: how late an entry of ``last`` is against the deadline ``first``."""
        return sum(self.is_working(first + timedelta(days=step)) for step in range(1, (last - first).days + 1))

    def working_days(self, first: date, last: date) -> list[date]:
        """All working days from ``first`` to ``last``, both inclusive."""
        span = (first + timedelta(days=step) for step in range((last - first).days + 1))
        return [day for day in span if self.is_working(day)]
