"""Control events of a partition: which rulebook is activated and which evaluations are closed, each at its own offset.

A control takes effect at its place in the partition, so everything is asked *up to* an offset.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from services.rating.domain.days import day
from services.rating.domain.facts import Fact


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


@dataclass(slots=True)
class Controls:
    """The partition's control facts in the order of their offsets; a second copy of an id changes nothing."""

    facts: list[Fact] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    _evaluations: dict[str, list[Evaluation]] = field(default_factory=dict)
    _activations: dict[str, list[Activation]] = field(default_factory=dict)

    def apply(self, fact: Fact) -> bool:
        """Enter a control fact. False for a further copy."""
        if fact.key in self.seen:
            return False
        self.seen.add(fact.key)
        self.facts.append(fact)
        data = fact.data
        regime = data["regime"]
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

    def evaluations(self, regime: str, *, upto: int, as_of: date) -> list[Evaluation]:
        """The evaluations known at offset ``upto`` whose date has come on ``as_of``: by period, so that the last is of the newest
        one, however late an older one is evaluated; of one period, by date."""
        return [one for one in self._evaluations.get(regime, ()) if one.fact.offset <= upto and one.on <= as_of]

    def activation(self, regime: str, *, upto: int, as_of: date) -> Activation | None:
        """Of the activations at or before offset ``upto`` the one in force on ``as_of``: the latest date, then the latest entry."""
        entered = (one for one in self._activations.get(regime, ()) if one.fact.offset <= upto and one.in_force_from <= as_of)
        return max(entered, key=lambda one: (one.in_force_from, one.fact.offset), default=None)

    def go_live(self, regime: str, *, upto: int) -> date | None:
        """The first day on which any rulebook of the regime is in force: nothing before it counts, whatever is activated later."""
        return min((one.in_force_from for one in self._activations.get(regime, ()) if one.fact.offset <= upto), default=None)

    def last(self, regime: str, *, below: int) -> Fact | None:
        """The regime's newest control below an offset."""
        return next((one for one in reversed(self.facts) if one.offset < below and one.data["regime"] == regime), None)

    def regimes(self) -> list[str]:
        """Regimes with an activation, sorted."""
        return sorted(self._activations)
