"""A service's process: HTTP and its loops together. A loop that ends takes the process with it; whoever supervises starts it again,
and start is recovery."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI

FAULT = 1
_HEAD_BYTES = 32_768
_GRACE_S, _KEEP_ALIVE_S = 5, 30


def server_config(app: FastAPI, *, host: str, port: int) -> uvicorn.Config:
    """How every service listens."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        h11_max_incomplete_event_size=_HEAD_BYTES,
    )


def causes(error: BaseException) -> list[BaseException]:
    """The exceptions in a group, in order."""
    if isinstance(error, BaseExceptionGroup):
        return [one for inner in error.exceptions for one in causes(inner)]
    return [error]


async def run(
    server: uvicorn.Server,
    loops: Mapping[str, Coroutine[Any, Any, None]],
    *,
    log: logging.Logger,
    speaking: tuple[type[BaseException], ...] = (),
    codes: Mapping[type[BaseException], int] | None = None,
) -> int:
    """Serve until a signal, or until one of ``loops`` (by name) ends. The exit code: 0 asked to stop, ``FAULT``, or what ``codes``
    says of the exception.

    ``speaking``: exceptions whose own words say all; of others only type and place are logged, for their words can hold a value."""
    code = 0

    def told(name: str, cause: BaseException) -> None:
        nonlocal code
        code = next((number for kind, number in (codes or {}).items() if isinstance(cause, kind)), FAULT)
        if isinstance(cause, speaking):
            log.critical("%s stopped: %s: %s", name, type(cause).__name__, cause)
        else:
            log.critical("%s stopped", name, exc_info=cause)

    async def guarded(name: str, loop: Coroutine[Any, Any, None]) -> None:
        try:
            await loop
        except BaseException as error:
            found: Sequence[BaseException] = causes(error)
            if all(isinstance(cause, asyncio.CancelledError) for cause in found):
                raise
            for cause in found:
                told(name, cause)
        server.should_exit = True

    tasks = [asyncio.create_task(guarded(name, loop)) for name, loop in loops.items()]
    await server.serve()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return code if server.started else code or FAULT
