"""Which rules hold: conjunctions of conditions, each asked by its kind, ``otherwise`` last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    Otherwise,
    Points,
    Score,
)
from services.rating.domain.approval import Admitted
from services.rating.domain.causes import between
from services.rating.domain.conditions import CAUSE_KINDS, components, inspections, no_acts, operated_for, points, score
from services.rating.domain.holding import Holding, Look
from services.rating.domain.index import Index, index_of
from services.rating.domain.plan import Asked, plan_of
from services.rating.domain.sentences import Reason

Admit = Callable[[list[Reason]], Admitted]


def holding_rules(look: Look, moment: str, admit: Admit | None = None) -> Admitted:
    """The reasons of all rules that hold at ``moment`` on the look's window; a rule with ``otherwise`` only where no other counts, and
    one that gives way to a better grade only where that counts. ``admit``: what must be approved first (R8)."""
    plan = plan_of(look.rulebook, moment, look.day, look.score[0] if look.score else None)
    index = index_of(look.view, look.rulebook)
    return admitted(look.rulebook, lambda: _held(plan.plain, look, index), lambda: _held(plan.last, look, index), admit)


def admitted(rulebook: Rulebook, plain: Callable[[], list[Reason]], last: Callable[[], list[Reason]], admit: Admit | None) -> Admitted:
    """``plain``: the reasons of the rules without ``otherwise``; ``last``: of those with it, asked where nothing else counts."""
    first = plain()
    found = admit(first) if admit else Admitted(first, [])
    if found.counted:
        return Admitted(without_given_way(rulebook, found.counted), found.waiting)
    others = last()
    if admit is None:
        return Admitted(others, [])
    # What waits gives no grade yet, so it is to these rules as if it didn't hold: an offence more never makes for a better grade.
    counted, waiting = admit(others)
    return Admitted(counted, [*found.waiting, *waiting])


def _held(rules: Iterable[Asked], look: Look, index: Index) -> list[Reason]:
    met = index.trackers
    return [reason for asked in rules if all(place in met for place in asked.causes) and (reason := _reason(asked, look, index))]


def held(asked: Asked, look: Look) -> Reason | None:
    """One rule as a reason; None where it doesn't hold."""
    return next(iter(_held((asked,), look, index_of(look.view, look.rulebook))), None)


def without_given_way(rulebook: Rulebook, reasons: Sequence[Reason]) -> list[Reason]:
    """The reasons without those whose rules give way to another that is among them."""
    held = {reason.rule for reason in reasons}
    ways = {rule.id: rule.gives_way_to for rule in rulebook.rules if rule.gives_way_to}
    return [reason for reason in reasons if held.isdisjoint(ways.get(reason.rule, ()))]


def pick(rulebook: Rulebook, reasons: Iterable[Reason]) -> str:
    """The grade that wins: the worst or the best, as the rulebook has it (R2)."""
    ranks = [rulebook.rank[reason.grade] for reason in reasons if reason.grade is not None]
    rank = max(ranks) if rulebook.precedence == "worst" else min(ranks)
    return rulebook.grades[rank].grade


def by_gravity(rulebook: Rulebook, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The worst first; then by rule."""
    return tuple(sorted(reasons, key=lambda one: (-rulebook.rank.get(one.grade or "", -1), one.rule)))


def _reason(asked: Asked, look: Look, index: Index) -> Reason | None:
    holdings: list[Any] = [None] * len(asked.conditions)
    for position, condition in asked.conditions:
        holding = holdings[position] = _holds(asked.rule, position, condition, look, index)
        if holding is None:
            return None
    return reason_of(asked.rule, holdings, day=look.day, first=look.first, last=look.last)


def holds_alone(rule: Rule, position: int, condition: object, look: Look) -> Holding | None:
    """What one condition of a rule finds, whatever the others do; None where it doesn't hold."""
    return _holds(rule, position, condition, look, index_of(look.view, look.rulebook))


def _holds(rule: Rule, position: int, condition: object, look: Look, index: Index) -> Holding | None:
    if isinstance(condition, CAUSES):
        found = between(index.causes(rule.id, position, look.view), look.first, look.last)
        if look.sift:
            found = look.sift.causes(found)
        return CAUSE_KINDS[condition.kind].describe(condition, look.rulebook, found) if found else None
    if isinstance(condition, NoActs):
        acts = index.acts(rule.id, position)
        return no_acts.holds(condition, look, look.sift.stains(rule, acts, look) if look.sift else acts)
    if isinstance(condition, Score):
        return score.holds(condition, look)
    if isinstance(condition, Points):
        return points.holds(condition, look, index.tallies[condition.table])
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
    key = ("unknown_is_new", rulebook.edition(day))
    found: bool | None = rulebook.kept.get(key)
    if found is None:
        assert rulebook.periodic is not None
        new = rulebook.periodic.new_enterprises
        said, months = (rulebook.parameter(name).at(day) for name in (new.start_unknown, new.months))
        found = rulebook.kept[key] = bool(said == "new" and months is not None)
    return found


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
