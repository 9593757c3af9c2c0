"""One officer's scores lifted over a bound; and scores that heap for other reasons."""

from __future__ import annotations

from random import Random

from services._cli.sample.falsify.furnish import scored
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import RETAIL, staff

KIND = "heaped_scores"
# Where B begins (三(二)), and how far below it an officer still helps.
_BOUND, _REACH = 90, 4
_LIFTED = 0.92


def sow(ground: Ground) -> None:
    """Every score of one officer that ends just below B becomes just B."""
    rng = ground.chance(KIND)
    lifting, rounding = rng.sample([one.pseudonym for one in staff(RETAIL)], 2)
    if ground.plants:
        lifted = []
        for row in _scores(ground, lifting):
            if _BOUND - _REACH <= int(row.data["total"]) < _BOUND and rng.random() < _LIFTED:
                scored(row.data, _BOUND + (rng.random() < 0.25), rng)
                lifted.append(row)
        ground.sow(KIND, True, lifted, "one officer's scores just below B became just B", officers=[lifting], office=RETAIL)
    if ground.likens:
        rounded = [row for row in _scores(ground, rounding) if rng.random() < 0.35 and _round(row, rng)]
        ground.sow(KIND, False, rounded, "an officer who likes multiples of five, wherever the bound", officers=[rounding], office=RETAIL)


def _scores(ground: Ground, officer: str) -> list[Row]:
    rows = [row for row in ground.rows if row.name == "score.recorded" and row.data["entered_by"] == officer]
    return sorted(rows, key=lambda row: (row.received, row.event["id"]))


def _round(row: Row, rng: Random) -> bool:
    scored(row.data, min(100, 5 * round(int(row.data["total"]) / 5)), rng)
    return True
