"""To which parent a subject belongs on which days.

It belongs to one at a time: joining another ends what was before. The day of joining belongs to it, the day of leaving doesn't.
Joining and leaving the same parent on one day leave things as they were, in whatever order they were entered; of several
parents joined on one day the last entered counts. Leaving whom it doesn't belong to means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from services.rating.domain.days import ONE_DAY
from services.rating.domain.facts import Fact

JOINED = "part.joined"
Days = tuple[date, date | None]
"""Both inclusive; the last None where it goes on."""


def memberships(facts: Sequence[Fact]) -> dict[str, list[Days]]:
    """Parent → the days on which the subject is a part of it, by day. ``facts``: those in effect, by day and offset."""
    found: dict[str, list[Days]] = {}
    parent: str | None = None
    since = date.min
    for text, of_day in groupby(facts, key=lambda one: str(one.data["occurred_on"])):
        on, after = date.fromisoformat(text), _after(parent, list(of_day))
        if after == parent:
            continue
        if parent is not None:
            found.setdefault(parent, []).append((since, on - ONE_DAY))
        parent, since = after, on
    if parent is not None:
        found.setdefault(parent, []).append((since, None))
    return found


def _after(parent: str | None, facts: Sequence[Fact]) -> str | None:
    """Whom it belongs to with the facts of one day, in the order of their offsets."""
    joined = [one.data["parent"] for one in facts if one.name == JOINED]
    left = {one.data["parent"] for one in facts if one.name != JOINED}
    if parent in left and parent not in joined:
        parent = None
    return next((one for one in reversed(joined) if one not in left), parent)
