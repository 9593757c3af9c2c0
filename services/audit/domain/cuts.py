"""Where a regime's grades change with a score: read from the conditions of its rules, with the side on which the better grade lies.

A band's bounds are parameters; each is a cut. ``score`` (the year's final score) is better the higher it is; sums of components are
faults, better the lower. Points that the rules work out themselves from acts are nobody's score and have no cut here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import ComponentSum, OfKind, Score
from schemas.rulebook.model import Rule

FINAL = "final"
"""The stratum of the year's final scores; of inspections it is their kind."""
ANY = "any"


@dataclass(frozen=True, slots=True)
class Cut:
    """``bound``: the parameter's value, the last number on the good side. ``kinds``: of the inspections that it decides; () all."""

    parameter: str
    bound: Decimal
    more_is_better: bool
    clause: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """A regime's cuts on a day. Scores are turned so that more is better, and counted in units of 1/``parts`` of a point.

    ``components``: those whose sum is the score; empty where the final score is."""

    regime: str
    cuts: tuple[Cut, ...]
    more_is_better: bool
    parts: int
    components: tuple[str, ...]

    def oriented(self, score: Decimal) -> int:
        """A score in whole units, more is better; what lies between two units counts as the worse one."""
        units = Fraction(score) * self.parts
        return int(units // 1) if self.more_is_better else int(-units // 1)

    def shown(self, oriented: int) -> str:
        """The score that an oriented one stands for."""
        value = Fraction(oriented if self.more_is_better else -oriented, self.parts)
        return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"

    def first_good(self, cut: Cut) -> int:
        """The cut as a number: the first oriented score on its good side."""
        return self.oriented(cut.bound)

    def decides(self, stratum: str) -> tuple[Cut, ...]:
        """The cuts on which something hangs in a stratum."""
        return tuple(one for one in self.cuts if not one.kinds or stratum in one.kinds)


@lru_cache(maxsize=256)
def just_good(of: Scale, stratum: str) -> tuple[tuple[str, int], ...]:
    """Parameter and first good score of each cut on which something hangs in a stratum."""
    return tuple((cut.parameter, of.first_good(cut)) for cut in of.decides(stratum))


def scale(book: Rulebook, day: date) -> Scale | None:
    """The cuts in force on ``day``; None where no grade changes with a score that somebody gives."""
    found: dict[tuple[str, tuple[str, ...]], Cut] = {}
    for rule in book.rules:
        if rule.in_force(day):
            for cut in _of(book, rule, day):
                found.setdefault((cut.parameter, cut.kinds), cut)
    if not found:
        return None
    cuts = tuple(_merged(found.values()))
    sides = {one.more_is_better for one in cuts}
    if len(sides) > 1:
        raise ValueError(f"{book.regime}: bands of final scores and of sums of components in one rulebook have no common scale")
    components = book.latest.components if book.latest is not None and sides == {False} else ()
    return Scale(book.regime, cuts, sides == {True}, lcm(*(Fraction(one.bound).denominator for one in cuts)), tuple(components))


def _merged(cuts: Iterator[Cut] | object) -> Iterator[Cut]:
    """One cut a parameter, for all kinds that any rule names for it; all kinds where a rule names none."""
    by_name: dict[str, list[Cut]] = {}
    for one in cuts:  # type: ignore[attr-defined]
        by_name.setdefault(one.parameter, []).append(one)
    for name in sorted(by_name):
        some = by_name[name]
        kinds = () if any(not one.kinds for one in some) else tuple(sorted({kind for one in some for kind in one.kinds}))
        yield Cut(name, some[0].bound, some[0].more_is_better, some[0].clause, kinds)


def _of(book: Rulebook, rule: Rule, day: date) -> Iterator[Cut]:
    kinds: tuple[str, ...] = ()
    for one in rule.all:
        if isinstance(one, OfKind):
            kinds = tuple(book.value(one.any_of, day))
    for one in rule.all:
        if isinstance(one, Score):
            names, more_is_better = (one.at_least, one.below), True
        elif isinstance(one, ComponentSum) and one.of is None:
            names, more_is_better = (one.at_most, one.above), False
        else:
            continue
        for name in names:
            dated = book.parameter(name).dated_at(day) if name is not None else None
            if name is not None and dated is not None and dated.value is not None:
                yield Cut(name, Decimal(str(dated.value)), more_is_better, dated.clause, kinds)
