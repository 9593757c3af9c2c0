"""Kind ``score``: 三(二)1(1), 1(2), 2(3), 3(3), 4(5). R1: a bound belongs to the band above it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import Score
from services.rating.domain.holding import Ask, Holding, Look, Quantity, number_text

if TYPE_CHECKING:
    from services.rating.domain.index import Index


def asking(condition: Score, rulebook: Rulebook, day: date) -> Ask:
    """True bands only with a final score; a missing score is in no band (R5)."""
    band = band_of(condition, rulebook, day)

    def ask(look: Look, index: Index) -> Holding | None:
        if look.score is None or not band.holds(look.score[0]):
            return None
        text = number_text(look.score[0])
        return Holding((look.score[1],), (), (Quantity("score", text, band.words),), {"score": text, **band.fills})

    return ask


@dataclass(frozen=True, slots=True)
class Band:
    """The condition's bounds in numbers and in words."""

    lower: Decimal | None
    upper: Decimal | None
    words: str
    fills: dict[str, str]

    def holds(self, points: Decimal) -> bool:
        """Whether so many points lie in it."""
        return (self.lower is None or points >= self.lower) and (self.upper is None or points < self.upper)


def band_of(condition: Score, rulebook: Rulebook, day: date) -> Band:
    """The band as it is on a day. Raises ``LookupError`` where a bound has no value then."""
    bounds = [Decimal(rulebook.value(name, day)) if name else None for name in (condition.at_least, condition.below)]
    lower, upper = ("" if one is None else number_text(one) for one in bounds)
    words = " ".join([f"≥ {lower}" if lower else "", f"< {upper}" if upper else ""]).strip()
    return Band(*bounds, words, {"bound": lower, "upper": upper})
