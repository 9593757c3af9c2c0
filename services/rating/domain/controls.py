"""Control events of a partition: which rulebook is activated, which evaluations and days are closed, each at its own offset.

A control takes effect at its place in the partition, so everything is asked *up to* an offset. Every closed day is kept (one
small row a day), not the newest alone: what a step told before is told again in the same bytes only if it is known which
days were over then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.rating.domain.days import day
from services.rating.domain.facts import DAY_CLOSED, Fact


@dataclass(frozen=True, slots=True)
class Evaluation:
    """R10: the period, both days inclusive, and the date on which every subject is evaluated."""

    first: date
    last: date
    on: date
    fact: Fact


@dataclass(frozen=True, slots=True)
class Activation:
    """A regime's rulebook, by digest."""

    sha256: str
    version: str
    in_force_from: date
    fact: Fact


@dataclass(frozen=True, slots=True)
class Basis:
    """What a standing rests on besides the subject's own facts: the rulebook in force, the first day that counts, and the evaluations
    whose date has come, the newest period last."""

    activation: Activation
    go_live: date
    evaluations: Sequence[Evaluation]


@dataclass(slots=True)
class Controls:
    """The partition's control facts in the order of their offsets; a second copy of an id changes nothing."""

    facts: list[Fact] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    _evaluations: dict[str, list[Evaluation]] = field(default_factory=dict)
    _activations: dict[str, list[Activation]] = field(default_factory=dict)
    _of: dict[str, list[Fact]] = field(default_factory=dict)
    _days: list[Fact] = field(default_factory=list)
    # What was asked, and the answer, for every subject asks the same; empty again with each new control.
    _asked: dict[tuple[object, ...], Any] = field(default_factory=dict)
    # The same for what ``law.law_of`` lays out; of each number of activations, which never changes.
    kept: dict[tuple[object, int], Any] = field(default_factory=dict)

    def apply(self, fact: Fact) -> bool:
        """Enter a control fact. False for a further copy."""
        if fact.key in self.seen:
            return False
        self.seen.add(fact.key)
        self.facts.append(fact)
        self._asked.clear()
        data = fact.data
        if fact.name == DAY_CLOSED:
            self._days.append(fact)
            return True
        regime = data["regime"]
        self._of.setdefault(regime, []).append(fact)
        if fact.name == "evaluation.closed":
            first, last, on = day(data["period"]["first"]), day(data["period"]["last"]), day(data["evaluation_date"])
            assert first and last and on
            self._evaluations.setdefault(regime, []).append(Evaluation(first, last, on, fact))
            self._evaluations[regime].sort(key=lambda one: (one.last, one.on, one.fact.offset))
        else:
            from_day = day(data["in_force_from"])
            assert from_day
            self._activations.setdefault(regime, []).append(Activation(data["sha256"], data["version"], from_day, fact))
        return True

    def basis(self, regime: str, *, upto: int, as_of: date) -> Basis | None:
        """The basis of standings on a day, up to an offset; None where no rulebook of the regime is in force then."""
        key = ("basis", regime, upto, as_of)
        if key not in self._asked:
            activation, go_live = self.activation(regime, upto=upto, as_of=as_of), self.go_live(regime, upto=upto)
            known = activation and go_live and Basis(activation, go_live, self.evaluations(regime, upto=upto, as_of=as_of))
            self._asked[key] = known or None
        found: Basis | None = self._asked[key]
        return found

    def evaluations(self, regime: str, *, upto: int, as_of: date) -> list[Evaluation]:
        """The evaluations known at offset ``upto`` whose date has come on ``as_of``: by period, so that the last is of the newest
        one, however late an older one is evaluated; of one period, by date."""
        found: list[Evaluation] | None = self._asked.get(("evaluations", regime, upto, as_of))
        if found is None:
            found = [one for one in self._evaluations.get(regime, ()) if one.fact.offset <= upto and one.on <= as_of]
            self._asked["evaluations", regime, upto, as_of] = found
        return found

    def activation(self, regime: str, *, upto: int, as_of: date) -> Activation | None:
        """Of the activations at or before offset ``upto`` the one in force on ``as_of``: the latest date, then the latest entry."""
        key = ("activation", regime, upto, as_of)
        if key not in self._asked:
            entered = (one for one in self._activations.get(regime, ()) if one.fact.offset <= upto and one.in_force_from <= as_of)
            self._asked[key] = max(entered, key=lambda one: (one.in_force_from, one.fact.offset), default=None)
        found: Activation | None = self._asked[key]
        return found

    def count_of_activations(self, regime: str, *, upto: int) -> int:
        """How many activations stand at or before an offset."""
        entered = self._activations.get(regime, ())
        if not entered or entered[-1].fact.offset <= upto:
            return len(entered)
        return sum(one.fact.offset <= upto for one in entered)

    def laws(self, regime: str, *, upto: int) -> tuple[Activation, ...]:
        """The activations at or before an offset that are in force on some day, by date: of one date the last entered."""
        by_date: dict[date, Activation] = {}
        for one in self._activations.get(regime, ()):
            if one.fact.offset <= upto and (one.in_force_from not in by_date or by_date[one.in_force_from].fact.offset < one.fact.offset):
                by_date[one.in_force_from] = one
        return tuple(by_date[day] for day in sorted(by_date))

    def go_live(self, regime: str, *, upto: int) -> date | None:
        """The first day on which any rulebook of the regime is in force: nothing before it counts, whatever is activated later."""
        key = ("go_live", regime, upto)
        if key not in self._asked:
            entered = (one.in_force_from for one in self._activations.get(regime, ()) if one.fact.offset <= upto)
            self._asked[key] = min(entered, default=None)
        found: date | None = self._asked[key]
        return found

    def dates(self, regime: str, *, upto: int) -> Iterator[date]:
        """The dates of its evaluations and activations known at offset ``upto``."""
        yield from (one.on for one in self._evaluations.get(regime, ()) if one.fact.offset <= upto)
        yield from (one.in_force_from for one in self._activations.get(regime, ()) if one.fact.offset <= upto)

    def evaluated_on(self, regime: str, year: int) -> date | None:
        """The first date on which a period that ends in this year is evaluated, as far as any is entered."""
        return min((one.on for one in self._evaluations.get(regime, ()) if one.last.year == year), default=None)

    def activated_at(self, regime: str) -> int | None:
        """When the first activation became known (epoch ms)."""
        return min((one.fact.known for one in self._activations.get(regime, ())), default=None)

    def last(self, regime: str, *, below: int) -> Fact | None:
        """The newest control below an offset that concerns the regime: its own, or a day that closed."""
        found = (_last(self._of.get(regime, ()), below), _last(self._days, below))
        return max((one for one in found if one), key=lambda one: one.offset, default=None)

    def regimes(self) -> list[str]:
        """Regimes with an activation, sorted."""
        return sorted(self._activations)


def _last(facts: Sequence[Fact], below: int) -> Fact | None:
    position = bisect_left(facts, below, key=lambda one: one.offset)
    return facts[position - 1] if position else None
