"""Events that services derive: grades, findings, publications. Their bytes hold no clock; their ids follow from the cause."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas import fields as f
from schemas.events.base import Data, event_type
from schemas.fields import Frozen, public

SERVICE = ("service",)
Partition = Annotated[int, Field(ge=0, le=1023)]
Offset = Annotated[int, Field(ge=0)]


class Cause(Frozen):
    """The record whose arrival made this event due, and its event's id."""

    topic: f.Name = public()
    partition: Partition = public()
    offset: Offset = public()
    id: f.EventId = public()


class KnownCause(Cause):
    """A cause with whose fact it was, of what type, and from when the system knew it: the running maximum of record time in the
    partition, at the cause's offset. So what was known at an instant is a prefix of every partition, however late a grade is told."""

    source: f.Office = public()
    type: f.Name = public()
    known_from: f.Instant = public()


class Decisive(Frozen):
    """A fact that a grade rests on."""

    id: f.EventId = public()
    type: f.Name = public()
    partition: Partition = public()
    offset: Offset = public()
    occurred_on: f.CivilDate | None = public(default=None)
    served_on: f.CivilDate | None = public(default=None)


class Number(Frozen):
    """A quantity that a condition used, with its bound: score 88.5 against 90."""

    name: f.Word = public()
    value: f.Name = public()
    bound: f.Name | None = public(default=None)


class Reason(Frozen):
    """One condition that holds: rule, clause, sentence in both languages, numbers, facts, readings relied on."""

    rule: f.Word = public()
    clause: f.Name = public()
    grade: f.Name | None = public(default=None)
    zh: f.Text = public()
    en: f.Text = public()
    numbers: tuple[Number, ...] = public(default=())
    events: tuple[f.EventId, ...] = public(default=())
    readings: tuple[f.Name, ...] = public(default=())


class Reachable(Frozen):
    """A better grade, the first day on which it is possible, and the end of the period whose evaluation can give it: where nothing more
    counts against the subject, evaluations go on from year to year, and a score that is not entered yet is full marks. Approval is
    left aside."""

    grade: f.Name = public()
    on: f.CivilDate = public()
    period_last: f.CivilDate = public()


class Missed(Frozen):
    """A rule for a better grade that one condition alone kept from holding at the newest evaluation: ``value`` against ``bound``."""

    rule: f.Word = public()
    grade: f.Name = public()
    clause: f.Name = public()
    condition: Literal["score", "no_acts", "operated_for"] = public()
    value: f.Name = public()
    bound: f.Name = public()


class RulebookRef(Frozen):
    regime: f.Regime = public()
    version: f.Name = public()
    sha256: f.Sha256 = public()


# The one status that no rulebook has: what said that a regime rates the subject was taken back.
NOT_RATED = "not_rated"


class PartsOfGrade(Frozen):
    """How many of the parts that count have the grade."""

    grade: f.Name = public()
    parts: Annotated[int, Field(ge=0)] = public()


class PartNamed(Frozen):
    """A part that decided: what it had, since when, and the facts behind that."""

    part: f.SubjectId = public()
    grade: f.Name = public()
    since: f.CivilDate = public()
    events: tuple[f.EventId, ...] = public(default=(), max_length=5)


class PartsCounted(Frozen):
    """What a grade by parts was counted from, on the day that it is told of. ``others``: parts that belong there and count for
    nothing. ``named``: some of those that decided."""

    counted: Annotated[int, Field(ge=0)] = public()
    others: Annotated[int, Field(ge=0)] = public()
    grades: tuple[PartsOfGrade, ...] = public(max_length=30)
    named: tuple[PartNamed, ...] = public(max_length=50)


class GradeData(Data):
    """A grade as it stands. ``grade`` is null where ``status`` says why there is none, by a word of the rulebook or ``not_rated``."""

    regime: f.Regime = public()
    grade: f.Name | None = public()
    status: f.Word = public()
    in_force_from: f.CivilDate | None = public()
    previous_grade: f.Name | None = public(default=None)
    previous_status: f.Word | None = public(default=None)
    moment: Literal["immediate", "evaluation", "status", "correction"] = public()
    period_last: f.CivilDate | None = public(default=None)
    clauses: tuple[f.Name, ...] = public(max_length=50)
    reasons: tuple[Reason, ...] = public(max_length=50)
    decisive_events: tuple[Decisive, ...] = public(max_length=100)
    readings: tuple[f.Name, ...] = public(max_length=50)
    rulebook: RulebookRef = public()
    cause: KnownCause = public()


