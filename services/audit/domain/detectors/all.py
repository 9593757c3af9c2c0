"""Every detector, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.rulebook import Rulebook
from services.audit.domain.detectors.approval_open import ApprovalOpen
from services.audit.domain.detectors.deductions_wrong import DeductionsWrong
from services.audit.domain.detectors.entry_before_act import EntryBeforeAct
from services.audit.domain.detectors.key_not_valid import KeyNotValid
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Detector
from services.audit.domain.detectors.numbers_out_of_order import NumbersOutOfOrder
from services.audit.domain.detectors.two_final_scores import TwoFinalScores

Editions = Mapping[str, Sequence[Rulebook]]
"""Rulebooks by regime, of each the newest edition first."""


def every(editions: Editions) -> list[Detector]:
    """Fresh ones, which have seen nothing. What they ask of the rulebooks is dated parameters and time zones; entries are kept once."""
    ledger = Ledger()
    return [
        EntryBeforeAct(editions, ledger),
        NumbersOutOfOrder(ledger),
        KeyNotValid(),
        DeductionsWrong(ledger),
        TwoFinalScores(ledger),
        ApprovalOpen(editions),
    ]
