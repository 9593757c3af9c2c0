"""Whether one unit's rate stands apart from the others' rates, as far as those differ among themselves.

Of the *others* together so many cases in so many trials were seen: their level is known as well as that (a gamma law with half a case
more, Jeffreys), so that nothing seen in few trials doesn't count as never. Units differ from one another by a factor e^(τ·t), with t
Student's: τ² as the others differ beyond chance, and at least ``LEAST_TAU``², for few others show little of how people differ.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.audit.domain.statistics.distributions import incomplete_beta, student_nodes
from services.audit.domain.statistics.placebo import Prior, Study, settle

LEAST_OTHERS = 4
Key = TypeVar("Key", bound=Hashable)

LEAST_TAU = 0.5
_LEVEL = Prior.loose((3.0,), (-2.0,))


@dataclass(frozen=True, slots=True)
class Compared:
    """``expected``: the share that the others predict; ``effect``: the share seen over it; ``p``: of so many or more."""

    seen: int
    of: int
    expected: float
    effect: float
    p: float


def compare(rates: Mapping[Key, tuple[int, int]]) -> dict[Key, Compared]:
    """Cases and trials of each unit → how they stand beside the others; nothing where there are too few others to know."""
    trials = {key: rate for key, rate in rates.items() if rate[1] > 0}
    found: dict[Key, Compared] = {}
    if len(trials) <= LEAST_OTHERS:
        return found
    for key, (seen, of) in trials.items():
        others = [Study((1.0,), *rate) for name, rate in trials.items() if name != key]
        cases, number = sum(one.seen for one in others) + 0.5, sum(one.of for one in others)
        tau = max(LEAST_TAU, math.sqrt(settle(others, _LEVEL)[1]))
        p = gamma_tail(seen, mean=of * cases / number, shape=cases, tau=tau, freedom=len(others) - 1.0)
        found[key] = Compared(seen, of, cases / number, seen / of / (cases / number), p)
    return found


def gamma_tail(seen: int, *, mean: float, shape: float, tau: float, freedom: float) -> float:
    """P(at least ``seen``) where ``mean`` are expected, known as well as ``shape`` cases tell it, and units differ by e^(``tau``·t): a
    negative binomial, whose tail is an incomplete beta function, over Student's t."""
    if seen <= 0:
        return 1.0
    total = 0.0
    for t, weight in student_nodes(freedom):
        many = mean * math.exp(min(50.0, tau * t))
        total += weight * incomplete_beta(seen, shape, many / (shape + many))
    return min(1.0, total)


def extra(cells: Sequence[tuple[int, float, float]]) -> float:
    """τ² of counts around their means: ``cells`` are count, mean and shape; 0 where chance explains them."""
    some = [(seen, mean, mean * mean / shape) for seen, mean, shape in cells if mean > 0]

    def chi2(tau2: float) -> float:
        return sum((seen - mean) ** 2 / (mean + unsure + mean * mean * tau2) for seen, mean, unsure in some)

    if chi2(0.0) <= len(some):
        return 0.0
    low, high = 0.0, 25.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if chi2(middle) > len(some) else (low, middle)
    return high
