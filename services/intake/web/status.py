"""What intake tells about itself: lag and progress, never values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.times import instant
from services.intake.domain.clock import Clock
from services.intake.keeping import Keeper
from services.intake.reading_back import ReadBack
from services.intake.sending import Sender

BEHIND = 50_000
_SHOWN = 100


class Status:
    """``wall``: epoch milliseconds; ``recovered``: whether the start is over."""

    def __init__(
        self,
        *,
        reader: ReadBack,
        keeper: Keeper,
        sender: Sender,
        clock: Clock,
        wall: Callable[[], int],
        recovered: Callable[[], bool],
    ) -> None:
        self._reader, self._keeper, self._sender, self._clock, self._wall = reader, keeper, sender, clock, wall
        self._recovered = recovered

    def reasons(self) -> list[str]:
        """Why events should not be sent here now."""
        found = []
        if not self._recovered():
            found.append("the registry and what was sent before the start are still being read back")
        lag = sum(self._reader.lag().values())
        if lag > BEHIND:
            found.append(f"{lag} records have not been read back yet")
        if self._sender.unread > BEHIND:
            found.append(f"{self._sender.unread} stored events are not on Kafka yet")
        return found

    def state(self) -> dict[str, Any]:
        """The body of ``/status``."""
        registry = self._reader.registry
        reasons = self.reasons()
        now = self._clock.last if self._clock.simulated else self._wall()
        return {
            "ready": not reasons,
            "reasons": reasons,
            "lag": sum(self._reader.lag().values()),
            "positions": {f"{topic}/{partition}": one.next_offset for (topic, partition), one in self._reader.positions.items()},
            "unread": self._sender.unread,
            "queued": self._keeper.queued,
            "registry_offset": registry.next_offset - 1,
            "registry_ignored": list(registry.ignored[-_SHOWN:]),
            "now": instant(now),
            "clock": self._clock.mode,
            "sample": bool(registry.genesis and registry.genesis["sample"]),
            "fingerprint": registry.fingerprint,
        }
