"""Permits and certificates (五(二): permits, GSP)."""

from __future__ import annotations

from pydantic import model_validator

from schemas import fields as f
from schemas.events.base import Act, DocumentAct, EventRef, check_term, event_type
from schemas.fields import government, public


@event_type("permit.applied_for", zh="许可申请", en="Permit applied for", wired=True)
class PermitAppliedFor(Act):
    """``responsible_person`` is a pseudonym, by which the applicant's other enterprises are found (四(四)7). ``decide_by``:
    the last day of the statutory term, counted from ``accepted_on``."""

    application_no: f.DocumentNo = public()
    permit_kind: f.Word = public()
    responsible_person: f.Person | None = government(default=None)
    accepted_on: f.CivilDate | None = public(default=None)
    decide_by: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _dates_in_order(self) -> PermitAppliedFor:
        check_term(self.occurred_on, self.accepted_on, "accepted_on")
        check_term(self.accepted_on or self.occurred_on, self.decide_by, "decide_by")
        return self


@event_type("notice_of_extension.issued", zh="延期通知", en="Notice of extension issued", wired=True, roles=("approver",))
class NoticeOfExtensionIssued(DocumentAct):
    """四(四)7: the application of a seriously discredited enterprise's responsible person needs longer; why, and until when.

    Issued by a named approver, never by the system. ``discredited`` and ``grade`` say whose grade it rests on: another
    enterprise of the same person, so they are not for the public."""

    application: EventRef = public()
    application_no: f.DocumentNo = public()
    responsible_person: f.Person = government()
    discredited: f.SubjectId = government()
    grade: f.EventId = government()
    clause: f.Name = public()
    decide_by: f.CivilDate = public()
    extended_to: f.CivilDate = public()
    reasons: f.Text = government()
    approved_by: f.Pseudonym = government()

    @model_validator(mode="after")
    def _really_extends(self) -> NoticeOfExtensionIssued:
        if self.extended_to <= self.decide_by:
            raise ValueError("extended_to must lie after decide_by")
        if self.occurred_on > self.decide_by:
            raise ValueError("the term had run out on decide_by, before this notice")
        return self


@event_type("permit.granted", zh="许可核发", en="Permit granted", wired=True)
class PermitGranted(Act):
    """``valid_until``: the last day, where the permit has one."""

    permit_no: f.DocumentNo = public()
    permit_kind: f.Word = public()
    valid_until: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _valid_for_a_while(self) -> PermitGranted:
        check_term(self.occurred_on, self.valid_until, "valid_until")
        return self


@event_type("permit.changed", zh="许可变更", en="Permit changed")
class PermitChanged(Act):
    """What was changed, in words; the file keeps the document."""

    permit_no: f.DocumentNo = public()
    changes: f.Text = public()
    valid_until: f.CivilDate | None = public(default=None)


@event_type("permit.suspended", zh="许可暂扣", en="Permit suspended")
class PermitSuspended(DocumentAct):
    """三(二)4(2). ``until``: the last day, where the decision names one. ``decision``: the penalty that says so."""

    permit_no: f.DocumentNo = public()
    until: f.CivilDate | None = public(default=None)
    decision: f.EventId | None = public(default=None)

    @model_validator(mode="after")
    def _until_in_order(self) -> PermitSuspended:
        check_term(self.occurred_on, self.until, "until")
        return self


@event_type("permit.revoked", zh="许可吊销", en="Permit revoked", wired=True)
class PermitRevoked(DocumentAct):
    """三(二)1 chapeau: revocation of the whole permit leaves a status and no grade."""

    permit_no: f.DocumentNo = public()
    whole: bool = public()


@event_type("permit.expired", zh="许可到期", en="Permit expired")
class PermitExpired(Act):
    """``occurred_on`` is the first day without the permit."""

    permit_no: f.DocumentNo = public()


@event_type("gsp_certificate.granted", zh="GSP认证核发", en="GSP certificate granted")
class GspCertificateGranted(Act):
    """五(一)2. ``inspection``: the on-site inspection that it rests on; ``renewal`` where it follows an earlier certificate."""

    certificate_no: f.DocumentNo = public()
    scope: f.Text = public()
    valid_until: f.CivilDate = public()
    renewal: bool = public()
    inspection: f.EventId | None = public(default=None)

    @model_validator(mode="after")
    def _valid_for_a_while(self) -> GspCertificateGranted:
        check_term(self.occurred_on, self.valid_until, "valid_until")
        return self


@event_type("gsp_certificate.revoked", zh="GSP认证吊销", en="GSP certificate revoked")
class GspCertificateRevoked(DocumentAct):
    """三(二)4(2): a certificate of approval other than the whole permit. ``decision``: the penalty that says so, if one does."""

    certificate_no: f.DocumentNo = public()
    violations: tuple[f.ViolationCode, ...] | None = public(default=None, max_length=50)
    decision: f.EventId | None = public(default=None)
