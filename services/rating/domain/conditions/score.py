"""Kind ``score``: 三(二)1(1), 1(2), 2(3), 3(3), 4(5). R1: a bound belongs to the band above it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import Score
from services.rating.domain.holding import Holding, Look, Quantity, number_text


def holds(condition: Score, look: Look) -> Holding | None:
    """True bands only with a final score; a missing score is in no band (R5)."""
    if look.score is None:
        return None
    score, fact = look.score
    if not in_band(condition, look.rulebook, look.day, score):
        return None
    band = _band(condition, look.rulebook, look.day)
    text = number_text(score)
    return Holding(facts=(fact,), numbers=(Quantity("score", text, band.words),), fills={"score": text, **band.fills})


def in_band(condition: Score, rulebook: Rulebook, day: date, score: Decimal | None) -> bool:
    """Whether so many points lie in the band; a missing score lies in none."""
    if score is None:
        return False
    band = _band(condition, rulebook, day)
    return (band.lower is None or score >= band.lower) and (band.upper is None or score < band.upper)


@dataclass(frozen=True, slots=True)
class Band:
    """The condition's bounds in numbers and in words."""

    lower: Decimal | None
    upper: Decimal | None
    words: str
    fills: dict[str, str]


def _band(condition: Score, rulebook: Rulebook, day: date) -> Band:
    key = ("band", condition.at_least, condition.below, rulebook.edition(day))
    found: Band | None = rulebook.kept.get(key)
    if found is None:
        bounds = [Decimal(rulebook.value(name, day)) if name else None for name in (condition.at_least, condition.below)]
        lower, upper = ("" if one is None else number_text(one) for one in bounds)
        words = " ".join([f"≥ {lower}" if lower else "", f"< {upper}" if upper else ""]).strip()
        found = rulebook.kept[key] = Band(*bounds, words, {"bound": lower, "upper": upper})
    return found
