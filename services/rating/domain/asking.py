"""A condition of a rule, made ready for the days of one edition of its rulebook: the one place that knows how each kind is asked.

Its numbers are looked up once for all subjects; what is left to do for each is to look at its own acts, score and time.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import (
    CAUSES,
    OF_INSPECTIONS,
    ComponentEach,
    ComponentSum,
    NoActs,
    OperatedFor,
    Points,
    Score,
)
from services.rating.domain.causes import between
from services.rating.domain.conditions import CAUSE_KINDS, components, inspections, no_acts, operated_for, points, score
from services.rating.domain.holding import Ask, Holding, Look, Place
from services.rating.domain.index import Index
from services.rating.domain.terms import terms_of


def answerable(rule: Rule, rulebook: Rulebook, day: date) -> bool:
    """False where a parameter of the rule has no value on the day: a condition without its number doesn't hold."""
    names = (getattr(condition, field) for condition in rule.all for field in type(condition).parameters)
    return all(rulebook.parameter(name).at(day) is not None for name in names if name)


def asking(rulebook: Rulebook, rule: Rule, position: int, day: date) -> Ask:
    """The condition at a position of a rule that is ``answerable`` on the day."""
    condition: Any = rule.all[position]
    if isinstance(condition, CAUSES):
        return _cause(rulebook, condition, (rule.id, position))
    if isinstance(condition, NoActs):
        return no_acts.asking(condition, rulebook, day, rule, position)
    if isinstance(condition, Score):
        return score.asking(condition, rulebook, day)
    if isinstance(condition, OperatedFor):
        return operated_for.asking(condition, rulebook, day, terms_of(rulebook, day).unknown_is_new)
    if isinstance(condition, Points):
        return lambda look, index: points.holds(condition, look, index.tallies[condition.table])
    if isinstance(condition, ComponentSum):
        return lambda look, index: components.holds_sum(condition, look)
    if isinstance(condition, ComponentEach):
        return lambda look, index: components.holds_each(condition, look)
    if isinstance(condition, OF_INSPECTIONS):
        return lambda look, index: inspections.holds(condition, look)
    return _otherwise


def _cause(rulebook: Rulebook, condition: Any, place: Place) -> Ask:
    describe = CAUSE_KINDS[condition.kind].describe

    def ask(look: Look, index: Index) -> Holding | None:
        found = between(index.causes(*place, look.view), look.first, look.last)
        if look.sift:
            found = look.sift.causes(found)
        return describe(condition, rulebook, found) if found else None

    return ask


def _otherwise(look: Look, index: Index) -> Holding | None:
    if look.inspection and not look.components:
        # What lies beyond all bounds can't be said of scores that nobody gave.
        return None
    return Holding(facts=(look.inspection,) if look.inspection else ())
