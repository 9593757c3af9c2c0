"""Late entries: what the plain town plants already, told in the words of all the other kinds."""

from __future__ import annotations

from services._cli.sample.falsify.ground import Ground

KIND = "late_entry"


def sow(ground: Ground) -> None:
    """Where nothing false is planted they were entered in time (``furnish``)."""
    rows = {row.event["id"]: row for row in ground.rows}
    for one in ground.town.planted if ground.plants else ():
        if row := rows.get(one["id"]):
            ground.sow(KIND, True, [row], one["why"])
    for one in ground.town.lookalikes if ground.likens else ():
        if row := rows.get(one["id"]):
            ground.sow(KIND, False, [row], one["why"])
