"""Storing in groups: what arrives while one transaction is under way, or soon after it began, goes into the next, in the order of
arrival. The first event after a pause is stored at once.

Invariants
1. Order of storing = order of offering = order of sending.
2. A row is sent to Kafka only after PostgreSQL has it; whoever offered it hears about storing either way.
3. Nothing is stored before something that was offered earlier: when a group can't be stored, what was offered after it isn't
   either, for it was judged as if that stood.
4. Whether a group that failed is stored after all is not known here: the sender hears of it and looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from services.intake.ports import Kept, NotStorable, Row, Store, StoreUnavailable

log = logging.getLogger("mingjian.intake.keeping")
TOGETHER = 1_000
WAITING = 20_000
# From the beginning of one transaction to that of the next, unless there is more than one can take.
APART_S = 0.015

Offered = tuple[Row, "asyncio.Future[Kept]"]


class Full(Exception):
    """More waits than can be stored soon."""


class Sender(Protocol):
    """Who sends what is stored."""

    def stored(self, rows: Sequence[tuple[int, Row]]) -> None:
        """Rows newly stored, in their order."""

    def doubt(self) -> None:
        """Rows may be stored of which nobody will hear otherwise."""


class Keeper:
    """One for a process."""

    def __init__(self, store: Store, sender: Sender, *, apart_s: float = APART_S) -> None:
        self._store, self._sender, self._apart_s = store, sender, apart_s
        self._queue: deque[Offered] = deque()
        self._arrived = asyncio.Event()

    def offer(self, row: Row) -> asyncio.Future[Kept]:
        """The future gets ``Kept``, ``StoreUnavailable`` or ``NotStorable``. Raises ``Full``."""
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
        loop = asyncio.get_running_loop()
        earliest = 0.0
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                if len(self._queue) < TOGETHER:
                    await asyncio.sleep(max(0.0, earliest - loop.time()))
                earliest = loop.time() + self._apart_s
                await self._together([self._queue.popleft() for _ in range(min(TOGETHER, len(self._queue)))])

    async def _together(self, group: Sequence[Offered]) -> None:
        try:
            kept = await self._store.keep([row for row, _ in group])
        except StoreUnavailable as error:
            after = list(self._queue)
            self._queue.clear()
            log.warning("%d events could not be stored: %s", len(group) + len(after), error)
            self._sender.doubt()
            _fail([*group, *after], StoreUnavailable(str(error)))
        except NotStorable as error:
            await self._apart(group, error)
        else:
            new = [(one.seq, row) for (row, _), one in zip(group, kept, strict=True) if one.seq is not None]
            if new:
                self._sender.stored(new)
            for (_, future), one in zip(group, kept, strict=True):
                if not future.done():
                    future.set_result(one)

    async def _apart(self, group: Sequence[Offered], error: NotStorable) -> None:
        """One row's values must not keep the others out: halves are stored on their own, until that row stands alone."""
        if len(group) == 1:
            _fail(group, error)
            return
        middle = len(group) // 2
        # What fails with the first half must fail with the second, too.
        self._queue.extendleft(reversed(group[middle:]))
        await self._together(group[:middle])
        rest = [self._queue.popleft() for _ in range(min(len(group) - middle, len(self._queue)))]
        if rest:
            await self._together(rest)


def _fail(offered: Sequence[Offered], error: Exception) -> None:
    for _, future in offered:
        if not future.done():
            future.set_exception(error)
            # Whoever offered it may have gone: then nobody asks for the exception.
            future.exception()
