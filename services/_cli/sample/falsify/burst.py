"""Clean visits by the dozen in the days before an evaluation; and days that are busy for a reason."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import desk_check, pair, visit
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import RETAIL, Officer, staff

KIND = "burst_before_evaluation"
_DAYS, _A_DAY = 4, 14


def sow(ground: Ground) -> None:
    """Checks in writing and rechecks that find everything put right, dated on the days before the evaluation."""
    rng = ground.chance(KIND)
    closings = sorted(date.fromisoformat(row.data["evaluation_date"]) for row in ground.rows if row.name == "evaluation.closed")
    inner = [day for day in closings if day > ground.first and day.year < ground.last.year]
    if ground.plants and inner:
        evaluation, period_end = inner[-1], date(inner[-1].year - 1, 12, 31)
        for lead, end, words in zip(rng.sample(staff(RETAIL), 2), (evaluation, period_end), ("evaluation", "period's end"), strict=True):
            days = ground.workdays.working_days(end - timedelta(days=14), end - timedelta(days=1))[-_DAYS:]
            rows = [_clean(ground, day, lead, rng) for day in days for _ in range(_A_DAY)]
            ground.sow(KIND, True, rows, f"one officer's clean checks by the dozen just before the {words}", office=RETAIL, day=str(end))
    if ground.likens:
        start = ground.day(rng)
        rows = []
        for step in range(6):
            for _ in range(4):
                one = ground.take(office=RETAIL)
                rows.append(visit(ground, one, ground.after(start, step), rng, kind="special", officers=pair(one, rng)))
        ground.sow(KIND, False, rows, "a campaign of special inspections in the middle of the year", office=RETAIL)
        if inner:
            season = [
                row
                for row in ground.rows
                if row.name == "score.recorded" and row.data["final"] and row.received > at(date(inner[0].year, 1, 1), 0)
                and row.event["source"] == RETAIL and row.day.year == inner[0].year
            ]  # fmt: skip
            ground.sow(KIND, False, season, "the year's final scores, which are all due in January", office=RETAIL)


def _clean(ground: Ground, day: date, lead: Officer, rng: Random) -> Row:
    """A check in writing, or a re-check that finds everything put right."""
    one = ground.take(office=RETAIL)
    if rng.random() < 0.5:
        return desk_check(ground, one, day, rng, officer=lead)
    return desk_check(ground, one, day, rng, officer=lead, kind="recheck", corrected=[rng.choice(("YP-101", "YP-203"))])
