"""Kind ``no_acts``: 三(二)1(1) and 1(2). A clean record over the months that end with the evaluated period."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from schemas.rulebook import Rule, Rulebook
from schemas.rulebook.conditions import NoActs
from services.rating.domain.acts import Act
from services.rating.domain.conditions.selection import in_field
from services.rating.domain.days import window_ending
from services.rating.domain.holding import Ask, Holding, Look, Quantity

if TYPE_CHECKING:
    from services.rating.domain.index import Index


def matches(condition: NoActs, rulebook: Rulebook, act: Act) -> bool:
    """True when the act would stain the record."""
    return not act.sanctions.isdisjoint(rulebook.sets[condition.acts]) and in_field(condition.legal_fields, rulebook, act)


def asking(condition: NoActs, rulebook: Rulebook, day: date, rule: Rule, position: int) -> Ask:
    """Holds where none of the acts that it looks at lies in the window that ends with the look's last day."""
    months, place = rulebook.value(condition.within, day), (rule.id, position)
    clean = Holding(numbers=(Quantity(f"no_{condition.acts}", "0", f"{months} months"),), fills={"months": months})

    def ask(look: Look, index: Index) -> Holding | None:
        acts: Sequence[Act] | None = index.matched.get(place)  # sorted by day of effect
        if acts and look.sift:
            acts = look.sift.stains(rule, acts, look)
        if acts:
            last = bisect_right(acts, look.last, key=lambda act: act.effective)
            if last and acts[last - 1].effective >= window_ending(look.last, months):
                return None
        return clean

    return ask
