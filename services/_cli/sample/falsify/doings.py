"""What officers do and enter in time: the parts that falsehoods and look-alikes are made of."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from services._cli.sample.acts import STANDARD, at, instant
from services._cli.sample.enterprises import Enterprise
from services._cli.sample.falsify.furnish import position, scored
from services._cli.sample.falsify.ground import Ground, Row, evening
from services._cli.sample.falsify.phrases import standard
from services._cli.sample.people import REGIME, Officer, staff

VIOLATIONS = ("YP-101", "YP-104", "YP-203", "YP-207", "YP-305")


def pair(enterprise: Enterprise, rng: Random) -> tuple[Officer, Officer]:
    """Two officers of its office; the first enters."""
    lead, other = rng.sample(staff(enterprise.office), 2)
    return lead, other


def items(rng: Random, *, count: int = 4, first: int = 1) -> list[dict[str, Any]]:
    """A checklist on which everything is as it should be."""
    codes = sorted(rng.sample(range(first, 41), count))
    return [{"code": f"GSP-{code:02d}", "result": "pass", "remark": standard(rng)} for code in codes]


def visit(
    ground: Ground,
    enterprise: Enterprise,
    day: date,
    rng: Random,
    *,
    kind: str = "routine",
    officers: tuple[Officer, Officer] | None = None,
    time: tuple[datetime, datetime] | None = None,
    entered: datetime | None = None,
    signed: datetime | None = None,
    **data: Any,
) -> Row:
    """An inspection on site, entered the same day. ``time``: start and end; without it the first free slot from ``day`` on."""
    chosen = officers or pair(enterprise, rng)
    names = tuple(sorted(one.pseudonym for one in chosen))
    while time is None:
        time = ground.diary.slot(names, day, rng)
        day = day if time else ground.after(day, 1)
    start, end = time
    made = {
        "occurred_on": day.isoformat(),
        "kind": kind,
        "mode": "on_site",
        "started_at": instant(start),
        "ended_at": instant(end),
        "officers": list(names),
        "items": items(rng),
        "regime": REGIME,
        "position": position(enterprise, rng),
        **data,
    }
    received = entered or max(evening(day, rng), end + timedelta(minutes=40))
    return ground.enter("inspection.recorded", enterprise.subject, chosen[0], made, received, signed=signed, channel="field")


def desk_check(ground: Ground, enterprise: Enterprise, day: date, rng: Random, *, officer: Officer | None = None, **data: Any) -> Row:
    """An inspection in writing: nobody went anywhere."""
    lead = officer or ground.officer(enterprise, rng)
    made = {"occurred_on": day.isoformat(), "kind": "routine", "mode": "written", "items": items(rng), "regime": REGIME, **data}
    return ground.enter("inspection.recorded", enterprise.subject, lead, made, evening(day, rng))


def penalty(
    ground: Ground,
    enterprise: Enterprise,
    day: date,
    rng: Random,
    *,
    served: date | None = None,
    entered: datetime | None = None,
    officer: Officer | None = None,
    signed: datetime | None = None,
    act: dict[str, Any] | None = None,
    channel: str = "desk",
    **data: Any,
) -> Row:
    """A fine, served on the day where nothing is said, and entered on the working day after its service."""
    served = served or day
    made = {
        "occurred_on": day.isoformat(),
        "document_no": f"待编{rng.getrandbits(60):015x}",
        "acts": [act or fine(enterprise, rng)],
        "service": {"served_on": served.isoformat(), "method": "handed_over"},
        **data,
    }
    received = entered or at(ground.after(served, 1), 11, rng.randint(5, 55))
    lead = officer or ground.officer(enterprise, rng)
    return ground.enter("penalty.decided", enterprise.subject, lead, made, received, signed=signed, channel=channel)


def fine(enterprise: Enterprise, rng: Random, **more: Any) -> dict[str, Any]:
    """One act of a decision."""
    return {
        "violation": rng.choice(VIOLATIONS),
        "kinds": ["fine"],
        "legal_field": "device" if enterprise.kind.startswith("device") else "drug",
        "basis": ["样例条款"],
        "gravity": "general",
        "fault": "negligence",
        "amount": str(rng.randrange(1000, 30000, 500)),
        **more,
    }


def warning(ground: Ground, enterprise: Enterprise, day: date, rng: Random, *, violation: str | None = None, **data: Any) -> Row:
    """A warning, served on its day and entered on the next working day."""
    made = {
        "occurred_on": day.isoformat(),
        "document_no": f"待编{rng.getrandbits(60):015x}",
        "service": {"served_on": day.isoformat(), "method": "handed_over"},
        "violation": violation or rng.choice(VIOLATIONS),
        "legal_field": "device" if enterprise.kind.startswith("device") else "drug",
        "correct_by": (day + timedelta(days=20)).isoformat(),
        "correction_ordered": True,
        **data,
    }
    lead = ground.officer(enterprise, rng)
    return ground.enter("warning.issued", enterprise.subject, lead, made, at(ground.after(day, 1), 10, rng.randint(5, 55)))


def sample(ground: Ground, enterprise: Enterprise, day: date, rng: Random, *, days_later: int = 1, **data: Any) -> Row:
    """A sample and its result."""
    made = {
        "occurred_on": day.isoformat(),
        "product": "样例感冒颗粒",
        "batch_no": f"YL{rng.randint(100000, 999999)}",
        "result": "qualified",
        "report_no": f"样例检〔{day.year}〕{rng.randint(1, 99999):05d}号",
        **data,
    }
    lead = ground.officer(enterprise, rng)
    return ground.enter("sampling.recorded", enterprise.subject, lead, made, at(ground.after(day, days_later), 15, rng.randint(5, 55)))


def score(
    ground: Ground, enterprise: Enterprise, year: int, total: int, day: date, rng: Random, *, final: bool, officer: Officer | None = None
) -> Row:
    """A year's score that adds up."""
    data: dict[str, Any] = {"occurred_on": day.isoformat(), "regime": REGIME, "year": year, "final": final, "standard": STANDARD}
    scored(data, total, rng)
    lead = officer or ground.officer(enterprise, rng)
    return ground.enter("score.recorded", enterprise.subject, lead, data, evening(day, rng))


def finals(ground: Ground, enterprise: Enterprise) -> list[Row]:
    """The final scores of an enterprise that its office entered, the oldest first."""
    found = [
        row
        for row in ground.rows
        if row.name == "score.recorded"
        and row.data["final"]
        and row.event["subject"] == enterprise.subject
        and row.event["source"] == enterprise.office
    ]
    return sorted(found, key=lambda row: row.data["year"])


def corrected(
    ground: Ground,
    row: Row,
    replacement: dict[str, Any],
    day: date,
    rng: Random,
    /,
    *,
    officer: Officer,
    occurred: date | None = None,
    **data: Any,
) -> Row:
    """The office mends an entry of its own. ``replacement``: what changes of its data."""
    whole = {name: value for name, value in row.data.items() if name not in ("entered_by", "commitments")} | replacement
    made = {
        "occurred_on": (occurred or day).isoformat(),
        "entry": row.ref,
        "ground": "wrong_content",
        "origin": "self_reported",
        "reason": "样例：录入有误",
        "replacement": {"type": row.event["type"], "data": {name: value for name, value in whole.items() if value is not None}},
        **data,
    }
    return ground.enter("entry.corrected", row.event["subject"], officer, made, evening(day, rng))
