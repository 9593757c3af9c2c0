"""What a rulebook asks at a moment, the same for every subject: worked out once for each edition of it.

Between two of the rulebook's own dates the same rules are in force and every parameter has the same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import CAUSES, NoActs, OperatedFor, Otherwise, Score
from services.rating.domain.conditions.score import in_band

Place = tuple[str, int]
"""A condition: its rule and its position there."""

# What costs nothing when it holds goes first, and what finds most to say last: mostly another condition fails before it.
_ORDER: tuple[tuple[type, ...], ...] = ((NoActs,), CAUSES, (Score,), (), (OperatedFor, Otherwise))
_OTHERS = 3
# Editions are few and so are scores in practice; nobody's data may fill the memory all the same.
_ROOM = 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """``conditions``: with their positions, in the order in which to look at them; ``causes``: the places of those that can hold only
    where some act is of their kind."""

    rule: Rule
    conditions: tuple[tuple[int, Any], ...]
    causes: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Rules in force that can be answered and that the score leaves open. ``last``: those with ``otherwise``; ``ways``: rule → those
    it gives way to."""

    plain: tuple[Asked, ...]
    last: tuple[Asked, ...]
    ways: Mapping[str, tuple[str, ...]]


def plan_of(rulebook: Rulebook, moment: str, day: date, points: Decimal | None) -> Plan:
    """The plan of a moment for the edition of a day, and for a score of so many points (None: there is none)."""
    key = ("plan", moment, rulebook.edition(day), points)
    found: Plan | None = rulebook.kept.get(key)
    if found is None:
        found = _planned(rulebook, moment, day, points)
        if len(rulebook.kept) < _ROOM:
            rulebook.kept[key] = found
    return found


def cause_rules(rulebook: Rulebook, moment: str) -> tuple[tuple[Rule, int, Any], ...]:
    """The rules that act at a moment without an evaluation, each with its cause condition and that one's position."""
    key = ("cause rules", moment)
    found: tuple[tuple[Rule, int, Any], ...] | None = rulebook.kept.get(key)
    if found is None:
        rules = [
            (rule, next((at, one) for at, one in enumerate(rule.all) if isinstance(one, CAUSES)))
            for rule in rulebook.rules
            if moment in rule.at
        ]
        found = rulebook.kept[key] = tuple((rule, at, condition) for rule, (at, condition) in rules)
    return found


def _planned(rulebook: Rulebook, moment: str, day: date, points: Decimal | None) -> Plan:
    rules = [one for one in rulebook.rules if moment in one.at and one.in_force(day) and answerable(one, rulebook, day)]
    rules = [
        one for one in rules if all(in_band(condition, rulebook, day, points) for condition in one.all if isinstance(condition, Score))
    ]
    last = [one for one in rules if any(isinstance(condition, Otherwise) for condition in one.all)]
    plain = [one for one in rules if one not in last]
    ways = {one.id: one.gives_way_to for one in rulebook.rules if one.gives_way_to}
    return Plan(tuple(map(_asked, plain)), tuple(map(_asked, last)), ways)


def answerable(rule: Rule, rulebook: Rulebook, day: date) -> bool:
    """False where a parameter of the rule has no value on the day: a condition without its number doesn't hold."""
    names = (getattr(condition, field) for condition in rule.all for field in type(condition).parameters)
    return all(rulebook.parameter(name).at(day) is not None for name in names if name)


def _asked(rule: Rule) -> Asked:
    places = list(enumerate(rule.all))
    causes = tuple((rule.id, at) for at, condition in places if isinstance(condition, CAUSES))
    return Asked(rule, tuple(sorted(places, key=lambda one: _haste(one[1]))), causes)


def _haste(condition: object) -> int:
    return next((at for at, kinds in enumerate(_ORDER) if isinstance(condition, kinds)), _OTHERS)
