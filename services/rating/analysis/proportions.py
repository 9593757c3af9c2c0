"""Shares of small numbers: Wilson's interval, and whether shares rise from grade to grade.

Sources: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209–212;
W. G. Cochran, Some methods for strengthening the common χ² tests, Biometrics 10 (1954) 417–451; P. Armitage, Tests for linear
trends in proportions and frequencies, Biometrics 11 (1955) 375–386.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist

LEVEL = 0.95
FEW = 30
"""Below so many subjects a share is marked: Wilson's interval is then up to 34 percentage points wide."""


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``n`` with the bounds of the interval; all None where there is nobody."""

    hits: int
    n: int
    share: float | None
    low: float | None
    high: float | None

    @property
    def few(self) -> bool:
        return self.n < FEW


def z_of(level: float = LEVEL) -> float:
    """The two-sided normal quantile of a confidence level between 0 and 1."""
    return NormalDist().inv_cdf((1 + level) / 2)


def share(hits: int, n: int, level: float = LEVEL) -> Share:
    """Wilson's score interval, without correction for continuity. ``0 <= hits <= n``."""
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    if n == 0:
        return Share(0, 0, None, None, None)
    z = z_of(level)
    p, square = hits / n, z * z
    middle = (p + square / (2 * n)) / (1 + square / n)
    half = z * sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n)
    # At the ends the exact bound is 0 or 1, whatever the rounding says.
    return Share(hits, n, p, 0.0 if hits == 0 else middle - half, 1.0 if hits == n else middle + half)


@dataclass(frozen=True, slots=True)
class Trend:
    """Cochran and Armitage's test. ``z`` is positive where shares rise with the scores; ``p`` is two-sided."""

    z: float
    p: float


def trend(groups: Sequence[tuple[float, int, int]]) -> Trend | None:
    """``groups``: (score, hits, n). None where all or none are hits, or where all have one score: nothing could rise then."""
    n = sum(one[2] for one in groups)
    hits = sum(one[1] for one in groups)
    if n == 0 or hits in (0, n):
        return None
    p = hits / n
    weighted = sum(score * (got - of * p) for score, got, of in groups)
    mean = sum(score * of for score, _, of in groups) / n
    spread = sum(of * (score - mean) ** 2 for score, _, of in groups)
    if spread <= 0:
        return None
    z = weighted / sqrt(p * (1 - p) * spread)
    return Trend(z, erfc(abs(z) / sqrt(2)))
