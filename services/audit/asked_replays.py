"""Replays that auditors ask for: one at a time, each in a process of its own at the lowest priority, as the nightly run.

Kept until the service restarts, the newest of them: what is to stand is what the nights put on record.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.audit.attended import heard
from services.audit.domain.interval import Interval

log = logging.getLogger("mingjian.audit")

_KEPT = 20


class Busy(Exception):
    """Another replay is going on."""


@dataclass
class Asked:
    """A replay. ``first``, ``last``: days, both inclusive; ``done`` of ``of`` records; ``result``: see ``replaying.answer``."""

    number: int
    first: date
    last: date
    partitions: tuple[int, ...]
    done: int = 0
    of: int = 0
    result: dict[str, Any] | None = None
    failed: str | None = None

    @property
    def running(self) -> bool:
        return self.result is None and self.failed is None


@dataclass
class Replays:
    """``environ``: for the process."""

    environ: Mapping[str, str]
    kept: list[Asked] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None
    _command: Sequence[str] = field(default=(sys.executable, "-m", "services.audit.replaying"))

    def start(self, first: date, last: date, interval: Interval, partitions: Sequence[int]) -> Asked:
        """Begin one. Raises ``Busy``."""
        if any(one.running for one in self.kept):
            raise Busy
        number = self.kept[-1].number + 1 if self.kept else 1
        asked = Asked(number, first, last, tuple(partitions))
        self.kept = [*self.kept[-_KEPT + 1 :], asked]
        self._task = asyncio.get_running_loop().create_task(self._run(asked, interval))
        return asked

    def one(self, number: int) -> Asked | None:
        """A replay that is kept."""
        return next((one for one in self.kept if one.number == number), None)

    async def _run(self, asked: Asked, interval: Interval) -> None:
        partitions = ",".join(map(str, asked.partitions))
        why = "it ended without a word"

        def hear(said: dict[str, Any]) -> None:
            nonlocal why
            asked.done, asked.of = said.get("done", asked.done), said.get("of", asked.of)
            asked.result = said.get("result", asked.result)
            why = said.get("failed", why)

        try:
            command = (*self._command, *map(str, (interval.since, interval.until, partitions)))
            if await heard(command, self.environ, hear) != 0:
                asked.result = None
        except (ValueError, OSError) as error:
            why = f"what it said can't be read ({type(error).__name__})"
        finally:
            if asked.result is None:
                asked.failed = why
                log.error("the replay %d that was asked for came to nothing: %s", asked.number, why)
