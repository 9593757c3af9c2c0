"""What opens a duty, by kind: a calendar period, a case that closed, a decision, an application (ADR 0024).

A duty opens on the first day on which both are there: what it is about, and a grade under an adopted measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from schemas.rulebook import Measure
from schemas.rulebook.measures import Application, CaseClosed, DecideBy, Decision, MonthDay, Period, WorkingDays
from services.rating.domain.acts import Act, between
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.days import ONE_DAY, add_months, day, window_ending, within
from services.rating.domain.duty_scene import Hold, Scene, day_of
from services.rating.domain.facts import Fact

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Opening:
    """``key`` names what it is about, among the measure's; ``first`` and ``last``: the days on which what performs it counts.

    ``about``: the entries that an announcement or a notice may name; ``until``: the last day of the term that an application names."""

    key: str
    opened: date
    grade: str | None
    first: date
    last: date
    period: tuple[date, date] | None = None
    fact: Fact | None = None
    about: frozenset[Key] = frozenset()
    until: date | None = None


def openings(scene: Scene, hold: Hold) -> Iterator[Opening]:
    """All that the measure opened by ``scene.as_of``, each key once."""
    opening = hold.measure.opened_by
    assert opening is not None
    yield from _KINDS[type(opening)](scene, hold, opening)


def _periods(scene: Scene, hold: Hold, kind: Period) -> Iterator[Opening]:
    start = hold.stretches[0].first
    first = date(start.year, 1, 1)
    while first <= scene.as_of:
        months = scene.value(kind.months, max(first, start))
        if months is None:  # repealed: look at the next year
            first = date(first.year + 1, 1, 1)
            continue
        last = add_months(first, months) - ONE_DAY
        if last >= start and (found := _period(scene, hold, kind, first, last)):
            yield found
        first = last + ONE_DAY


def _period(scene: Scene, hold: Hold, kind: Period, first: date, last: date) -> Opening | None:
    at_earliest, act = first, None
    if kind.after_violation is not None:
        act = _violation(scene, kind, last)
        if act is None:
            return None
        at_earliest = max(first, act.effective)
    begun = hold.from_day(at_earliest, min(last, scene.as_of))
    if begun is None:
        return None
    left = scene.value(kind.least_left, begun.first) if kind.least_left else None
    if left is not None and add_months(begun.first, left) > last + ONE_DAY:
        return None
    return Opening(first.isoformat(), begun.first, begun.grade, first, last, period=(first, last), fact=act.fact if act else None)


def _violation(scene: Scene, kind: Period, last: date) -> Act | None:
    """The first act of the set in the months that end with the period, as far as they have come."""
    wanted = kind.after_violation
    assert wanted is not None
    months = scene.value(wanted.within, min(last, scene.as_of))
    if months is None:
        return None
    acts = between(scene.subject.view_on(date.min).acts, window_ending(last, months), min(last, scene.as_of))
    return next((one for one in acts if _is_of(scene, wanted.acts, wanted.legal_fields, one)), None)


def _is_of(scene: Scene, acts: str, legal_fields: str | None, act: Act) -> bool:
    rulebook = scene.rulebook
    own = act.regime in (None, rulebook.regime)
    return own and not act.sanctions.isdisjoint(rulebook.sets[acts]) and in_field(legal_fields, rulebook, act)


class _Event(NamedTuple):
    key: str
    on: date
    fact: Fact
    about: frozenset[Key] = frozenset()
    until: date | None = None


def _of_events(scene: Scene, hold: Hold, events: Iterator[_Event], months: str | None) -> Iterator[Opening]:
    for one in events:
        begun = hold.from_day(one.on, scene.as_of)
        if begun is None:
            continue
        if months is None:
            if begun.first != one.on:
                continue
        else:
            most = scene.value(months, begun.first)
            if most is None or not within(one.on, begun.first, most):
                continue
        yield Opening(one.key, begun.first, begun.grade, one.on, scene.as_of, fact=one.fact, about=one.about, until=one.until)


def _since(scene: Scene, hold: Hold, months: str) -> date:
    """No event before this day can open anything."""
    start = hold.stretches[0].first
    most = scene.value(months, start)
    latest = max((value.value or 0 for value in scene.rulebook.parameter(months).values), default=0) if most is None else most
    return add_months(start, -latest) - ONE_DAY


def _cases(scene: Scene, hold: Hold, kind: CaseClosed) -> Iterator[Opening]:
    def events() -> Iterator[_Event]:
        seen: set[str] = set()
        for fact in scene.facts("case.closed", _since(scene, hold, kind.within), scene.as_of):
            on = day_of(fact)
            key = f"{fact.source}#{fact.data['case_no']}"
            if key not in seen and fact.data["outcome"] in (scene.value(kind.outcomes, on) or ()):
                seen.add(key)
                yield _Event(key, on, fact)

    return _of_events(scene, hold, events(), kind.within)


def _decisions(scene: Scene, hold: Hold, kind: Decision) -> Iterator[Opening]:
    def events() -> Iterator[_Event]:
        found: dict[tuple[str, str, str], list[Act]] = {}
        for act in between(scene.subject.view_on(date.min).acts, _since(scene, hold, kind.within), scene.as_of):
            if _is_of(scene, kind.acts, kind.legal_fields, act):
                found.setdefault(act.decision, []).append(act)
        for decision, acts in found.items():
            first = acts[0]
            yield _Event("#".join(decision), first.effective, first.fact, frozenset(one.fact.key for one in acts))

    return _of_events(scene, hold, events(), kind.within)


def _applications(scene: Scene, hold: Hold, kind: Application) -> Iterator[Opening]:
    """四(四)7, as far as one subject's facts show it: made by the person whom its registration names, accepted while the grade is there."""

    def events() -> Iterator[_Event]:
        for fact in scene.facts("permit.applied_for", date.min, scene.as_of):
            accepted, until = day(fact.data.get("accepted_on")), day(fact.data.get("decide_by"))
            if accepted is None or until is None or accepted > scene.as_of:
                continue
            person = fact.data.get("responsible_person")
            if person is not None and person == _responsible(scene, accepted):
                yield _Event(f"{fact.source}#{fact.id}", accepted, fact, frozenset((fact.key,)), until)

    return _of_events(scene, hold, events(), None)


