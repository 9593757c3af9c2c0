"""When the nightly run takes place: after a day has closed, once the stack is quiet, in a process of its own.

Invariants
1. A closed day is done when its run is on record; a run that was cut off left nothing and begins again.
2. Of several days that close one after the other the newest alone is run for: it compares everything that the others would have.
3. The run ends with this process, however this one ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from services.audit.attended import heard

log = logging.getLogger("mingjian.audit")

# Nothing new in the log for so long means that all have done their work; where facts keep coming the run begins all the same.
QUIET_S, MOST_S = 5.0, 600.0
AGAIN_S = 60.0
_LOOK_S = 0.5
Closing = tuple[int, str]
"""Where a ``day.closed`` stands in the registry, and through which day."""


@dataclass
class Nights:
    """``closings``: those of the registry as far as it is read, in order; ``leaves``: how many the log has; ``latest``: the newest run's
    row; ``environ``: for the process; ``monotonic``: seconds."""

    closings: Callable[[], Sequence[Closing]]
    leaves: Callable[[], int]
    latest: Callable[[], Awaitable[dict[str, Any] | None]]
    environ: Mapping[str, str]
    monotonic: Callable[[], float]
    last: dict[str, Any] | None = None
    failed: str | None = None
    running: Closing | None = None
    progress: tuple[int, int] = (0, 0)
    _command: Sequence[str] = field(default=(sys.executable, "-m", "services.audit.nightly"))

    async def run(self) -> None:
        """For ever. A run that fails is tried again; only being asked to stop ends this."""
        seen, since, waiting, not_before = -1, self.monotonic(), None, 0.0
        while True:
            now = self.monotonic()
            if (size := self.leaves()) != seen:
                seen, since = size, now
            waiting = None if self.due() is None else now if waiting is None else waiting
            ready = waiting is not None and (now >= since + QUIET_S or now >= waiting + MOST_S)
            if ready and now >= not_before and await self._known() and (closing := self.due()) is not None:
                waiting = None
                if not await self._made(closing):
                    not_before = self.monotonic() + AGAIN_S
            await asyncio.sleep(_LOOK_S)

    def due(self) -> Closing | None:
        """The newest closed day, where its run is not on record."""
        closings = self.closings()
        if not closings or (self.last is not None and self.last["registry_offset"] >= closings[-1][0]):
            return None
        return closings[-1]

    async def _known(self) -> bool:
        """Read what is on record; False while PostgreSQL doesn't answer."""
        try:
            self.last = await self.latest()
            return True
        except psycopg.OperationalError as error:
            self.failed = f"PostgreSQL does not answer ({type(error).__name__})"
            return False

    async def _made(self, closing: Closing) -> bool:
        self.running, self.progress = closing, (0, 0)
        try:
            self.failed = await self._process(closing)
        finally:
            self.running = None
        if self.failed is not None:
            log.error("the grades were not worked out again after the close of %s: %s", closing[1], self.failed)
            return False
        if not await self._known():
            return False
        assert self.last is not None
        told = log.warning if self.last["differences"] or self.last["copies_missing"] else log.info
        told(
            "grades worked out again after the close of %s: %d events, %d differences",
            closing[1],
            self.last["events"],
            self.last["differences"],
        )
        return True

    async def _process(self, closing: Closing) -> str | None:
        """Run it; why it failed, None where it didn't."""
        why = "it ended without a word"

        def hear(said: dict[str, Any]) -> None:
            nonlocal why
            if "done" in said:
                self.progress = (said["done"], said["of"])
            why = said.get("failed", why)

        try:
            code = await heard((*self._command, str(closing[0]), closing[1]), self.environ, hear)
        except ValueError:
            return "what it said can't be read"
        return None if code == 0 else why

    def state(self) -> dict[str, Any]:
        """For ``/status``: the newest run on record, what is being done, and what is due."""
        due = self.due()
        last = dict(self.last) if self.last else None
        if last is not None:
            last["ended_at"] = last["ended_at"].isoformat(timespec="seconds")
        done, total = self.progress
        return {
            "last": last,
            "running": {"day": self.running[1], "done": done, "of": total} if self.running else None,
            "due": due[1] if due else None,
            "failed": self.failed if due else None,
        }
