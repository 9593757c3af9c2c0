"""Exact binomial intervals (Clopper and Pearson 1934): they cover at least the level for every n, also where all or none hit."""

from __future__ import annotations

from scipy.stats import beta

LEVEL = 0.95


def clopper_pearson(hits: int, of: int, level: float = LEVEL) -> tuple[float, float]:
    """Bounds of a share. Raises ``ValueError`` where it is none; (0, 1) where nothing was tried."""
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, of - hits)) if hits < of else 1.0
    return low, high
