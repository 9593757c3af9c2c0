"""How well an order tells those who are penalised from those who are not: area under the ROC curve, with an interval.

The interval is DeLong's (E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988) 837–845) as N. A. Obuchowski
(Biometrics 53 (1997) 567–578) extends it to observations in clusters: a subject that is looked at in several years is one cluster, and
its years count together. With one observation a cluster it is DeLong's own. It needs no chance, so there is no seed to state.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import fsum, sqrt

from services.rating.analysis.proportions import LEVEL, z_of

FEW_OF_A_KIND = 10
"""With fewer penalised or fewer unpenalised observations an area is marked: the interval is then not to be relied on."""


@dataclass(frozen=True, slots=True)
class Observation:
    """``risk``: the larger, the worse. ``hit``: whether a penalty followed. ``cluster``: whose observation it is."""

    cluster: str
    risk: float
    hit: bool


@dataclass(frozen=True, slots=True)
class Area:
    """``auc``: how probably one who was penalised stood worse before than one who was not, ties counting half. ``gini``, the accuracy
    ratio, is 2·AUC − 1. Bounds are None where no variance can be worked out."""

    auc: float
    se: float | None
    low: float | None
    high: float | None
    hits: int
    others: int
    clusters: int

    @property
    def gini(self) -> float:
        return 2 * self.auc - 1

    @property
    def gini_bounds(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (2 * self.low - 1, 2 * self.high - 1)

    @property
    def few(self) -> bool:
        return min(self.hits, self.others) < FEW_OF_A_KIND


def area(observations: Sequence[Observation], level: float = LEVEL) -> Area | None:
    """The area with its interval, cut off at 0 and 1; None where nobody, or everybody, was penalised."""
    hits = [one for one in observations if one.hit]
    others = [one for one in observations if not one.hit]
    if not hits or not others:
        return None
    above = [_share_below(one.risk, sorted_risks) for sorted_risks in (sorted(each.risk for each in others),) for one in hits]
    below = [1 - _share_below(one.risk, sorted_risks) for sorted_risks in (sorted(each.risk for each in hits),) for one in others]
    # Exact sums: in whatever order a register is read, the same figures to the last digit.
    auc = fsum(above) / len(hits)
    clusters = {one.cluster for one in observations}
    se = _standard_error(auc, list(zip(hits, above, strict=True)), list(zip(others, below, strict=True)), len(clusters))
    half = None if se is None else z_of(level) * se
    low, high = (None, None) if half is None else (max(0.0, auc - half), min(1.0, auc + half))
    return Area(auc, se, low, high, len(hits), len(others), len(clusters))


def _share_below(risk: float, risks: Sequence[float]) -> float:
    """Which part of sorted risks lies below one, ties counting half."""
    low, high = bisect_left(risks, risk), bisect_right(risks, risk)
    return (low + (high - low) / 2) / len(risks)


def _standard_error(
    auc: float, hits: list[tuple[Observation, float]], others: list[tuple[Observation, float]], clusters: int
) -> float | None:
    """None where one kind comes from fewer than two clusters, or nothing varies."""
    of_hits, of_others = _deviations(hits, auc), _deviations(others, auc)
    if len(of_hits) < 2 or len(of_others) < 2:
        return None
    m, n = len(hits), len(others)
    s10 = len(of_hits) / ((len(of_hits) - 1) * m) * fsum(one**2 for one in of_hits.values())
    s01 = len(of_others) / ((len(of_others) - 1) * n) * fsum(one**2 for one in of_others.values())
    s11 = clusters / (clusters - 1) * fsum(value * of_others.get(cluster, 0.0) for cluster, value in of_hits.items())
    variance = s10 / m + s01 / n + 2 * s11 / (m * n)
    return sqrt(variance) if variance > 0 else None


def _deviations(placed: list[tuple[Observation, float]], auc: float) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for one, placement in placed:
        found[one.cluster] += placement - auc
    return dict(found)


def curve(observations: Sequence[Observation]) -> list[tuple[float, float]]:
    """The ROC curve, the worst first: (share of the unpenalised, share of the penalised) from (0, 0) to (1, 1)."""
    hits = sum(one.hit for one in observations)
    others = len(observations) - hits
    points, got, passed = [(0.0, 0.0)], 0, 0
    for _, same in groupby(sorted(observations, key=lambda one: -one.risk), key=lambda one: one.risk):
        for one in same:
            got, passed = got + one.hit, passed + (not one.hit)
        points.append((passed / others if others else 0.0, got / hits if hits else 0.0))
    return points
