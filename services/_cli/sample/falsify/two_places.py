"""One officer at two enterprises at once; and visits that only look so."""

from __future__ import annotations

from datetime import timedelta

from services._cli.sample.acts import at
from services._cli.sample.enterprises import Enterprise
from services._cli.sample.falsify.doings import desk_check, pair, sample, visit
from services._cli.sample.falsify.furnish import house, place
from services._cli.sample.falsify.ground import Ground
from services._cli.sample.people import RETAIL, staff

KIND = "two_places"
# Degrees: kilometres apart, or next door.
_FAR = 0.008


def sow(ground: Ground) -> None:
    """Overlapping visits; visits one right after the other that no road allows."""
    rng = ground.chance(KIND)
    if ground.plants:
        for minutes, why in ((20, "named at two visits that overlap"), (2, "named at two visits at the same time")):
            one, other = _apart(ground)
            day = ground.evening(rng)
            lead, second = pair(one, rng)
            third = next(man for man in staff(one.office) if man not in (lead, second))
            start = at(day, 18, 10)
            first = visit(ground, one, day, rng, officers=(lead, second), time=(start, start + timedelta(minutes=45)))
            begin = start + timedelta(minutes=minutes)
            again = visit(ground, other, day, rng, officers=(lead, third), time=(begin, begin + timedelta(minutes=50)))
            ground.sow(KIND, True, [first, again], why, officers=[lead.pseudonym])
    if ground.likens:
        one, other = _neighbours(ground)
        day = ground.evening(rng)
        team = pair(one, rng)
        start = at(day, 18, 5)
        first = visit(ground, one, day, rng, officers=team, time=(start, start + timedelta(minutes=30)))
        begin = start + timedelta(minutes=31)
        door = visit(ground, other, day, rng, officers=team, time=(begin, begin + timedelta(minutes=30)))
        ground.sow(KIND, False, [first, door], "two shops of one building, visited one after the other", officers=[team[0].pseudonym])
        one, other = _apart(ground)
        day = ground.evening(rng)
        lead, second = pair(one, rng)
        start = at(day, 18, 0)
        first = visit(ground, one, day, rng, officers=(lead, second), time=(start, start + timedelta(minutes=50)))
        written = desk_check(ground, other, day, rng, officer=lead)
        ground.sow(KIND, False, [first, written], "a check in writing, entered on the day of a visit", officers=[lead.pseudonym])
        one, other = _apart(ground)
        day = ground.evening(rng)
        team = pair(one, rng)
        first = visit(ground, one, day, rng, officers=team, time=(at(day, 18, 0), at(day, 18, 31)))
        again = visit(ground, other, day, rng, officers=team, time=(at(day, 18, 30), at(day, 19, 5)))
        ground.sow(KIND, False, [first, again], "times rounded by hand, which touch by a minute", officers=[team[0].pseudonym])
        one, other = _apart(ground)
        day = ground.evening(rng)
        four = rng.sample(staff(one.office), 4)
        time = (at(day, 18, 20), at(day, 19, 0))
        first = visit(ground, one, day, rng, officers=(four[0], four[1]), time=time)
        again = visit(ground, other, day, rng, officers=(four[2], four[3]), time=time)
        ground.sow(KIND, False, [first, again], "two teams of the office at the same hour")
        one, day = ground.take(office=RETAIL), ground.evening(rng)
        team = pair(one, rng)
        time = (at(day, 18, 15), at(day, 19, 0))
        first = visit(ground, one, day, rng, officers=team, time=time)
        taken = sample(
            ground, one, day, rng, started_at=first.data["started_at"], ended_at=first.data["ended_at"], officers=first.data["officers"]
        )
        ground.sow(KIND, False, [first, taken], "a sample taken during the visit, at the same enterprise")
        one, other = _apart(ground)
        day = ground.evening(rng)
        team = pair(one, rng)
        start = at(day, 18, 0)
        first = visit(ground, one, day, rng, officers=team, time=(start, start + timedelta(minutes=30)))
        begin = start + timedelta(minutes=52)
        again = visit(ground, other, day, rng, officers=team, time=(begin, begin + timedelta(minutes=30)))
        ground.sow(
            KIND, False, [first, again], "the next visit across town, after the time that the way takes", officers=[team[0].pseudonym]
        )


def _apart(ground: Ground) -> tuple[Enterprise, Enterprise]:
    """Two enterprises of the retail office that are far from each other."""
    one = ground.take(office=RETAIL)
    for _ in range(40):
        other = ground.take(office=RETAIL)
        if other != one and max(abs(a - b) for a, b in zip(place(one), place(other), strict=True)) > _FAR:
            return one, other
    return one, other


def _neighbours(ground: Ground) -> tuple[Enterprise, Enterprise]:
    """Two enterprises of one house, of the retail office; of a town that has none such two that are not."""
    seen: dict[int, Enterprise] = {}
    for _ in range(ground.many):
        one = ground.take(office=RETAIL)
        if (other := seen.setdefault(house(one), one)) != one:
            return other, one
    return ground.take(office=RETAIL), ground.take(office=RETAIL)
