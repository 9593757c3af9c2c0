"""Kind ``acts``: 三(二)2(1), 2(2), 3(2), 4(1)–(4). Something was imposed or found; or so many times within so many months."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import Acts
from services.rating.domain.acts import Act
from services.rating.domain.conditions.selection import by_concept, in_field
from services.rating.domain.days import within
from services.rating.domain.holding import Cause, Holding, Quantity
from services.rating.domain.subject import Subject


def matches(condition: Acts, rulebook: Rulebook, act: Act) -> bool:
    """True when the condition looks at the act."""
    return (
        not act.sanctions.isdisjoint(rulebook.sets[condition.acts])
        and in_field(condition.legal_fields, rulebook, act)
        and by_concept(condition.only_concepts, condition.except_concepts, act)
    )


def causes(condition: Acts, rulebook: Rulebook, acts: Sequence[Act], subject: Subject) -> list[Cause]:
    """With ``count``: each act that completes the count within the months before it. (Without, each act is a cause of its own,
    which the index keeps up.)"""
    assert condition.count is not None
    found = []
    start = 0
    for position, act in enumerate(acts):
        needed = rulebook.parameter(condition.count).at(act.effective)
        months = rulebook.parameter(condition.within or "").at(act.effective)
        if needed is None or months is None:
            continue
        while not within(acts[start].effective, act.effective, months):
            start += 1
        span = tuple(acts[start : position + 1])
        total = sum(one.approvals if condition.quantity == "approvals" else 1 for one in span)
        if total >= needed:
            found.append(Cause(act.effective, span, total))
    return found


def describe(condition: Acts, rulebook: Rulebook, causes: Sequence[Cause]) -> Holding:
    """All acts of the causes, the number found, and the number needed where there is one."""
    acts = tuple(sorted({id(act): act for cause in causes for act in cause.acts}.values(), key=lambda act: act.order))
    quantity = max(cause.quantity for cause in causes) if condition.count else len(acts)
    needed = rulebook.parameter(condition.count).at(causes[-1].on) if condition.count else None
    fills = {"found": quantity, "needed": needed if needed is not None else 1}
    numbers = (Quantity(condition.acts, str(quantity), str(needed) if needed is not None else None),)
    return Holding(acts=acts, numbers=numbers, fills=fills)
