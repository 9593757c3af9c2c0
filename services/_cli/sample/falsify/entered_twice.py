"""One decision entered twice; and two decisions that are alike."""

from __future__ import annotations

import copy

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import fine, penalty, warning
from services._cli.sample.falsify.ground import Ground, evening
from services._cli.sample.people import RETAIL, staff

KIND = "entered_twice"


def sow(ground: Ground) -> None:
    """Word for word under the same number, by two officers; by one officer weeks later."""
    rng = ground.chance(KIND)
    if ground.plants:
        for days, why in ((3, "the same decision entered by two officers"), (4, "the same decision entered again days later")):
            one, day = ground.take(office=RETAIL), ground.day(rng)
            first = penalty(ground, one, day, rng, officer=staff(one.office)[0])
            other = staff(one.office)[2 if days == 3 else 0]
            data = copy.deepcopy(first.data)
            second = ground.enter("penalty.decided", one.subject, other, data, at(ground.after(day, days), 16, 10))
            second.number_of = first
            ground.sow(KIND, True, [first, second], why)
    if ground.likens:
        one, day = ground.take(office=RETAIL), ground.day(rng)
        acts = [fine(one, rng, violation=code, amount="3000") for code in ("YP-101", "YP-305")]
        rows = [penalty(ground, one, day, rng, act=act) for act in acts]
        ground.sow(KIND, False, rows, "two decisions of one day about two violations, with the same fine")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        first = penalty(ground, one, day, rng, officer=staff(one.office)[1])
        second = ground.enter(
            "penalty.decided", one.subject, staff(one.office)[1], copy.deepcopy(first.data), at(ground.after(day, 2), 9, 30)
        )
        second.number_of = first
        taken_back = ground.enter(
            "entry.retracted",
            one.subject,
            staff(one.office)[1],
            {
                "occurred_on": ground.after(day, 2).isoformat(),
                "entry": second.ref,
                "ground": "entered_twice",
                "origin": "self_reported",
                "reason": "样例：重复录入",
            },
            evening(ground.after(day, 2), rng),
        )
        ground.sow(KIND, False, [first, second, taken_back], "entered twice and taken back by the office the same day")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        rows = [warning(ground, one, moment, rng, violation="YP-104") for moment in (day, ground.after(day, 40))]
        ground.sow(KIND, False, rows, "warned again for the same violation, weeks later")
