"""What a real town has and the plain sample does without: routes, positions, remarks, whole scores, running numbers of documents."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from services._cli.sample.acts import ZONE, at, instant
from services._cli.sample.enterprises import Enterprise
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.falsify.phrases import own_words, standard
from services._cli.sample.people import RETAIL, WHOLESALE, staff

# A made-up town of some three kilometres, by WGS 84.
_LAT, _LON = 26.1200, 118.3500
_HALF_LAT, _HALF_LON = 0.0130, 0.0150
_JITTER = 0.00006
# A visit that begins so late goes through the night.
_NIGHT = 20


def furnish(ground: Ground) -> None:
    """Go over what the town's offices entered. What was migrated stays as it was."""
    made = {one.subject: one for one in ground.town.enterprises}
    rng = ground.chance("furnish")
    for row in sorted(ground.rows, key=lambda one: (one.data.get("occurred_on") or "", one.received, one.event["id"])):
        if row.event["source"] not in (RETAIL, WHOLESALE):
            continue
        if row.name == "inspection.recorded":
            _visit(ground, row, made[row.event["subject"]], rng)
        elif row.name == "score.recorded":
            _score(ground, row)
    _one_of_a_day(ground)
    if not ground.plants:
        _in_time(ground)


def house(enterprise: Enterprise) -> int:
    """The house's number: by the running number in the enterprise's made-up code."""
    return int(enterprise.subject[-8:-2]) // 2


def place(enterprise: Enterprise) -> tuple[float, float]:
    """Where it stands. The town's houses have two enterprises each."""
    chance = Random(f"place {house(enterprise)}")
    return _LAT + chance.uniform(-_HALF_LAT, _HALF_LAT), _LON + chance.uniform(-_HALF_LON, _HALF_LON)


def position(enterprise: Enterprise, rng: Random, *, accuracy: int | None = None) -> dict[str, Any]:
    """What a device at the enterprise says."""
    lat, lon = place(enterprise)
    return {
        "lat": f"{lat + rng.uniform(-_JITTER, _JITTER):.6f}",
        "lon": f"{lon + rng.uniform(-_JITTER, _JITTER):.6f}",
        "accuracy_m": rng.randint(4, 25) if accuracy is None else accuracy,
    }


def _visit(ground: Ground, row: Row, enterprise: Enterprise, rng: Random) -> None:
    data = row.data
    for item in data.get("items", ()):
        if item["result"] == "fail" or rng.random() < 0.3:
            item["remark"] = own_words(rng)
        elif rng.random() < 0.6:
            item["remark"] = standard(rng)
    start, end = (datetime.fromisoformat(data[name]).astimezone(ZONE) for name in ("started_at", "ended_at"))
    lead = data["entered_by"]
    if start.hour >= _NIGHT:
        # Nobody checks papers through the night.
        data["mode"] = "on_site"
        ground.evenings.add(row.day)
    elif data["mode"] != "on_site":
        _in_writing(data)
        return
    else:
        colleagues = [one.pseudonym for one in staff(enterprise.office) if one.pseudonym != lead]
        rng.shuffle(colleagues)
        for other in colleagues:
            pair = tuple(sorted((lead, other)))
            if slot := ground.diary.slot(pair, row.day, rng):
                data["officers"] = list(pair)
                data["started_at"], data["ended_at"] = (instant(one) for one in slot)
                break
        else:
            # Nobody was free: it was done in writing.
            _in_writing(data)
            return
    data["position"] = position(enterprise, rng)
    _after_its_end(row)


def _in_writing(data: dict[str, Any]) -> None:
    data["mode"] = "written"
    del data["started_at"], data["ended_at"]


def _after_its_end(row: Row) -> None:
    end = datetime.fromisoformat(row.data["ended_at"])
    if datetime.fromisoformat(row.event["time"]) <= end:
        row.event["time"] = instant(end + timedelta(minutes=2))
    if row.received <= end + timedelta(minutes=2):
        row.received = end + timedelta(minutes=5)


def _score(ground: Ground, row: Row) -> None:
    """Whole points. What is scored is an enterprise's own quality and some chance, and people like round numbers."""
    quality = Random(f"quality {ground.plan.seed} {row.event['subject']}").gauss(86.0, 8.0)
    rng = Random(f"score {row.event['id']}")
    total = min(100, max(55, round(quality + rng.gauss(0, 2.5))))
    if rng.random() < 0.12:
        total = min(100, 5 * round(total / 5))
    scored(row.data, total, rng)


def scored(data: dict[str, Any], total: int, rng: Random) -> None:
    """Set the total, and deductions that add up to it."""
    left, deductions = 100 - total, []
    items = rng.sample(range(1, 31), 30)
    while left:
        taken = min(left, rng.randint(1, 4))
        left -= taken
        deductions.append({"item": f"YL-{items[len(deductions)]:02d}", "points": str(taken)})
    data.update({"total": str(total), "maximum": "100", "deductions": deductions})


def _one_of_a_day(ground: Ground) -> None:
    """An honest town has no two routine visits to one enterprise on one day, of which one found something that the other didn't."""
    found = {(row.event["subject"], row.data["occurred_on"]) for row in ground.rows if row.data.get("violations")}
    drop = [
        row
        for row in ground.rows
        if row.name == "inspection.recorded"
        and not row.data.get("violations")
        and not row.data.get("corrected")
        and (row.event["subject"], row.data["occurred_on"]) in found
    ]
    ground.drop(drop)


def _in_time(ground: Ground) -> None:
    """A town in which nobody enters late."""
    late = {one["id"]: one for one in ground.town.planted}
    for row in ground.rows:
        if one := late.get(row.event["id"]):
            zero = datetime.fromisoformat(one["day_zero"]).date()
            day = ground.workdays.after(zero, 1)
            ground.reset(row, at(day, 16 if row.name == "document.served" else 11, 30))
