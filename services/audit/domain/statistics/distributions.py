"""Tails of distributions, corrections for many tests, and intervals, in double precision and without tables.

Sources: the incomplete beta function by Lentz's continued fraction (Press et al., Numerical Recipes, 6.4); Holm (1979) for many tests;
Wilson (1927) for the interval of a share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_PRECISE = 1e-14
_MOST_STEPS = 500
# Nodes of the integral over Student's t, at t = sinh(u): from -sinh(9) to sinh(9), beyond which there is nothing to see.
_REACH, _STEP = 9.0, 0.1


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b); ``a``, ``b`` > 0, 0 ≤ x ≤ 1."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1.0) / (a + b + 2.0):
        return math.exp(log_front) * _fraction(a, b, x) / a
    return 1.0 - math.exp(log_front) * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    found = d
    for m in range(1, _MOST_STEPS):
        for top in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1.0 + top * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + top / c
            c = c if abs(c) > _TINY else _TINY
            found *= d * c
        if abs(d * c - 1.0) < _PRECISE:
            break
    return found


def binomial_tail(seen: int, of: int, share: float) -> float:
    """P(at least ``seen`` of ``of``), each with probability ``share``."""
    return 1.0 if seen <= 0 else 0.0 if seen > of else incomplete_beta(seen, of - seen + 1, share)


def poisson_tail(seen: int, mean: float) -> float:
    """P(at least ``seen``) where ``mean`` are expected: the incomplete gamma function's series, from its largest term on."""
    if seen <= 0:
        return 1.0
    if mean <= 0.0:
        return 0.0
    start = max(seen, int(mean))
    total, upward = 0.0, 1.0
    first = math.exp(start * math.log(mean) - mean - math.lgamma(start + 1))
    number = start
    while upward > _PRECISE or number < start + 2:
        total += upward
        number += 1
        upward *= mean / number
    downward = 1.0
    for below in range(start, seen, -1):
        downward *= below / mean
        total += downward
        if downward < _PRECISE:
            break
    return min(1.0, first * total)


@lru_cache(maxsize=64)
def student_nodes(freedom: float) -> tuple[tuple[float, float], ...]:
    """Points and weights (which add up to 1) of an integral over Student's t with so many degrees of freedom."""
    log_front = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    nodes = []
    for number in range(-round(_REACH / _STEP), round(_REACH / _STEP) + 1):
        u = number * _STEP
        t = math.sinh(u)
        nodes.append((t, math.exp(log_front - (freedom + 1) / 2 * math.log1p(t * t / freedom)) * math.cosh(u) * _STEP))
    whole = sum(weight for _, weight in nodes)
    return tuple((t, weight / whole) for t, weight in nodes if weight > _PRECISE * 1e-3)


def expit(logit: float) -> float:
    """The share that a logit stands for."""
    return 1.0 / (1.0 + math.exp(-logit)) if logit > -700 else 0.0


def predictive_binomial(seen: int, of: int, *, logit: float, spread: float, freedom: float) -> float:
    """P(at least ``seen`` of ``of``) where the share's logit is itself ``logit`` + ``spread``·t: what else may come was not measured."""
    tail = sum(weight * binomial_tail(seen, of, expit(logit + spread * t)) for t, weight in student_nodes(freedom))
    return min(1.0, tail)


def predictive_poisson(seen: int, *, log_mean: float, spread: float, freedom: float) -> float:
    """P(at least ``seen``) where the logarithm of the mean is itself ``log_mean`` + ``spread``·t; means far beyond ``seen`` are sure."""
    total = 0.0
    for t, weight in student_nodes(freedom):
        log = log_mean + spread * t
        total += weight * (1.0 if log > math.log(10.0 * seen + 100.0) else poisson_tail(seen, math.exp(max(log, -700.0))))
    return min(1.0, total)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given: rejecting those at or below α errs at all with probability at most α."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda one: (p_values[one], one))):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def wilson(seen: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of a share seen ``seen`` times in ``of`` ≥ 1 trials."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, factor = seen / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / factor
    half = z / factor * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def at_most(probability: float) -> str:
    """A probability as a decimal of the contract, which has four places: rounded up, so that what stands there is never too small."""
    return _trimmed(f"{math.ceil(min(1.0, max(probability, 1e-9)) * 10_000 - 1e-9) / 10_000:.4f}")


def decimal_text(number: float, places: int = 2) -> str:
    """A decimal of the contract: at most four places, no exponent, no negative zero."""
    return _trimmed(f"{number:.{places}f}")


def _trimmed(text: str) -> str:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
