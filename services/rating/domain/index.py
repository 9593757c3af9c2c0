"""A subject's acts sorted by the conditions that look at them, kept up as facts arrive.

Without it each new fact would walk all earlier acts for each rule; with it a fact enters the few lists that it matches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from datetime import date

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import CAUSES, Acts, NoActs
from services.rating.domain.acts import Act
from services.rating.domain.conditions import CAUSE_KINDS
from services.rating.domain.conditions import no_acts as no_acts_kind
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.holding import Cause
from services.rating.domain.subject import Subject


def _order(act: Act) -> tuple[date, int]:
    return act.order


def _cause_order(cause: Cause) -> tuple[date, int]:
    return cause.acts[-1].order


@dataclass(slots=True)
class Index:
    """``matched[(rule, position)]``: the acts that a condition looks at, by day of effect."""

    rulebook: Rulebook
    entered: int = 0
    matched: dict[tuple[str, int], list[Act]] = field(default_factory=dict)
    made: dict[tuple[str, int], tuple[int, int, list[Cause]]] = field(default_factory=dict)
    single: dict[tuple[str, int], list[Cause]] = field(default_factory=dict)
    judged_new: list[Act] = field(default_factory=list)
    terminal: list[tuple[Act, str]] = field(default_factory=list)

    def acts(self, rule: str, position: int) -> list[Act]:
        """The matching acts of one condition, sorted."""
        return self.matched.get((rule, position), [])

    def causes(self, rule: str, position: int, condition: object, subject: Subject) -> list[Cause]:
        """The moments of a cause condition, sorted by day; made again only when its acts or the corrections changed.

        Where each act is a cause of its own they are kept up act by act, so that a long record costs no more than a short one."""
        if isinstance(condition, Acts) and condition.count is None:
            return self.single.get((rule, position), [])
        acts = self.acts(rule, position)
        made = self.made.get((rule, position))
        stamp = (len(acts), len(subject.corrections))
        if made is None or made[:2] != stamp:
            kind = CAUSE_KINDS[condition.kind]  # type: ignore[attr-defined]
            made = (*stamp, kind.causes(condition, self.rulebook, acts, subject))
            self.made[(rule, position)] = made
        return made[2]


def index_of(subject: Subject, rulebook: Rulebook) -> Index:
    """The subject's index for a rulebook, brought up to the acts that have arrived."""
    index = subject.indexes.get(rulebook.regime)
    if index is None or index.rulebook is not rulebook:
        index = subject.indexes[rulebook.regime] = Index(rulebook)
    while index.entered < len(subject.arrived):
        _enter(index, subject.arrived[index.entered])
        index.entered += 1
    return index


def _enter(index: Index, act: Act) -> None:
    rulebook = index.rulebook
    for rule in rulebook.rules:
        for position, condition in enumerate(rule.all):
            if isinstance(condition, CAUSES):
                matches = CAUSE_KINDS[condition.kind].matches(condition, rulebook, act)
            elif isinstance(condition, NoActs):
                matches = no_acts_kind.matches(condition, rulebook, act)
            else:
                continue
            if matches:
                insort(index.matched.setdefault((rule.id, position), []), act, key=_order)
                if isinstance(condition, Acts) and condition.count is None:
                    insort(index.single.setdefault((rule.id, position), []), Cause(act.effective, (act,), 1), key=_cause_order)
    for status in rulebook.statuses:
        if status.role == "terminal" and not act.sanctions.isdisjoint(status.causes):
            insort(index.terminal, (act, status.status), key=lambda one: one[0].order)
    if rulebook.periodic:
        new = rulebook.periodic.new_enterprises
        if not act.sanctions.isdisjoint(rulebook.sets[new.graded_when]) and in_field(new.legal_fields, rulebook, act):
            insort(index.judged_new, act, key=_order)


def between(acts: list[Act], first: date, last: date) -> list[Act]:
    """The acts that took effect from ``first`` to ``last``, both days included."""
    low = bisect_left(acts, first, key=lambda act: act.effective)
    return acts[low : bisect_right(acts, last, key=lambda act: act.effective)]


def causes_between(causes: list[Cause], first: date, last: date) -> list[Cause]:
    """The causes on the days from ``first`` to ``last``, both included."""
    low = bisect_left(causes, first, key=lambda one: one.on)
    return causes[low : bisect_right(causes, last, key=lambda one: one.on)]
