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
from services.rating.domain.effects import ACTING, LOOKED_AT, REPAIR, Effects, Key
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.view import View, regimes_of


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
    # Regime → when the first fact of it became known.
    _since: dict[str, int] = field(default_factory=dict)
    # How many repairs act → the view of those days; made when it is asked for.
    _views: dict[int, View] = field(default_factory=dict)
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
        views = self._views or {0: self._made(0)}
        if self._enter(fact):
            self._views = {0: self._made(0)}
            return True
        self._views = views
        if (now := self.effects.effective(fact)) is not None:
            for number, view in views.items():
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

    def view_on(self, day: date) -> View:
        """The view that the standing of a day follows from. Not to be kept: the next fact may bring another."""
        number = bisect_right(self._granted(), day, key=lambda one: one[0])
        view = self._views.get(number)
        if view is None:
            view = self._views[number] = self._made(number)
        return view

    def _made(self, number: int) -> View:
        view = View(self.subject, self.partition)
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

    def repair_days(self) -> list[date]:
        """The days from which granted repairs act, sorted."""
        return [on for on, _ in self._granted()]

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


def fold(subject: str, partition: int, facts: Iterable[Fact], *, before: int | None = None) -> Subject:
    """A subject of facts that were folded once already, in the order given, those at offsets below ``before`` only."""
    state = Subject(subject, partition)
    state.take_all(facts if before is None else takewhile(lambda fact: fact.offset < before, facts))
    return state
