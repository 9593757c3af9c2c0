"""Kind ``in_succession``: 三(二)3(1), R6. The same violation warned or announced again and again, with the chance to mend it.

An act follows an earlier one of its violation code when it happened after that one was served and its term to correct had run
out, within the months, with no inspection in between that found it corrected. The announcement of an act is that act; an order
to correct without a term leaves nothing that could be followed. A chain of so many acts is a moment of the
condition. What is kept: for each code and each length up to the number asked for, the acts that end a chain of at least that
length; of them only those that no later one makes needless, for which both the day of service and the day from which they can
be followed rise. So whether an act has one to follow is found by halving.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter

from schemas.rulebook import Parameter, Rulebook
from schemas.rulebook.conditions import InSuccession
from services.rating.domain.acts import Act
from services.rating.domain.causes import SHOWN, Cause, Causes
from services.rating.domain.conditions.selection import by_concept, in_field
from services.rating.domain.conditions.tracker import InOrder, Tracker
from services.rating.domain.days import first_reaching
from services.rating.domain.holding import Holding, Quantity
from services.rating.domain.values import quick
from services.rating.domain.view import View


def matches(condition: InSuccession, rulebook: Rulebook, act: Act) -> bool:
    """True for acts that count towards succession and name a violation."""
    kinds = rulebook.parameter(condition.sanctions).at(act.effective)
    return (
        kinds is not None
        and act.violation is not None
        and not act.sanctions.isdisjoint(kinds)
        and in_field(condition.legal_fields, rulebook, act)
        and by_concept((), condition.except_concepts, act)
    )


def tracking(condition: InSuccession, rulebook: Rulebook) -> Callable[[], Tracker]:
    """The act that lengthens a chain to the needed number is a moment on the day it was served; so is each that follows."""
    numbers = Numbers.of(condition, rulebook)
    return lambda: Chains(numbers)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The condition's parameters, looked up once. ``longest``: the largest count that is ever in force."""

    regime: str
    count: Parameter
    within: Parameter
    after_term: Parameter
    broken: Parameter
    term_needed: Parameter | None
    longest: int

    @staticmethod
    def of(condition: InSuccession, rulebook: Rulebook) -> Numbers:
        count = rulebook.parameter(condition.count)
        names = (condition.within, condition.after_term, condition.broken_by_correction)
        needed = rulebook.parameter(condition.term_needed) if condition.term_needed else None
        longest = max((one.value for one in count.values if one.value is not None), default=1)
        return Numbers(rulebook.regime, count, *map(rulebook.parameter, names), needed, longest)


@quick
class Link:
    """An act as the end of a chain. ``ready``: the last day on which it can't be followed yet."""

    act: Act
    ready: date
    length: int
    before: Link | None

    def acts(self) -> tuple[Act, ...]:
        """The chain's last acts, the oldest first."""
        found: list[Act] = []
        link: Link | None = self
        while link is not None and len(found) < SHOWN:
            found.append(link.act)
            link = link.before
        return tuple(reversed(found))


@dataclass(slots=True)
class Code:
    """One violation code: ``levels[n]`` holds ends of chains longer than ``n``; ``seen``: acts by what tells them apart."""

    levels: list[list[Link]]
    seen: set[tuple[object, ...]] = field(default_factory=set)


class Chains(InOrder):
    """The chains of all codes. Which parameters hold: a term's are the first act's, the others the following act's."""

    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        self._numbers = numbers
        self._codes: dict[str, Code] = {}
        self._latest = date.min
        self._corrections = 0
        self._mended: dict[str, list[date]] = {}

    def outdated(self, view: View) -> bool:
        """Take the corrections that have come. True when one lies before something that has happened since."""
        late = False
        for on, codes, regime in view.corrections[self._corrections :]:
            if regime not in (None, self._numbers.regime):
                continue
            for code in codes:
                insort(self._mended.setdefault(code, []), on)
            late = late or on <= self._latest
        self._corrections = len(view.corrections)
        return late

    def restart(self, view: View) -> None:
        self._codes, self._latest = {}, date.min

    def _corrected(self, code: str, by: date) -> date | None:
        """The last day up to ``by`` on which an inspection found the code corrected."""
        days = self._mended.get(code, ())
        position = bisect_right(days, by)
        return days[position - 1] if position else None

    def take(self, act: Act, view: View) -> Cause | None:
        code = self._codes.setdefault(act.violation or "", Code([[] for _ in range(self._numbers.longest)]))
        names = act.same_as
        if not names.isdisjoint(code.seen):
            return None
        code.seen |= names
        self._latest = max(self._latest, act.happened or act.effective)
        needed = self._numbers.count.at(act.effective)
        before = self._followed(code, act)
        link = Link(act, self._ready(act), before.length + 1 if before else 1, before)
        if not self._begins_none(act):
            for level in code.levels[: link.length]:
                _add(level, link)
        if needed is None or link.length < needed:
            return None
        return Cause(act.effective, act, link.length, link.acts)

    def _ready(self, act: Act) -> date:
        if self._numbers.after_term.at(act.effective) and act.correct_by is not None:
            return max(act.effective, act.correct_by)
        return act.effective

    def _begins_none(self, act: Act) -> bool:
        asked = self._numbers.term_needed
        needed = asked is not None and asked.at(act.effective)
        return bool(needed and act.correct_by is None and act.fact.data.get("correction_ordered"))

    def _followed(self, code: Code, act: Act) -> Link | None:
        """The end of a chain that the act continues, of the longest kind that there is."""
        months = self._numbers.within.at(act.effective)
        if months is None:
            return None
        happened = act.happened or act.effective
        mended = self._corrected(act.violation or "", happened) if self._numbers.broken.at(act.effective) else None
        for level in reversed(code.levels):
            first = bisect_left(level, first_reaching(happened, months), key=_effective)
            if mended is not None:
                first = max(first, bisect_right(level, mended, key=_effective))
            last = bisect_left(level, happened, key=_ready)
            if first < last:
                return level[last - 1]
        return None


_effective, _ready = attrgetter("act.effective"), attrgetter("ready")


def _add(level: list[Link], link: Link) -> None:
    """Add an end of a chain; who was served earlier and can be followed no sooner is needless from now on."""
    while level and level[-1].ready >= link.ready:
        level.pop()
    level.append(link)


def describe(condition: InSuccession, rulebook: Rulebook, causes: Causes) -> Holding:
    """The latest chain."""
    found = causes.latest
    acts = found.acts()
    needed = rulebook.parameter(condition.count).at(found.on)
    fills = {"found": found.quantity, "needed": needed, "violation": found.act.violation}
    numbers = (Quantity("in_succession", str(found.quantity), str(needed)),)
    return Holding(acts=acts, numbers=numbers, fills=fills, omitted=found.quantity - len(acts))
