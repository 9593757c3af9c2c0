"""What was told and what is told now, side by side: the days on which a subject's histories differ (ADR 0023).

Invariants
1. Histories are compared cause by cause: after each cause the same days have the same grade and status in both, or are corrected so
   that they have. So every answer as known at an instant comes out right, not today's alone.
2. Grade and status count. Other reasons, other sentences, another order of events with the same days are no difference.
3. A correction is itself something told: compared once more, the same histories differ nowhere.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from schemas.events.derived import NOT_RATED
from services.rating.domain.days import ONE_DAY
from services.rating.domain.emit import TYPE, TYPE_CORRECTED
from services.rating.domain.spans import NOTHING, Pair


class Said(NamedTuple):
    """A grade event, by what it says of days. ``cause``: offset of what caused it; ``first`` ``date.min`` where it is not known from
    when; ``last`` None where it holds on; ``mark`` of its bytes. ``own``: told by this very rebuild."""

    cause: int
    regime: str
    first: date
    last: date | None
    pair: Pair
    mark: int
    own: bool = False


class Difference(NamedTuple):
    """Days, both inclusive (``last`` None: still), that were told as ``was`` and are ``now``."""

    first: date
    last: date | None
    was: Pair
    now: Pair


def said(event: dict[str, Any], mark: int, *, own: bool = False) -> Said | None:
    """What a grade event says of days; None for one that says nothing of them (a proposal), and for a whole's (ADR 0026): its causes
    are facts of others."""
    if event["type"] not in (TYPE, TYPE_CORRECTED) or "parts" in event["data"]:
        return None
    data = event["data"]
    first, last = data.get("in_force_from"), data.get("corrected_to")
    return Said(
        data["cause"]["offset"],
        data["regime"],
        date.fromisoformat(first) if first else date.min,
        date.fromisoformat(last) if last else None,
        (data.get("grade"), data["status"]),
        mark,
        own,
    )


def differences(told: Sequence[Said], now: Sequence[Said]) -> list[Difference]:
    """Where two histories differ, by day, each stretch as long as neither changes. What stands later covers what stands before."""
    cuts = {one.first for one in (*told, *now)} | {one.last + ONE_DAY for one in (*told, *now) if one.last}
    found: list[Difference] = []
    for first, following in pairwise([*sorted(cuts), None]):
        assert first is not None
        was, is_now = _on(told, first), _on(now, first)
        if was == is_now:
            continue
        last = following - ONE_DAY if following else None
        before = found[-1] if found else None
        if before and before.last == first - ONE_DAY and (before.was, before.now) == (was, is_now):
            found[-1] = before._replace(last=last)
        else:
            found.append(Difference(first, last, was, is_now))
    return found


def _on(history: Sequence[Said], day: date) -> Pair:
    pair = next((one.pair for one in reversed(history) if one.first <= day and (one.last is None or day <= one.last)), NOTHING)
    # Whether a regime never rated the subject on a day, or said that it rates it no more, is the same to who asks for the day.
    return NOTHING if pair == (None, NOT_RATED) else pair


@dataclass(slots=True)
class Life:
    """What was told of one subject, by cause and then as told. ``upto``: everything with a cause up to it has been compared;
    ``reworded``: causes that are told in other words and say the same of every day."""

    told: list[Said] = field(default_factory=list)
    upto: int = -1
    reworded: int = 0

    def add(self, one: Said) -> None:
        """Enter what was told, or has just been."""
        insort(self.told, one, key=lambda other: other.cause)

    def causes_before(self, offset: int) -> list[int]:
        """Causes below an offset with which nothing has been compared yet."""
        low = bisect_right(self.told, self.upto, key=lambda one: one.cause)
        high = bisect_left(self.told, offset, key=lambda one: one.cause)
        return sorted({one.cause for one in self.told[low:high]})

    def knows(self, regime: str) -> bool:
        """Whether anything of the regime had been told before this rebuild."""
        return any(one.regime == regime and not one.own for one in self.told)

    def compare(self, cause: int, now: Iterable[Said], regimes: Iterable[str]) -> dict[str, list[Difference]]:
        """By regime: what differs after a cause, given all that it tells ``now``. ``regimes``: those that can be judged. Once a cause."""
        low = bisect_left(self.told, cause, key=lambda one: one.cause)
        high = bisect_right(self.told, cause, key=lambda one: one.cause)
        then, here, now = self.told[:low], self.told[low:high], list(now)
        self.upto = max(self.upto, cause)
        found: dict[str, list[Difference]] = {}
        for regime in sorted(set(regimes)):
            was = [one for one in here if one.regime == regime]
            is_now = [one for one in now if one.regime == regime]
            if [one.mark for one in was] == [one.mark for one in is_now]:
                continue
            before = [one for one in then if one.regime == regime]
            if other := differences([*before, *was], [*before, *is_now]):
                found[regime] = other
            else:
                self.reworded += 1
        return found
