"""Every detector, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.rulebook import Rulebook
from services.audit.domain.detectors.deductions_wrong import DeductionsWrong
from services.audit.domain.detectors.model import Detector

Editions = Mapping[str, Sequence[Rulebook]]
"""Rulebooks by regime, of each the newest edition first."""


def every(editions: Editions) -> list[Detector]:
    """Fresh ones, which have seen nothing. What they ask of the rulebooks is dated parameters and time zones."""
    return [
        DeductionsWrong(),
    ]
