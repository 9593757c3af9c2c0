"""Entries determined to be untrue, on two sources and by a person who was not involved; and determinations that say otherwise."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import fine, items, penalty, visit
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import APPROVER, BUREAU, RETAIL

KIND = "determined_untrue"
_SOURCES = (
    {"kind": "photograph", "description": "样例：门店监控截图", "origin": "样例药店监控", "sha256": "d1" * 32},
    {"kind": "other_authority", "description": "样例：供电所停业证明", "origin": "样例供电所", "sha256": "d2" * 32},
)


def sow(ground: Ground) -> None:
    """A visit that never took place; a fine that was another one than entered."""
    rng = ground.chance(KIND)
    if ground.plants:
        row = visit(ground, ground.take(office=RETAIL), ground.day(rng), rng, items=items(rng))
        said = _determined(ground, row, rng, "false", took_place=False)
        ground.sow(KIND, True, [row, said], "a visit that never took place")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        row = penalty(ground, one, day, rng, act=fine(one, rng, amount="500"))
        truth = {name: value for name, value in row.data.items() if name != "entered_by"} | {
            "acts": [{**row.data["acts"][0], "kinds": ["fine", "suspension_ordered"], "amount": "50000", "gravity": "serious"}]
        }
        said = _determined(ground, row, rng, "false", truth={"type": row.event["type"], "data": truth})
        ground.sow(KIND, True, [row, said], "a fine and a suspension, entered as a small fine")
    if ground.likens:
        for result, why in (("true", "found true on two sources"), ("undetermined", "could not be determined")):
            row = visit(ground, ground.take(office=RETAIL), ground.day(rng), rng)
            said = _determined(ground, row, rng, result)
            ground.sow(KIND, False, [row, said], why)


def _determined(ground: Ground, row: Row, rng: Random, result: str, *, took_place: bool = True, truth: Any = None) -> Row:
    day: date = ground.after(row.day, rng.randint(25, 45))
    data: dict[str, Any] = {
        "occurred_on": day.isoformat(),
        "document_no": f"样例认〔{day.year}〕{day.timetuple().tm_yday}号",
        "entry": row.ref,
        "result": result,
        "took_place": took_place,
        "sources": [dict(one) for one in _SOURCES],
        "decided_by": APPROVER.pseudonym,
        "involved": sorted({row.data["entered_by"], *row.data.get("officers", ())}),
        "explanations_weighed": ["样例：录入笔误"],
        "service": {"served_on": day.isoformat(), "method": "handed_over"},
    }
    if truth:
        data["truth"] = truth
    return ground.enter("truth.determined", row.event["subject"], APPROVER, data, at(day, 15, rng.randint(0, 50)), source=BUREAU)
