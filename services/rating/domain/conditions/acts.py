"""Kind ``acts``: 三(二)2(1), 2(2), 3(2), 4(1)–(4). Something was imposed or found; or so many times within so many months.

A decision that was entered twice counts once: acts are told apart by office, document number and their place in the document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import Acts
from services.rating.domain.acts import Act, put
from services.rating.domain.causes import SHOWN, Cause, Causes, Moment
from services.rating.domain.conditions.selection import by_concept, in_field
from services.rating.domain.conditions.tracker import InOrder, Tracker
from services.rating.domain.days import within
from services.rating.domain.holding import Holding, Quantity
from services.rating.domain.view import View


def matches(condition: Acts, rulebook: Rulebook, act: Act) -> bool:
    """True when the condition looks at the act."""
    return (
        not act.sanctions.isdisjoint(rulebook.sets[condition.acts])
        and in_field(condition.legal_fields, rulebook, act)
        and by_concept(condition.only_concepts, condition.except_concepts, act)
    )


def tracking(condition: Acts, rulebook: Rulebook) -> Callable[[], Tracker]:
    """Without ``count`` each act is a moment of its own; with it each that completes the count within the months before it."""
    return Each if condition.count is None else lambda: Counted(condition, rulebook)


class Each(Tracker):
    """Every act is a moment. Nothing depends on the acts before it, so one that comes late just takes its place."""

    def __init__(self) -> None:
        self.alone: list[Act] = []

    def enter(self, act: Act) -> None:
        put(self.alone, act)

    def causes(self, view: View) -> Sequence[Moment]:
        return self.alone


class Counted(InOrder):
    """A window that moves along with the acts, and the sum of what is in it."""

    def __init__(self, condition: Acts, rulebook: Rulebook) -> None:
        super().__init__()
        assert condition.count and condition.within
        self._count, self._within = rulebook.parameter(condition.count), rulebook.parameter(condition.within)
        self._approvals = condition.quantity == "approvals"
        self._met: set[tuple[object, ...]] = set()
        self._window: list[Act] = []
        self._start, self._total = 0, 0

    def restart(self, view: View) -> None:
        self._met, self._window, self._start, self._total = set(), [], 0, 0

    def _weight(self, act: Act) -> int:
        return act.approvals if self._approvals else 1

    def take(self, act: Act, view: View) -> Cause | None:
        if act.identity in self._met:
            return None
        self._met.add(act.identity)
        needed, months = self._count.at(act.effective), self._within.at(act.effective)
        self._window.append(act)
        self._total += self._weight(act)
        if needed is None or months is None:
            return None
        while not within(self._window[self._start].effective, act.effective, months):
            self._total -= self._weight(self._window[self._start])
            self._start += 1
        if self._total < needed:
            return None
        end = len(self._window)
        shown = slice(max(self._start, end - SHOWN), end)
        window = self._window
        return Cause(act.effective, act, self._total, lambda: tuple(window[shown]))


def describe(condition: Acts, rulebook: Rulebook, causes: Causes) -> Holding:
    """With a count the latest moment, its acts and their number, and the number needed; without, the acts and how many they are."""
    if condition.count:
        found = causes.latest
        acts, quantity, omitted = found.acts(), found.quantity, 0
        needed = rulebook.parameter(condition.count).at(found.on)
    else:
        acts = tuple(act for cause in causes.shown() for act in cause.acts())
        quantity, omitted, needed = len(causes), len(causes) - len(acts), None
    fills = {"found": quantity, "needed": needed if needed is not None else 1}
    numbers = (Quantity(condition.acts, str(quantity), str(needed) if needed is not None else None),)
    return Holding(acts=acts, numbers=numbers, fills=fills, omitted=omitted)
