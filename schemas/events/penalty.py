"""Warnings, orders, penalties, judgments and their service."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from schemas import fields as f
from schemas.events.base import Act, DocumentAct, EventRef, Service, check_term, event_type
from schemas.fields import Frozen, government, public

LegalField = Literal[
    "drug", "device", "cosmetics", "food", "price", "trade", "family_planning", "medical_insurance", "public_security", "other"
]
PenaltyKind = Literal[
    "warning",
    "criticism",
    "fine",
    "confiscation_of_gains",
    "confiscation_of_property",
    "advertising_approval_revoked",
    "approval_certificate_revoked",
    "suspension_ordered",
    "permit_withheld",
    "business_licence_withheld",
    "permit_revoked",
    "business_licence_revoked",
    "detention",
]
Gravity = Literal["minor", "general", "serious"]
Fault = Literal["none", "negligence", "gross_negligence", "intent"]


class PenaltyAct(Frozen):
    """One act within a decision. ``concepts`` name legal notions that outlive article numbers (R14), such as ``unknowing_sale``.

    ``approvals_revoked`` counts the advertising approvals that this act cost; absent, it is one where ``kinds`` names any (R6)."""

    violation: f.ViolationCode = public()
    kinds: tuple[PenaltyKind, ...] = public(min_length=1, max_length=10)
    legal_field: LegalField = public()
    basis: tuple[f.Name, ...] = public(min_length=1, max_length=10)
    concepts: tuple[f.Word, ...] | None = public(default=None, max_length=10)
    gravity: Gravity = public()
    fault: Fault = public()
    amount: f.Amount | None = public(default=None)
    approvals_revoked: int | None = public(default=None, ge=1, le=100)

    @model_validator(mode="after")
    def _kinds_fit(self) -> PenaltyAct:
        if len(set(self.kinds)) != len(self.kinds):
            raise ValueError("kinds names a kind twice")
        if self.approvals_revoked and "advertising_approval_revoked" not in self.kinds:
            raise ValueError("approvals_revoked counts approvals, but kinds has no advertising_approval_revoked")
        return self


@event_type("warning.issued", zh="警告", en="Warning issued", wired=True)
class WarningIssued(DocumentAct):
    """``correct_by``: the last day of the term to correct (R6)."""

    violation: f.ViolationCode = public()
    legal_field: LegalField = public()
    correct_by: f.CivilDate | None = public(default=None)
    correction_ordered: bool = public()

    @model_validator(mode="after")
    def _term_after_decision(self) -> WarningIssued:
        check_term(self.occurred_on, self.correct_by, "correct_by")
        return self


@event_type("announcement.made", zh="公告", en="Announcement made", wired=True)
class AnnouncementMade(DocumentAct):
    """A public announcement of a violation (三(二)3(1)). ``announces``: the warning or decision that it makes public, where it is
    that and no act of its own; it then adds nothing to a succession (R6)."""

    violation: f.ViolationCode = public()
    legal_field: LegalField = public()
    correct_by: f.CivilDate | None = public(default=None)
    announces: EventRef | None = public(default=None)

    @model_validator(mode="after")
    def _term_after_decision(self) -> AnnouncementMade:
        check_term(self.occurred_on, self.correct_by, "correct_by")
        return self


@event_type("correction.ordered", zh="责令改正", en="Correction ordered", wired=True)
class CorrectionOrdered(DocumentAct):
    """An order to correct without a warning (R5)."""

    violations: tuple[f.ViolationCode, ...] = public(min_length=1, max_length=50)
    legal_field: LegalField = public()
    correct_by: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _term_after_decision(self) -> CorrectionOrdered:
        check_term(self.occurred_on, self.correct_by, "correct_by")
        return self


@event_type("penalty.decided", zh="行政处罚决定", en="Penalty decided", wired=True)
class PenaltyDecided(DocumentAct):
    """A decision with one act or more; each act is judged on its own (R14)."""

    case_no: f.DocumentNo | None = public(default=None)
    acts: tuple[PenaltyAct, ...] = public(min_length=1, max_length=30)


@event_type("crime.judged", zh="刑事判决", en="Crime judged", wired=True)
class CrimeJudged(DocumentAct):
    """三(二)4(4). ``final`` where the judgment can no longer be appealed."""

    legal_field: LegalField = public()
    final: bool = public()


@event_type("document.served", zh="文书送达", en="Document served", wired=True)
class DocumentServed(Act):
    """Service that became known after the decision was entered. ``document`` is the id of the event of the same subject
    that holds the decision; ``occurred_on`` is the day of service."""

    document: f.EventId = public()
    document_no: f.DocumentNo = public()
    service: Service = public()

    @model_validator(mode="after")
    def _occurred_when_served(self) -> DocumentServed:
        if self.occurred_on != self.service.served_on:
            raise ValueError("occurred_on must be service.served_on: what happened is the service")
        return self


@event_type("other_department.penalised", zh="其他部门处罚", en="Penalty of another department", wired=True, roles=("officer", "importer"))
class OtherDepartmentPenalised(DocumentAct):
    """五(四) ¶4, R7: counted once by authority, document number and act."""

    authority: f.Name = public()
    acts: tuple[PenaltyAct, ...] = public(min_length=1, max_length=30)


class ListedDecision(Frozen):
    """One line of the list: the decision's number and whom it concerns."""

    document_no: f.DocumentNo = public()
    subject: f.SubjectId = public()
    decided_on: f.CivilDate | None = public(default=None)


@event_type(
    "other_department_list.received",
    zh="其他部门名单接收",
    en="Another department's list received",
    wired=True,
    subjects=("office",),
    route="registry",
    roles=("officer", "approver", "importer"),
)
class OtherDepartmentListReceived(Act):
    """What another department says it decided in a period: the second source that entries of its penalties are held against.

    A list that is too long for one event comes in several with the same ``list_no``; an empty one says that there was nothing."""

    authority: f.Name = public()
    list_no: f.DocumentNo | None = public(default=None)
    period_from: f.CivilDate = public()
    period_to: f.CivilDate = public()
    decisions: tuple[ListedDecision, ...] = government(max_length=400)

    @model_validator(mode="after")
    def _period_in_order(self) -> OtherDepartmentListReceived:
        if self.period_to < self.period_from:
            raise ValueError("period_to lies before period_from")
        return self
