"""What a subject's duties are worked out from: its standing from day to day, its facts, and what offices adopted (ADR 0024)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from schemas.rulebook import Measure, Rulebook
from services.rating.domain.days import ONE_DAY, day
from services.rating.domain.facts import Fact
from services.rating.domain.offices import Adoption, Offices
from services.rating.domain.subject import Subject


class Stretch(NamedTuple):
    """Days, both inclusive, of one grade; None where there is none."""

    first: date
    last: date
    grade: str | None


@dataclass(frozen=True, slots=True)
class Scene:
    """``grades``: from the first adoption to ``as_of``, without a hole. ``over``: the last day that is over. ``upto``: the offset up
    to which everything is known."""

    subject: Subject
    rulebook: Rulebook
    offices: Offices
    grades: Sequence[Stretch]
    upto: int
    as_of: date
    over: date

    def value(self, name: str, on: date) -> Any:
        """A parameter by the law of a day; None where it has none."""
        return self.rulebook.parameter(name).at(on)

    def facts(self, name: str, first: date, last: date) -> Sequence[Fact]:
        """The facts of a type on the days from ``first`` to ``last``, both included, by day."""
        found = self.subject.dealings().get(name, ())
        low, high = first.isoformat(), last.isoformat()
        return found[bisect_left(found, low, key=_day_text) : bisect_right(found, high, key=_day_text)]


@dataclass(frozen=True, slots=True)
class Hold:
    """A measure in an office's hands. ``stretches``: the days on which the office had adopted it and the subject had one of its
    grades, sorted."""

    measure: Measure
    adoption: Adoption
    stretches: tuple[Stretch, ...]

    def from_day(self, day: date, last: date) -> Stretch | None:
        """What is left from ``day`` to ``last`` of the first stretch that reaches it."""
        for one in self.stretches:
            first = max(one.first, day)
            if first <= min(one.last, last):
                return Stretch(first, one.last, one.grade)
        return None


def holds(scene: Scene) -> Iterator[Hold]:
    """The duties' measures that concern the subject, by office and clause, in the order of their names."""
    adoptions = scene.offices.adoptions(scene.rulebook.regime, upto=scene.upto)
    by_clause = _by_clause(scene.rulebook)
    kind: str | None = None
    for adoption in adoptions:
        for measure in by_clause.get(adoption.clause, ()):
            if adoption.kinds is not None:
                kind = kind or _business(scene.subject)
                if kind not in adoption.kinds:
                    continue
            stretches = tuple(_within(scene.grades, adoption, measure.grades))
            if stretches:
                yield Hold(measure, adoption, stretches)


def _within(grades: Sequence[Stretch], adoption: Adoption, wanted: Sequence[str]) -> Iterator[Stretch]:
    for one in grades:
        first, last = max(one.first, adoption.first), min(one.last, adoption.last)
        if one.grade in wanted and first <= last:
            yield Stretch(first, last, one.grade)


def _business(subject: Subject) -> str:
    """As it was registered."""
    registered = subject.view_on(date.min).registered
    return str(registered.data["business_kind"]) if registered else ""


def _by_clause(rulebook: Rulebook) -> dict[str, list[Measure]]:
    found: dict[str, list[Measure]] | None = rulebook.kept.get("measures by clause")
    if found is None:
        found = rulebook.kept["measures by clause"] = {}
        for one in rulebook.measures:
            if one.power is None:
                found.setdefault(one.clause, []).append(one)
    return found


def ended_from(scene: Scene, hold: Hold, opened: date, last: date, *, stays: bool) -> date | None:
    """The first day, up to ``last``, from which the duty is no more: the office withdrew the measure, the subject has no grade any
    more, or (unless it ``stays``) none of the measure's; None where it is there on ``last``. A grade that comes back in time brings
    the duty back."""
    if hold.adoption.last < last:
        last, found = hold.adoption.last, hold.adoption.last + ONE_DAY
    else:
        found = None
    for one in reversed(scene.grades):
        if one.last < opened:
            break
        if one.first > last:
            continue
        if one.grade in hold.measure.grades or (stays and one.grade is not None):
            return found
        found = max(one.first, opened)
    return found


def _day_text(fact: Fact) -> str:
    return fact.data.get("occurred_on") or ""


def day_of(fact: Fact) -> date:
    """The civil day of a fact that has one."""
    found = day(fact.data["occurred_on"])
    assert found is not None
    return found
