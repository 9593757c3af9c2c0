"""What placebos predict: shares that follow a line in their features, and vary around it more than chance alone has them.

A study is ``seen`` of ``of``; its logit is x·β plus a deviation of variance τ² of its own, which stands for all that makes counts
irregular without anybody's doing. β and τ² come from placebo studies, where nobody has a reason to push; a new study is then held
against what such studies would give, with Student's t in place of the normal, for τ² is estimated from few.

Sources: extra-binomial variation, Williams (1982); prediction for a new study, Higgins, Thompson and Spiegelhalter (2009).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.audit.domain.statistics.distributions import expit

Vector = Sequence[float]
Matrix = list[list[float]]

_ROUNDS = 25
_SETTLED = 1e-9
_FLATTEST = 12.0
_WIDEST = 25.0


class Study(NamedTuple):
    """``seen`` of ``of``, at a place with these features."""

    features: tuple[float, ...]
    seen: int
    of: int


@dataclass(frozen=True, slots=True)
class Prior:
    """What is taken for granted of β before any study: a mean, and the precision (inverse covariance) of it."""

    mean: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]

    @staticmethod
    def loose(deviations: Sequence[float], mean: Sequence[float] | None = None) -> Prior:
        """Independent coefficients with these standard deviations around ``mean`` (0 where none is given)."""
        size = len(deviations)
        rows = tuple(tuple(1 / deviations[i] ** 2 if i == j else 0.0 for j in range(size)) for i in range(size))
        return Prior(tuple(mean or (0.0,) * size), rows)


@dataclass(frozen=True, slots=True)
class Line:
    """β with its covariance. ``parameters``: how many the studies really determined (the prior the rest)."""

    beta: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    parameters: float

    def logit(self, features: Vector) -> float:
        return sum(b * x for b, x in zip(self.beta, features, strict=True))

    def variance(self, features: Vector) -> float:
        """Of the logit at a place, as far as β is uncertain."""
        return sum(features[i] * row[j] * features[j] for i, row in enumerate(self.covariance) for j in range(len(features)))


def fit(studies: Sequence[Study], prior: Prior, tau2: float) -> Line:
    """The β that is likeliest with the prior, where deviations have the variance ``tau2``."""
    beta = list(prior.mean)
    size = len(beta)
    for _ in range(_ROUNDS):
        information: Matrix = [list(row) for row in prior.precision]
        right = [sum(row[j] * prior.mean[j] for j in range(size)) for row in prior.precision]
        data: Matrix = [[0.0] * size for _ in range(size)]
        for features, seen, of in studies:
            eta = max(-_FLATTEST, min(_FLATTEST, sum(b * x for b, x in zip(beta, features, strict=True))))
            share = expit(eta)
            one = share * (1 - share)
            weight = of * one / (1 + (of - 1) * one * tau2)
            working = eta + (seen - of * share) / (of * one)
            for i in range(size):
                right[i] += weight * features[i] * working
                for j in range(size):
                    data[i][j] += weight * features[i] * features[j]
        for i in range(size):
            for j in range(size):
                information[i][j] += data[i][j]
        covariance = inverse(information)
        new = [sum(covariance[i][j] * right[j] for j in range(size)) for i in range(size)]
        moved = max(abs(a - b) for a, b in zip(new, beta, strict=True))
        # Half a step where a whole one would swing: sparse studies can make it do so for ever.
        beta = new if moved < 1 else [(a + b) / 2 for a, b in zip(new, beta, strict=True)]
        if moved < _SETTLED:
            break
    determined = sum(covariance[i][j] * data[j][i] for i in range(size) for j in range(size))
    return Line(tuple(beta), tuple(tuple(row) for row in covariance), determined)


def spread(groups: Sequence[tuple[Sequence[Study], Line]]) -> float:
    """τ² by which Pearson's χ² of the studies around their lines is what it should be; 0 where chance alone explains them."""
    freedom = sum(len(studies) - line.parameters for studies, line in groups)
    cells = [(seen - of * share, of * one, (of - 1) * one) for studies, line in groups for seen, of, share, one in _shares(studies, line)]

    def chi2(tau2: float) -> float:
        return sum(off * off / (chance * (1 + more * tau2)) for off, chance, more in cells)

    if freedom <= 0 or chi2(0.0) <= freedom:
        return 0.0
    low, high = 0.0, _WIDEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if chi2(middle) > freedom else (low, middle)
    return high


def _shares(studies: Sequence[Study], line: Line) -> list[tuple[int, int, float, float]]:
    found = []
    for features, seen, of in studies:
        share = expit(max(-_FLATTEST, min(_FLATTEST, line.logit(features))))
        found.append((seen, of, share, share * (1 - share)))
    return found


def settle(studies: Sequence[Study], prior: Prior, rounds: int = 8) -> tuple[Line, float]:
    """β and τ² of studies that share one line."""
    tau2 = 0.05
    for _ in range(rounds):
        line = fit(studies, prior, tau2)
        new = spread([(studies, line)])
        if math.isclose(new, tau2, rel_tol=1e-4, abs_tol=1e-6):
            break
        tau2 = new
    return fit(studies, prior, tau2), tau2


def inverse(matrix: Matrix) -> Matrix:
    """Of a symmetric positive definite matrix, by Gauss and Jordan."""
    size = len(matrix)
    work = [list(row) + [1.0 if i == j else 0.0 for j in range(size)] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = work[i][i]
        work[i] = [value / pivot for value in work[i]]
        for k in range(size):
            if k != i and (factor := work[k][i]):
                work[k] = [a - factor * b for a, b in zip(work[k], work[i], strict=True)]
    return [row[size:] for row in work]
