"""Which law was in force on which days, as known at an offset: a regime's activations laid out as parts (ADR 0025).

Within a part nothing changes. Where an edition says that acts are judged by the law of their day, its own dates begin parts as well: it
makes no difference whether a rule was changed by a new edition or by a dated value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from schemas.rulebook import Rulebook
from services.rating.domain.book import Book
from services.rating.domain.controls import Activation, Controls
from services.rating.domain.days import ONE_DAY


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """``first``: its first day, of the first part ``date.min``; ``since``: from when what it says is in force; ``last``: its last day,
    ``date.max`` of the newest."""

    first: date
    last: date
    since: date
    rulebook: Rulebook
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """``parts`` by date, without a hole. ``unheld``: the first activation that names an edition which isn't held; from its day on there is
    no answer."""

    parts: tuple[Part, ...]
    unheld: Activation | None = None
    # By day: every subject asks for the same few.
    _manners: dict[date, frozenset[str]] = field(default_factory=dict, init=False, repr=False)

    @property
    def one(self) -> Rulebook | None:
        """The rulebook, where there never was another."""
        return self.parts[0].rulebook if len(self.parts) == 1 else None

    def number(self, day: date) -> int:
        """Which part a day lies in."""
        if len(self.parts) == 1:
            return 0
        return bisect_right(self.parts, day, key=lambda one: one.first) - 1

    def on(self, day: date) -> Part:
        """The part that a day lies in."""
        return self.parts[self.number(day)]

    def says(self, day: date) -> bool:
        """False from the day on from which an edition is in force that isn't held."""
        return bool(self.parts) and (self.unheld is None or day < self.unheld.in_force_from)

    def manners(self, day: date) -> frozenset[str]:
        """R19: the ways of succession in which history follows, by the law of a day."""
        found = self._manners.get(day)
        if found is None:
            found = self._manners[day] = manners(self.on(day).rulebook, day) if self.parts else NO_MANNER
        return found

    def over(self, first: date, last: date) -> Iterator[tuple[int, Part, date, date]]:
        """The parts that days from ``first`` to ``last`` lie in: number, part, the first and the last of these days."""
        for number, part in enumerate(self.parts):
            low, high = max(first, part.first), min(last, part.last)
            if low <= high:
                yield number, part, low, high


NONE = Law(())
NO_MANNER: frozenset[str] = frozenset()


def law_of(controls: Controls, book: Book, *, upto: int) -> Law:
    """The law of the book's regime by the activations up to an offset; ``NONE`` where there is none yet."""
    number = controls.count_of_activations(book.rulebook.regime, upto=upto)
    if not number:
        return NONE
    found: Law | None = controls.kept.get((book, number))
    if found is None:
        found = controls.kept[book, number] = _laid_out(controls.laws(book.rulebook.regime, upto=upto), book)
    return found


def _laid_out(activations: tuple[Activation, ...], book: Book) -> Law:
    held: list[tuple[date, Rulebook, str]] = []
    unheld: Activation | None = None
    for one in activations:
        rulebook = book.edition(one.sha256)
        if rulebook is None:
            unheld = one
            break
        if not held or held[-1][2] != one.sha256:
            held.append((one.in_force_from, rulebook, one.sha256))
    end = unheld.in_force_from if unheld else date.max
    parts: list[Part] = []
    for at, (since, rulebook, sha256) in enumerate(held):
        following = held[at + 1][0] if at + 1 < len(held) else end
        parts += _split(Part(since if parts else date.min, _before(following), since, rulebook, sha256))
    return Law(tuple(parts), unheld)


def _before(day: date) -> date:
    return day if day == date.max else day - ONE_DAY


def _split(whole: Part) -> Iterator[Part]:
    """A part for each stretch between the edition's own dates, where it judges acts by the law of their day."""
    rulebook = whole.rulebook
    # Before its first date it says nothing at all.
    dates = [day for day in rulebook.dates[1:] if whole.first < day <= whole.last] if rulebook.law_in_time else []
    if not dates:
        yield whole
        return
    for first, following in pairwise((whole.first, *dates, date.max)):
        day = max(first, rulebook.dates[0])
        last = whole.last if following == date.max else following - ONE_DAY
        yield Part(first, last, max(first, whole.since), constant(rulebook, day), whole.sha256)


def manners(rulebook: Rulebook, day: date) -> frozenset[str]:
    """R19: the ways of succession in which history follows by a rulebook."""
    if rulebook.succession is None:
        return NO_MANNER
    key = ("manners", rulebook.edition(day))
    found: frozenset[str] | None = rulebook.kept.get(key)
    if found is None:
        found = rulebook.kept[key] = frozenset(rulebook.parameter(rulebook.succession.manners).at(day) or ())
    return found


def constant(rulebook: Rulebook, day: date) -> Rulebook:
    """What a rulebook says on a day, said of every day."""
    key = ("constant", rulebook.edition(day))
    found: Rulebook | None = rulebook.kept.get(key)
    if found is None:
        parameters = []
        for one in rulebook.parameters:
            dated = one.dated_at(day) or one.values[0].model_copy(update={"value": None})
            parameters.append(one.model_copy(update={"values": (dated.model_copy(update={"in_force_from": date.min}),)}))
        always = {"in_force_from": date.min, "repealed_on": None}
        rules = tuple(one.model_copy(update=always) for one in rulebook.rules if one.in_force(day))
        found = rulebook.kept[key] = rulebook.model_copy(update={"parameters": tuple(parameters), "rules": rules})
    return found
