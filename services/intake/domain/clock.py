"""Intake's own time. On a simulated stack requests may carry the instant; it never goes back, and it never leaves the past for the
future. The wall clock is always an argument. Epoch milliseconds throughout."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.topics import ClockMode


class InTheFuture(ValueError):
    """The simulated instant lies after the wall clock."""


@dataclass
class Clock:
    """``last``: the latest instant given out or read back. ``by_itself``: a simulated clock that goes on at wall speed."""

    mode: ClockMode
    last: int = 0
    by_itself: bool = False

    @property
    def simulated(self) -> bool:
        return self.mode == "simulated"

    def peek(self, wall: int, asked: int | None = None) -> int:
        """What ``read`` would give; the clock stays where it is. Raises ``InTheFuture``, and ``ValueError`` on a wall stack."""
        if asked is None:
            return max(self.last, wall)
        if not self.simulated:
            raise ValueError("only a simulated stack can be told the time")
        if asked > wall:
            raise InTheFuture("the simulated instant lies in the future")
        return max(self.last, asked)

    def read(self, wall: int, asked: int | None = None) -> int:
        """Now, for what is admitted. ``asked``: the simulated instant of a request. Without it a simulated clock goes to the wall's
        time, and goes on by itself from then on. Raises ``InTheFuture``, and ``ValueError`` on a wall stack."""
        self.last = self.peek(wall, asked)
        self.by_itself = self.by_itself or asked is None
        return self.last

    def look(self, wall: int) -> int | None:
        """Now, for what happens without a request; None while requests drive the clock."""
        if self.simulated and not self.by_itself:
            return None
        self.last = max(self.last, wall)
        return self.last

    def saw(self, instant: int) -> None:
        """An instant read back from Kafka: after a restart a simulated clock goes on from there."""
        if self.simulated:
            self.last = max(self.last, instant)
