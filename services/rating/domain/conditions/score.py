"""Kind ``score``: 三(二)1(1), 1(2), 2(3), 3(3), 4(5). R1: a bound belongs to the band above it."""

from __future__ import annotations

from decimal import Decimal

from schemas.rulebook.conditions import Score
from services.rating.domain.holding import Holding, Look, Quantity, number_text


def holds(condition: Score, look: Look) -> Holding | None:
    """True bands only with a final score; a missing score is in no band (R5)."""
    if look.score is None:
        return None
    score, fact = look.score
    lower = look.value(condition.at_least) if condition.at_least else None
    upper = look.value(condition.below) if condition.below else None
    if lower is not None and score < Decimal(lower):
        return None
    if upper is not None and not score < Decimal(upper):
        return None
    text = number_text(score)
    fills = {
        "score": text,
        "bound": number_text(lower) if lower is not None else "",
        "upper": number_text(upper) if upper is not None else "",
    }
    bound = " ".join([f"≥ {fills['bound']}" if lower is not None else "", f"< {fills['upper']}" if upper is not None else ""]).strip()
    return Holding(facts=(fact,), numbers=(Quantity("score", text, bound),), fills=fills)
