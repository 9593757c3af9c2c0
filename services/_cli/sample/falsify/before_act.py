"""Entries signed before what they tell was over; and entries that only look so."""

from __future__ import annotations

from datetime import datetime, timedelta

from services._cli.sample.acts import at, instant
from services._cli.sample.falsify.doings import penalty, visit
from services._cli.sample.falsify.ground import Ground, Row, evening

KIND = "entry_before_act"


def sow(ground: Ground) -> None:
    """Signed hours before the visit, the day before it, and before a service that the entry tells of."""
    rng = ground.chance(KIND)
    if ground.plants:
        day = ground.day(rng)
        row = visit(ground, ground.take(), day, rng)
        _signed(row, at(row.day, 8, rng.randint(0, 20)))
        ground.sow(KIND, True, [row], "signed in the morning, before the visit that it tells of")
        row = visit(ground, ground.take(), ground.day(rng), rng)
        _signed(row, evening(row.day - timedelta(days=1), rng))
        ground.sow(KIND, True, [row], "signed on the evening before the visit")
        one, day = ground.take(), ground.day(rng)
        served = ground.after(day, 4)
        row = penalty(ground, one, day, rng, served=served, entered=at(served, 17, 10), signed=at(day, 16, 5))
        ground.sow(KIND, True, [row], "tells of a service that came days after the signature")
    if ground.likens:
        row = visit(ground, ground.take(), ground.day(rng), rng, entered=None)
        _signed(row, _end(row) + timedelta(seconds=rng.randint(5, 90)))
        ground.sow(KIND, False, [row], "signed on the spot within two minutes of the visit's end")
        row = visit(ground, ground.take(), ground.day(rng), rng)
        _signed(row, _end(row) - timedelta(seconds=rng.randint(20, 100)))
        ground.sow(KIND, False, [row], "signed on the spot by a device whose clock is a little slow")
        one, day = ground.take(), ground.evening(rng)
        night = (at(day, 22, 40), at(day + timedelta(days=1), 0, 50))
        row = visit(ground, one, day, rng, time=night, entered=night[1] + timedelta(minutes=20), signed=night[1] + timedelta(minutes=9))
        ground.sow(KIND, False, [row], "a visit of a night, entered when it ended on the next day")
        one, day = ground.take(), ground.day(rng)
        row = penalty(ground, one, day, rng, entered=at(day, 17, 25), signed=at(day, 8, 35))
        ground.sow(KIND, False, [row], "decided, served and signed on the same day, and no hour is given of any of it")


def _end(row: Row) -> datetime:
    return datetime.fromisoformat(row.data["ended_at"])


def _signed(row: Row, moment: datetime) -> None:
    row.event["time"] = instant(moment)
