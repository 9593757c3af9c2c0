"""What a condition says when it holds, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from schemas.rulebook import Rulebook
from services.rating.domain.acts import Act
from services.rating.domain.causes import Causes
from services.rating.domain.facts import Fact
from services.rating.domain.view import View


@dataclass(slots=True)
class Quantity:
    """A number that a condition used, and its bound."""

    name: str
    value: str
    bound: str | None = None


@dataclass(frozen=True, slots=True)
class Worded:
    """What fills a sentence otherwise in Chinese than in English."""

    zh: str
    en: str


@dataclass(slots=True)
class Holding:
    """``facts``: what it rests on. ``fills``: what the rule's sentences may show. ``acts``: the acts behind it, by day;
    ``omitted``: how many more there are that it doesn't name."""

    facts: tuple[Fact, ...] = ()
    acts: tuple[Act, ...] = ()
    numbers: tuple[Quantity, ...] = ()
    fills: dict[str, Any] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    omitted: int = 0


@dataclass(slots=True)
class Look:
    """What a condition is asked about: the days of the window, the score and the operating time, where there are any.

    ``day`` is the day whose parameters apply: the period's last at an evaluation, the inspection's in the latest mode."""

    rulebook: Rulebook
    view: View
    first: date
    last: date
    day: date
    score: tuple[Decimal, Fact] | None = None
    components: dict[str, int] | None = None
    inspection: Fact | None = None
    # The regime's inspections by day and offset; ``inspection`` is ``rated[place]``.
    rated: Sequence[Fact] = ()
    place: int = 0

    def value(self, name: str) -> Any:
        """The named parameter on ``day``."""
        return self.rulebook.value(name, self.day)

    def reading(self, *names: str | None) -> tuple[str, ...]:
        """The readings that the named parameters carry."""
        found = (self.rulebook.parameter(name).reading for name in names if name)
        return tuple(sorted({one for one in found if one}))


class CauseKind(Protocol):
    """A module for a cause condition: ``matches`` picks its acts, ``tracker`` makes what finds the moments among them."""

    matches: Callable[[Any, Rulebook, Act], bool]
    tracker: Callable[[Any, Rulebook], Any]
    describe: Callable[[Any, Rulebook, Causes], Holding]


@lru_cache(maxsize=4_096)
def number_text(value: Decimal | int | str) -> str:
    """A quantity as the reader expects it: ``98.50`` → ``98.5``, ``90`` → ``90``, never an exponent."""
    text = format(Decimal(value).normalize(), "f")
    return text if text != "-0" else "0"
