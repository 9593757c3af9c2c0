"""One number for two decisions of different content; and numbers that are rightly the same."""

from __future__ import annotations

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import corrected, fine, penalty, warning
from services._cli.sample.falsify.ground import Ground
from services._cli.sample.people import RETAIL, WHOLESALE, staff

KIND = "same_number"


def sow(ground: Ground) -> None:
    """About two enterprises, and about one with another fine."""
    rng = ground.chance(KIND)
    if ground.plants:
        day = ground.day(rng)
        first = penalty(ground, ground.take(office=RETAIL), day, rng)
        second = penalty(ground, ground.take(office=RETAIL), ground.after(day, 1), rng)
        second.number_of = first
        ground.sow(KIND, True, [first, second], "the same number on decisions about two enterprises")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        first = penalty(ground, one, day, rng, act=fine(one, rng, amount="20000", violation="YP-203"))
        second = penalty(ground, one, day, rng, act=fine(one, rng, amount="2000", violation="YP-203"), entered=at(ground.after(day, 4), 16))
        second.number_of = first
        ground.sow(KIND, True, [first, second], "the same decision entered again with a tenth of the fine")
    if ground.likens:
        day = ground.day(rng)
        rows = [penalty(ground, ground.take(office=office), day, rng) for office in (RETAIL, WHOLESALE)]
        ground.sow(KIND, False, rows, "two offices, each with numbers of its own that begin with the year")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        row = penalty(ground, one, day, rng, officer=staff(one.office)[3], act=fine(one, rng, amount="3000"))
        mended = corrected(
            ground,
            row,
            {"acts": [{**row.data["acts"][0], "amount": "5000"}]},
            ground.after(day, 3),
            rng,
            officer=staff(one.office)[3],
            ground="slip_of_the_pen",
            source_document="5b" * 32,
        )
        ground.sow(KIND, False, [row, mended], "a correction bears the number of what it corrects")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        decision = penalty(ground, one, day, rng, entered=at(day, 17, 15))
        del decision.data["service"]
        served = ground.after(day, 5)
        told = ground.enter(
            "document.served",
            one.subject,
            staff(one.office)[1],
            {
                "occurred_on": served.isoformat(),
                "document": decision.event["id"],
                "document_no": decision.data["document_no"],
                "service": {"served_on": served.isoformat(), "method": "post"},
            },
            at(ground.after(served, 1), 10, 20),
        )
        ground.sow(KIND, False, [decision, told], "a service told by itself bears the number of its decision")
        day = ground.day(rng)
        rows = [warning(ground, ground.take(office=RETAIL), day, rng), penalty(ground, ground.take(office=RETAIL), day, rng)]
        ground.sow(KIND, False, rows, "warnings and penalties are numbered apart")