def _responsible(scene: Scene, on: date) -> str | None:
    """Who was responsible for the enterprise on a day: what was said last of it."""
    said = [*scene.facts("enterprise.registered", date.min, on), *scene.facts("enterprise.changed", date.min, on)]
    registered = scene.subject.view_on(date.min).registered
    if registered is not None and registered.data.get("occurred_on") is None:
        said.append(registered)
    said = [one for one in said if one.data.get("responsible_person")]
    if not said:
        return None
    newest = max(said, key=lambda one: (one.data.get("occurred_on") or "", one.offset))
    return str(newest.data["responsible_person"])


_KINDS: dict[type, Callable[[Scene, Hold, Any], Iterator[Opening]]] = {
    Period: _periods,
    CaseClosed: _cases,
    Decision: _decisions,
    Application: _applications,
}


class Deadline(NamedTuple):
    """The duty's last day, and whether an unissued calendar had a part in it."""

    day: date
    provisional: bool = False


def deadline(scene: Scene, measure: Measure, opening: Opening) -> Deadline | None:
    """None where nothing can be due: the parameter is repealed, or the day lies before the duty."""
    due = measure.due
    if isinstance(due, WorkingDays):
        number = scene.value(due.within, opening.opened)
        if number is None:
            return None
        return Deadline(*scene.offices.calendar(due.calendar, upto=scene.upto).nth_after(opening.opened, number))
    if isinstance(due, MonthDay):
        text = scene.value(due.on, opening.opened)
        on = date.fromisoformat(f"{opening.first.year:04d}-{text}") if text else None
    else:
        on = opening.until if isinstance(due, DecideBy) else opening.last
    return Deadline(on) if on is not None and on >= opening.opened else None
