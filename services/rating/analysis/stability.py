"""Whether the grades are spread as they were a year before: the population stability index.

N. Siddiqi, Credit Risk Scorecards (2006): below 0.10 no shift to speak of, 0.10 to 0.25 some shift, above it a marked one. With few
subjects the index is large by chance alone: (k − 1)(1/n + 1/m) is what to expect then (B. Yurdakul, Statistical properties of the
population stability index, 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

STABLE, MARKED = 0.10, 0.25
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Stability:
    """``by_chance``: the index to expect though nothing has shifted. ``filled``: classes that one of the years has nobody in, where
    half a subject stands in so that there is a logarithm."""

    psi: float
    by_chance: float
    n: int
    m: int
    filled: tuple[str, ...]

    @property
    def reading(self) -> str:
        """``stable``, ``some`` or ``marked``; ``chance`` where it isn't above what chance alone brings."""
        if self.psi < STABLE:
            return "stable"
        if self.psi <= self.by_chance:
            return "chance"
        return "some" if self.psi <= MARKED else "marked"


def stability(before: Mapping[str, int], after: Mapping[str, int], classes: Sequence[str]) -> Stability | None:
    """The index of two spreads over ``classes``, the first as the expected one; None where a year has nobody."""
    used = [one for one in classes if before.get(one) or after.get(one)]
    n, m = (sum(year.get(one, 0) for one in used) for year in (before, after))
    if not n or not m:
        return None
    filled = tuple(one for one in used if not before.get(one) or not after.get(one))
    psi = 0.0
    for one in used:
        p, q = (before.get(one) or HALF) / n, (after.get(one) or HALF) / m
        psi += (q - p) * log(q / p)
    return Stability(psi, (len(used) - 1) * (1 / n + 1 / m), n, m, filled)
