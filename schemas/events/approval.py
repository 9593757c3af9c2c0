"""Approval of grades by a person (五(四) ¶3, R8), and lists handed to other authorities (四(四)6)."""

from __future__ import annotations

from pydantic import model_validator

from schemas import fields as f
from schemas.events.base import Act, Service, check_term, event_type
from schemas.fields import government, public


class ProposalAct(Act):
    """An approver's word on a proposed grade. ``proposal`` is the id of the ``grade.proposed`` event."""

    regime: f.Regime = public()
    proposal: f.EventId = public()
    grade: f.Name = public()
    document_no: f.DocumentNo | None = public(default=None)
    service: Service | None = public(default=None)

    @model_validator(mode="after")
    def _served_after_decided(self) -> ProposalAct:
        check_term(self.occurred_on, self.service.served_on if self.service else None, "service.served_on")
        return self


@event_type("grade.approved", zh="等级审批通过", en="Grade approved", wired=True, roles=("approver",), withheld=True)
class GradeApproved(ProposalAct):
    """R8: the proposed grade takes effect on ``occurred_on``. ``grade`` is the proposed one again, so that nobody approves unseen;
    benefits of the old grade stop only when the decision was served."""

    approved_by: f.Pseudonym = government()


@event_type("grade.returned", zh="等级审批退回", en="Grade returned", wired=True, roles=("approver",), withheld=True)
class GradeReturned(ProposalAct):
    """R8: the proposal goes back with a reason; the grade stays as it was until there is a new fact. Not for the
    public, which knows of no proposal."""

    returned_by: f.Pseudonym = government()
    reason: f.Text = government()


@event_type(
    "list.notified", zh="名单通报", en="List notified", wired=True, route="broadcast", roles=("officer", "approver"), subjects=("office",)
)
class ListNotified(Act):
    """四(四)6: a list went to another authority, once a year. The subject is the office whose duty it was. Copied into every partition
    of facts, for it performs a duty about each enterprise on the list.

    ``list_sha256`` is the hash of what was sent; ``listed`` counts its lines, ``as_of`` is the day it shows."""

    list: f.Name = public()
    regime: f.Regime = public()
    clause: f.Name = public()
    recipient: f.Name = public()
    as_of: f.CivilDate = public()
    listed: int = public(ge=0, le=1_000_000)
    list_sha256: f.Sha256 = public()
    document_no: f.DocumentNo | None = public(default=None)
    service: Service | None = public(default=None)

    @model_validator(mode="after")
    def _sent_after_its_day(self) -> ListNotified:
        if self.occurred_on < self.as_of:
            raise ValueError("as_of lies after occurred_on: a list can't show a day that is still to come")
        check_term(self.occurred_on, self.service.served_on if self.service else None, "service.served_on")
        return self
