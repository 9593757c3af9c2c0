"""What the register says of a subject now, folded from its registration facts.

The fold sorts by the day of the act, then by the order in which the facts became known, so facts that arrive late or twice
give the same answer. What was retracted, or upheld as wrong, is as never entered; what was corrected counts by its last words (R18).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from services.publication.domain.effects import MENDING_TYPES as MENDING_TYPES
from services.publication.domain.effects import Entry, in_effect

REGISTERED = "mingjian.enterprise.registered.v1"
CHANGED = "mingjian.enterprise.changed.v1"
CLOSED = "mingjian.enterprise.closed.v1"
STARTED = "mingjian.operation.started.v1"
INTERRUPTED = "mingjian.operation.interrupted.v1"
REGISTRATION_TYPES = (REGISTERED, CHANGED, CLOSED, STARTED, INTERRUPTED)
# All that the register follows from.
REGISTER_TYPES = (*REGISTRATION_TYPES, *MENDING_TYPES)

Registration = Entry
"""One registration fact, or one that mends an entry."""

_TEXTS = ("name", "business_kind", "address", "postcode", "district", "business_type", "local_ref")


@dataclass(frozen=True, slots=True)
class Subject:
    """Register data as they stand. ``operation``: ``operating``, ``interrupted``, ``closed``, or None where nothing was said."""

    id: str
    name: str | None = None
    business_kind: str | None = None
    address: str | None = None
    postcode: str | None = None
    district: str | None = None
    business_type: str | None = None
    local_ref: str | None = None
    licence_numbers: tuple[str, ...] = field(default=())
    regimes: tuple[str, ...] = field(default=())
    registered_on: date | None = None
    operating_since: date | None = None
    operation: str | None = None
    closed_on: date | None = None
    closed_reason: str | None = None


def fold(subject: str, facts: Iterable[Registration]) -> Subject:
    """The subject after all ``facts``, in whatever order they are given."""
    state = Subject(id=subject)
    for fact in sorted(in_effect(list(facts)), key=lambda one: (one.occurred_on or date.min, one.offset)):
        state = _apply(state, fact)
    return state


def _apply(state: Subject, fact: Registration) -> Subject:
    texts = {name: fact.data[name] for name in _TEXTS if fact.data.get(name) is not None}
    if fact.type == REGISTERED:
        return replace(
            state,
            **texts,
            licence_numbers=tuple(fact.data.get("licence_numbers") or ()),
            regimes=tuple(fact.data.get("regimes") or ()),
            registered_on=fact.occurred_on or state.registered_on,
            closed_on=None,
            closed_reason=None,
            operation=None if state.operation == "closed" else state.operation,
        )
    if fact.type == CHANGED:
        return replace(state, **texts)
    if fact.type == CLOSED:
        return replace(state, operation="closed", closed_on=fact.occurred_on, closed_reason=fact.data.get("reason"))
    if fact.type == STARTED:
        return replace(state, operation="operating", operating_since=state.operating_since or fact.occurred_on)
    if fact.type == INTERRUPTED:
        return replace(state, operation="interrupted")
    return state
