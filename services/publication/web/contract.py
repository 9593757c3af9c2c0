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


class GradePage(Answer):
    """A page by (subject, regime). ``next`` is the cursor of the following page, null on the last one."""

    items: list[GradeRow]
    next: str | None
    sample: Sample = False


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


class SubjectAnswer(Answer):
    """Everything public about a subject. ``facts`` latest act first, page by page; ``history`` newest change first,
    200 at a time: ``history_next`` is the ``history_cursor`` of those before."""

    subject: str
    name: str | None
    register_: dict[str, Any] = Field(alias="register")
    grades: list[Change]
    history: list[Change]
    history_next: str | None
    lists: list[ListPlace]
    facts: list[Fact]
    next: str | None
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
    """A list with a page of its members, by subject."""

    items: list[dict[str, Any]]
    next: str | None
    sample: Sample = False


class Lists(Answer):
    """All lists."""

    items: list[ListSummary]
    sample: Sample = False
