"""What was shown, applied or enjoyed on wrong days, by the rulebook's own lists and measures; and evaluations that would have come out
otherwise.

A list holds who has one of its grades. A measure for the better of two grades is a benefit, one for the worse is a measure; where one of
the two is no grade, a measure for the best grade is a benefit. Of what is due only what an office had adopted is told: nobody owed the
rest. A whole is not evaluated, and no duty is told about it: of its wrong days grades and lists are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from schemas.rulebook import Rulebook
from services.audit.domain.assessing import Assessed, Days
from services.audit.domain.replay import Pair, civil_day, law_of
from services.audit.domain.shown import Piece
from services.audit.domain.worlds import by_day

What = Literal["grade", "list", "measure", "benefit"]
_ON, _OFF = "on", "off"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Days, both inclusive. ``was``, ``should``: a grade or status; ``on`` or ``off``. ``certain``: however approval would have come."""

    what: What
    name: str
    first: date
    last: date
    was: str | None
    should: str | None
    certain: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """An evaluation that would have given something else: by what was known at the end of its date, or of the day on which it was known."""

    evaluation: str
    period_last: date
    was: str | None
    should: str | None
    certain: bool


def word(pair: Pair) -> str | None:
    """The grade, else the status."""
    return pair[0] or pair[1]


def wrong_days(found: Assessed) -> list[Wrong]:
    """By kind, name and day."""
    if found.worlds is None or not found.differing.possible:
        return []
    real = by_day(found.shown, found.first)
    paths = [by_day(one.found, found.first) for one in found.worlds.all]
    sample = _nearest(real, paths, found.differing.possible)
    days = found.differing.possible
    grades = _stretches(found, days, lambda n: word(real[n]), lambda n: word(sample[n]))
    named = [Wrong("grade", found.matter.regime, *one) for one in grades]
    for rulebook, first, last in _laws(found):
        within = frozenset(n for n in days if first <= found.day(n) <= last)
        for each in rulebook.lists:
            named += [Wrong("list", each.name, *one) for one in _members(found, within, real, paths, frozenset(each.grades))]
        if found.scene.whole is None:
            named += _measures(found, within, rulebook, real, paths)
    return sorted(named, key=lambda one: (one.what, one.name, one.first))


def _nearest(real: Sequence[Pair], paths: Sequence[Sequence[Pair]], days: Days) -> dict[int, Pair]:
    """Of each wrong day a supposed grade: of the world that differs soonest from what was shown."""
    order = sorted(paths, key=lambda path: min((n for n in days if path[n] != real[n]), default=len(real)))
    return {n: next(path[n] for path in order if path[n] != real[n]) for n in days}


def _stretches(
    found: Assessed, days: Days, was: Callable[[int], str | None], should: Callable[[int], str | None], certain: Days | None = None
) -> Iterator[tuple[date, date, str | None, str | None, bool]]:
    sure = found.differing.certain if certain is None else certain
    begin: int | None = None
    for n in sorted(days):
        said = (was(n), should(n), n in sure)
        if begin is None:
            begin = n
        if n + 1 not in days or (was(n + 1), should(n + 1), n + 1 in sure) != said:
            yield found.day(begin), found.day(n), *said
            begin = None


def _members(
    found: Assessed, days: Days, real: Sequence[Pair], paths: Sequence[Sequence[Pair]], grades: frozenset[str]
) -> Iterator[tuple[date, date, str | None, str | None, bool]]:
    """The days on which a grade of these was shown and none supposed, or the other way round."""
    there = {n: real[n][0] in grades for n in days}
    wrong = {n: [(path[n][0] in grades) != there[n] for path in paths] for n in days}
    some = frozenset(n for n in days if any(wrong[n]))
    sure = frozenset(n for n in some if all(wrong[n]))
    return _stretches(found, some, lambda n: _ON if there[n] else _OFF, lambda n: _OFF if there[n] else _ON, sure)


def _measures(found: Assessed, days: Days, rulebook: Rulebook, real: Sequence[Pair], paths: Sequence[Sequence[Pair]]) -> Iterator[Wrong]:
    upto = max((one.offset for one in found.scene.life.controls.facts), default=-1)
    adoptions = found.scene.life.controls.offices.adoptions(found.matter.regime, upto=upto)
    seen: set[str] = set()
    for each in rulebook.measures:
        owed = [(one.first, one.last) for one in adoptions if one.clause == each.clause]
        if each.clause in seen or (each.power is None and not owed):
            continue
        seen.add(each.clause)
        adopted = days if each.power is not None else frozenset(n for n in days if any(a <= found.day(n) <= b for a, b in owed))
        grades = frozenset(grade for one in rulebook.measures if one.clause == each.clause for grade in one.grades)
        for one in _members(found, adopted, real, paths, grades):
            n = (one[0] - found.first).days
            other = next(path[n][0] for path in paths if (path[n][0] in grades) != (real[n][0] in grades))
            what: What = "benefit" if _is_benefit(rulebook, grades, real[n][0], other) else "measure"
            yield Wrong(what, each.clause, *one)


def _is_benefit(rulebook: Rulebook, grades: frozenset[str], one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return rulebook.grades[0].grade in grades
    return min((one, other), key=lambda grade: rulebook.rank[grade]) in grades


def _laws(found: Assessed) -> Iterator[tuple[Rulebook, date, date]]:
    """The rulebooks in force on the window's days."""
    life = found.scene.life
    upto = max((one.offset for one in life.controls.facts), default=-1)
    for _, part, first, last in law_of(life.controls, life.book, upto=upto).over(found.first, found.shown[-1].last):
        yield part.rulebook, first, last


def editions(found: Assessed) -> list[tuple[str, str, str]]:
    """Regime, version and digest of the rulebooks that were in force on the window's days."""
    life = found.scene.life
    upto = max((one.offset for one in life.controls.facts), default=-1)
    law = law_of(life.controls, life.book, upto=upto)
    used = [part for _, part, _, _ in law.over(min(found.first, found.shown[-1].last), found.shown[-1].last)]
    rows = [(found.matter.regime, part.rulebook.version, part.sha256) for part in used]
    return list(dict.fromkeys(rows)) or [(found.matter.regime, life.book.rulebook.version, life.book.sha256)]


def evaluations_changed(found: Assessed) -> list[Changed]:
    """Those of the window, by date."""
    if found.worlds is None or found.scene.whole is not None:
        return []
    life, changed = found.scene.life, []
    last = found.shown[-1].last
    upto = max((one.offset for one in life.controls.facts), default=-1)
    for one in life.controls.evaluations(found.matter.regime, upto=upto, as_of=last):
        on = max(one.on, civil_day(one.fact.known, life.zone))
        if not found.first <= on <= last:
            continue
        was = _result(found.shown, on, one.last)
        supposed = [_result(world.found, on, one.last) for world in found.worlds.all]
        if other := next((each for each in supposed if each != was), None):
            changed.append(Changed(one.fact.id, one.last, was, other, all(each != was for each in supposed)))
    return changed


def _result(path: Sequence[Piece], on: date, period_last: date) -> str | None:
    """What the evaluation came to, whether it needed approval or not."""
    piece = next(one for one in path if one.first <= on <= one.last)
    met = piece.standing.proposed if piece.standing else None
    if met is not None and met.period_last == period_last:
        return met.grade
    return word(piece.pair)
