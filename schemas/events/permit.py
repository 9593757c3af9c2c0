"""Permits and certificates (五(二): 许可管理, GSP管理)."""

from __future__ import annotations

from schemas import fields as f
from schemas.events.base import Act, DocumentAct, event_type
from schemas.fields import government, public


@event_type("permit.applied_for", zh="许可申请", en="Permit applied for")
class PermitAppliedFor(Act):
    application_no: f.DocumentNo = public()
    permit_kind: f.Word = public()
    responsible_person: f.Person | None = government(default=None)


@event_type("permit.granted", zh="许可核发", en="Permit granted", wired=True)
class PermitGranted(Act):
    permit_no: f.DocumentNo = public()
    permit_kind: f.Word = public()
    valid_until: f.CivilDate | None = public(default=None)


@event_type("permit.changed", zh="许可变更", en="Permit changed")
class PermitChanged(Act):
    permit_no: f.DocumentNo = public()
    changes: f.Text = public()


@event_type("permit.suspended", zh="许可暂扣", en="Permit suspended")
class PermitSuspended(DocumentAct):
    permit_no: f.DocumentNo = public()
    until: f.CivilDate | None = public(default=None)


@event_type("permit.revoked", zh="许可吊销", en="Permit revoked", wired=True)
class PermitRevoked(DocumentAct):
    """三(二)1 chapeau: revocation of the whole permit leaves a status and no grade."""

    permit_no: f.DocumentNo = public()
    whole: bool = public()


@event_type("permit.expired", zh="许可到期", en="Permit expired")
class PermitExpired(Act):
    permit_no: f.DocumentNo = public()
