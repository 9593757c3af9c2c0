"""Working days by the State Council's yearly schedule.

Invariants
1. The calendar is an argument; nothing here knows a date.
2. Day 0 is never counted; a make-up day (a weekend day that is worked) is a working day, a weekday off is none.
3. A count that touches a year whose schedule was not issued is provisional: it stands until that schedule comes.

Weekends are Saturday and Sunday (State Council decree 174 of 1995, art. 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class YearTable:
    """One year's schedule: weekdays that are off, weekend days that are worked. All days lie in ``year``."""

    year: int
    days_off: frozenset[date]
    make_up_days: frozenset[date]

    def __post_init__(self) -> None:
        if not date.min.year <= self.year <= date.max.year or any(day.year != self.year for day in self.days_off | self.make_up_days):
            raise ValueError(f"a day of the schedule lies outside {self.year}")

    @staticmethod
    def of(data: Mapping[str, object]) -> YearTable:
        """From ``calendar.issued``'s data: ``year``, ``days_off`` and ``make_up_days`` as ISO dates."""
        off, worked = (frozenset(_days(data[name])) for name in ("days_off", "make_up_days"))
        return YearTable(int(str(data["year"])), off, worked)


def _days(values: object) -> Iterable[date]:
    if not isinstance(values, (list, tuple)):
        raise ValueError("a list of days is expected")
    return (value if isinstance(value, date) else date.fromisoformat(value) for value in values)


@dataclass(frozen=True)
class Counted:
    """A day or a number, and whether an unissued year had a part in it."""

    day: date
    number: int
    provisional: bool


@dataclass(frozen=True)
class WorkCalendar:
    """The schedules known so far, by year; a later issue of a year replaces the earlier one."""

    years: Mapping[int, YearTable] = field(default_factory=dict)

    def issue(self, table: YearTable) -> WorkCalendar:
        """The calendar with ``table`` known as well."""
        return WorkCalendar({**self.years, table.year: table})

    def is_working(self, day: date) -> bool:
        """True on a working day; in a year that was not issued, on Monday to Friday."""
        table = self.years.get(day.year)
        if table is None:
            return day.weekday() < _SATURDAY
        return day in table.make_up_days or (day.weekday() < _SATURDAY and day not in table.days_off)

    def nth_after(self, day: date, number: int) -> Counted:
        """The ``number``-th working day after ``day`` (≥ 0; 0 is ``day`` itself)."""
        provisional, left = False, number
        while left > 0:
            day += _DAY
            provisional = provisional or day.year not in self.years
            left -= self.is_working(day)
        return Counted(day, number, provisional)

    def between(self, first: date, last: date) -> Counted:
        """Working days after ``first`` up to and with ``last``; 0 unless ``last`` is later."""
        number, provisional, day = 0, False, first
        while day < last:
            day += _DAY
            provisional = provisional or day.year not in self.years
            number += self.is_working(day)
        return Counted(last, number, provisional)
