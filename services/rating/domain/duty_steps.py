"""What a step tells of duties: what holds after it, compared with what held after the step before (ADR 0024).

Invariants, beside those of ``fold``
1. Nothing is looked at where nobody adopted a measure of the regime.
2. What is kept between two steps is only kept for speed: made anew it is the same.
3. Duties are told after the grade that they follow from, by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from schemas.rulebook import Rulebook
from schemas.rulebook.measures import Period
from services.rating.domain.book import Book
from services.rating.domain.controls import Controls
from services.rating.domain.days import ONE_DAY, add_months, civil_day, day
from services.rating.domain.duties import Duty, duties
from services.rating.domain.duty_events import told
from services.rating.domain.duty_scene import Scene, Stretch
from services.rating.domain.facts import DAY_CLOSED, DUTY_CONTROLS, Fact
from services.rating.domain.spans import spans, touches, turns_of
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject

On = Callable[[int, date], Standing | None]
"""The standing on a day by what is known up to an offset."""


@dataclass(frozen=True, slots=True)
class Kept:
    """After the step at ``offset``, on ``as_of``. ``grades``: from the first adoption to that day; neighbours differ."""

    offset: int
    as_of: date
    grades: tuple[Stretch, ...]
    duties: dict[str, Duty]


def adopted(controls: Controls, regime: str, *, upto: int) -> bool:
    """Whether any office has adopted a measure of the regime."""
    return bool(controls.offices.adoptions(regime, upto=upto))


class Before(NamedTuple):
    """How duties stood after the step before, and the first day whose standing the step may change; None: none."""

    kept: Kept
    touched: date | None


NOTHING = Before(Kept(-1, date.min, (), {}), date.min)


def before(subject: Subject, controls: Controls, book: Book, step: Fact, on: On) -> Before:
    """To be called before ``step`` is folded."""
    regime = book.rulebook.regime
    control, office = controls.last(regime, below=step.offset), controls.offices.last(regime, below=step.offset)
    last = max((one for one in (control, office) if one), key=lambda one: one.offset, default=None)
    newest = max(subject.last_offset, last.offset if last else -1)
    kept: Kept | None = subject.duties.get(regime)
    if kept is None or kept.offset != newest:
        as_of = civil_day(max(subject.last_known, last.known if last else 0), book.zone)
        # Days on which nothing could change were passed over: what stood before them still stands.
        changed = max(subject.last_offset, *(one.offset for one in (controls.own(regime, below=step.offset), office) if one), -1)
        base = kept if kept is not None and changed <= kept.offset < newest else None
        kept = _kept(subject, controls, book, newest, as_of, on, base)
    return Before(kept, _touched(step, subject, controls, regime))


def after(subject: Subject, controls: Controls, book: Book, step: Fact, on: On, was: Before) -> Kept:
    """How duties stand after ``step``, which is folded."""
    base: Kept | None = was.kept
    if was.touched is not None and was.touched <= was.kept.as_of:
        base = _until(was.kept, was.touched)
    as_of = civil_day(step.known, book.zone)
    now = _kept(subject, controls, book, step.offset, as_of, on, base)
    subject.duties[book.rulebook.regime] = now
    return now


def _touched(step: Fact, subject: Subject, controls: Controls, regime: str) -> date | None:
    if step.name in DUTY_CONTROLS or step.name == DAY_CLOSED:
        return None
    if step.name == "rulebook.activated":
        return day(step.data["in_force_from"])
    return touches(step, subject, controls, regime)


def changes(named: dict[str, Any], rulebook: Rulebook, was: dict[str, Duty], now: dict[str, Duty]) -> Iterator[dict[str, Any]]:
    """An event for each duty that stands otherwise than before; ``named``: what an event says of its cause."""
    for id in sorted(was.keys() | now.keys()):
        one, other = was.get(id), now.get(id)
        if one is None or other is None or one.essence != other.essence:
            yield told(**named, rulebook=rulebook, before=one, after=other)


def _until(kept: Kept, first: date) -> Kept | None:
    """What is left of it before a day."""
    left = tuple(one._replace(last=min(one.last, first - ONE_DAY)) for one in kept.grades if one.first < first)
    return Kept(kept.offset, left[-1].last, left, {}) if left else None


def _kept(subject: Subject, controls: Controls, book: Book, upto: int, as_of: date, on: On, base: Kept | None) -> Kept:
    grades = _grades(subject, controls, book, upto, as_of, on, base)
    over = min(controls.closed_through(upto=upto) or date.min, as_of - ONE_DAY)
    found = duties(Scene(subject, book.rulebook, controls.offices, grades, upto, as_of, over)) if grades else {}
    return Kept(upto, as_of, grades, found)


def _grades(subject: Subject, controls: Controls, book: Book, upto: int, as_of: date, on: On, base: Kept | None) -> tuple[Stretch, ...]:
    """From the first adoption to ``as_of``; ``base``: what is known of them."""
    adoptions = controls.offices.adoptions(book.rulebook.regime, upto=upto)
    start = min((one.first for one in adoptions), default=date.max)
    found: list[Stretch] = []
    if base is not None and base.grades and base.grades[0].first == start:
        found += base.grades
        start = found[-1].last + ONE_DAY
    if start > as_of:
        return tuple(found)
    # One day has no turns.
    turns = turns_of(subject, controls, book, upto=upto, first=start, last=as_of) if start < as_of else ()
    for one in spans(turns, lambda on_day: on(upto, on_day), first=start, last=as_of, at_end=on(upto, as_of)):
        grade = one.standing.grade if one.standing else None
        if found and found[-1].grade == grade:
            found[-1] = found[-1]._replace(last=one.last)
        else:
            found.append(Stretch(one.first, one.last, grade))
    return tuple(found)


def duties_on(subject: Subject, controls: Controls, book: Book, on: On, *, upto: int, as_of: date) -> list[Duty]:
    """The duties as of a day, whose days before it are over, without folding anything; the first due first."""
    if not adopted(controls, book.rulebook.regime, upto=upto):
        return []
    grades = _grades(subject, controls, book, upto, as_of, on, None)
    made = duties(Scene(subject, book.rulebook, controls.offices, grades, upto, as_of, as_of - ONE_DAY)) if grades else {}
    return sorted(made.values(), key=lambda one: (one.due_on, one.id))


def next_day(subject: Subject, controls: Controls, rulebook: Rulebook) -> date | None:
    """The first day after the last step on which duties can stand otherwise though nothing more is entered: the day after a last day,
    the first of a period, an adoption, or what is dated ahead; None: never, or nobody owes anything."""
    kept: Kept | None = subject.duties.get(rulebook.regime)
    if kept is None:
        return None
    return min((one for one in _days(kept, controls, rulebook, subject) if one > kept.as_of), default=None)


def _days(kept: Kept, controls: Controls, rulebook: Rulebook, subject: Subject) -> Iterator[date]:
    # One whose last day is over, but not closed yet, is looked at with the next day that closes.
    yield from (max(one.due_on, kept.as_of) + ONE_DAY for one in kept.duties.values() if one.state == "open")
    for adoption in controls.offices.adoptions(rulebook.regime, upto=kept.offset):
        yield adoption.first
        if adoption.last != date.max:
            yield adoption.last + ONE_DAY
    grade = kept.grades[-1].grade if kept.grades else None
    for measure in rulebook.measures:
        if grade in measure.grades and isinstance(measure.opened_by, Period):
            yield _next_period(kept.as_of, rulebook.parameter(measure.opened_by.months).at(kept.as_of) or _YEAR)
    dealings, text = subject.dealings(), kept.as_of.isoformat()
    ahead = [
        facts[-1].data.get("occurred_on") or ""
        for facts in (*dealings.values(), controls.offices.notified(rulebook.regime, upto=kept.offset))
        if facts
    ]
    ahead += [one.data.get("accepted_on") or "" for one in dealings.get("permit.applied_for", ())]
    if any(one > text for one in ahead):
        yield kept.as_of + ONE_DAY


_YEAR = 12


def _next_period(day: date, months: int) -> date:
    first = date(day.year, 1, 1)
    while first <= day:
        first = add_months(first, months)
    return first
