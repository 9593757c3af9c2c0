"""Working days by a country's yearly schedules, as issued by ``calendar.issued``.

The day from which is counted is never counted itself. A weekend day that is worked is a working day, a weekday off is none. A count
that touches a year whose schedule was not issued takes Monday to Friday and is provisional: it stands until that schedule comes.
Weekends are Saturday and Sunday (State Council decree 174 of 1995, art. 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from services.rating.domain.days import ONE_DAY

_SATURDAY = 5


class Schedule(NamedTuple):
    """A year's weekdays off and weekend days worked."""

    days_off: frozenset[date]
    make_up_days: frozenset[date]

    @staticmethod
    def of(data: Mapping[str, Any]) -> Schedule:
        """From ``calendar.issued``'s data."""
        return Schedule(*(frozenset(map(date.fromisoformat, data[name])) for name in ("days_off", "make_up_days")))


class Counted(NamedTuple):
    """The day that a count ends on; ``provisional``: an unissued year had a part in it."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """Schedules by year. Counts are kept, for many duties begin on one day."""

    years: Mapping[int, Schedule]
    _counted: dict[tuple[date, int], Counted] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        """True on a working day."""
        schedule = self.years.get(day.year)
        if schedule is None:
            return day.weekday() < _SATURDAY
        return day in schedule.make_up_days or (day.weekday() < _SATURDAY and day not in schedule.days_off)

    def nth_after(self, start: date, number: int) -> Counted:
        """The ``number``-th working day after ``start`` (R13)."""
        found = self._counted.get((start, number))
        if found is None:
            day, left, provisional = start, number, False
            while left > 0:
                day += ONE_DAY
                provisional = provisional or day.year not in self.years
                left -= self.is_working(day)
            found = self._counted[start, number] = Counted(day, provisional)
        return found
