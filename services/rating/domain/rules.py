"""Which rules hold: conjunctions of conditions, each asked by its kind, ``otherwise`` last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import (
    CAUSES,
    OF_INSPECTIONS,
    ComponentEach,
    ComponentSum,
    NoActs,
    OperatedFor,
    Otherwise,
    Score,
)
from services.rating.domain.causes import between
from services.rating.domain.conditions import CAUSE_KINDS, components, inspections, no_acts, operated_for, score
from services.rating.domain.holding import Holding, Look
from services.rating.domain.index import index_of
from services.rating.domain.sentences import Reason


def holding_rules(look: Look, moment: str) -> list[Reason]:
    """The reasons of all rules that hold at ``moment`` on the look's window; a rule with ``otherwise`` only where no other does."""
    plain: list[Reason] = []
    last: list[Rule] = []
    for rule in look.rulebook.rules:
        if moment not in rule.at or not rule.in_force(look.day):
            continue
        if any(isinstance(condition, Otherwise) for condition in rule.all):
            last.append(rule)
        elif reason := _reason(rule, look):
            plain.append(reason)
    if plain:
        held = {reason.rule for reason in plain}
        ways = {rule.id: rule.gives_way_to for rule in look.rulebook.rules if rule.gives_way_to}
        return [reason for reason in plain if held.isdisjoint(ways.get(reason.rule, ()))]
    return [reason for rule in last if (reason := _reason(rule, look))]


def pick(rulebook: Rulebook, reasons: Iterable[Reason]) -> str:
    """The grade that wins: the worst or the best, as the rulebook has it (R2)."""
    ranks = [rulebook.rank[reason.grade] for reason in reasons if reason.grade is not None]
    rank = max(ranks) if rulebook.precedence == "worst" else min(ranks)
    return rulebook.grades[rank].grade


def by_gravity(rulebook: Rulebook, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The worst first; then by rule."""
    return tuple(sorted(reasons, key=lambda one: (-rulebook.rank.get(one.grade or "", -1), one.rule)))


def _answerable(rule: Rule, look: Look) -> bool:
    """False where a parameter of the rule has no value on the day: a condition without its number doesn't hold."""
    names = (getattr(condition, field) for condition in rule.all for field in type(condition).parameters)
    return all(look.rulebook.parameter(name).at(look.day) is not None for name in names if name)


def _reason(rule: Rule, look: Look) -> Reason | None:
    if not _answerable(rule, look):
        return None
    holdings: list[Holding] = []
    for position, condition in enumerate(rule.all):
        holding = _holds(rule, position, condition, look)
        if holding is None:
            return None
        holdings.append(holding)
    return reason_of(rule, holdings, day=look.day, first=look.first, last=look.last)


def _holds(rule: Rule, position: int, condition: object, look: Look) -> Holding | None:
    if isinstance(condition, CAUSES):
        index = index_of(look.view, look.rulebook)
        found = between(index.causes(rule.id, position, look.view), look.first, look.last)
        return CAUSE_KINDS[condition.kind].describe(condition, look.rulebook, found) if found else None
    if isinstance(condition, NoActs):
        return no_acts.holds(condition, look, index_of(look.view, look.rulebook).acts(rule.id, position))
    if isinstance(condition, Score):
        return score.holds(condition, look)
    if isinstance(condition, ComponentSum):
        return components.holds_sum(condition, look)
    if isinstance(condition, ComponentEach):
        return components.holds_each(condition, look)
    if isinstance(condition, OF_INSPECTIONS):
        return inspections.holds(condition, look)
    if isinstance(condition, OperatedFor):
        return operated_for.holds(condition, look, unknown_is_new(look.rulebook, look.day))
    assert isinstance(condition, Otherwise)
    if look.inspection and not look.components:
        # What lies beyond all bounds can't be said of scores that nobody gave.
        return None
    return Holding(facts=(look.inspection,) if look.inspection else ())


def unknown_is_new(rulebook: Rulebook, day: date) -> bool:
    """R4: how an enterprise without a start of operation on record is treated. On a day for which the rulebook
    doesn't say how, or how long an enterprise is new, none is."""
    assert rulebook.periodic is not None
    new = rulebook.periodic.new_enterprises
    said, months = (rulebook.parameter(name).at(day) for name in (new.start_unknown, new.months))
    return bool(said == "new" and months is not None)


def reason_of(
    rule: Rule, holdings: Sequence[Holding], *, day: date, first: date | None = None, last: date | None = None, on: date | None = None
) -> Reason:
    """The rule as a reason, with what its conditions found."""
    return Reason(
        rule=rule.id,
        clause=rule.clause,
        grade=rule.grade,
        status=rule.status,
        template=rule,
        values={"day": day, "period_first": first, "period_last": last},
        holdings=tuple(holdings),
        readings=rule.readings,
        on=on,
    )
