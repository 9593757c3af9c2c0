"""Kinds ``inspection_kind``, ``soon_after``, ``outcome_pending``, ``closure``, ``closed_at``: one inspection and those before it."""

from __future__ import annotations

from schemas.rulebook.conditions import ClosedAt, ClosureIs, OfKind, OutcomePending, SoonAfter
from schemas.rulebook.vocabulary import NOT_ON_RECORD
from services.rating.domain.closures import closing_place, lifts
from services.rating.domain.days import day
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Holding, Look, Quantity


def holds(condition: OfKind | SoonAfter | OutcomePending | ClosureIs | ClosedAt, look: Look) -> Holding | None:
    """None where there is no inspection to look at, too."""
    inspection = look.inspection
    if inspection is None:
        return None
    if isinstance(condition, OfKind):
        return _facts(inspection) if inspection.data["kind"] in look.value(condition.any_of) else None
    if isinstance(condition, OutcomePending):
        return _facts(inspection) if inspection.data.get("outcome_pending") else None
    if isinstance(condition, ClosureIs):
        return _facts(inspection) if inspection.data.get("closure") in look.value(condition.any_of) else None
    if isinstance(condition, SoonAfter):
        return _soon_after(condition, look, inspection)
    return _closed_at(condition, look, inspection)


def _facts(*facts: Fact) -> Holding:
    return Holding(facts=facts)


def _soon_after(condition: SoonAfter, look: Look, inspection: Fact) -> Holding | None:
    """Days are counted from one civil date to the other: seven lie between a Monday and the next."""
    kinds, least = look.value(condition.any_of), look.value(condition.fewer_than)
    for at in range(look.place - 1, -1, -1):
        earlier = look.rated[at]
        on = day(earlier.data["occurred_on"])
        assert on is not None
        between = (look.day - on).days
        if between >= least:
            return None
        if earlier.data["kind"] in kinds:
            number = Quantity("days", str(between), f"< {least}")
            return Holding(facts=(earlier, inspection), numbers=(number,), fills={"since": on, "days": between})
    return None


def _closed_at(condition: ClosedAt, look: Look, inspection: Fact) -> Holding | None:
    if not lifts(inspection):
        return None
    kinds, place = look.value(condition.any_of), closing_place(look.rated, look.place)
    if place is None:
        return Holding(facts=(inspection,), fills={"closed_on": ""}) if NOT_ON_RECORD in kinds else None
    closing = look.rated[place]
    if closing.data["kind"] not in kinds:
        return None
    return Holding(facts=(closing, inspection), fills={"closed_on": closing.data["occurred_on"]})
