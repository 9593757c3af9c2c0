"""Clean visits by the dozen in the days before an evaluation; and days that are busy for a reason."""

from __future__ import annotations

from datetime import date

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import desk_check, pair, visit
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import RETAIL, staff

KIND = "burst_before_evaluation"
_DAYS, _A_DAY = 4, 14


def sow(ground: Ground) -> None:
    """Checks in writing and rechecks that find everything put right, dated on the days before the evaluation."""
    rng = ground.chance(KIND)
    closings = sorted(date.fromisoformat(row.data["evaluation_date"]) for row in ground.rows if row.name == "evaluation.closed")
    inner = [day for day in closings if day > ground.first]
    if ground.plants and inner:
        evaluation, lead = rng.choice(inner), rng.choice(staff(RETAIL))
        days = [day for day in ground.workdays.working_days(date(evaluation.year, 1, 2), evaluation) if day < evaluation][-_DAYS:]
        rows: list[Row] = []
        for day in days:
            for _ in range(_A_DAY):
                one = ground.take(office=RETAIL)
                if rng.random() < 0.5:
                    rows.append(desk_check(ground, one, day, rng, officer=lead))
                else:
                    row = desk_check(ground, one, day, rng, officer=lead, kind="recheck", corrected=[rng.choice(("YP-101", "YP-203"))])
                    rows.append(row)
        ground.sow(
            KIND, True, rows, "one officer's clean checks by the dozen just before the evaluation", office=RETAIL, day=str(evaluation)
        )
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
