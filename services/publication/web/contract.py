"""The API's answers as models: they document the routes and are what schema tests hold the answers to."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Seq = Annotated[int, Field(ge=0, description="number of the change; gapless over all changes; the stream's event id")]
Instant = Annotated[str, Field(description="UTC with milliseconds, as 2026-01-15T08:30:00.000Z")]


Sample = Annotated[bool, Field(description="true where all data is made up; absent elsewhere")]


class Answer(BaseModel):
    """Unknown fields may be added within v1; none is taken away."""

    model_config = ConfigDict(extra="allow")


class StayEvent(Answer):
    """The ``stay.ordered`` event, as it stands on the timeline of ``subject`` and on ``mingjian.facts.v1``."""

    type: str
    id: str
    subject: str
    occurred_on: date | None
    topic: str
    partition: int
    offset: int


class Suspension(Answer):
    """Publication of a grade is suspended by a stay of an act that the grade rests on (reading R18): first day (the later of the stay's own
    and the day on which it became known), last day (null: until the stay is lifted), civil days in the regime's time zone."""

    since: date
    until: date | None
    reading: str
    event: StayEvent


Suspended = Annotated[
    Suspension | None,
    Field(
        description="While publication of this grade is suspended by a stay: since and until which day, and by which event. ``grade`` is "
        "then null, ``status`` is ``publication_suspended``, and reasons, clauses and decisive events are empty. Null otherwise."
    ),
]


class GradeRow(Answer):
    """A subject's current grade or status in a regime."""

    subject: str
    name: str | None
    district: str | None
    regime: str
    grade: str | None
    status: str
    in_force_from: date | None
    seq: Seq
    known_from: Instant
    clauses: list[str]
    suspended: Suspended = None


AsOf = Annotated[date | None, Field(description="the day asked for; absent in an answer as of now")]
KnownAt = Annotated[str | None, Field(description="the instant by which is answered; absent in an answer as of now")]


class Unanswered(Answer):
    """A regime (null: any) for which there is no answer, with why: ``before-go-live``, ``before-first-record``, ``not-known-yet``,
    ``day-to-come``, ``no-grade-on-day``."""

    regime: str | None
    reason: str
    detail_zh: str
    detail_en: str


class GradePage(Answer):
    """A page by (subject, regime). ``next`` is the cursor of the following page, null on the last one.

    As of a day: ``known_from`` is that of the cause, ``in_force_from`` as the deciding event says; name and district are today's."""

    items: list[GradeRow]
    next: str | None
    as_of: AsOf = None
    known_at: KnownAt = None
    unanswered: list[Unanswered] = []
    sample: Sample = False


class InWords(Answer):
    """The same in Chinese and in English."""

    zh: str
    en: str


class Change(Answer):
    """A grade as it was told, whole: reasons, clauses, decisive events, rulebook, cause."""

    seq: Seq
    id: str
    type: str
    regime: str
    grade: str | None
    status: str
    in_force_from: date | None
    known_from: Instant
    partition: int
    offset: int
    data: dict[str, Any]
    suspended: Suspended = None
    explanation: InWords | None = Field(None, description="Of a grade that holds: all of it in one paragraph.")


class Fact(Answer):
    """A fact's public fields, its four times and its place in ``mingjian.facts.v1``."""

    type: str
    event_id: str
    event_hash: str
    occurred_on: date | None
    served_on: date | None
    received_at: str
    known_from: Instant
    partition: int
    offset: int
    data: dict[str, Any]


class ListPlace(Answer):
    """A list that the subject stands on."""

    list: str
    regime: str
    grade: str | None
    since: date
    clause: str


class Belonging(Answer):
    """A part of the subject, or what the subject is a part of: the days on which it belongs there, each stretch (``first``, ``last``,
    ``grade``, ``status``; ``last`` null: it goes on) as the part's own, as known now (ADR 0026)."""

    subject: str
    name: str | None
    regime: str
    stretches: list[dict[str, Any]]


