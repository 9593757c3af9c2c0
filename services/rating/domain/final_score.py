"""The year's final score, on the scale of the rulebook's bands (R9, R15)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from schemas.rulebook import Rulebook
from services.rating.domain.facts import Fact
from services.rating.domain.holding import number_text
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.terms import terms_of
from services.rating.domain.values import quick
from services.rating.domain.view import View

# More decimals than any bound has, so that what is cut off never lifts a score over one.
STEPS = 10_000


@quick
class FinalScore:
    """``points`` out of the rulebook's full marks; ``notes``: what has to be said of how it was come by."""

    points: Decimal
    fact: Fact
    notes: tuple[Reason, ...] = ()


@lru_cache(maxsize=4_096)
def _number(text: str) -> Decimal:
    return Decimal(text)


def scaled(total: str, maximum: str, full: Decimal) -> Decimal | None:
    """``total`` of ``maximum`` as so many of ``full``, cut off; None where nothing is out of a maximum of zero."""
    if Decimal(maximum) == full:
        return Decimal(total)
    if not Decimal(maximum) > 0:
        return None
    return Decimal(int(Fraction(total) * Fraction(full) * STEPS // Fraction(maximum))) / STEPS


def final_score(view: View, rulebook: Rulebook, first: date, last: date) -> FinalScore | None:
    """Of the year in which the period ends; of several the one that the rulebook chooses. None also where the rulebook knows no
    scores, and where it has no full marks, or no choice, on the period's last day."""
    periodic = rulebook.periodic
    assert periodic is not None
    scores = view.scores.get((rulebook.regime, last.year))
    if periodic.score_maximum is None or not scores:
        return None
    assert periodic.several_scores and periodic.other_maximum
    terms = terms_of(rulebook, last)
    full, choice = terms.full, terms.choice
    if full is None:
        return None
    if len(scores) == 1 and _number(scores[0].data["maximum"]) == full:
        return FinalScore(_number(scores[0].data["total"]), scores[0])
    found: list[tuple[Decimal, Fact]] = []
    for fact in scores:
        points = scaled(fact.data["total"], fact.data["maximum"], full)
        if points is not None:
            found.append((points, fact))
    if not found or (choice is None and len(found) > 1):
        return None
    points, fact = min(found, key=lambda one: (one[0], one[1].offset)) if choice == "lowest" and len(found) > 1 else found[0]
    if len(found) == 1 and Decimal(fact.data["maximum"]) == full:
        return FinalScore(points, fact)
    values: dict[str, Any] = {"period_first": first, "period_last": last, "found": len(found), "score": number_text(points)}
    notes = []
    if len({one for one, _ in found}) > 1:
        facts = tuple(Decisive(one) for _, one in found)
        note = periodic.several_scores
        notes.append(Reason("several_scores", note.clause, None, note, values, facts=facts, readings=note.readings))
    if Decimal(fact.data["maximum"]) != full:
        note = periodic.other_maximum
        own = {name: number_text(fact.data[name]) for name in ("total", "maximum")} | {"score_maximum": number_text(full)}
        notes.append(Reason("other_maximum", note.clause, None, note, values | own, facts=(Decisive(fact),), readings=note.readings))
    return FinalScore(points, fact, tuple(notes))
