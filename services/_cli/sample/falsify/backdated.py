"""Corrections, dated back, that better a grade; and corrections that are what they say."""

from __future__ import annotations

from datetime import date
from typing import Any

from services._cli.sample.falsify.doings import corrected, finals, fine, penalty, visit
from services._cli.sample.falsify.furnish import scored
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import OFFICERS, RETAIL, Officer, staff

KIND = "backdated_correction"
# What such a correction brings along: a number of one year with a date of another.
_NUMBERED = ("number_out_of_order",)


def sow(ground: Ground) -> None:
    """A fine turned into nothing but a warning, or moved out of the year; a final score lifted over a bound. Dated weeks before."""
    rng = ground.chance(KIND)
    if ground.plants:
        one, day = ground.take(office=RETAIL), ground.day(rng)
        lead = staff(one.office)[5]
        row = penalty(ground, one, day, rng, officer=lead)
        turned = ground.after(day, 45)
        milder = {"acts": [{**_bare(row.data["acts"][0]), "kinds": ["warning"]}]}
        mended = corrected(ground, row, milder, turned, rng, officer=lead, occurred=ground.after(day, 3))
        ground.sow(KIND, True, [row, mended], "a fine turned into a warning, two months on and dated back to the week of its entry")
        one, year = ground.take(office=RETAIL), ground.first.year + 1
        early = ground.workdays.after(date(year, 3, 1), rng.randint(1, 15))
        row = penalty(ground, one, early, rng, officer=lead)
        turned = ground.after(early, 50)
        moved = date(year - 1, 12, 1)
        change = {"occurred_on": moved.isoformat(), "service": {"served_on": moved.isoformat(), "method": "handed_over"}}
        mended = corrected(ground, row, change, turned, rng, officer=lead, occurred=ground.after(early, 4), ground="wrong_date")
        ground.sow(KIND, True, [row, mended], "a fine moved into the year before, months on and dated back", also=_NUMBERED)
        one, year = ground.take(office=RETAIL), ground.first.year + 1
        autumn = ground.workdays.after(date(year, 9, 1), rng.randint(1, 15))
        row = penalty(ground, one, autumn, rng, officer=lead)
        turned = ground.workdays.after(date(year + 1, 2, 20), rng.randint(1, 9))
        moved = ground.workdays.after(date(year - 1, 12, 1), 3)
        change = {"occurred_on": moved.isoformat(), "service": {"served_on": moved.isoformat(), "method": "handed_over"}}
        mended = corrected(ground, row, change, turned, rng, officer=lead, occurred=ground.after(autumn, 4), ground="wrong_date")
        ground.sow(KIND, True, [row, mended], "a fine moved out of the year after that was evaluated, and dated back", also=_NUMBERED)
        if found := _low_final(ground):
            row, lead = found
            change: dict[str, Any] = {}
            scored(change, 100, rng)
            turned = ground.after(row.day, 40)
            mended = corrected(ground, row, change, turned, rng, officer=lead, occurred=ground.after(row.day, 2))
            ground.sow(KIND, True, [row, mended], "a final score lifted after the evaluation, dated back before it")
    if ground.likens:
        one, day = ground.take(office=RETAIL), ground.day(rng)
        lead = staff(one.office)[3]
        row = penalty(ground, one, day, rng, officer=lead, act=fine(one, rng, amount="2000"))
        graver = {"acts": [{**row.data["acts"][0], "kinds": ["fine", "suspension_ordered"], "gravity": "serious"}]}
        mended = corrected(ground, row, graver, ground.after(day, 6), rng, officer=lead, occurred=ground.after(day, 5))
        ground.sow(KIND, False, [row, mended], "a correction that makes it graver")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        row = penalty(ground, one, day, rng, officer=lead)
        milder = {"acts": [{**_bare(row.data["acts"][0]), "kinds": ["warning"]}]}
        mended = corrected(ground, row, milder, ground.after(day, 5), rng, officer=lead, source_document="a1" * 32)
        ground.sow(KIND, False, [row, mended], "corrected within days, on the day that it says, with the paper that shows it")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        row = visit(ground, one, day, rng, officers=(lead, staff(one.office)[0]))
        mended = corrected(ground, row, {"kind": "special"}, ground.after(row.day, 30), rng, officer=lead, ground="slip_of_the_pen")
        ground.sow(KIND, False, [row, mended], "a slip of the pen that no grade hangs on")


def _bare(act: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in act.items() if name != "amount"}


def _low_final(ground: Ground) -> tuple[Row, Officer] | None:
    for _ in range(60):
        one = ground.take()
        for row in finals(ground, one):
            if int(row.data["total"]) < 90 and row.day < ground.last:
                return row, next(man for man in OFFICERS if man.pseudonym == row.data["entered_by"])
    return None
