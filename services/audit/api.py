"""``python -m services.audit.api``: appender, detectors and HTTP in one process.

A loop that ends takes the process with it: whoever supervises starts it again, and start is recovery. Exit codes: 0 asked to
stop, 1 a fault (the log says which), 2 not configured, 3 another writer took over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import uvicorn
import uvloop

from schemas.rulebook import RulebookError
from services._bus import logs, telemetry
from services._bus.kafka import UnusableCertificates
from services.audit.domain.note import NoteError
from services.audit.ports import LogDamaged, RecordsGone, Superseded
from services.audit.web.app import create_app
from services.audit.wiring import Audit, NotConfigured, Settings, build, migrate

log = logging.getLogger("mingjian.audit")


def _causes(error: BaseException) -> list[BaseException]:
    """The exceptions in a group, in order."""
    if isinstance(error, BaseExceptionGroup):
        return [one for inner in error.exceptions for one in _causes(inner)]
    return [error]


async def serve(settings: Settings) -> int:
    """Run until a signal or a fault; the exit code. Raises what ``build`` raises."""
    told = telemetry.setup("audit", env=settings.environ, home=settings.home)
    audit: Audit = build(settings, told)
    config = uvicorn.Config(create_app(audit.parts), host=settings.host, port=settings.port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    code = 0

    async def guarded(name: str, loop: Coroutine[Any, Any, None]) -> None:
        nonlocal code
        try:
            await loop
        except BaseException as error:
            for cause in _causes(error):
                if isinstance(cause, asyncio.CancelledError):
                    raise
                code = 3 if isinstance(cause, Superseded) else 1
                if isinstance(cause, Superseded | LogDamaged | RecordsGone):
                    log.critical("%s stopped: %s: %s", name, type(cause).__name__, cause)
                else:
                    log.critical("%s stopped", name, exc_info=cause)
            server.should_exit = True

    async with AsyncExitStack() as stack:
        stack.callback(told.shutdown)
        await audit.open(stack)
        loops = [
            asyncio.create_task(guarded("log", audit.log.run())),
            asyncio.create_task(guarded("registry", audit.registry.run())),
            asyncio.create_task(guarded("detectors", audit.detectors.run())),
        ]
        await server.serve()
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
    return code


def main() -> int:
    """The exit code of the process."""
    logs.setup("audit")
    try:
        settings = Settings.from_env()
        migrate(settings.dsn)
        return uvloop.run(serve(settings))
    except (NotConfigured, NoteError, RulebookError, UnusableCertificates) as error:
        log.critical("not started: %s", error)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
