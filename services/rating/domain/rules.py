"""Which rules hold: conjunctions of conditions, ``otherwise`` last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from schemas.rulebook import Rule, Rulebook
from services.rating.domain.approval import Admitted
from services.rating.domain.asking import asking
from services.rating.domain.holding import Holding, Look
from services.rating.domain.index import Index, index_of
from services.rating.domain.plan import Asked, plan_of, ways_of
from services.rating.domain.sentences import Reason

Admit = Callable[[list[Reason]], Admitted]


def holding_rules(look: Look, moment: str, admit: Admit | None = None) -> Admitted:
    """The reasons of all rules that hold at ``moment`` on the look's window; a rule with ``otherwise`` only where no other counts, and
    one that gives way to a better grade only where that counts. ``admit``: what must be approved first (R8)."""
    plan = plan_of(look.rulebook, moment, look.day, look.score[0] if look.score else None)
    index = index_of(look.view, look.rulebook)
    return admitted(
        look.rulebook,
        lambda: _held(plan.plain.open(index.trackers), look, index),
        lambda: _held(plan.last.open(index.trackers), look, index),
        admit,
    )


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
    return [reason for asked in rules if (reason := _reason(asked, look, index))]


def held(asked: Asked, look: Look) -> Reason | None:
    """One rule as a reason; None where it doesn't hold."""
    return next(iter(_held((asked,), look, index_of(look.view, look.rulebook))), None)


def without_given_way(rulebook: Rulebook, reasons: Sequence[Reason]) -> list[Reason]:
    """The reasons without those whose rules give way to another that is among them."""
    if len(reasons) == 1:
        return list(reasons)
    held, ways = {reason.rule for reason in reasons}, ways_of(rulebook)
    return [reason for reason in reasons if held.isdisjoint(ways.get(reason.rule, ()))]


def pick(rulebook: Rulebook, reasons: Iterable[Reason]) -> str:
    """The grade that wins: the worst or the best, as the rulebook has it (R2)."""
    ranks = [rulebook.rank[reason.grade] for reason in reasons if reason.grade is not None]
    rank = max(ranks) if rulebook.precedence == "worst" else min(ranks)
    return rulebook.grades[rank].grade


def by_gravity(rulebook: Rulebook, reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The worst first; then by rule."""
    if len(reasons) == 1:
        return tuple(reasons)
    return tuple(sorted(reasons, key=lambda one: (-rulebook.rank.get(one.grade or "", -1), one.rule)))


def _reason(asked: Asked, look: Look, index: Index) -> Reason | None:
    holdings: list[Any] = [None] * len(asked.conditions)
    for position, ask in asked.conditions:
        holding = holdings[position] = ask(look, index)
        if holding is None:
            return None
    return reason_of(asked.rule, holdings, day=look.day, first=look.first, last=look.last)


def holds_alone(rule: Rule, position: int, look: Look) -> Holding | None:
    """What one condition of an answerable rule finds, whatever the others do; None where it doesn't hold."""
    return asking(look.rulebook, rule, position, look.day)(look, index_of(look.view, look.rulebook))


def reason_of(
    rule: Rule, holdings: Sequence[Holding], *, day: date, first: date | None = None, last: date | None = None, on: date | None = None
) -> Reason:
    """The rule as a reason, with what its conditions found."""
    values = {"day": day, "period_first": first, "period_last": last}
    return Reason(rule.id, rule.clause, rule.grade, rule, values, tuple(holdings), readings=rule.readings, on=on, status=rule.status)
