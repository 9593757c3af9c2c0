"""Audit's long work in processes of their own, at the lowest priority: how they are begun, heard and ended, and what they do for it.

A process ends with whoever began it: its standard input stays open as long as anybody attends to it. It tells lines of JSON.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson

_GRACE_S = 10.0
_LINE_BYTES = 4 * 1024 * 1024
_TELL_EVERY_S = 0.5


@asynccontextmanager
async def attended(command: Sequence[str], environ: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, its standard output to be read; killed where it still runs at the end. Raises ``OSError`` where it can't be begun."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=dict(environ), limit=_LINE_BYTES)
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()


async def heard(command: Sequence[str], environ: Mapping[str, str], hear: Callable[[dict[str, Any]], None]) -> int:
    """Run it to its end; ``hear`` is told each line. The exit code. Raises ``ValueError`` for a line that is no JSON, ``OSError``."""
    async with attended(command, environ) as process:
        assert process.stdout is not None
        async for line in process.stdout:
            hear(orjson.loads(line))
        return await process.wait()


class Telling:
    """Lines for whoever began this process. ``monotonic``: seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._last = 0.0

    def progress(self, done: int, total: int) -> None:
        if self._monotonic() >= self._last + _TELL_EVERY_S:
            self._last = self._monotonic()
            self.line({"done": done, "of": total})

    def line(self, said: dict[str, object]) -> None:
        sys.stdout.buffer.write(orjson.dumps(said) + b"\n")
        sys.stdout.buffer.flush()


def stay_behind() -> None:
    """End with whoever began this process, and let everything else go first."""

    def wait() -> None:
        # Not by sys.stdin: a thread that waits in it keeps the interpreter from ending.
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    os.nice(19)
