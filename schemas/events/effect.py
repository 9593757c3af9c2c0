"""What takes a fact out of effect or changes it, without taking it out of history (R18).

Annulment or change on review or by a court, correction, retraction, an objection upheld: as never done, from the fact's own
start. Repair: from its date forward. Each only as known from its own entry. All of them name the fact by ``EventRef`` and
are about the same subject, so that the fold of one subject sees both.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import ValidationError, model_validator

from schemas import fields as f
from schemas.events.base import CATALOGUE, Act, DocumentAct, EventRef, event_type
from schemas.fields import Frozen, government, public

# Facts about facts are retracted, never replaced: a replacement within a replacement would have no end. An approver's word is the
# approver's alone: were it made of another entry by correcting that, whoever may correct could approve.
NOT_REPLACEABLE = frozenset(
    f"mingjian.{name}.v1"
    for name in (
        *("entry.corrected", "entry.retracted", "act.annulled", "act.changed", "objection.decided", "truth.determined"),
        *("grade.approved", "grade.returned", "notice_of_extension.issued"),
    )
)


class Replacement(Frozen):
    """What the fact should have said: its type again and its whole ``data``, read by that type's own model.

    Commitments stand in the event that carries the replacement, not here, so that there is one place where intake checks them.
    Who may see which field of ``data`` follows from the type's own classes."""

    type: f.Name = public()
    data: dict[str, Any] = government()

    @model_validator(mode="after")
    def _reads_as_its_type(self) -> Replacement:
        row = CATALOGUE.get(self.type)
        if row is None or row.route != "facts":
            raise ValueError(f"replacement.type {self.type!r} is no type of fact about a subject")
        if self.type in NOT_REPLACEABLE:
            raise ValueError(f"{row.name} can't be replaced; retract it and say it anew")
        if "commitments" in self.data:
            raise ValueError("commitments belong beside the replacement, into data.commitments")
        try:
            row.model.model_validate_json(orjson.dumps(self.data))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = "/".join(str(step) for step in first["loc"]) or "data"
            raise ValueError(f"replacement.data/{where}: {first['msg']}") from None
        return self


class ReviewOpened(Act):
    """Review of a decision was applied for and taken up. The decision stays in effect unless a stay is ordered."""

    act: EventRef = public()
    case_no: f.DocumentNo = public()
    authority: f.Name = public()


class ReviewDecided(DocumentAct):
    """How it ended. What it does to the act is an event of its own (``act.annulled``, ``act.changed``), with this one's id.

    ``final``: nothing more can be filed against it."""

    act: EventRef = public()
    case_no: f.DocumentNo = public()
    authority: f.Name = public()
    outcome: Literal["upheld", "annulled", "changed", "declared_unlawful", "new_decision_ordered", "dismissed", "withdrawn"] = public()
    final: bool = public()


@event_type("reconsideration.opened", zh="行政复议受理", en="Reconsideration opened", wired=True)
class ReconsiderationOpened(ReviewOpened):
    """Administrative reconsideration by the authority above (R18)."""


@event_type("reconsideration.decided", zh="行政复议决定", en="Reconsideration decided", wired=True)
class ReconsiderationDecided(ReviewDecided):
    """The authority above decided (R18)."""


@event_type("litigation.opened", zh="行政诉讼立案", en="Litigation opened", wired=True)
class LitigationOpened(ReviewOpened):
    """A court took the case (R18). ``instance`` 1 or 2; 3 is retrial."""

    instance: int = public(ge=1, le=3)


@event_type("litigation.decided", zh="行政诉讼裁判", en="Litigation decided", wired=True)
class LitigationDecided(ReviewDecided):
    """A court decided (R18)."""

    instance: int = public(ge=1, le=3)


