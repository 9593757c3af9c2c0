"""Duties of offices about one subject, as of a day: what is due, done, overdue or over (ADR 0024).

Invariants
1. A function of the facts in effect, the standing from day to day, the adoptions and the calendars up to an offset; nothing is kept.
2. What performs a duty is dated by the act, whenever it was entered.
3. A duty that is neither performed nor ended by its last day is overdue as soon as that day is over, and not before.
4. It is the office's: nothing here looks at whose fault anything was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from schemas.ids import derived_id
from schemas.rulebook import Measure, Rulebook
from schemas.rulebook.measures import Need, Performance
from services.rating.domain.duty_openings import Opening, deadline, openings
from services.rating.domain.duty_scene import Hold, Scene, day_of, ended_from, holds
from services.rating.domain.facts import Fact

State = Literal["open", "performed", "overdue", "lapsed"]
# What performs a duty, as the rulebooks name it → the fact's type.
FACTS = {
    "inspection": "inspection.recorded",
    "rectification_report": "rectification.reported",
    "self_inspection_report": "self_inspection.reported",
    "announcement": "announcement.made",
    "list_notified": "list.notified",
    "notice_of_extension": "notice_of_extension.issued",
}
# Facts that name what they are about → where.
_NAMING = {"announcement": "announces", "notice_of_extension": "application"}


@dataclass(frozen=True, slots=True)
class Met:
    """One of the duty's needs: acts of these kinds, at least so many, and those found, as many as count."""

    acts: tuple[str, ...]
    at_least: int
    found: tuple[Fact, ...]

    @property
    def on(self) -> date | None:
        """The day of the act that completes it."""
        return day_of(self.found[-1]) if len(self.found) >= self.at_least else None


@dataclass(frozen=True, slots=True)
class Duty:
    """``id``: the same whatever becomes of it. ``lapsed_on``: the first day on which it was no more."""

    id: str
    measure: Measure
    office: str
    grade: str | None
    state: State
    opened_on: date
    due_on: date
    provisional: bool
    needs: tuple[Met, ...]
    opening: Opening
    performed_on: date | None = None
    lapsed_on: date | None = None

    @property
    def essence(self) -> tuple[object, ...]:
        """What makes two of one id the same to the outside. How many of four visits there are is not told, but for the last."""
        days = (self.opened_on, self.due_on, self.provisional, self.performed_on, self.lapsed_on)
        return (self.state, self.measure.name, *days)


def duties(scene: Scene) -> dict[str, Duty]:
    """Every duty by its id."""
    found: dict[str, Duty] = {}
    for hold in holds(scene):
        for opening in openings(scene, hold):
            one = _duty(scene, hold, opening)
            if one is not None:
                found[one.id] = _first(found[one.id], one) if one.id in found else one
    return found


def _first(one: Duty, other: Duty) -> Duty:
    """Of a series the first measure that it came under; the next one where that had lapsed before, and was taken up again."""
    earlier, later = (one, other) if one.opened_on <= other.opened_on else (other, one)
    return later if earlier.lapsed_on is not None and earlier.lapsed_on <= later.opened_on else earlier


def _duty(scene: Scene, hold: Hold, opening: Opening) -> Duty | None:
    measure, opened = hold.measure, opening.opened
    due = deadline(scene, measure, opening)
    assert measure.after_grade_change
    word = scene.value(measure.after_grade_change, opened)
    if due is None or word is None:
        return None
    needs = tuple(_needs(scene, hold, opening))
    if len(needs) < len(measure.needs):
        return None
    lapsed = ended_from(scene, hold, opened, min(scene.as_of, due.day), stays=word == "stays")
    repaired = scene.subject.repaired_on(opening.fact) if opening.fact is not None and opening.period is None else None
    if repaired is not None and repaired <= opened:
        return None
    if repaired is not None and repaired <= min(scene.as_of, due.day):
        lapsed = min(lapsed or date.max, repaired)
    days = [one.on for one in needs]
    performed = None if None in days else max(one for one in days if one is not None)
    state: State = "open"
    if performed is not None and (lapsed is None or performed < lapsed):
        state, lapsed = "performed", None
    elif lapsed is not None:
        state, performed = "lapsed", None
    elif due.day <= scene.over:
        state = "overdue"
    regime = scene.rulebook.regime
    kind = f"duty {measure.series or measure.name} {hold.adoption.office}"
    return Duty(
        id=derived_id(cause=opening.key, kind=kind, subject=scene.subject.subject, regime=regime),
        measure=measure,
        office=hold.adoption.office,
        grade=opening.grade,
        state=state,
        opened_on=opened,
        due_on=due.day,
        provisional=due.provisional,
        needs=needs,
        opening=opening,
        performed_on=performed,
        lapsed_on=lapsed,
    )


