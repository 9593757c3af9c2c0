"""The town, falsified: furnished, sown kind by kind, numbered; then it is a town like any other."""

from __future__ import annotations

from dataclasses import replace

from services._cli.sample.falsify import (
    authority,
    backdated,
    before_act,
    burst,
    contradiction,
    copied,
    determined,
    entered_twice,
    heaped,
    late,
    number_order,
    other_lists,
    same_number,
    silence,
    sums,
    two_places,
    unvisited,
)
from services._cli.sample.falsify.furnish import furnish
from services._cli.sample.falsify.ground import Choice, Ground
from services._cli.sample.falsify.numbering import number
from services._cli.sample.town import Town

# Silence takes away what there is, so it comes first; heaps change scores, so they come before what leans on scores.
KINDS = (
    silence,
    late,
    heaped,
    burst,
    before_act,
    number_order,
    same_number,
    entered_twice,
    contradiction,
    sums,
    two_places,
    backdated,
    copied,
    other_lists,
    unvisited,
    determined,
    authority,
)


def falsified(town: Town, choice: Choice) -> Town:
    """The town with falsehoods, look-alikes, both or neither; without what its approver signs."""
    ground = Ground(town, choice)
    furnish(ground)
    for kind in KINDS:
        kind.sow(ground)
    ground.within()
    number(ground)
    rows = sorted(ground.rows, key=lambda row: (row.received, row.channel, row.event["time"]))
    return replace(
        town,
        sent=tuple(row.sent() for row in rows if not row.past_intake),
        past_intake=tuple(row.sent() for row in rows if row.past_intake),
        control=tuple(ground.control),
        matters=tuple(one.line() for one in ground.matters),
        choice=choice,
    )
