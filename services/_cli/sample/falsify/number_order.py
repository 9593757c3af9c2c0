"""Decisions dated back: their number was drawn later than their date says. And numbers that are in order though they don't look so."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import penalty, warning
from services._cli.sample.falsify.ground import Ground
from services._cli.sample.people import RETAIL

KIND = "number_out_of_order"


def sow(ground: Ground) -> None:
    """The service came after the number was drawn, so that the entry itself is in time."""
    rng = ground.chance(KIND)
    if ground.plants:
        for back in (70, 55):
            one, drawn = ground.take(office=RETAIL), ground.day(rng, first=ground.first + timedelta(days=90))
            day = ground.workdays.after(drawn - timedelta(days=back), 1)
            day = max(day, ground.workdays.after(drawn.replace(month=1, day=3), 1))
            row = penalty(ground, one, day, rng, served=drawn)
            row.number_as = drawn
            _beside(ground, drawn, rng)
            ground.sow(KIND, True, [row], "a decision dated back by weeks: its number was drawn just before it was served", day=str(drawn))
    if ground.likens:
        one, day = ground.take(office=RETAIL), ground.day(rng)
        row = penalty(ground, one, day, rng, served=ground.after(day, 35))
        ground.sow(KIND, False, [row], "served weeks after its decision; its number is that of its own day")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        first, second = penalty(ground, one, day, rng), penalty(ground, ground.take(office=RETAIL), day, rng)
        first.received, second.received = at(ground.after(day, 2), 11, 40), at(ground.after(day, 2), 11, 20)
        ground.sow(KIND, False, [first, second], "two decisions of one day, entered in the other order than numbered")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        early = penalty(ground, one, day, rng, entered=at(ground.after(day, 5), 17, 15))
        late = penalty(ground, ground.take(office=RETAIL), ground.after(day, 2), rng, entered=at(ground.after(day, 3), 9, 15))
        ground.sow(KIND, False, [early, late], "numbered in the order of their days, entered in the other order, each in time")
        year = ground.first.year
        turn = [ground.workdays.after(ground.first.replace(year=year, month=12, day=20), 2)]
        turn.append(ground.workdays.after(turn[0].replace(year=year + 1, month=1, day=4), 1))
        rows = [warning(ground, ground.take(office=RETAIL), day, rng) for day in turn if day < ground.last]
        ground.sow(KIND, False, rows, "the year's numbers begin again at one")


def _beside(ground: Ground, day: date, rng: Random) -> None:
    """Decisions of other people before and after, so that the series says when a number was drawn."""
    for step in (-3, -2, 2, 3):
        near = ground.workdays.after(day + timedelta(days=step), 1) if step < 0 else ground.after(day, step)
        penalty(ground, ground.take(office=RETAIL), near, rng)