@event_type("stay.ordered", zh="停止执行", en="Stay ordered", wired=True)
class StayOrdered(DocumentAct):
    """The act's execution and publication rest (R18) from ``from_day``, until ``until`` or until the stay is lifted."""

    act: EventRef = public()
    authority: f.Name = public()
    from_day: f.CivilDate = public()
    until: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _in_order(self) -> StayOrdered:
        if self.until and self.until < self.from_day:
            raise ValueError("until lies before from_day")
        return self


@event_type("stay.lifted", zh="恢复执行", en="Stay lifted", wired=True)
class StayLifted(DocumentAct):
    """``stay`` is the id of the ``stay.ordered`` event; ``from_day`` the first day on which the act counts again."""

    act: EventRef = public()
    stay: f.EventId = public()
    authority: f.Name = public()
    from_day: f.CivilDate = public()


class ActReviewed(DocumentAct):
    """An act of an authority is undone or altered from its start. ``decided_by_event``: the decision on review that did it."""

    act: EventRef = public()
    ground: Literal["reconsideration", "litigation", "authority_above", "own_motion"] = public()
    authority: f.Name = public()
    decided_by_event: f.EventId | None = public(default=None)


@event_type("act.annulled", zh="行政行为撤销", en="Act annulled", wired=True)
class ActAnnulled(ActReviewed):
    """R18: as never done, from its start."""


@event_type("act.changed", zh="行政行为变更", en="Act changed", wired=True)
class ActChanged(ActReviewed):
    """R18: as if it had said ``replacement`` from its start: one act of several annulled, a fine lowered."""

    replacement: Replacement = public()


@event_type("repair.applied_for", zh="信用修复申请", en="Repair applied for", wired=True)
class RepairApplied(Act):
    """The subject asks that decisions be no longer shown, shared or used."""

    application_no: f.DocumentNo = public()
    acts: tuple[EventRef, ...] = public(min_length=1, max_length=30)
    statement: f.Text | None = government(default=None)


@event_type("repair.decided", zh="信用修复决定", en="Repair decided", wired=True)
class RepairDecided(DocumentAct):
    """R18: where granted, the acts count no longer from ``effective_from`` on; before it they did. ``application`` is the id
    of the event it answers; absent where the law ends a publication without one."""

    application: f.EventId | None = public(default=None)
    acts: tuple[EventRef, ...] = public(min_length=1, max_length=30)
    outcome: Literal["granted", "refused"] = public()
    effective_from: f.CivilDate | None = public(default=None)
    basis: tuple[f.Name, ...] = public(min_length=1, max_length=10)
    reason: f.Text | None = government(default=None)

    @model_validator(mode="after")
    def _says_what_follows(self) -> RepairDecided:
        if (self.outcome == "granted") != (self.effective_from is not None):
            raise ValueError("effective_from is given where repair is granted, and only there")
        if self.outcome == "refused" and not self.reason:
            raise ValueError("a refusal needs a reason")
        return self


Ground = Literal["slip_of_the_pen", "wrong_subject", "wrong_date", "wrong_content", "entered_twice", "source_changed", "other"]
Origin = Literal["self_reported", "objection", "supervision", "truth_determined"]


class EntryAct(Act):
    """An office takes back or mends what it entered. ``source_document`` is the hash of the paper that shows what is right:
    with it a correction that one reports oneself is an inaccuracy, never a falsehood."""

    entry: EventRef = public()
    ground: Ground = public()
    origin: Origin = public()
    reason: f.Text = government()
    source_document: f.Sha256 | None = government(default=None)


@event_type("entry.corrected", zh="录入更正", en="Entry corrected", wired=True)
class EntryCorrected(EntryAct):
    """R18: the fact counts as ``replacement``, from its start, as known from this entry."""

    replacement: Replacement = public()


@event_type("entry.retracted", zh="录入撤回", en="Entry retracted", wired=True)
class EntryRetracted(EntryAct):
    """R18: as never entered. What the retracted event itself had taken out of effect comes back."""


