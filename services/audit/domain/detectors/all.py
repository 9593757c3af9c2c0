"""Every detector, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.rulebook import Rulebook
from services.audit.domain.detectors.approval_open import ApprovalOpen
from services.audit.domain.detectors.backdated_correction import BackdatedCorrection
from services.audit.domain.detectors.burst_before_evaluation import BurstBeforeEvaluation
from services.audit.domain.detectors.contradiction import Contradiction
from services.audit.domain.detectors.copied_findings import CopiedFindings
from services.audit.domain.detectors.deductions_wrong import DeductionsWrong
from services.audit.domain.detectors.entered_twice import EnteredTwice
from services.audit.domain.detectors.entry_before_act import EntryBeforeAct
from services.audit.domain.detectors.entry_untrue import EntryUntrue
from services.audit.domain.detectors.heaped_scores import HeapedScores
from services.audit.domain.detectors.key_not_valid import KeyNotValid
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Detector
from services.audit.domain.detectors.no_visit import NoVisit
from services.audit.domain.detectors.not_entered import NotEntered, Reconciliation
from services.audit.domain.detectors.numbers_out_of_order import NumbersOutOfOrder
from services.audit.domain.detectors.office_silent import OfficeSilent
from services.audit.domain.detectors.same_number import SameNumber
from services.audit.domain.detectors.two_final_scores import TwoFinalScores
from services.audit.domain.detectors.two_places import TwoPlaces
from services.audit.domain.detectors.zones import Zones
from services.audit.domain.late import activities_of

Editions = Mapping[str, Sequence[Rulebook]]
"""Rulebooks by regime, of each the newest edition first."""


def every(editions: Editions) -> list[Detector]:
    """Fresh ones, which have seen nothing. What they ask of the rulebooks is dated parameters and time zones; entries are kept once."""
    ledger, zones = Ledger(), Zones(editions)
    reconciliations = [rule for many in editions.values() if many and (rule := Reconciliation.of(many[0]))]
    return [
        EntryBeforeAct(editions, ledger),
        NumbersOutOfOrder(ledger),
        KeyNotValid(),
        DeductionsWrong(ledger),
        TwoFinalScores(ledger),
        ApprovalOpen(editions),
        SameNumber(ledger),
        EnteredTwice(zones, ledger),
        Contradiction(ledger),
        TwoPlaces(zones, ledger),
        BackdatedCorrection(zones, ledger),
        NotEntered(reconciliations, ledger),
        NoVisit(ledger),
        EntryUntrue(ledger),
        HeapedScores(editions),
        CopiedFindings(),
        BurstBeforeEvaluation(),
        OfficeSilent(activities_of(one for many in editions.values() for one in many)),
    ]
