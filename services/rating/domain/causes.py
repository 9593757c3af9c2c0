"""Moments at which a cause condition became true, and stretches of them.

A subject may have thousands. What is asked of a stretch (the first, the latest, how many, a few to show) costs the same
however long it is, so that a fact of a long record costs what one of a short record costs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import date
from operator import attrgetter
from typing import Protocol

from services.rating.domain.acts import Act
from services.rating.domain.values import quick

# Acts that an explanation rests on by name; of more the number is given. An event shows fewer still.
SHOWN = 50


class Moment(Protocol):
    """What a condition's causes are: an act by itself, or a ``Cause``."""

    @property
    def on(self) -> date: ...
    @property
    def act(self) -> Act: ...
    @property
    def quantity(self) -> int: ...
    @property
    def acts(self) -> Callable[[], tuple[Act, ...]]: ...


@quick
class Cause:
    """A moment that took several acts.

    ``act`` completes it. ``quantity``: how many made it so. ``acts()``: the last of those by day, ``act`` at the end; they
    are gathered when they are asked for."""

    on: date
    act: Act
    quantity: int
    acts: Callable[[], tuple[Act, ...]]


@quick
class Causes:
    """A stretch of a list that is sorted by day, without a copy. Of no use once the list has changed."""

    of: Sequence[Moment]
    low: int
    high: int

    def __len__(self) -> int:
        return max(0, self.high - self.low)

    @property
    def first(self) -> Moment:
        return self.of[self.low]

    @property
    def latest(self) -> Moment:
        return self.of[self.high - 1]

    def shown(self) -> list[Moment]:
        """All, or of many the first ones and the latest."""
        if len(self) <= SHOWN:
            return list(self.of[self.low : self.high])
        return [*self.of[self.low : self.low + SHOWN - 1], self.latest]

    def until(self, over: Callable[[Moment], bool]) -> Causes:
        """Those before the first of which ``over`` is true, where it stays true from then on."""
        return Causes(self.of, self.low, bisect_left(self.of, True, self.low, self.high, key=over))


def between(causes: Sequence[Moment], first: date, last: date) -> Causes:
    """The causes on the days from ``first`` to ``last``, both included."""
    low = bisect_left(causes, first, key=_on)
    return Causes(causes, low, max(low, bisect_right(causes, last, key=_on)))


_on = attrgetter("on")
