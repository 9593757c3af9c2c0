"""What a rulebook asks at a moment, the same for every subject: worked out once for each edition of it.

Between two of the rulebook's own dates the same rules are in force and every parameter has the same value, so the conditions are made
ready for all its days (``asking``); and between two of their bounds all scores leave the same rules open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import CAUSES, NoActs, OperatedFor, Otherwise, Score
from services.rating.domain.asking import answerable, asking
from services.rating.domain.conditions.score import band_of
from services.rating.domain.holding import Ask, Place

# What costs nothing when it holds goes first, and what finds most to say last: mostly another condition fails before it.
_ORDER: tuple[tuple[type, ...], ...] = ((NoActs,), CAUSES, (Score,), (), (OperatedFor, Otherwise))
_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """``conditions``: with their positions, in the order in which to ask them; ``causes``: the places of those that can hold only where
    some act is of their kind."""

    rule: Rule
    conditions: tuple[tuple[int, Ask], ...]
    causes: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Rules:
    """Some rules, in the rulebook's order. ``free``: those of them that need no act."""

    all: tuple[Asked, ...]
    free: tuple[Asked, ...]

    def open(self, met: Mapping[Place, Any]) -> Collection[Asked]:
        """Those that can hold for a subject with acts for these cause conditions."""
        return [one for one in self.all if one.causes <= met.keys()] if met else self.free


@dataclass(frozen=True, slots=True)
class Plan:
    """Rules in force that can be answered and that the score leaves open. ``last``: those with ``otherwise``."""

    plain: Rules
    last: Rules


@dataclass(slots=True)
class Moment:
    """A moment under one edition. ``bounds``: of all scores that its rules name, sorted; ``plans``: by how many of them a score
    reaches, -1 where there is no score."""

    bounds: list[Decimal]
    plans: dict[int, Plan] = field(default_factory=dict)


def plan_of(rulebook: Rulebook, moment: str, day: date, points: Decimal | None) -> Plan:
    """The plan of a moment for the edition of a day, and for a score of so many points (None: there is none)."""
    key = ("plan", moment, rulebook.edition(day))
    found: Moment | None = rulebook.kept.get(key)
    if found is None:
        found = rulebook.kept[key] = Moment(sorted(_bounds(rulebook, moment, day)))
    # R1: a bound belongs to what lies above it.
    reached = -1 if points is None else bisect_right(found.bounds, points)
    plan = found.plans.get(reached)
    if plan is None:
        plan = found.plans[reached] = _planned(rulebook, moment, day, points)
    return plan


def cause_rules(rulebook: Rulebook, moment: str) -> tuple[tuple[Rule, Place, Any], ...]:
    """The rules that act at a moment without an evaluation, each with its cause condition and that one's place."""
    key = ("cause rules", moment)
    found: tuple[tuple[Rule, Place, Any], ...] | None = rulebook.kept.get(key)
    if found is None:
        rules = [
            (rule, next((at, one) for at, one in enumerate(rule.all) if isinstance(one, CAUSES)))
            for rule in rulebook.rules
            if moment in rule.at
        ]
        found = rulebook.kept[key] = tuple((rule, (rule.id, at), condition) for rule, (at, condition) in rules)
    return found


def ways_of(rulebook: Rulebook) -> Mapping[str, tuple[str, ...]]:
    """Rule → those it gives way to."""
    found: Mapping[str, tuple[str, ...]] | None = rulebook.kept.get("ways")
    if found is None:
        found = rulebook.kept["ways"] = {rule.id: rule.gives_way_to for rule in rulebook.rules if rule.gives_way_to}
    return found


def _in_force(rulebook: Rulebook, moment: str, day: date) -> list[Rule]:
    return [one for one in rulebook.rules if moment in one.at and one.in_force(day) and answerable(one, rulebook, day)]


def _bounds(rulebook: Rulebook, moment: str, day: date) -> set[Decimal]:
    scores = (one for rule in _in_force(rulebook, moment, day) for one in rule.all if isinstance(one, Score))
    bands = [band_of(one, rulebook, day) for one in scores]
    return {bound for band in bands for bound in (band.lower, band.upper) if bound is not None}


def _planned(rulebook: Rulebook, moment: str, day: date, points: Decimal | None) -> Plan:
    def is_open(rule: Rule) -> bool:
        scores = (one for one in rule.all if isinstance(one, Score))
        return all(points is not None and band_of(one, rulebook, day).holds(points) for one in scores)

    asked = [_asked(rulebook, one, day) for one in _in_force(rulebook, moment, day) if is_open(one)]
    last = [one for one in asked if any(isinstance(condition, Otherwise) for condition in one.rule.all)]
    return Plan(_rules([one for one in asked if one not in last]), _rules(last))


def _rules(asked: list[Asked]) -> Rules:
    return Rules(tuple(asked), tuple(one for one in asked if not one.causes))


def _asked(rulebook: Rulebook, rule: Rule, day: date) -> Asked:
    order = sorted(range(len(rule.all)), key=lambda at: _haste(rule.all[at]))
    causes = frozenset((rule.id, at) for at, condition in enumerate(rule.all) if isinstance(condition, CAUSES))
    return Asked(rule, tuple((at, asking(rulebook, rule, at, day)) for at in order), causes)


def _haste(condition: object) -> int:
    return next((at for at, kinds in enumerate(_ORDER) if isinstance(condition, kinds)), _OTHERS)
