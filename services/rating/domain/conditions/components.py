"""Kinds ``component_sum`` and ``component_each``: bounds on scored components; ``at_most`` includes its number, ``above`` doesn't."""

from __future__ import annotations

from decimal import Decimal

from schemas.rulebook.conditions import ComponentEach, ComponentSum
from services.rating.domain.closures import closing_place, lifts
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Holding, Look, Quantity, number_text


def scored(inspection: Fact, names: tuple[str, ...]) -> dict[str, int] | None:
    """The points of the components named; None where one of them was not scored."""
    scores = {one["component"]: one["points"] for one in inspection.data.get("component_scores") or ()}
    return {name: scores[name] for name in names} if scores.keys() >= set(names) else None


def _inspection(look: Look) -> tuple[Fact, ...]:
    return (look.inspection,) if look.inspection else ()


def holds_sum(condition: ComponentSum, look: Look) -> Holding | None:
    """The sum is at most the one parameter and more than the other."""
    components, facts = (look.components, _inspection(look)) if condition.of is None else _of_closing(look)
    if not components:
        return None
    total = sum(components.values())
    most = look.value(condition.at_most) if condition.at_most else None
    least = look.value(condition.above) if condition.above else None
    if (most is not None and total > Decimal(most)) or (least is not None and total <= Decimal(least)):
        return None
    fills = {
        "sum": total,
        "sum_bound": number_text(most) if most is not None else "",
        "sum_above": number_text(least) if least is not None else "",
    }
    bounds = [f"> {fills['sum_above']}" if least is not None else "", f"≤ {fills['sum_bound']}" if most is not None else ""]
    return Holding(facts=facts, numbers=(Quantity("sum", str(total), " ".join(bounds).strip()),), fills=fills)


def _of_closing(look: Look) -> tuple[dict[str, int] | None, tuple[Fact, ...]]:
    assert look.inspection is not None and look.rulebook.latest is not None
    place = closing_place(look.rated, look.place) if lifts(look.inspection) else None
    if place is None:
        return None, ()
    closing = look.rated[place]
    return scored(closing, look.rulebook.latest.components), (closing,)


def holds_each(condition: ComponentEach, look: Look) -> Holding | None:
    """No component is above the parameter."""
    if not look.components:
        return None
    highest, bound = max(look.components.values()), look.value(condition.at_most)
    if highest > Decimal(bound):
        return None
    fills = {"highest": highest, "highest_bound": number_text(bound)}
    return Holding(facts=_inspection(look), numbers=(Quantity("highest", str(highest), f"≤ {fills['highest_bound']}"),), fills=fills)
