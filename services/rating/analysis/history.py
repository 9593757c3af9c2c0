"""The port through which a history is read, and a register's controls under a rulebook that it never activated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from services.rating.domain.controls import Controls, Evaluation
from services.rating.domain.days import civil_day
from services.rating.domain.facts import Fact
from services.rating.domain.fold import Book
from services.rating.domain.grade import standing
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject

EVERYTHING = 2**62
"""Above every offset: all that was read counts."""


@dataclass(frozen=True, slots=True)
class Known:
    """A subject with all its facts, and the partition's control facts, in the order of their offsets. ``name``: what it was
    registered as, where the reader has it; for reports only."""

    subject: Subject
    controls: tuple[Fact, ...]
    name: str | None = None


class History(Protocol):
    """Every subject of a register, each once, in any order. Read once from beginning to end.

    Whoever reads has cut it already: nothing in it became known later than was asked for. All subjects of a partition share the
    same ``controls`` object, so that what follows from it is worked out once."""

    def __iter__(self) -> Iterator[Known]: ...


@dataclass(slots=True)
class Register(ABC):
    """A history, and what a report says of it. ``last_known``: the newest instant in it (epoch ms), 0 where it holds nothing;
    ``evaluations``: of every partition the same; both are whole once it was read. ``sample``: it is made up, and says so itself."""

    last_known: int = 0
    evaluations: tuple[Fact, ...] = ()
    sample: bool = False

    @abstractmethod
    def __iter__(self) -> Iterator[Known]: ...

    def last_day(self, book: Book) -> date:
        """The civil day of the newest instant, in the regime's zone."""
        return civil_day(self.last_known, book.zone)

    def evaluations_after(self, regime: str, day: date) -> list[str]:
        """Dates of the regime's evaluations that are entered and lie after a day."""
        mine = (one.data["evaluation_date"] for one in self.evaluations if one.data["regime"] == regime)
        return sorted({one for one in mine if one > day.isoformat()})


def evaluations_of(controls: Controls) -> tuple[Fact, ...]:
    """A partition's evaluations, in the order of their offsets: all that a report takes over of its controls."""
    return tuple(one for one in controls.facts if one.name == "evaluation.closed")


@dataclass(frozen=True, slots=True)
class Scene:
    """A rulebook and the day from which it counts as activated: ``go_live``, before which nothing acts at once. ``rated``: the same
    with nothing to approve, for what never was proposed nobody could have signed; a grade counts from when its conditions are met."""

    book: Book
    go_live: date
    rated: Book

    @staticmethod
    def of(book: Book, go_live: date | None = None) -> Scene:
        """``go_live`` by default the first day of any of its rules."""
        return Scene(book, go_live or first_day(book), Book.of(book.rulebook.by_conditions_alone()))

    def controls(self, facts: Iterable[Fact]) -> Controls:
        """The register's evaluations as they were, under this rulebook in place of those that were activated."""
        rulebook, controls = self.book.rulebook, Controls()
        data = {
            "regime": rulebook.regime,
            "version": rulebook.version,
            "sha256": self.rated.sha256,
            "in_force_from": self.go_live.isoformat(),
        }
        controls.apply(Fact(0, -1, 0, 0, 0, "00000000-0000-8000-8000-000000000000", "/services/rating", "rulebook.activated", data))
        for fact in facts:
            if fact.name == "evaluation.closed":
                controls.apply(fact)
        return controls


def first_day(book: Book) -> date:
    """The first day on which a rule of the rulebook is in force."""
    return min(rule.in_force_from for rule in book.rulebook.rules)


class Stage:
    """A scene with the controls of each partition, made once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._made: dict[int, tuple[tuple[Fact, ...], Controls]] = {}

    def controls(self, known: Known) -> Controls:
        """The controls that a subject lives by under this scene's rulebook."""
        found = self._made.get(id(known.controls))
        if found is None:
            # The facts are kept with what was made of them: an id is unique only as long as its object lives.
            found = self._made[id(known.controls)] = (known.controls, self.scene.controls(known.controls))
        return found[1]

    def standing(self, known: Known, day: date) -> Standing | None:
        """The subject's standing on a day by this rulebook; None where the regime doesn't rate it."""
        book = self.scene.rated
        return standing(known.subject, self.controls(known), book, upto=EVERYTHING, as_of=day)

    def evaluations(self, known: Known, day: date) -> list[Evaluation]:
        """The evaluations whose date has come on a day, the newest period last."""
        return self.controls(known).evaluations(self.scene.book.rulebook.regime, upto=EVERYTHING, as_of=day)
