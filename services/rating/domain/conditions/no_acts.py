"""Kind ``no_acts``: 三(二)1(1) and 1(2). A clean record over the months that end with the evaluated period."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import NoActs
from services.rating.domain.acts import Act
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.days import window_ending
from services.rating.domain.holding import Holding, Look, Quantity


def matches(condition: NoActs, rulebook: Rulebook, act: Act) -> bool:
    """True when the act would stain the record."""
    return not act.sanctions.isdisjoint(rulebook.sets[condition.acts]) and in_field(condition.legal_fields, rulebook, act)


def holds(condition: NoActs, look: Look, acts: Sequence[Act]) -> Holding | None:
    """``acts`` are the matching ones, sorted by day of effect."""
    months = look.value(condition.within)
    if acts:
        last = bisect_right(acts, look.last, key=lambda act: act.effective)
        if last and acts[last - 1].effective >= window_ending(look.last, months):
            return None
    key = ("no_acts", condition.acts, months)
    found: Holding | None = look.rulebook.kept.get(key)
    if found is None:
        found = Holding(numbers=(Quantity(f"no_{condition.acts}", "0", f"{months} months"),), fills={"months": months})
        look.rulebook.kept[key] = found
    return found
