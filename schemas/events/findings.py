"""What audit finds: late and false entries, signs of falsehood, scans that ran, and what an entry did to grades.

Their bytes hold no clock; their ids follow from what they are about. A finding is a finding until a hearing decided it
(``schemas.events.hearing``): nothing here says that anybody is guilty.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas import fields as f
from schemas.events.base import Data, event_type
from schemas.events.derived import SERVICE, Cause, Number, RulebookRef
from schemas.fields import Frozen, government, public

Count = Annotated[int, Field(ge=0)]


class LateEntry(Frozen):
    """五(三) ¶1, R13: what the deadline was and by how much it was missed."""

    day_zero: f.CivilDate = public()
    deadline: f.CivilDate = public()
    entered_on: f.CivilDate = public()
    working_days_late: Annotated[int, Field(ge=1)] = public()
    calendar_days_late: Annotated[int, Field(ge=1)] = public()
    signed_in_time: bool = public()
    outage: bool = public()
    provisional: bool = public()


class Evidence(Frozen):
    """A record that a finding rests on, and what it shows (``role``: a word of the detector). ``sha256``: of its value."""

    topic: f.Name = government()
    partition: Annotated[int, Field(ge=0, le=1023)] = government()
    offset: Count = government()
    known_from: f.Instant = government()
    source: f.Name = government()
    id: f.EventId = government()
    type: f.Name = government()
    sha256: f.Sha256 = government()
    role: f.Word = government()


class Explanation(Frozen):
    """An innocent explanation that the detector names. ``supported``: the records themselves speak for it."""

    code: f.Word = government()
    supported: bool = government()


class Statistic(Frozen):
    """A test's result. ``p_value``, ``adjusted`` (for ``tests`` tests of the same scan), ``effect`` and ``false_alarms`` (the share of
    clean populations that would give such a finding, as calibrated) are decimal strings. ``population_sha256``: of the lines
    ``source id`` of the entries tested, sorted."""

    test: f.Word = government()
    population: Count = government()
    population_sha256: f.Sha256 = government()
    observed: f.Name = government()
    expected: f.Name = government()
    effect: f.Name = government()
    p_value: f.DecimalText = government()
    adjusted: f.DecimalText = government()
    tests: Annotated[int, Field(ge=1)] = government()
    false_alarms: f.DecimalText = government()


@event_type(
    "finding.raised",
    zh="发现",
    en="Finding raised",
    wired=True,
    route="derived",
    roles=SERVICE,
    subjects=("uscc", "fhrs", "camis", "office", "stack"),
)
class FindingRaised(Data):
    """``about``: an entry; an office's duty; a pattern, which proposes a check and never a sanction; or the operation (clocks, gaps,
    outages), which is kept apart, as it concerns different people.

    ``matter``: the same for all findings of one matter; of those the last one stands. ``retracted``: the matter turned out to be none.
    ``subject_of``: the enterprise, where there is one. ``concerns``: the officers whose entries these are, by pseudonym; of a late entry
    who entered it and on whose behalf (findings by version 2 of its detector name nobody)."""

    kind: f.Word = public()
    about: Literal["entry", "office", "pattern", "operation"] = public()
    matter: f.EventId | None = government(default=None)
    retracted: bool | None = government(default=None)
    office: f.Office | None = government(default=None)
    subject_of: f.SubjectId | None = government(default=None)
    regime: f.Regime | None = government(default=None)
    clause: f.Name | None = public(default=None)
    readings: tuple[f.Name, ...] = public(default=())
    event: Cause | None = government(default=None)
    event_type: f.Name | None = government(default=None)
    late: LateEntry | None = government(default=None)
    concerns: tuple[f.Pseudonym, ...] | None = government(default=None, max_length=20)
    evidence: tuple[Evidence, ...] | None = government(default=None, max_length=50)
    values: tuple[Number, ...] | None = government(default=None, max_length=20)
    statistic: Statistic | None = government(default=None)
    explanations: tuple[Explanation, ...] | None = government(default=None, max_length=20)
    proposes: Literal["hearing", "check", "correction"] | None = government(default=None)
    detail_zh: f.Text = government()
    detail_en: f.Text = government()
    rule_version: f.Name = government()
    detector_version: Annotated[int, Field(ge=1)] | None = government(default=None)
    cause: Cause = government()


@event_type("scan.ran", zh="筛查已运行", en="Scan ran", wired=True, route="derived", roles=SERVICE, subjects=("stack",), withheld=True)
class ScanRan(Data):
    """One detector went over the entries known from ``first`` to the close of ``through``, hits or not: no selective enforcement.

    ``looked_at``: entries of the types concerned; ``units``: what was tested (offices, officers, pairs); ``alpha``: level of the whole
    scan, where it is a test."""

    detector: f.Word = government()
    version: Annotated[int, Field(ge=1)] = government()
    first: f.CivilDate = government()
    through: f.CivilDate = government()
    looked_at: Count = government()
    units: Count = government()
    hits: Count = government()
    alpha: f.DecimalText | None = government(default=None)
    cause: Cause = government()


class GradeDays(Frozen):
    """Days, both inclusive, with one grade or status in force; ``last`` null: it goes on. ``displayed``: the public saw it."""

    first: f.CivilDate = government()
    last: f.CivilDate | None = government()
    grade: f.Name | None = government()
    status: f.Word = government()
    displayed: bool = government()


class Supposed(Frozen):
    """A path of grades as it would have been. What needs approval is an assumption: given on the day of the proposal (``soonest``), as
    long after it as it really was (``as_long``), or ``never`` but for what approvers really said; ``no_approval`` where nothing needed
    one. ``days``: those on which it differs from what was shown; ``stands``: those of them that also hold by all known at the cut."""

    approvals: Literal["no_approval", "soonest", "as_long", "never"] = government()
    path: tuple[GradeDays, ...] = government(max_length=60)
    days: Count = government()
    stands: Count = government()


class WrongDays(Frozen):
    """Days, both inclusive, on which something was shown, applied or enjoyed that should not have been, or was not and should.

    ``name``: a regime, a list, a clause. ``certain``: under every assumption about approvals."""

    what: Literal["grade", "list", "measure", "benefit"] = government()
    name: f.Name = government()
    first: f.CivilDate = government()
    last: f.CivilDate = government()
    was: f.Name | None = government(default=None)
    should: f.Name | None = government(default=None)
    certain: bool = government()


class EvaluationChanged(Frozen):
    """An evaluation that would have given something else. ``evaluation``: its ``evaluation.closed``."""

    evaluation: f.EventId = government()
    period_last: f.CivilDate = government()
    was: f.Name | None = government(default=None)
    should: f.Name | None = government(default=None)
    certain: bool = government()


class Joint(Frozen):
    """A smallest set of matters that made days wrong which no fewer of them made wrong; this one among them."""

    matters: tuple[f.EventId, ...] = government(min_length=1, max_length=12)
    least: Count = government()
    most: Count = government()


class Consequence(Frozen):
    """What the rules would have for it, were it confirmed; for people to decide (五(三) ¶3, ¶4). A referral only where the decision of a
    hearing that holds at the cut found purpose; of who was cleared ``none``. ``days``: those that it goes by, as the rulebook's readings
    count them."""

    kind: Literal["none", "circulated_criticism", "referral_for_accountability"] = government()
    clause: f.Name | None = government(default=None)
    days: Count = government()
    readings: tuple[f.Name, ...] = government(default=(), max_length=10)
    why_zh: f.Text = government()
    why_en: f.Text = government()


@event_type(
    "finding.assessed",
    zh="影响评估",
    en="Effect assessed",
    wired=True,
    route="derived",
    roles=SERVICE,
    subjects=("office",),
    withheld=True,
)
class FindingAssessed(Data):
    """What a late or false entry did: the grades shown, and as they would have been had it been on time, or true. Of a matter the one
    with the newest cause stands, for each ``affected`` and regime; that may be the step by which a hearing turned what follows.

    ``affected``: whose grades (the entry's subject, or a whole that is graded by it as one of its parts: ADR 37; of a whole no evaluations,
    measures or consequence are told). ``shown``: of each day what was in force by what was known at its end. ``least``, ``most``: days with
    another grade than supposed, over all assumptions (``bounds`` ``outer``: no fewer and no more than); ``stands_least``, ``stands_most``:
    those of them whose supposed grade is also what holds of the day by all known at ``cut``. ``from_day``: the day after a late entry's
    deadline, else the day on which the entry was known; ``to_day``: from when on all paths agree, or the last day that was over at ``cut``.
    ``operation_days``, ``outage_days``, ``stayed_days``: of ``most`` those that the system's own delay made, that a declared outage of the
    office or the stack touches, on which a stay rests on an act that a grade rests on. ``without``: entries that would not have been made
    either. ``joint_complete``: no other set of entries made days wrong; of a whole never, for entries about its other parts are not looked
    at. Long lists are cut (``cut_short``), counts never."""

    finding: f.EventId = government()
    matter: f.EventId = government()
    kind: f.Word = government()
    subject_of: f.SubjectId = government()
    affected: f.SubjectId = government()
    regime: f.Regime = government()
    event: Cause = government()
    supposing: Literal["on_time", "true", "never"] = government()
    from_day: f.CivilDate = government()
    to_day: f.CivilDate = government()
    shown: tuple[GradeDays, ...] = government(max_length=60)
    supposed: tuple[Supposed, ...] = government(min_length=1, max_length=3)
    without: tuple[f.EventId, ...] = government(default=(), max_length=50)
    cut_short: bool = government()
    least: Count = government()
    most: Count = government()
    stands_least: Count = government()
    stands_most: Count = government()
    bounds: Literal["exact", "outer"] = government()
    operation_days: Count = government()
    outage_days: Count = government()
    stayed_days: Count = government()
    evaluations: tuple[EvaluationChanged, ...] = government(max_length=20)
    wrong: tuple[WrongDays, ...] = government(max_length=60)
    joint: tuple[Joint, ...] = government(max_length=10)
    joint_complete: bool = government()
    marks: tuple[f.Word, ...] = government(max_length=10)
    consequence: Consequence = government()
    rulebooks: tuple[RulebookRef, ...] = government(min_length=1, max_length=10)
    software: f.Name = government()
    cut: Cause = government()
    cause: Cause = government()
