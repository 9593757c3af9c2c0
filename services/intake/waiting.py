"""Who waits for which first copy. One event loop; futures are resolved by the reader."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from services.intake.ports import FirstCopy, Name

REMEMBERED = 20_000


class Waiting:
    """First copies of the last while, and those who wait for one that is still to come."""

    def __init__(self) -> None:
        self._waiters: dict[Name, list[asyncio.Future[FirstCopy]]] = {}
        self._recent: OrderedDict[Name, FirstCopy] = OrderedDict()

    def known(self, name: Name) -> FirstCopy | None:
        """The first copy, where it was read a while ago at most."""
        return self._recent.get(name)

    def expect(self, name: Name) -> asyncio.Future[FirstCopy]:
        """A future that gets the first copy; at once where it was just read."""
        future: asyncio.Future[FirstCopy] = asyncio.get_running_loop().create_future()
        if (known := self._recent.get(name)) is not None:
            future.set_result(known)
        else:
            self._waiters.setdefault(name, []).append(future)
        return future

    def forget(self, name: Name, future: asyncio.Future[FirstCopy]) -> None:
        """Nobody waits on this future any more."""
        waiters = self._waiters.get(name)
        if waiters and future in waiters:
            waiters.remove(future)
            if not waiters:
                del self._waiters[name]

    def found(self, copy: FirstCopy) -> None:
        """A record was read. The first one of an id counts; later ones change nothing."""
        if copy.name in self._recent:
            return
        self._recent[copy.name] = copy
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        for future in self._waiters.pop(copy.name, ()):
            if not future.done():
                future.set_result(copy)