def _needs(scene: Scene, hold: Hold, opening: Opening) -> Iterator[Met]:
    """Each need with the acts that count, the earliest first. One whose number is repealed is left out."""
    assert hold.measure.whose
    whose = scene.value(hold.measure.whose, opening.opened)
    own = hold.adoption.office if whose == "own" else None
    for need in hold.measure.needs:
        at_least = scene.value(need.at_least, opening.opened)
        if at_least is None or whose is None:
            continue
        found: list[Fact] = []
        for fact in _acts(scene, need, opening, own):
            found.append(fact)
            if len(found) == at_least:
                break
        yield Met(tuple(one.act for one in need.any_of), at_least, tuple(found))


def _acts(scene: Scene, need: Need, opening: Opening, own: str | None) -> Iterator[Fact]:
    """Acts that count for a need, by day; ``own``: only this office's."""
    last = min(opening.last, scene.as_of)
    if len(need.any_of) == 1:
        yield from _of(scene, need.any_of[0], opening, own, last)
        return
    found = {one.offset: one for each in need.any_of for one in _of(scene, each, opening, own, last)}
    yield from sorted(found.values(), key=lambda one: (one.data["occurred_on"], one.offset))


def _of(scene: Scene, wanted: Performance, opening: Opening, own: str | None, last: date) -> Iterator[Fact]:
    regime = scene.rulebook.regime
    if wanted.act == "list_notified":
        for fact in scene.offices.notified(regime, upto=scene.upto):
            if opening.first <= day_of(fact) <= last and fact.data["list"] == wanted.list and own in (None, fact.data.get("office")):
                yield fact
        return
    kinds, modes = (scene.value(name, opening.opened) or () if name else None for name in (wanted.kinds, wanted.modes))
    naming = _NAMING.get(wanted.act)
    for fact in scene.facts(FACTS[wanted.act], opening.first, last):
        data = fact.data
        if own not in (None, fact.source) or data.get("regime") not in (None, regime):
            continue
        if (kinds is not None and data["kind"] not in kinds) or (modes is not None and data["mode"] not in modes):
            continue
        if naming is not None and _named(data.get(naming)) not in opening.about:
            continue
        if data.get("year") not in (None, opening.first.year):
            continue
        yield fact


def _named(reference: object) -> tuple[str, str] | None:
    return (reference["source"], reference["id"]) if isinstance(reference, dict) else None


def set_by_operator(rulebook: Rulebook, measure: Measure) -> bool:
    """R12: whether a date or a number of the measure is the operator's and not the plan's."""
    return any(rulebook.parameter(name).set_by == "operator" for name in _numbers(measure))


def readings_of(rulebook: Rulebook, measure: Measure) -> tuple[str, ...]:
    """The measure's readings and those of its date and numbers, by number."""
    found = {reading for name in _numbers(measure) if (reading := rulebook.parameter(name).reading)} | set(measure.readings)
    return tuple(sorted(found, key=lambda one: int(one[1:])))


def _numbers(measure: Measure) -> Iterator[str]:
    yield from (need.at_least for need in measure.needs)
    for part in (measure.due,):
        for field in getattr(part, "parameters", {}):
            yield getattr(part, field)
