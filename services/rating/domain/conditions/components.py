"""Kinds ``component_sum`` and ``component_each``: bounds on scored components, both inclusive."""

from __future__ import annotations

from decimal import Decimal

from schemas.rulebook.conditions import ComponentEach, ComponentSum
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Holding, Look, Quantity, number_text


def _inspection(look: Look) -> tuple[Fact, ...]:
    return (look.inspection,) if look.inspection else ()


def holds_sum(condition: ComponentSum, look: Look) -> Holding | None:
    """The sum is at most the parameter."""
    if not look.components:
        return None
    total, bound = sum(look.components.values()), look.value(condition.at_most)
    if total > Decimal(bound):
        return None
    fills = {"sum": total, "sum_bound": number_text(bound)}
    return Holding(facts=_inspection(look), numbers=(Quantity("sum", str(total), f"≤ {fills['sum_bound']}"),), fills=fills)


def holds_each(condition: ComponentEach, look: Look) -> Holding | None:
    """No component is above the parameter."""
    if not look.components:
        return None
    highest, bound = max(look.components.values()), look.value(condition.at_most)
    if highest > Decimal(bound):
        return None
    fills = {"highest": highest, "highest_bound": number_text(bound)}
    return Holding(facts=_inspection(look), numbers=(Quantity("highest", str(highest), f"≤ {fills['highest_bound']}"),), fills=fills)
