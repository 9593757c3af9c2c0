"""The checked-in working-day tables, ``rulebooks/calendar-cn.yaml``: read for ``calendar.issued``, and made again from ``holidays``.

No service judges by this file: it reaches them as control events. It is where ``mingjian init`` and the sample town take those events from.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from holidays.countries.china import China

from schemas.events.control import CalendarIssued
from schemas.rulebook import RulebookError
from schemas.rulebook.scalars import read_yaml

FIRST_YEAR = 2003
LAST_YEAR = 2026
_SATURDAY = 5


def calendar_events(path: Path) -> list[dict[str, Any]]:
    """The ``data`` of one ``calendar.issued`` event a year, in the order of years.

    Raises ``RulebookError`` or ``pydantic.ValidationError``.
    ``occurred_on`` is the last day of the year before: schedules are issued beforehand."""
    value, _ = read_yaml(path.read_text(encoding="utf-8"), path.name)
    events: list[dict[str, Any]] = []
    for year in value["years"]:
        data = {**year, "country": value["country"], "occurred_on": date(year["year"] - 1, 12, 31)}
        events.append(CalendarIssued.model_validate(data).model_dump(mode="json", exclude_none=True))
    years = [one["year"] for one in events]
    if years != sorted(set(years)):
        raise RulebookError(
            "years", file=path.name, line=1, what="a year stands twice or out of order", remedy="Order the years, each once"
        )
    return events


def generate(first: int = FIRST_YEAR, last: int = LAST_YEAR) -> str:
    """The file's text for these years, from the package ``holidays`` (official schedules; it guesses years not yet issued)."""
    china = China(years=range(first, last + 1))
    lines = [
        "# Working days by the State Council's yearly schedules: weekdays that are off, weekend days that are worked.",
        "# Made by `python -m services.audit.cli calendar-table` from the package holidays; a test compares it with chinesecalendar,",
        "# which is wrong on 2005-12-31 (worked). Years from 2027 on are not issued yet: leave them out until they are.",
        "country: CN",
        "years:",
    ]
    for year in range(first, last + 1):
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
        days = [day for day in days if day.year == year]
        off = [day for day in days if day.weekday() < _SATURDAY and not china.is_working_day(day)]
        worked = [day for day in days if day.weekday() >= _SATURDAY and china.is_working_day(day)]
        lines += [
            f"  - year: {year}",
            f"    document: 国务院办公厅{year}年部分节假日安排",
            f"    days_off: [{', '.join(map(str, off))}]",
            f"    make_up_days: [{', '.join(map(str, worked))}]",
        ]
    return "\n".join(lines) + "\n"
