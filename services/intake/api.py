"""``python -m services.intake.api``: HTTP, storing, sending and reading back in one process.

A loop that ends takes the process with it: whoever supervises starts it again, and start is recovery. Exit codes: 0 asked to
stop, 1 a fault (the log says which), 2 not configured.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import uvicorn
import uvloop

from services._bus import logs, telemetry
from services._bus.kafka import RecordsGone, Unavailable, UnusableCertificates
from services.intake.adapters.migrations import migrate
from services.intake.adapters.vault import UnusableVaultKey
from services.intake.ports import OtherRegister, StoreUnavailable
from services.intake.web.app import create_app
from services.intake.wiring import Intake, NotConfigured, Settings

log = logging.getLogger("mingjian.intake")
_SPEAKING = (OtherRegister, RecordsGone, Unavailable, StoreUnavailable)


def _causes(error: BaseException) -> list[BaseException]:
    """The exceptions in a group, in order."""
    if isinstance(error, BaseExceptionGroup):
        return [one for inner in error.exceptions for one in _causes(inner)]
    return [error]


async def serve(settings: Settings) -> int:
    """Run until a signal or a fault; the exit code. Raises ``NotConfigured``."""
    told = telemetry.setup("intake", env=settings.environ, home=settings.home)
    intake = Intake(settings, told)
    config = uvicorn.Config(
        create_app(intake.parts),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=32_768,
    )
    server = uvicorn.Server(config)
    code = 0

    async def guarded(loop: Coroutine[Any, Any, None]) -> None:
        nonlocal code
        try:
            await loop
        except BaseException as error:
            for cause in _causes(error):
                if isinstance(cause, asyncio.CancelledError):
                    raise
                code = 1
                if isinstance(cause, _SPEAKING):
                    log.critical("stopped: %s", cause)
                else:
                    # Without its text: a driver's words can hold a value.
                    log.critical("stopped", exc_info=cause)
            server.should_exit = True

    async with AsyncExitStack() as stack:
        stack.callback(told.shutdown)
        loops = [asyncio.create_task(guarded(one)) for one in await intake.open(stack)]
        await server.serve()
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
    return code if server.started else 1


def main() -> int:
    """The exit code of the process."""
    logs.setup("intake")
    try:
        settings = Settings.from_env()
        migrate(settings.dsn)
        return uvloop.run(serve(settings))
    except (NotConfigured, UnusableVaultKey, UnusableCertificates) as error:
        log.critical("not started: %s", error)
        return 2
    except _SPEAKING as error:
        log.critical("stopped: %s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
