"""Scores whose deductions don't add up, and second final scores. An office's desk would be refused them, so they come with old files."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from services._cli.sample.acts import STANDARD, at
from services._cli.sample.falsify.doings import corrected, finals, score
from services._cli.sample.falsify.furnish import scored
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import IMPORTER, OFFICERS, REGIME

SUM, SECOND = "sum_wrong", "two_finals"


def sow(ground: Ground) -> None:
    """By ``migration``, which takes what doesn't add up with a mark."""
    rng = ground.chance(SUM)
    if ground.plants:
        for more in (5, -3):
            one, day = ground.take(), ground.day(rng)
            row = _filed(ground, one.subject, day, rng, final=False)
            row.data["total"] = str(min(100, int(row.data["total"]) + more))
            ground.sow(SUM, True, [row], f"the total is off by {more:+d} against its deductions")
        for off in (6, -4):
            if not (known := _with_finals(ground, 1)):
                break
            first = known[-1]
            day = ground.after(first.day, 25)
            row = _filed(ground, first.event["subject"], day, rng, final=True)
            row.data["year"] = first.data["year"]
            scored(row.data, max(60, min(100, int(first.data["total"]) + (off if int(first.data["total"]) + off <= 100 else -off))), rng)
            ground.sow(SECOND, True, [first, row], "a second final score of the year, from the old system's file")
    if ground.likens:
        one, day = ground.take(), ground.day(rng)
        row = score(ground, one, day.year, 100, day, rng, final=False)
        ground.sow(SUM, False, [row], "nothing was deducted")
        one, day = ground.take(), ground.day(rng)
        row = _filed(ground, one.subject, day, rng, final=False)
        ground.sow(SUM, False, [row], "from an old file, and it adds up")
        if known := _with_finals(ground, 1):
            first = known[0]
            day = ground.after(first.day, 20)
            change: dict[str, Any] = {}
            scored(change, max(60, int(first.data["total"]) - 1), rng)
            office = next(man for man in OFFICERS if man.pseudonym == first.data["entered_by"])
            mended = corrected(ground, first, change, day, rng, officer=office, source_document="7c" * 32)
            ground.sow(SECOND, False, [first, mended], "the year's final score, corrected with its paper")
        if known := _with_finals(ground, 2):
            ground.sow(SECOND, False, known[:2], "final scores of two years")


def _with_finals(ground: Ground, least: int) -> list[Row]:
    """The final scores of the next enterprise that has so many; none where none has."""
    for _ in range(ground.many):
        if len(known := finals(ground, ground.take())) >= least:
            return known
    return []


def _filed(ground: Ground, subject: str, day: date, rng: Random, *, final: bool) -> Row:
    data: dict[str, Any] = {"occurred_on": day.isoformat(), "regime": REGIME, "year": day.year, "final": final, "standard": STANDARD}
    scored(data, rng.randint(84, 93), rng)
    return ground.enter("score.recorded", subject, IMPORTER, data, at(day, 15, rng.randint(0, 50)), channel="migration")