class SubjectAnswer(Answer):
    """Everything public about a subject. ``facts`` latest act first, page by page; ``history`` newest change first,
    200 at a time: ``history_next`` is the ``history_cursor`` of those before. As known at an instant: register, changes and facts are
    those that were known by then, and ``grades`` and ``lists`` those of the day, each grade with the fields of ``GradeOnDay`` too."""

    subject: str
    name: str | None
    register_: dict[str, Any] = Field(alias="register")
    grades: list[Change]
    history: list[Change]
    history_next: str | None
    lists: list[ListPlace]
    facts: list[Fact]
    next: str | None
    parts: list[Belonging] = []
    part_of: list[Belonging] = []
    as_of: AsOf = None
    known_at: KnownAt = None
    unanswered: list[Unanswered] = []
    sample: Sample = False


class ListSummary(Answer):
    """A list of a regime's rulebook."""

    name: str
    regime: str
    title_zh: str
    title_en: str
    grades: list[str]
    clause: str
    members: int


class ListAnswer(ListSummary):
    """A list with a page of its members, by subject. Who stands on it by a grade whose publication is suspended isn't among
    them. As of a day: who held one of its grades then, by today's rulebook; ``members`` is null, and ``since``
    the day from which the grade held."""

    members: int | None  # type: ignore[assignment]

    items: list[dict[str, Any]]
    next: str | None
    as_of: AsOf = None
    known_at: KnownAt = None
    unanswered: list[Unanswered] = []
    sample: Sample = False


class Lists(Answer):
    """All lists."""

    items: list[ListSummary]
    sample: Sample = False


class Decider(Answer):
    """The grade event that decides, by source and id, with its place on its topic."""

    source: str
    id: str
    type: str
    topic: str
    partition: int
    offset: int


class CauseOfChange(Answer):
    """The fact that made the event due. ``source`` and ``type`` are null where an older version told the grade."""

    source: str | None
    id: str
    type: str | None
    topic: str
    partition: int
    offset: int
    known_from: Instant


class KnownSpan(Answer):
    """A stretch of days for which one event decides: from ``in_force_from`` (null: since nobody knows when) to ``in_force_until``, both
    inclusive (null: still, as known then)."""

    regime: str
    grade: str | None
    status: str
    in_force_from: date | None
    in_force_until: date | None
    known_from: Instant
    clauses: list[str]
    suspended: Suspended = None
    decided_by: Decider
    cause: CauseOfChange


class GradeOnDay(KnownSpan):
    """The grade of a day. ``data``: the event whole, with reasons; ``retrospective``: the day lies before the first entry was known,
    so it is told as the first entries tell it and not corrected by later ones."""

    data: dict[str, Any]
    explanation: InWords | None = Field(None, description="All of it in one paragraph.")
    retrospective: bool


class GradesOnDay(Answer):
    """A subject's grades as of a day, as known at an instant; what has no answer says why."""

    subject: str
    as_of: date
    known_at: Instant
    grades: list[GradeOnDay]
    unanswered: list[Unanswered]
    sample: Sample = False


class RegimeHistory(Answer):
    """``spans`` by day; ``recorded_from``: the first day that later entries correct, the day on which the first entry was known."""

    regime: str
    recorded_from: date | None
    spans: list[KnownSpan]


class HistoryKnown(Answer):
    """A subject's history in valid time, as known at an instant."""

    subject: str
    known_at: Instant
    regimes: list[RegimeHistory]
    unanswered: list[Unanswered]
    sample: Sample = False


class Held(Answer):
    """A grade, or a status without one."""

    grade: str | None
    status: str


class DaysThatDiffer(Answer):
    """Days, both inclusive (``last`` null: still), that the two instants answer differently. ``kind``: ``corrected`` where the days had
    come at the earlier instant, else ``later``. ``was``: null where the earlier had no answer. ``decided_by`` and ``cause`` made the
    difference."""

    regime: str
    first: date | None
    last: date | None
    kind: str
    was: Held | None
    now: Held
    known_from: Instant
    decided_by: Decider
    cause: CauseOfChange


class Compared(Answer):
    """What was learnt of a subject between two instants: by regime, then by day."""

    subject: str
    known_at: Instant
    compared_to: Instant
    differences: list[DaysThatDiffer]
    sample: Sample = False
