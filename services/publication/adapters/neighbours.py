"""What pages tell about the other services: size and age of the log, a leaf's place, rating's lag.

Links and a footer, nothing more: every answer is optional, asked for with a short limit and kept for a moment, so that a
neighbour that is slow or gone never holds a page up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

log = logging.getLogger(__name__)

LIMIT_S = 0.4
KEEP_S = 1.5
KEEP_LEAVES = 4096


@dataclass(frozen=True, slots=True)
class Log:
    """``size``: leaves under the latest checkpoint; ``age_s``: how long ago that was signed."""

    size: int
    age_s: float | None


class Neighbours:
    """Asks audit at ``audit_inside`` and rating; links lead to ``audit_public``, None for no links. ``clock``: monotonic seconds."""

    def __init__(self, *, audit_public: str | None, audit_inside: str | None, rating_url: str | None, clock: Callable[[], float]) -> None:
        self._audit, self._inside, self._rating, self._clock = audit_public, audit_inside, rating_url, clock
        self._client = httpx.AsyncClient(timeout=LIMIT_S, limits=httpx.Limits(max_connections=8), trust_env=False)
        self._kept: dict[str, tuple[float, Any]] = {}
        self._asking: dict[str, asyncio.Task[Any]] = {}
        self._leaves: dict[tuple[str, int, int], int] = {}

    async def close(self) -> None:
        """End the connections."""
        for task in self._asking.values():
            task.cancel()
        await self._client.aclose()

    async def _ask(self, url: str) -> Any:
        kept = self._kept.get(url)
        if kept is not None and self._clock() - kept[0] < KEEP_S:
            return kept[1]
        task = self._asking.get(url)
        if task is None:
            task = asyncio.create_task(self._get(url))
            self._asking[url] = task
            task.add_done_callback(lambda _: self._asking.pop(url, None))
        return await asyncio.shield(task)

    async def _get(self, url: str) -> Any:
        value: Any = None
        try:
            answer = await self._client.get(url, headers={"accept": "application/json"})
            value = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError) as error:
            log.info("neighbour does not answer: %s", type(error).__name__)
        if len(self._kept) > KEEP_LEAVES:
            self._kept.clear()
        self._kept[url] = (self._clock(), value)
        return value

    async def log(self) -> Log | None:
        """The audit log's latest checkpoint."""
        found = await self._ask(f"{self._inside}/api/v1/log") if self._inside else None
        if not isinstance(found, dict):
            return None
        size, age = found.get("size"), found.get("checkpoint_age_seconds")
        return Log(size, float(age) if isinstance(age, int | float) else None) if type(size) is int else None

    async def rating_lag(self) -> int | None:
        """Events that rating has not folded yet."""
        found = await self._ask(f"{self._rating}/status") if self._rating else None
        lag = found.get("lag") if isinstance(found, dict) else None
        if isinstance(lag, dict):
            lag = lag.get("total", sum(one for one in lag.values() if type(one) is int))
        return lag if type(lag) is int else None

    async def leaf(self, topic: str, partition: int, offset: int) -> tuple[int, str | None] | None:
        """Index of a record's leaf and the address of its page; None where the log doesn't have it yet."""
        if not self._inside:
            return None
        place = (topic, partition, offset)
        index = self._leaves.get(place)
        if index is None:
            found = await self._ask(f"{self._inside}/api/v1/log/positions/{topic}/{partition}/{offset}")
            index = found.get("index") if isinstance(found, dict) else None
            if type(index) is not int:
                return None
            if len(self._leaves) > KEEP_LEAVES:
                self._leaves.clear()
            self._leaves[place] = index
        return index, f"{self._audit}/log/leaves/{index}" if self._audit else None

    def leaf_page(self, partition: int, offset: int) -> str | None:
        """Address of the page about a fact's leaf."""
        return f"{self._audit}/log/positions/mingjian.facts.v1/{partition}/{offset}" if self._audit else None