@event_type("grade.determined", zh="等级认定", en="Grade determined", wired=True, route="derived", roles=SERVICE)
class GradeDetermined(GradeData):
    """A grade or status that is in force; and what a better grade would take, as it was when this was told. ``parts``: what it was
    counted from, where the subject is graded by its parts (ADR 0026)."""

    parts: PartsCounted | None = public(default=None)
    near: tuple[Missed, ...] = public(default=(), max_length=20)
    better: tuple[Reachable, ...] = public(default=(), max_length=20)


@event_type("grade.proposed", zh="等级拟定", en="Grade proposed", wired=True, route="derived", roles=SERVICE, withheld=True)
class GradeProposed(GradeData):
    """R8: the conditions of ``grade`` are met from ``in_force_from`` on and it awaits approval; ``previous_*`` is what is in force. A
    further one of the same regime takes the place of the one before. Not for the public."""


@event_type("proposal.closed", zh="拟定等级终结", en="Proposal closed", wired=True, route="derived", roles=SERVICE, withheld=True)
class ProposalClosed(Data):
    """R8: the open proposal of the regime awaits approval no more: approved, returned, or lapsed because the grade is no longer met."""

    regime: f.Regime = public()
    grade: f.Name = public()
    outcome: Literal["approved", "returned", "lapsed"] = public()
    cause: KnownCause = public()


@event_type("grade.corrected", zh="等级更正", en="Grade corrected", wired=True, route="derived", roles=SERVICE)
class GradeCorrected(GradeData):
    """Days that are over turn out otherwise: what held from ``in_force_from`` to ``corrected_to``, both inclusive, and as what they
    were told (``previous_*``). What holds now is told apart, but where another version of rating (``rebuilt_by``) worked everything out
    again and tells otherwise: then ``corrected_to`` null says that it holds on."""

    corrected_to: f.CivilDate | None = public(default=None)
    rebuilt_by: f.Name | None = public(default=None)
    parts: PartsCounted | None = public(default=None)


# What a whole says of itself in the place of a grade: its parts decide.
BY_PARTS = "by_parts"


class Stretch(Frozen):
    """Days, both inclusive, on which a part belongs to its parent and has one grade or status; ``last`` null: it goes on."""

    first: f.CivilDate = public()
    last: f.CivilDate | None = public()
    grade: f.Name | None = public()
    status: f.Word = public()
    decisive: tuple[Decisive, ...] = public(default=(), max_length=5)


@event_type("part.graded", zh="门店等级", en="Part graded", wired=True, route="derived", roles=SERVICE)
class PartGraded(Data):
    """All that is known of ``part`` as a part of the subject (ADR 0026): the newest by ``cause.known_from`` takes the place of those
    before. Without stretches it never was one. Of itself (``part`` = subject) a parent says ``by_parts`` for the days on which
    its parts decide, else its own status."""

    regime: f.Regime = public()
    part: f.SubjectId = public()
    stretches: tuple[Stretch, ...] = public(max_length=400)
    rulebook: RulebookRef = public()
    cause: KnownCause = public()


@event_type("list.entered", zh="列入名单", en="Put on a list", wired=True, route="derived", roles=SERVICE)
class ListEntered(Data):
    list: f.Name = public()
    regime: f.Regime = public()
    grade: f.Name | None = public()
    since: f.CivilDate = public()
    clause: f.Name = public()
    cause: Cause = public()


@event_type("list.left", zh="移出名单", en="Taken off a list", wired=True, route="derived", roles=SERVICE)
class ListLeft(Data):
    list: f.Name = public()
    regime: f.Regime = public()
    grade: f.Name | None = public()
    on: f.CivilDate = public()
    reason: f.Name = public()
    cause: Cause = public()
