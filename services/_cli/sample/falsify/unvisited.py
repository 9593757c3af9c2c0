"""Visits that an office owes, told as made without anybody having been there; and visits of which little is told."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import VIOLATIONS, fine, items, pair, penalty, visit
from services._cli.sample.falsify.furnish import place, position
from services._cli.sample.falsify.ground import Ground
from services._cli.sample.people import REGIME, RETAIL, staff

KIND = "told_without_visit"


def sow(ground: Ground) -> None:
    """Re-checks after a case: signed at the office, kilometres away; a minute long; or with nothing told of the visit at all."""
    rng = ground.chance(KIND)
    if ground.plants:
        enterprise, violation, day = _case(ground, rng)
        row = visit(ground, enterprise, day, rng, kind="recheck", corrected=[violation])
        row.data["position"] = _elsewhere(enterprise, rng)
        ground.sow(KIND, True, [row], "the re-check's device was kilometres away from the enterprise")
        enterprise, violation, day = _case(ground, rng)
        lead, _ = pair(enterprise, rng)
        data = {
            "occurred_on": day.isoformat(),
            "kind": "recheck",
            "mode": "on_site",
            "corrected": [violation],
            "regime": REGIME,
        }
        row = ground.enter("inspection.recorded", enterprise.subject, lead, data, at(day, 17, 31))
        ground.sow(KIND, True, [row], "a re-check on site of which neither time nor place nor officers nor items are told")
        enterprise, violation, day = _case(ground, rng)
        while day in ground.evenings:
            day = ground.after(day, 1)
        ground.evenings.add(day)
        start = at(day, 18, 10)
        minute = (start, start + timedelta(seconds=50))
        row = visit(ground, enterprise, day, rng, kind="recheck", time=minute, corrected=[violation])
        ground.sow(KIND, True, [row], "a re-check that was over within a minute")
    if ground.likens:
        enterprise, violation, day = _case(ground, rng)
        row = visit(ground, enterprise, day, rng, kind="recheck", corrected=[violation])
        row.data["position"] = {**_elsewhere(enterprise, rng), "accuracy_m": 8000}
        ground.sow(KIND, False, [row], "the device knew its place to eight kilometres only")
        enterprise, violation, day = _case(ground, rng)
        row = visit(ground, enterprise, day, rng, kind="recheck", corrected=[violation])
        del row.data["position"]
        ground.sow(KIND, False, [row], "a re-check whose device had no position; times, officers and items are told")
        enterprise, violation, day = _case(ground, rng)
        row = visit(ground, enterprise, day, rng, kind="recheck", corrected=[violation])
        ground.sow(KIND, False, [row], "a re-check that was made")
        enterprise, violation, day = _case(ground, rng)
        start = ground.diary.slot(tuple(one.pseudonym for one in staff(RETAIL)[:2]), day, rng)
        if start:
            short = (start[0], start[0] + timedelta(minutes=9))
            row = visit(
                ground,
                enterprise,
                day,
                rng,
                kind="recheck",
                officers=staff(RETAIL)[:2],
                time=short,
                corrected=[violation],
                items=items(rng, count=1),
            )
            ground.sow(KIND, False, [row], "a short re-check of a single item")


def _case(ground: Ground, rng: Random) -> tuple[Any, str, date]:
    """A case with a fine, closed; returns whose, the violation, and a day on which its re-check is in time."""
    one, day = ground.take(office=RETAIL), ground.day(rng)
    for _ in range(ground.many):
        if not _rechecked(ground, one.subject, ground.after(day, 8), ground.after(day, 40)):
            break
        one, day = ground.take(office=RETAIL), ground.day(rng)
    number, violation = f"待编{rng.getrandbits(60):015x}", rng.choice(VIOLATIONS)
    lead = staff(one.office)[3]
    opened = {"occurred_on": day.isoformat(), "case_no": number, "violations": [violation]}
    ground.enter("case.opened", one.subject, lead, opened, at(ground.after(day, 1), 10, 5))
    decided = ground.after(day, 8)
    penalty(ground, one, decided, rng, act=fine(one, rng, violation=violation), case_no=number, officer=lead)
    over = ground.after(decided, 3)
    closed = {"occurred_on": over.isoformat(), "case_no": number, "outcome": "penalised"}
    ground.enter("case.closed", one.subject, lead, closed, at(ground.after(over, 1), 10, 15))
    return one, violation, ground.after(over, rng.randint(7, 20))


def _rechecked(ground: Ground, subject: str, first: date, last: date) -> bool:
    """Whether another re-check of these days would be the one that is owed."""
    rows = (row for row in ground.rows if row.event["subject"] == subject and row.data.get("kind") == "recheck")
    return any(first <= row.day <= last for row in rows)


def _elsewhere(enterprise: Any, rng: Random) -> dict[str, Any]:
    """The office's own place, at the town's other side."""
    lat, lon = place(enterprise)
    found = position(enterprise, rng, accuracy=6)
    return {**found, "lat": f"{lat + 0.041:.6f}", "lon": f"{lon - 0.037:.6f}"}
