"""An office that falls silent for weeks; and gaps that have a reason. Sown before all others, on an office of its own."""

from __future__ import annotations

from datetime import date, timedelta

from services._cli.sample.acts import at, instant
from services._cli.sample.falsify.ground import Ground, Row, local
from services._cli.sample.people import ARCHIVE, WHOLESALE

KIND = "silent_office"
_SILENT, _DOWN = 32, 9


def sow(ground: Ground) -> None:
    """What the office would have entered in the time never was."""
    rng = ground.chance(KIND)
    middle = ground.first + (ground.last - ground.first) / 2
    if ground.plants:
        first = ground.day(rng, last=middle)
        last = ground.after(first, _SILENT)
        _hush(ground, first, last)
        why = "the office entered nothing for six weeks"
        ground.sow(KIND, True, [], why, office=WHOLESALE, first=str(first), last=str(last))
    if ground.likens:
        first = ground.day(rng, first=middle + timedelta(days=60))
        last = ground.after(first, _DOWN)
        _hush(ground, first, last)
        outage = {
            "occurred_on": last.isoformat(),
            "started": instant(at(first, 0, 10)),
            "ended": instant(at(last, 23, 0)),
            "cause": "样例:机房搬迁",
        }
        ground.control.append(("outage.declared", f"office:{WHOLESALE}", outage, at(last, 23, 30)))
        ground.sow(KIND, False, [], "an outage of two weeks, declared", office=WHOLESALE, first=str(first), last=str(last))
        for year in range(ground.first.year + 1, ground.last.year + 1):
            days = [date(year, 1, 20) + timedelta(days=step) for step in range(45)]
            free = [day for day in days if not ground.workdays.is_working(day)]
            ground.sow(KIND, False, [], "the Spring Festival", office=WHOLESALE, first=str(free[0]), last=str(free[-1]))
        words = "an archive that was typed in once and has nothing more to enter"
        ground.sow(KIND, False, [], words, office=ARCHIVE, first=str(ground.plan.first), last=str(ground.plan.last))


def _hush(ground: Ground, first: date, last: date) -> None:
    """Take away what the office entered on these days, and what hangs on it."""
    gone = [row for row in ground.rows if row.event["source"] == WHOLESALE and first <= local(row.received) <= last]
    ids = {row.event["id"] for row in gone}
    cases = {row.data["case_no"] for row in gone if "case_no" in row.data}
    ground.drop([*gone, *(row for row in ground.rows if _hangs(row, ids, cases))])


def _hangs(row: Row, ids: set[str], cases: set[str]) -> bool:
    return row.data.get("document") in ids or row.data.get("case_no") in cases
