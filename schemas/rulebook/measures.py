"""四: what offices may do about a grade, and what becomes due once an office has adopted it (ADR 0024).

A measure is a power, with the reason why nothing is due, or a duty. Every bound is the name of a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas import fields as f
from schemas.rulebook.parts import GradeName, ListName, ParameterName, ReadingId, Section, Texts

# What performs a duty, as the rulebooks name it.
Dealing = Literal[
    "inspection",
    "rectification_report",
    "self_inspection_report",
    "announcement",
    "list_notified",
    "notice_of_extension",
]
# What becomes of an open duty when the subject leaves the measure's grades.
AFTER_GRADE_CHANGE = ("lapses", "stays")
# Whose acts perform it: the office's own, or any office's.
WHOSE = ("any", "own")


class AfterViolation(Section):
    """Only where an act of the set took effect in the months that end with the period."""

    acts: f.Word
    legal_fields: ParameterName | None = None
    within: ParameterName


class Period(Section):
    """Each calendar period of so many months on whose days the grade is in force. ``least_left``: a period that the grade begins with
    fewer months left of opens none; absent, none is too short."""

    parameters: ClassVar[dict[str, str]] = {"months": "months", "least_left": "months"}
    kind: Literal["period"]
    months: ParameterName
    least_left: ParameterName | None = None
    after_violation: AfterViolation | None = None


class CaseClosed(Section):
    """A case that closed with one of the outcomes, at most so many months before the grade is in force."""

    parameters: ClassVar[dict[str, str]] = {"outcomes": "words", "within": "months"}
    kind: Literal["case_closed"]
    outcomes: ParameterName
    within: ParameterName


class Decision(Section):
    """A decision with an act of the set that took effect, at most so many months before the grade is in force."""

    parameters: ClassVar[dict[str, str]] = {"legal_fields": "words", "within": "months"}
    kind: Literal["decision"]
    acts: f.Word
    legal_fields: ParameterName | None = None
    within: ParameterName


class Application(Section):
    """An application for a permit that was accepted while the grade is in force, made by the person who is responsible for the
    enterprise."""

    parameters: ClassVar[dict[str, str]] = {}
    kind: Literal["application"]


Opening = Annotated[Period | CaseClosed | Decision | Application, Field(discriminator="kind")]


class WorkingDays(Section):
    """So many working days after the duty opened, by the country's calendar (R13)."""

    parameters: ClassVar[dict[str, str]] = {"within": "working_days"}
    kind: Literal["working_days"]
    within: ParameterName
    calendar: Literal["CN", "GB", "US"]


class MonthDay(Section):
    """A day of the period's year."""

    parameters: ClassVar[dict[str, str]] = {"on": "month_day"}
    kind: Literal["month_day"]
    on: ParameterName


class PeriodEnd(Section):
    """The period's last day."""

    parameters: ClassVar[dict[str, str]] = {}
    kind: Literal["period_end"]


class DecideBy(Section):
    """The last day of the term that the application names."""

    parameters: ClassVar[dict[str, str]] = {}
    kind: Literal["decide_by"]


Due = Annotated[WorkingDays | MonthDay | PeriodEnd | DecideBy, Field(discriminator="kind")]


class Performance(Section):
    """An act that counts. Of inspections ``kinds`` and ``modes`` may say which; of lists ``lists`` says which it is."""

    parameters: ClassVar[dict[str, str]] = {"kinds": "words", "modes": "words"}
    act: Dealing
    kinds: ParameterName | None = None
    modes: ParameterName | None = None
    list: ListName | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Performance:
        if self.act != "inspection" and (self.kinds or self.modes):
            raise ValueError("kinds and modes say which inspections count: leave them out, or let the act be inspection")
        if (self.act == "list_notified") != (self.list is not None):
            raise ValueError("list belongs to list_notified, and list_notified needs it")
        return self


class Need(Section):
    """``at_least`` so many acts of any of these kinds."""

    any_of: tuple[Performance, ...] = Field(min_length=1)
    at_least: ParameterName


class Measure(Section):
    """For subjects of these grades. ``series``: measures that share it open one duty between them for one case, decision or
    application, the first whose grade is in force."""

    name: f.Word
    title: Texts
    clause: f.Name
    grades: tuple[GradeName, ...] = Field(min_length=1)
    readings: tuple[ReadingId, ...] = ()
    power: Texts | None = None
    series: f.Word | None = None
    opened_by: Opening | None = None
    needs: tuple[Need, ...] = ()
    due: Due | None = None
    after_grade_change: ParameterName | None = None
    whose: ParameterName | None = None

    @model_validator(mode="after")
    def _power_or_duty(self) -> Measure:
        parts = (self.opened_by, self.needs or None, self.due, self.after_grade_change, self.whose)
        if self.power is not None and any((*parts, self.series)):
            raise ValueError("a power has nothing that opens or performs it: leave out power, or everything of a duty")
        if self.power is None and None in parts:
            raise ValueError("a duty needs opened_by, needs, due, after_grade_change and whose; where nothing is due, say why under power")
        return self

    @model_validator(mode="after")
    def _due_fits(self) -> Measure:
        if self.opened_by is None or self.due is None:
            return self
        if isinstance(self.due, PeriodEnd | MonthDay) != isinstance(self.opened_by, Period):
            raise ValueError("a period is due at its end or on a day of the month, and nothing else is")
        if isinstance(self.due, DecideBy) and not isinstance(self.opened_by, Application):
            raise ValueError("decide_by is the last day of an application's term: let an application open the duty")
        if self.series and isinstance(self.opened_by, Period):
            raise ValueError("a series shares a case, a decision or an application, and a period is none")
        return self

    def parameters(self) -> Iterator[tuple[str, str, str]]:
        """Each parameter that it reads: the field, the unit that the field needs, the parameter's name."""
        parts: list[Section] = [one for one in (self.opened_by, self.due) if one is not None]
        parts += [one for need in self.needs for one in need.any_of]
        for part in parts:
            for field, unit in getattr(part, "parameters", {}).items():
                if name := getattr(part, field):
                    yield field, unit, name
        if isinstance(self.opened_by, Period) and (violation := self.opened_by.after_violation):
            yield "within", "months", violation.within
            if violation.legal_fields:
                yield "legal_fields", "words", violation.legal_fields
        for need in self.needs:
            yield "at_least", "count", need.at_least
        for field, unit, given in (("after_grade_change", "word", self.after_grade_change), ("whose", "word", self.whose)):
            if given:
                yield field, unit, given

    def sets(self) -> Iterator[str]:
        """The act sets that it names."""
        if isinstance(self.opened_by, Decision):
            yield self.opened_by.acts
        if isinstance(self.opened_by, Period) and self.opened_by.after_violation:
            yield self.opened_by.after_violation.acts
