"""The checked-in working-day tables against two independent sources."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest

from schemas.canonical import canonical_bytes
from schemas.rulebook import RulebookError
from services.audit.adapters.calendars import calendar_events, generate
from services.audit.domain.workdays import WorkCalendar, YearTable

FILE = Path(__file__).resolve().parents[3] / "rulebooks" / "calendar-cn.yaml"
# chinesecalendar takes 31 December 2005 for a day off; the schedule for New Year 2006 made it a working day.
KNOWN_WRONG = {date(2005, 12, 31)}


def calendar() -> WorkCalendar:
    whole = WorkCalendar()
    for data in calendar_events(FILE):
        whole = whole.issue(YearTable.of(data))
    return whole


def test_the_file_is_what_the_package_gives() -> None:
    assert FILE.read_text(encoding="utf-8") == generate()


def test_every_day_from_2004_to_2026_agrees_with_the_second_source() -> None:
    ours, day, differing = calendar(), date(2004, 1, 1), set()
    while day <= date(2026, 12, 31):
        if ours.is_working(day) != chinese_calendar.is_workday(day):
            differing.add(day)
        day += timedelta(days=1)
    assert differing == KNOWN_WRONG


def test_a_year_fits_into_a_small_event() -> None:
    events = calendar_events(FILE)
    assert [one["year"] for one in events] == list(range(2003, 2027))
    assert max(len(canonical_bytes(one)) for one in events) <= 8_192


def test_a_year_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "calendar.yaml"
    year = "  - year: 2026\n    document: d\n    days_off: [2026-01-01]\n    make_up_days: []\n"
    file.write_text("country: CN\nyears:\n" + year + year)
    with pytest.raises(RulebookError, match="twice"):
        calendar_events(file)


def test_a_day_outside_its_year_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 2026"):
        YearTable(2026, frozenset({date(2027, 1, 1)}), frozenset())
