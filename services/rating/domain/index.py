"""A view's acts sorted by the conditions that look at them, kept up as facts arrive.

Without it each new fact would walk all earlier acts for each rule; with it a fact enters the few lists that it matches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import CAUSES, NoActs
from services.rating.domain.acts import Act
from services.rating.domain.causes import Cause
from services.rating.domain.conditions import CAUSE_KINDS
from services.rating.domain.conditions import no_acts as no_acts_kind
from services.rating.domain.conditions.points import Tally
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.conditions.tracker import Tracker
from services.rating.domain.lowering import Counted
from services.rating.domain.view import View


def _order(act: Act) -> tuple[date, int, int]:
    return act.order


@dataclass(slots=True)
class Index:
    """``matched[(rule, position)]``: the acts that a ``no_acts`` looks at, by day of effect; ``trackers``: of cause conditions;
    ``tallies``: of point tables."""

    rulebook: Rulebook
    entered: int = 0
    matched: dict[tuple[str, int], list[Act]] = field(default_factory=dict)
    trackers: dict[tuple[str, int], Tracker] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    judged_new: list[Act] = field(default_factory=list)
    terminal: list[tuple[Act, str]] = field(default_factory=list)
    # What lowers by a step; None where the rulebook has no such lowering.
    lowering: Counted | None = None

    def acts(self, rule: str, position: int) -> list[Act]:
        """The matching acts of one condition, sorted."""
        return self.matched.get((rule, position), [])

    def causes(self, rule: str, position: int, view: View) -> list[Cause]:
        """The moments of a cause condition, sorted by day."""
        tracker = self.trackers.get((rule, position))
        return tracker.causes(view) if tracker else []


def first_cause(causes: Sequence[Cause], start: date) -> Iterator[date]:
    """The day of the first cause on or after a day, if there is one."""
    at = bisect_left(causes, start, key=lambda one: one.on)
    if at < len(causes):
        yield causes[at].on


def index_of(view: View, rulebook: Rulebook) -> Index:
    """The view's index for a rulebook, brought up to the acts that have arrived."""
    index = view.indexes.get(rulebook.regime)
    if index is None or index.rulebook is not rulebook:
        tallies = {one.name: Tally(one, rulebook) for one in rulebook.point_tables}
        index = view.indexes[rulebook.regime] = Index(rulebook, tallies=tallies)
        if rulebook.periodic and rulebook.periodic.lowering:
            index.lowering = Counted(rulebook.periodic.lowering, rulebook)
    while index.entered < len(view.arrived):
        _enter(index, view.arrived[index.entered])
        index.entered += 1
    return index


def _enter(index: Index, act: Act) -> None:
    rulebook = index.rulebook
    if act.regime not in (None, rulebook.regime):
        return
    for rule in rulebook.rules:
        for position, condition in enumerate(rule.all):
            if isinstance(condition, CAUSES):
                kind = CAUSE_KINDS[condition.kind]
                if kind.matches(condition, rulebook, act):
                    place = (rule.id, position)
                    if place not in index.trackers:
                        index.trackers[place] = kind.tracker(condition, rulebook)
                    index.trackers[place].enter(act)
            elif isinstance(condition, NoActs) and no_acts_kind.matches(condition, rulebook, act):
                insort(index.matched.setdefault((rule.id, position), []), act, key=_order)
    if index.lowering:
        index.lowering.enter(act)
    for tally in index.tallies.values():
        tally.enter(act)
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