@event_type("objection.raised", zh="异议提出", en="Objection raised", wired=True)
class ObjectionRaised(Act):
    """Somebody says that an entry, a grade or a publication is wrong. Who it is goes into a commitment, if anywhere.

    ``entry`` names a signed fact; ``derived`` a grade or publication, by its id. One of the two."""

    objection_no: f.DocumentNo = public()
    by: Literal["subject", "authority", "third_party"] = government()
    entry: EventRef | None = public(default=None)
    derived: f.EventId | None = public(default=None)
    statement: f.Text = government()

    @model_validator(mode="after")
    def _about_one_thing(self) -> ObjectionRaised:
        if (self.entry is None) == (self.derived is None):
            raise ValueError("an objection is about an entry or about something derived: give one of entry and derived")
        return self


@event_type("objection.decided", zh="异议处理决定", en="Objection decided", wired=True, roles=("officer", "approver", "importer"))
class ObjectionDecided(DocumentAct):
    """R18: upheld, the entry is as never made; changed, it counts as ``replacement``. ``decided_by`` was not involved in it.

    An objection to something derived is upheld by naming the ``entry`` that was wrong; rejected, ``entry`` may be absent."""

    objection: f.EventId = public()
    outcome: Literal["upheld", "changed", "rejected", "withdrawn"] = public()
    entry: EventRef | None = public(default=None)
    replacement: Replacement | None = public(default=None)
    decided_by: f.Pseudonym = government()
    reason: f.Text = government()

    @model_validator(mode="after")
    def _says_what_follows(self) -> ObjectionDecided:
        if self.outcome in ("upheld", "changed") and self.entry is None:
            raise ValueError("entry is needed: what follows from the decision concerns an entry")
        if (self.outcome == "changed") != (self.replacement is not None):
            raise ValueError("replacement is given where the outcome is changed, and only there")
        return self


class TruthSource(Frozen):
    """One source: what it is, and the hash of it. ``independent_of`` names whoever it does not come from."""

    kind: Literal["document", "photograph", "device_record", "statement", "other_authority", "inspection", "expert_opinion"] = government()
    description: f.Text = government()
    sha256: f.Sha256 | None = government(default=None)
    origin: f.Name = government()


@event_type("truth.determined", zh="真实性认定", en="Truth determined", wired=True, roles=("approver", "auditor"), withheld=True)
class TruthDetermined(DocumentAct):
    """Whether an entry says what was so. "False" needs two sources of different origin and a decider who was not involved;
    "inaccurate" is an error whose source is there. Whether it was on purpose is decided by a hearing, never here.

    ``truth`` is what the entry should have said, or absent where the act never took place: what a counterfactual uses. Withheld: the
    public sees the correction that follows, and nothing of who may have entered what."""

    entry: EventRef = government()
    finding: f.EventId | None = government(default=None)
    result: Literal["true", "inaccurate", "false", "undetermined"] = government()
    took_place: bool = government()
    truth: Replacement | None = government(default=None)
    sources: tuple[TruthSource, ...] = government(min_length=1, max_length=20)
    decided_by: f.Pseudonym = government()
    involved: tuple[f.Pseudonym, ...] = government(max_length=20)
    explanations_weighed: tuple[f.Text, ...] = government(max_length=20)

    @model_validator(mode="after")
    def _stands(self) -> TruthDetermined:
        if self.decided_by in self.involved:
            raise ValueError("decided_by was involved in the entry; someone else must decide")
        if self.result == "false" and len({source.origin for source in self.sources}) < 2:
            raise ValueError("an entry is false only on two sources of different origin")
        if self.result in ("true", "undetermined") and (self.truth is not None or not self.took_place):
            raise ValueError(f"an entry that is {self.result} has no other truth beside it")
        if self.result in ("inaccurate", "false") and self.took_place and self.truth is None:
            raise ValueError("truth is missing: what should the entry have said?")
        if not self.took_place and self.truth is not None:
            raise ValueError("what never took place has no replacement")
        return self
