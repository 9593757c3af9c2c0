"""The hearing on a finding: notified → replied → decided → appealed → decided again.

These events are about officers and offices, so they stand in registry and every field is for the government only: outside
the console there are decided totals of an office and nothing else. "Cleared" is an outcome like the others. Deadlines are
days that the events name; how many working days the rules give is the rulebook's.

A hearing is of one officer or office on one matter. Every step names the matter, so that a finding worked out again keeps its
hearing. A new notification begins the hearing anew.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from schemas import fields as f
from schemas.events.base import Act, EventRef, Role, Service, check_term, event_type
from schemas.fields import government

_SUBJECTS = ("officer", "office")
_AUDITOR: tuple[Role, ...] = ("auditor",)
_ANYONE_HEARD: tuple[Role, ...] = ("officer", "approver", "importer", "registrar")


class HearingAct(Act):
    """``finding`` is the id of the ``finding.raised`` event, ``matter`` the finding's. The subject is who is heard: an officer's
    pseudonym, or an office."""

    occurred_on: f.CivilDate = government()
    finding: f.EventId = government()
    matter: f.EventId = government()


class HearingDocument(HearingAct):
    """A step with a document. It is entered once the document was served, for its term runs from there."""

    document_no: f.DocumentNo = government()
    service: Service = government()

    @model_validator(mode="after")
    def _served_after_decided(self) -> HearingDocument:
        check_term(self.occurred_on, self.service.served_on, "service.served_on")
        return self


@event_type("finding.notified", zh="发现告知", en="Finding notified", wired=True, route="registry", roles=_AUDITOR, subjects=_SUBJECTS)
class FindingNotified(HearingDocument):
    """The person or office concerned is told, with the evidence (``evidence_sha256``: the pack) and the last day to reply.

    ``entries``: those that the finding rests on, none where it is about what was not entered; ``concerns``: whose they are."""

    entries: tuple[EventRef, ...] = government(max_length=50)
    concerns: tuple[f.Pseudonym, ...] = government(max_length=20)
    reply_by: f.CivilDate = government()
    evidence_sha256: f.Sha256 | None = government(default=None)
    clause: f.Name = government()

    @model_validator(mode="after")
    def _term_in_order(self) -> FindingNotified:
        check_term(self.service.served_on, self.reply_by, "reply_by")
        return self


Excuse = Literal[
    "none", "outage", "signed_in_time", "leave", "handed_over", "wrong_calendar", "source_was_late", "not_responsible", "other"
]


@event_type(
    "finding.replied", zh="发现答复", en="Finding replied to", wired=True, route="registry", roles=_ANYONE_HEARD, subjects=_SUBJECTS
)
class FindingReplied(HearingAct):
    """What the person or office says. ``waived``: declined to reply. Evidence goes into ``attachments``."""

    replied_by: f.Pseudonym = government()
    waived: bool = government()
    excuse: Excuse = government()
    statement: f.Text | None = government(default=None)

    @model_validator(mode="after")
    def _says_something(self) -> FindingReplied:
        if self.waived == bool(self.statement):
            raise ValueError("a reply has a statement, unless it was waived")
        return self


@event_type(
    "finding.decided",
    zh="发现处理决定",
    en="Finding decided",
    wired=True,
    route="registry",
    roles=("auditor", "approver"),
    subjects=_SUBJECTS,
)
class FindingDecided(HearingDocument):
    """The outcome, at first or on appeal. ``decided_by`` is a person who was not involved, in the entry or in the instance before.

    Circulated criticism needs an entry late or untrue that moved a grade (五(三) ¶3); a referral needs falsehood on purpose
    (五(三) ¶4), and only a person finds purpose. ``assessment`` is the id of the effect that was weighed."""

    instance: Literal["first", "appeal"] = government()
    appeal: f.EventId | None = government(default=None)
    outcome: Literal["confirmed", "cleared", "remitted"] = government()
    intent: Literal["not_examined", "not_found", "on_purpose"] = government()
    grade_affected: bool = government()
    consequence: Literal["none", "circulated_criticism", "referral_for_accountability"] = government()
    clause: f.Name | None = government(default=None)
    assessment: f.EventId | None = government(default=None)
    truth: f.EventId | None = government(default=None)
    decided_by: f.Pseudonym = government()
    involved: tuple[f.Pseudonym, ...] = government(max_length=20)
    appeal_by: f.CivilDate | None = government(default=None)
    reasons: f.Text = government()

    @model_validator(mode="after")
    def _stands(self) -> FindingDecided:
        if self.decided_by in self.involved:
            raise ValueError("decided_by was involved; someone else must decide")
        if (self.instance == "appeal") != (self.appeal is not None):
            raise ValueError("appeal names the finding.appealed event where the instance is an appeal, and only there")
        if self.outcome != "confirmed" and (self.consequence != "none" or self.intent == "on_purpose"):
            raise ValueError(f"a finding that is {self.outcome} has no consequence and finds no purpose")
        if self.consequence == "circulated_criticism" and not self.grade_affected:
            raise ValueError("circulated criticism needs an effect on a grade")
        if self.consequence == "referral_for_accountability" and self.intent != "on_purpose":
            raise ValueError("a referral needs falsehood on purpose")
        if (self.instance, self.outcome) == ("first", "confirmed") and self.appeal_by is None:
            raise ValueError("a first decision that confirms names the last day to appeal (appeal_by)")
        if self.consequence != "none" and self.clause is None:
            raise ValueError("a consequence names its clause")
        check_term(self.service.served_on, self.appeal_by, "appeal_by")
        return self

    def contradicts(self, subject: str) -> str | None:
        return "nobody decides about themselves" if subject == self.decided_by else None


@event_type("finding.appealed", zh="发现申诉", en="Finding appealed", wired=True, route="registry", roles=_ANYONE_HEARD, subjects=_SUBJECTS)
class FindingAppealed(HearingAct):
    """``decision`` is the id of the ``finding.decided`` event appealed against."""

    decision: f.EventId = government()
    appealed_by: f.Pseudonym = government()
    grounds: f.Text = government()
