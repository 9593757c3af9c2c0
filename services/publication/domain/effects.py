"""Which facts of a subject count, and by which words (R18): a later entry may take another away or word it otherwise."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

RETRACTED, CORRECTED, OBJECTION = "mingjian.entry.retracted.v1", "mingjian.entry.corrected.v1", "mingjian.objection.decided.v1"
MENDING_TYPES = (RETRACTED, CORRECTED, OBJECTION)
ANNULLED, CHANGED = "mingjian.act.annulled.v1", "mingjian.act.changed.v1"
# What may act on an order as well as on its entry.
EFFECT_TYPES = (*MENDING_TYPES, ANNULLED, CHANGED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact, or one that acts on another: type, day of the act (None: not given), order in its partition, public
    data. ``copy``: what all copies of it share; ``about``: that of the entry it names."""

    type: str
    occurred_on: date | None
    offset: int
    data: dict[str, Any]
    copy: uuid.UUID | None = None
    about: uuid.UUID | None = None


def in_effect(facts: list[Entry]) -> Iterator[Entry]:
    """The facts that count, by the words that count. What acts on an entry can be taken away by a later one only."""
    acting = sorted((one for one in facts if one.type in EFFECT_TYPES and one.about), key=lambda one: -one.offset)
    standing: dict[uuid.UUID | None, list[Entry]] = {}
    for one in acting:
        # Those entered later have been looked at before: where one of them takes this one away, it does nothing.
        if not any(_takes_away(later) for later in standing.get(one.copy, ())):
            standing.setdefault(one.about, []).append(one)
    for fact in facts:
        if fact.type in EFFECT_TYPES:
            continue
        acted = standing.get(fact.copy, ()) if fact.copy else ()
        if any(_takes_away(one) for one in acted):
            continue
        worded = next((one for one in acted if one.data.get("replacement")), None)
        yield _reworded(fact, worded.data["replacement"]) if worded else fact


def _takes_away(fact: Entry) -> bool:
    return fact.type in (RETRACTED, ANNULLED) or fact.data.get("outcome") == "upheld"


def _reworded(fact: Entry, words: dict[str, Any]) -> Entry:
    on = words["data"].get("occurred_on")
    return replace(fact, type=words["type"], data=words["data"], occurred_on=date.fromisoformat(on) if on else None)
