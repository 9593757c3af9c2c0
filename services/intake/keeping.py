"""Storing in groups: what arrives while one transaction is under way goes into the next, in the order of arrival.

Invariants
1. Order of storing = order of offering = order of sending.
2. A row is sent to Kafka only after PostgreSQL has it; whoever offered it hears about storing either way.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from services.intake.ports import Kept, Row, Store, StoreUnavailable

log = logging.getLogger("mingjian.intake.keeping")
TOGETHER = 1_000
WAITING = 20_000


class Full(Exception):
    """More waits than can be stored soon."""


class Keeper:
    """``stored`` hears of rows newly stored, in their order."""

    def __init__(self, store: Store, stored: Callable[[Sequence[tuple[int, Row]]], None]) -> None:
        self._store, self._stored = store, stored
        self._queue: deque[tuple[Row, asyncio.Future[Kept]]] = deque()
        self._arrived = asyncio.Event()

    def offer(self, row: Row) -> asyncio.Future[Kept]:
        """The future gets ``Kept`` or ``StoreUnavailable``. Raises ``Full``."""
        if len(self._queue) >= WAITING:
            raise Full(f"{len(self._queue)} events wait to be stored")
        future: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._queue.append((row, future))
        self._arrived.set()
        return future

    @property
    def queued(self) -> int:
        return len(self._queue)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                await self._together([self._queue.popleft() for _ in range(min(TOGETHER, len(self._queue)))])

    async def _together(self, group: Sequence[tuple[Row, asyncio.Future[Kept]]]) -> None:
        try:
            kept = await self._store.keep([row for row, _ in group])
        except StoreUnavailable as error:
            log.warning("%d events could not be stored: %s", len(group), error)
            for _, future in group:
                if not future.done():
                    future.set_exception(StoreUnavailable(str(error)))
                    # Whoever offered it may have gone: then nobody asks for the exception.
                    future.exception()
            return
        new = [(one.seq, row) for (row, _), one in zip(group, kept, strict=True) if one.seq is not None]
        if new:
            self._stored(new)
        for (_, future), one in zip(group, kept, strict=True):
            if not future.done():
                future.set_result(one)
