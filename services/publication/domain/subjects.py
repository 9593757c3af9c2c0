"""What the register says of a subject now, folded from its registration facts.

The fold sorts by the day of the act, then by the order in which the facts became known, so facts that arrive late or twice
give the same answer. What was retracted, or upheld as wrong, is as never entered; what was corrected counts by its last words (R18).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

REGISTERED = "mingjian.enterprise.registered.v1"
CHANGED = "mingjian.enterprise.changed.v1"
CLOSED = "mingjian.enterprise.closed.v1"
STARTED = "mingjian.operation.started.v1"
INTERRUPTED = "mingjian.operation.interrupted.v1"
REGISTRATION_TYPES = (REGISTERED, CHANGED, CLOSED, STARTED, INTERRUPTED)
RETRACTED, CORRECTED, OBJECTION = "mingjian.entry.retracted.v1", "mingjian.entry.corrected.v1", "mingjian.objection.decided.v1"
MENDING_TYPES = (RETRACTED, CORRECTED, OBJECTION)
# All that the register follows from.
REGISTER_TYPES = (*REGISTRATION_TYPES, *MENDING_TYPES)

_TEXTS = ("name", "business_kind", "address", "postcode", "district", "business_type", "local_ref")


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration fact, or one that mends an entry: type, day of the act (None: not given), order in its partition, public
    data. ``copy``: what all copies of it share; ``about``: that of the entry it names."""

    type: str
    occurred_on: date | None
    offset: int
    data: dict[str, Any]
    copy: uuid.UUID | None = None
    about: uuid.UUID | None = None


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


def in_effect(facts: list[Registration]) -> Iterator[Registration]:
    """The registration facts that count, by the words that count. What mends an entry can be taken away by a later one only."""
    mending = sorted((one for one in facts if one.type in MENDING_TYPES and one.about), key=lambda one: -one.offset)
    standing: dict[uuid.UUID | None, list[Registration]] = {}
    for one in mending:
        # Those entered later have been looked at before: where one of them takes this one away, it does nothing.
        if not any(_takes_away(later) for later in standing.get(one.copy, ())):
            standing.setdefault(one.about, []).append(one)
    for fact in facts:
        if fact.type in MENDING_TYPES:
            continue
        mended = standing.get(fact.copy, ()) if fact.copy else ()
        if any(_takes_away(one) for one in mended):
            continue
        worded = next((one for one in mended if one.data.get("replacement")), None)
        yield _reworded(fact, worded.data["replacement"]) if worded else fact


def _takes_away(fact: Registration) -> bool:
    return fact.type == RETRACTED or fact.data.get("outcome") == "upheld"


def _reworded(fact: Registration, words: dict[str, Any]) -> Registration:
    on = words["data"].get("occurred_on")
    return replace(fact, type=words["type"], data=words["data"], occurred_on=date.fromisoformat(on) if on else None)


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
