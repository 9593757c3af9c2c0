"""A rulebook: a regime's law as dated data. Frozen; made by ``schemas.rulebook.loader``.

Three dates stand beside every number and are kept apart: ``in_force_from`` (from which day it decides), ``published_on``
(when the source was published, null where the source bears no date) and ``checked_on`` (when someone last compared it with
the source). A value of null repeals the parameter from its date.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator
from datetime import date
from functools import cached_property
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator

from schemas import fields as f
from schemas.rulebook.conditions import Condition
from schemas.rulebook.in_time import LawInTime, Override, Succession
from schemas.rulebook.measures import Measure, Period
from schemas.rulebook.parameters import DatedValue as DatedValue
from schemas.rulebook.parameters import Parameter
from schemas.rulebook.parts import Dates, GradeName, ListName, ParameterName, ReadingId, Section, Texts, Version
from schemas.rulebook.periodic import Periodic
from schemas.rulebook.points import PointTable
from schemas.rulebook.vocabulary import Moment, Sanction, StatusRole
from schemas.rulebook.wholes import Parts

# Months.
_YEAR = 12


class Header(Section):
    """``schemes``: the subjects that the regime can rate. ``source``: what the rules were taken from."""

    regime: f.Regime
    version: Version
    name: Texts
    time_zone: f.Name
    schemes: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,10}$")], ...] = Field(min_length=1)
    source: Texts


class Concept(Section):
    """A legal notion by which acts are told apart whatever the article's number (R14); a penalty's acts name it."""

    concept: f.Word
    name: Texts
    clause: f.Name


class Clause(Section):
    """A clause in our own words."""

    clause: f.Name
    zh: f.Text
    en: f.Text


class Reading(Section):
    """How an open point of the source is read; a bureau may decide otherwise by changing parameters that name it."""

    id: ReadingId
    zh: f.Text
    en: f.Text


class ActSet(Section):
    """A named set of sanctions, such as everything that counts as a violation."""

    name: f.Word
    sanctions: tuple[Sanction, ...] = Field(min_length=1)
    clause: f.Name
    title: Texts


class Grade(Section):
    """``short`` fits on a badge; ``name`` is the full name."""

    grade: GradeName
    name: Texts
    short: Texts
    clause: f.Name


class Status(Section):
    """Why there is no grade, or ``graded``. ``causes``: the acts that bring a terminal status; ``sentence`` may show {day}."""

    status: f.Word
    role: StatusRole
    name: Texts
    clause: f.Name
    causes: tuple[Sanction, ...] = ()
    sentence: Texts | None = None

    @model_validator(mode="after")
    def _causes_are_for_terminal(self) -> Status:
        if (self.role == "terminal") != bool(self.causes):
            raise ValueError("causes belong to a terminal status, and a terminal status needs them")
        return self


class Rule(Dates):
    """When all conditions hold, the subject meets ``grade``, or has no grade but ``status``, whatever grades it meets as well. The
    sentences are templates filled by the conditions.

    ``gives_way_to``: rules for a better grade that ask for all that this one asks and more; where one of them holds, this one
    says nothing."""

    later: ClassVar[frozenset[str]] = frozenset({"status"})
    id: f.Word
    grade: GradeName | None = None
    status: f.Word | None = None
    clause: f.Name
    at: tuple[Moment, ...] = Field(min_length=1)
    all: tuple[Condition, ...] = Field(min_length=1)
    gives_way_to: tuple[f.Word, ...] = ()
    readings: tuple[ReadingId, ...] = ()
    repealed_on: f.CivilDate | None = None
    zh: f.Text
    en: f.Text

    @model_validator(mode="after")
    def _grade_or_status(self) -> Rule:
        if (self.grade is None) == (self.status is None):
            raise ValueError("a rule gives a grade or a status: write one of the two")
        return self

    def in_force(self, day: date) -> bool:
        """True on the days from ``in_force_from`` to the day before ``repealed_on``."""
        return self.in_force_from <= day and (self.repealed_on is None or day < self.repealed_on)


class PassedOver(Section):
    """Inspections of the kinds in ``kinds`` (a parameter) decide nothing where no rule holds: the one before them does. Where one
    lets premises open again that were closed at another of these kinds, those that kept them closed are passed over too, and
    ``reopened`` says since when ({day}) the earlier result stands. ``none_yet``: what is said while no inspection has decided anything."""

    kinds: ParameterName
    clause: f.Name
    reopened: Texts
    none_yet: Texts


class Latest(Section):
    """The grade follows from the newest rated inspection; ``components`` must all be scored. ``no_rule``: what is said of an
    inspection that has all scores, on a day on which no rule gives a grade. ``interim``: the statuses that rules give, the one that
    goes before the others first."""

    later: ClassVar[frozenset[str]] = frozenset({"interim", "passed_over"})
    mode: Annotated[str, StringConstraints(pattern="^latest$")]
    clause: f.Name
    components: tuple[f.Word, ...] = Field(min_length=1)
    not_gradable: Texts
    declared: Texts
    no_rule: Texts | None = None
    interim: tuple[f.Word, ...] | None = None
    passed_over: PassedOver | None = None


class Published(Section):
    """A list that the public can read: every subject whose grade is one of ``grades``."""

    name: ListName
    title: Texts
    clause: f.Name
    grades: tuple[GradeName, ...] = Field(min_length=1)


class RulebookFile(Section):
    """One file of a rulebook's folder: a topic. Sections are put together by the loader; each name stands once."""

    topic: f.Word
    rulebook: Header | None = None
    periodic: Periodic | None = None
    latest: Latest | None = None
    parts: Parts | None = None
    precedence: Annotated[str, StringConstraints(pattern="^(worst|best)$")] | None = None
    precedence_clause: f.Name | None = None
    grades: tuple[Grade, ...] = ()
    statuses: tuple[Status, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    act_sets: tuple[ActSet, ...] = ()
    concepts: tuple[Concept, ...] = ()
    point_tables: tuple[PointTable, ...] = ()
    rules: tuple[Rule, ...] = ()
    clauses: tuple[Clause, ...] = ()
    readings: tuple[Reading, ...] = ()
    lists: tuple[Published, ...] = ()
    measures: tuple[Measure, ...] = ()
    law_in_time: LawInTime | None = None
    overrides: tuple[Override, ...] = ()
    succession: Succession | None = None


class Rulebook(Section):
    """The whole: grades from best to worst, everything else in the order of its name, so that the way the files are cut
    changes no digest."""

    header: Header
    periodic: Periodic | None
    latest: Latest | None
    precedence: str
    precedence_clause: f.Name
    grades: tuple[Grade, ...]
    statuses: tuple[Status, ...]
    parameters: tuple[Parameter, ...]
    act_sets: tuple[ActSet, ...]
    concepts: tuple[Concept, ...]
    point_tables: tuple[PointTable, ...]
    rules: tuple[Rule, ...]
    clauses: tuple[Clause, ...]
    readings: tuple[Reading, ...]
    lists: tuple[Published, ...]
    measures: tuple[Measure, ...] = ()
    law_in_time: LawInTime | None = None
    overrides: tuple[Override, ...] = ()
    succession: Succession | None = None
    parts: Parts | None = None

    # A copy works out its own tables: pydantic would carry over those of the book that it was copied from.
    def __copy__(self) -> Rulebook:
        return self._without_tables(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Rulebook:
        return self._without_tables(super().__deepcopy__(memo))

    @staticmethod
    def _without_tables(copied: Rulebook) -> Rulebook:
        for name in [one for one in copied.__dict__ if one not in Rulebook.model_fields]:
            del copied.__dict__[name]
        return copied

    @cached_property
    def regime(self) -> str:
        return self.header.regime

    @property
    def version(self) -> str:
        return self.header.version

    def by_conditions_alone(self) -> Rulebook:
        """The same rulebook with nothing to approve: for comparing rules, where nobody could have signed what never was (R8)."""
        if self.periodic is None or self.periodic.approval is None:
            return self
        return self.model_copy(update={"periodic": self.periodic.model_copy(update={"approval": None})})

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of the regime's civil days."""
        return ZoneInfo(self.header.time_zone)

    @cached_property
    def rank(self) -> dict[str, int]:
        """Grade → 0 for the best, rising to the worst."""
        return {one.grade: index for index, one in enumerate(self.grades)}

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        return {one.name: one for one in self.parameters}

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name. Raises ``KeyError``."""
        return self._parameters[name]

    def value(self, name: str, day: date) -> Any:
        """The parameter's value on ``day``. Raises ``KeyError`` for an unknown name, ``LookupError`` where none is in force."""
        found = self._parameters[name].at(day)
        if found is None:
            raise LookupError(f"{self.regime}: the parameter {name} has no value on {day}")
        return found

    def inspections_a_year(self, grade: str | None, day: date) -> int:
        """The on-site inspections a year that the measures for a grade ask for at least, by what is in force on ``day``; 0 where no
        measure names the grade, and without a grade."""
        asked = (self.parameter(name).at(day) for one in self.measures if grade in one.grades for name in self.visits_of(one, day))
        return max((number for number in asked if number is not None), default=0)

    def visits_of(self, measure: Measure, day: date) -> Iterator[str]:
        """The parameters that say how many inspections, and nothing in their place, a year needs whatever happens in it."""
        opening = measure.opened_by
        if isinstance(opening, Period) and opening.after_violation is None and self.parameter(opening.months).at(day) == _YEAR:
            yield from (need.at_least for need in measure.needs if all(one.act == "inspection" for one in need.any_of))

    @cached_property
    def dates(self) -> tuple[date, ...]:
        """The days on which something in it begins or ends, sorted."""
        values = {value.in_force_from for parameter in self.parameters for value in parameter.values}
        rules = {day for rule in self.rules for day in (rule.in_force_from, rule.repealed_on) if day}
        return tuple(sorted(values | rules))

    def edition(self, day: date) -> int:
        """Days of one number have the same rules in force and the same values of all parameters."""
        editions = self._editions
        found = editions.get(day)
        if found is None:
            found = editions[day] = bisect_right(self.dates, day)
        return found

    @cached_property
    def _editions(self) -> dict[date, int]:
        return {}

    @cached_property
    def kept(self) -> dict[Hashable, Any]:
        """What those who rate by it worked out once for all subjects, under keys of their own; gone with it."""
        return {}

    @cached_property
    def sets(self) -> dict[str, frozenset[str]]:
        """Act set → its sanctions."""
        return {one.name: frozenset(one.sanctions) for one in self.act_sets}

    @cached_property
    def tables(self) -> dict[str, PointTable]:
        """Point table by name."""
        return {one.name: one for one in self.point_tables}

    @cached_property
    def clause_texts(self) -> dict[str, Clause]:
        """Clause → its text in our own words."""
        return {one.clause: one for one in self.clauses}

    @cached_property
    def status_words(self) -> dict[str, Status]:
        """Status word → status."""
        return {one.status: one for one in self.statuses}

    def status_for(self, role: str) -> Status | None:
        """The status of a role that has one word only (every role but ``terminal``, ``declared`` and ``interim``)."""
        return self._roles.get(role)

    @cached_property
    def _roles(self) -> dict[str, Status]:
        return {one.role: one for one in reversed(self.statuses)}
