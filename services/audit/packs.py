"""Evidence packs for the console, each made in a process of its own (``packing``)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from services.audit.attended import attended

NO_SUCH = 6
_AT_ONCE = 2
_LONGEST_S = 600.0


class NotMade(Exception):
    """There is no pack. ``missing``: for there is no such finding in the log."""

    def __init__(self, missing: bool) -> None:
        super().__init__("missing" if missing else "not made")
        self.missing = missing


class Packs:
    """Packs made in processes, a few at a time. ``environ``: for them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def zip_of(self, finding: str) -> bytes:
        """The zip's bytes. Raises ``NotMade``."""
        command = (sys.executable, "-m", "services.audit.packing", finding)
        async with self._turns, attended(command, self._environ) as process:
            assert process.stdout is not None
            try:
                async with asyncio.timeout(_LONGEST_S):
                    data = await process.stdout.read()
                    code = await process.wait()
            except TimeoutError:
                raise NotMade(missing=False) from None
        if code != 0:
            raise NotMade(missing=code == NO_SUCH)
        return data
