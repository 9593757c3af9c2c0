"""The FDA's warning letters: how long after its date each was posted, in working days by US federal holidays.

The working-day arithmetic is the product's own, with tables of the United States made of the ``holidays`` package.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import holidays

from services.audit.domain.workdays import WorkCalendar, YearTable

FILE = "fda_warning_letters.csv"
TERM = 5
BANDS = ((0, 0), (1, 5), (6, 10), (11, 20), (21, 40), (41, 60), (61, 120), (121, None))


@dataclass(frozen=True)
class Letter:
    line: int
    company: str
    dated: date
    posted: date


@dataclass(frozen=True)
class Delays:
    """``before``: posted before their date, which are in none of the other numbers. Delays are working days after the date."""

    letters: int
    before: tuple[Letter, ...]
    in_time: int
    working: Counter[int]
    calendar: tuple[int, ...]

    @property
    def counted(self) -> int:
        return self.letters - len(self.before)

    def band(self, first: int, last: int | None) -> int:
        """Letters with so many working days of delay."""
        return sum(number for days, number in self.working.items() if first <= days and (last is None or days <= last))

    def quantile(self, share: float) -> int:
        """Working days within which so large a share was posted."""
        every = sorted(self.working.elements())
        return every[min(len(every) - 1, -(-int(share * 1000) * len(every) // 1000) - 1)]


def federal(first: int, last: int) -> WorkCalendar:
    """Federal holidays as days off, from year to year; one on a weekend is observed on the weekday beside it."""
    found = WorkCalendar()
    for year in range(first, last + 1):
        off = frozenset(day for day in holidays.country_holidays("US", years=year) if day.year == year)
        found = found.issue(YearTable(year, off, frozenset()))
    return found


def letters(folder: Path) -> list[Letter]:
    """Every row of the file."""
    with (folder / FILE).open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        return [Letter(reader.line_num, row["company"], _day(row["letter_date"]), _day(row["posted_date"])) for row in reader]


def _day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()


def delays(folder: Path) -> Delays:
    """The file's delays."""
    every = letters(folder)
    days = [day for one in every for day in (one.dated, one.posted)]
    calendar = federal(min(days).year, max(days).year + 1)
    before = tuple(one for one in every if one.posted < one.dated)
    after = [one for one in every if one.posted >= one.dated]
    in_time = sum(one.posted <= calendar.nth_after(one.dated, TERM).day for one in after)
    working = Counter(_delay(calendar, one) for one in after)
    return Delays(len(every), before, in_time, working, tuple(sorted((one.posted - one.dated).days for one in after)))


def _delay(calendar: WorkCalendar, one: Letter) -> int:
    """The n of the first n-th working day by whose end it was posted: on a day off that is the next one."""
    off = one.posted > one.dated and not calendar.is_working(one.posted)
    return calendar.between(one.dated, one.posted).number + off
