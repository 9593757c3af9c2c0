"""What rating knows of one subject: the log of its facts, and views of those in effect (ADR 0015).

Invariants
1. A fact is entered once: the first copy of (source, id) counts, and an offset that was entered before changes nothing.
2. The state is a function of the entered facts; the order across subjects doesn't reach it.
3. A view holds the facts in effect for the days from one repair to the next, folded in the order of their offsets. Where nothing
   acts on anything there is one view, and a fact is folded into it as it comes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import takewhile
from typing import Any

from services.rating.domain.acts import Decision, decision_of
from services.rating.domain.days import day
from services.rating.domain.effects import ACTING, LOOKED_AT, REPAIR, Effects, Key
from services.rating.domain.facts import CONTROLS, SUCCEEDED, Fact
from services.rating.domain.view import DEALINGS, View, regimes_of

SCORED = "score.recorded"
_STAYS_BEHIND = frozenset({"enterprise.closed", "enterprise.status.declared", SUCCEEDED})
Histories = frozenset[tuple[Key, ...]]
"""Those that count, by the successions they came through."""
NO_HISTORY: Histories = frozenset()
OWN = (0, NO_HISTORY)


@dataclass(slots=True)
class Subject:
    """Mutable only through ``apply``. ``last_known``: the running maximum of ``known``; ``count``: facts entered."""

    subject: str
    partition: int
    last_offset: int = -1
    last_known: int = 0
    log: dict[Key, Fact] = field(default_factory=dict)
    effects: Effects = field(default_factory=Effects)
    # Regime → (offset of the last step, standing after it); kept up by ``fold.decide``.
    standings: dict[str, tuple[int, Any]] = field(default_factory=dict)
    # Regime → (offset of the last step, what it says to parents after it); kept up by ``parts.telling``.
    said: dict[str, tuple[int, Any]] = field(default_factory=dict)
    # Regime → what offices owe about it after the last step; kept up by ``duty_steps``.
    duties: dict[str, Any] = field(default_factory=dict)
    # Regime → when the first fact of it became known.
    _since: dict[str, int] = field(default_factory=dict)
    # How many repairs act and which histories count → the view of those days; made when it is asked for.
    _views: dict[tuple[int, Histories], View] = field(default_factory=dict)
    # The successions by which facts were taken over.
    _through: set[tuple[Key, ...]] = field(default_factory=set)
    # The days from which repairs act, and what each takes away; None: to be worked out again.
    _repairs: list[tuple[date, frozenset[Key | Decision]]] | None = None

    @property
    def scheme(self) -> str:
        """What kind of id the subject has."""
        return self.subject.partition(":")[0]

    @property
    def count(self) -> int:
        """How many facts were entered."""
        return len(self.log)

    def apply(self, fact: Fact) -> bool:
        """Enter a fact. False where it changed nothing: a further copy, or an offset at or before the last one.

        Raises what makes it impossible to fold; the subject is of no use then."""
        if not self.is_new(fact):
            return False
        # Folded at once, so that it is this fact that fails and not whatever asks for a view later.
        views = self._views or {OWN: self._made(*OWN)}
        if self._enter(fact) or self._through:
            self._views = {OWN: self._made(*OWN)}
            return True
        self._views = views
        if (now := self.effects.effective(fact)) is not None:
            for (number, _), view in views.items():
                if not self._taken_by_repair(now, number):
                    view.enter(now)
        return True

    def take(self, fact: Fact) -> bool:
        """Enter a fact that was folded once already; views are made when they are asked for."""
        if not self.is_new(fact):
            return False
        self._enter(fact)
        self._views = {}
        return True

    def take_all(self, facts: Iterable[Fact]) -> None:
        """``take`` for many: bulk drivers come here once for each of a hundred thousand subjects."""
        log, effects = self.log, self.effects
        for fact in facts:
            key = (fact.source, fact.id)
            if fact.offset <= self.last_offset or key in log or fact.name in CONTROLS:
                continue
            log[key] = fact
            self.last_offset = fact.offset
            if fact.known > self.last_known:
                self.last_known = fact.known
            if fact.through:
                self._through.add(fact.through)
            if (effects.acting or fact.name in LOOKED_AT) and effects.enter(fact):
                self._repairs = None
        self._views = {}

    def is_new(self, fact: Fact) -> bool:
        """False for what ``apply`` would let pass by."""
        return fact.offset > self.last_offset and fact.name not in CONTROLS and fact.key not in self.log

    def _enter(self, fact: Fact) -> bool:
        """True where others than itself may count otherwise now."""
        self.log[fact.key] = fact
        self.last_offset = fact.offset
        if fact.known > self.last_known:
            self.last_known = fact.known
        stale = self.effects.enter(fact)
        if stale:
            self._repairs = None
        return stale

    def view_on(self, on: date, manners: frozenset[str] = frozenset()) -> View:
        """The view that the standing of a day follows from, with the histories that were taken over by then in one of the ways named
        (R19). Not to be kept: the next fact may bring another."""
        repairs = bisect_right(self._granted(), on, key=lambda one: one[0]) if self.effects.repairs else 0
        which = (repairs, self.histories(on, manners) if self._through else NO_HISTORY)
        view = self._views.get(which)
        if view is None:
            view = self._views[which] = self._made(*which)
        return view

    def histories(self, on: date, manners: frozenset[str]) -> Histories:
        """The successions through which facts count on a day."""
        return frozenset(
            through for through in self._through if all(one and one[0] <= on and one[1] in manners for one in map(self.succeeded, through))
        )

    def taken_over(self, on: date, manners: frozenset[str]) -> list[Fact]:
        """The successions themselves through which facts count on a day, as they count now."""
        if not self._through:
            return []
        keys = {key for through in self.histories(on, manners) for key in through}
        return [now for key, fact in self.log.items() if key in keys and (now := self.effects.effective(fact))]

    def succeeded(self, key: Key) -> tuple[date, str, str] | None:
        """Day, manner and predecessor of a succession, as it counts now."""
        entered = self.log.get(key)
        now = self.effects.effective(entered) if entered else None
        on = day(now.data["occurred_on"]) if now and now.name == SUCCEEDED else None
        return (on, now.data["manner"], now.data["predecessor"]) if on and now else None

    def _made(self, number: int, histories: Histories) -> View:
        view = View(self.subject, self.partition)
        if self._through:
            facts = [one for one in self._in_effect() if not self._taken_by_repair(one, number)]
            own = {(one.data["regime"], one.data["year"]) for one in facts if one.name == SCORED and not one.through and one.data["final"]}
            for fact in facts:
                if not fact.through:
                    view.enter(fact)
                elif fact.through in histories:
                    _take_over(view, fact, own)
            return view
        if not self.effects.acting and not self.effects.repairs:
            for fact in self.log.values():
                view.enter(fact)
            return view
        for fact in self._in_effect():
            if not self._taken_by_repair(fact, number):
                view.enter(fact)
        return view

    def known_since(self, regime: str) -> int | None:
        """When the first fact by which the regime rates the subject became known (epoch ms), whatever became of it."""
        if regime not in self._since:
            first = next((fact for fact in self.log.values() if regime in regimes_of(fact)), None)
            if first is None:
                return None
            self._since[regime] = first.known
        return self._since[regime]

    def views(self) -> Iterator[View]:
        """Those that have been made."""
        yield from self._views.values()

    def dealings(self) -> dict[str, list[Fact]]:
        """What performs or opens duties, of the facts in effect before any repair: a repair undoes no duty that was there."""
        view = self.view_on(date.min)
        if view.dealings is None:
            found: dict[str, list[Fact]] = {}
            for fact in self._in_effect():
                if fact.name in DEALINGS:
                    found.setdefault(fact.name, []).append(fact)
            for facts in found.values():
                facts.sort(key=lambda one: (one.data.get("occurred_on") or "", one.offset))
            view.dealings = found
        return view.dealings

    def repaired_on(self, fact: Fact) -> date | None:
        """The day from which a repair takes the fact or its decision away; None where none does."""
        decision = decision_of(fact)
        return next((on for on, meant in self._granted() if fact.key in meant or decision in meant), None)

    @property
    def may_repair(self) -> bool:
        """False where ``repair_days`` can have none."""
        return bool(self.effects.repairs or self._through)

    def repair_days(self) -> list[date]:
        """The days from which granted repairs act, or a history counts that was taken over, sorted."""
        days = [on for on, _ in self._granted()]
        if not self._through:
            return days
        return sorted({*days, *(one[0] for through in self._through for key in through if (one := self.succeeded(key)))})

    def _granted(self) -> list[tuple[date, frozenset[Key | Decision]]]:
        if self._repairs is None:
            self._repairs = self.effects.repaired() if self.effects.repairs else []
        return self._repairs

    def _in_effect(self) -> Iterator[Fact]:
        for fact in self.log.values():
            if fact.name not in ACTING and fact.name != REPAIR and (now := self.effects.effective(fact)) is not None:
                yield now

    def _taken_by_repair(self, fact: Fact, number: int) -> bool:
        """R18: for the days from the repair on the decision no longer counts."""
        if not number:
            return False
        decision = decision_of(fact)
        return any(fact.key in meant or decision in meant for _, meant in self._granted()[:number])


def _take_over(view: View, fact: Fact, own: set[tuple[str, int]]) -> None:
    """R19: what of another's history follows. What ended that one doesn't, and a score only where the subject has none of its own."""
    if fact.name == "enterprise.registered":
        view.regimes |= regimes_of(fact)
    elif fact.name not in _STAYS_BEHIND and not (fact.name == SCORED and (fact.data["regime"], fact.data["year"]) in own):
        view.enter(fact)


def fold(subject: str, partition: int, facts: Iterable[Fact], *, before: int | None = None) -> Subject:
    """A subject of facts that were folded once already, in the order given, those at offsets below ``before`` only."""
    state = Subject(subject, partition)
    state.take_all(facts if before is None else takewhile(lambda fact: fact.offset < before, facts))
    return state
