"""What keeps up the moments of a cause condition as acts arrive.

Acts mostly arrive in the order of their days: such an act costs the same on the 2,000th as on the first. One that comes late,
before others that are in already, makes the whole be worked out again, once, when it is next asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from services.rating.domain.acts import Act, put
from services.rating.domain.causes import Cause, Moment
from services.rating.domain.view import View


class Tracker(ABC):
    """The moments of one condition, kept up as its acts arrive. ``alone``: the list by order that is all there is to keep up, where every
    act is a moment by itself; whoever has it may enter acts there in place of calling ``enter``."""

    alone: list[Act] | None = None

    @abstractmethod
    def enter(self, act: Act) -> None:
        """Take an act that the condition looks at."""

    @abstractmethod
    def causes(self, view: View) -> Sequence[Moment]:
        """The moments so far, sorted by day."""


class InOrder(Tracker):
    """For conditions where an act depends on those before it: acts are taken by day, one after the other."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self._taken = 0
        self._causes: list[Cause] = []

    def enter(self, act: Act) -> None:
        put(self.acts, act)
        if self.acts[-1] is not act:
            self._taken = -1

    def causes(self, view: View) -> Sequence[Moment]:
        if self.outdated(view) or self._taken < 0:
            self._taken, self._causes = 0, []
            self.restart(view)
        while self._taken < len(self.acts):
            if found := self.take(self.acts[self._taken], view):
                self._causes.append(found)
            self._taken += 1
        return self._causes

    def outdated(self, view: View) -> bool:
        """Whether something else than its acts has changed what was found."""
        return False

    @abstractmethod
    def restart(self, view: View) -> None:
        """Forget what was taken."""

    @abstractmethod
    def take(self, act: Act, view: View) -> Cause | None:
        """The next act by day; the moment that it makes, if it makes one."""
