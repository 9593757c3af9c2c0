"""Whether a unit's counts bunch in the days before a date, beyond what its own year and the others' same days lead one to expect.

Fixed here: the working days of a year in blocks of ``BLOCK``, the first of which ends with the date. A unit's expected count in a block is
its count in all other blocks times the others' ratio of this block to theirs: holidays, seasons and campaigns that all take part in
cancel out. Without others the ratio is that of the days. What units do in the blocks that lie before no evaluation (placebos) tells
τ², by which blocks vary beyond chance. A unit that did the same in earlier years is expected to do it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.audit.domain.statistics.rates import extra, gamma_tail

BLOCK = 10
LEAST_BLOCKS = 6
LEAST_COUNT = 20
LEAST_OTHERS = 2
LEAST_TAU = 0.2
_MOST_FREEDOM = 30.0


@dataclass(frozen=True, slots=True)
class Bunched:
    """A unit's count before the date. ``ratio``: seen over expected, before any habit; ``p``: one-sided."""

    seen: int
    expected: float
    ratio: float
    p: float


def blocks(days: Sequence[object], at: int) -> list[range]:
    """Whole blocks of the working days ``days``, of which the first in the list ends with index ``at``; [] where that is none."""
    first = at - BLOCK + 1
    if first < 0:
        return []
    starts = [first, *range(first % BLOCK, first, BLOCK), *range(first + BLOCK, len(days) - BLOCK + 1, BLOCK)]
    return [range(start, start + BLOCK) for start in starts]


def bunched(counts: Mapping[str, Sequence[int]], habits: Mapping[str, float]) -> dict[str, Bunched]:
    """Counts of each unit by block, the one before the date first. ``habits``: of earlier years, seen over expected."""
    kept = {name: some for name, some in counts.items() if sum(some) >= LEAST_COUNT}
    if not kept or len(next(iter(kept.values()))) < LEAST_BLOCKS:
        return {}
    whole = [sum(column) for column in zip(*kept.values(), strict=True)]
    size = len(whole)
    cells = [_cell(some, whole, block, len(kept)) for some in kept.values() for block in range(1, size)]
    placebos = [(seen, mean, shape) for seen, mean, shape in cells if shape > 0]
    tau = max(LEAST_TAU, math.sqrt(extra(placebos)))
    freedom = max(2.0, min(_MOST_FREEDOM, len(placebos) / 2))
    found = {}
    for name, some in kept.items():
        seen, mean, shape = _cell(some, whole, 0, len(kept))
        if shape > 0:
            usual = mean * max(1.0, habits.get(name, 1.0))
            p = gamma_tail(seen, mean=usual, shape=shape, tau=tau, freedom=freedom)
            found[name] = Bunched(seen, usual, (seen + 0.5) / (mean + 0.5), p)
    return found


def _cell(some: Sequence[int], whole: Sequence[int], block: int, how_many: int) -> tuple[int, float, float]:
    """Count, mean, and the shape as which the mean is known; a shape of 0 where it isn't."""
    own = sum(some) - some[block]
    if how_many > LEAST_OTHERS:
        here, elsewhere = whole[block] - some[block], sum(whole) - whole[block] - own
        if not own or not elsewhere:
            return some[block], 0.0, 0.0
        return some[block], own * (here + 0.5) / elsewhere, 1 / (1 / own + 1 / (here + 0.5) + 1 / elsewhere)
    return some[block], own / (len(some) - 1), float(own)
