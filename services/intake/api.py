"""``python -m services.intake.api``: HTTP, storing, sending and reading back in one process.

A loop that ends takes the process with it: whoever supervises starts it again, and start is recovery. Exit codes: 0 asked to
stop, 1 a fault (the log says which), 2 not configured.
"""

from __future__ import annotations

import logging
import sys
from contextlib import AsyncExitStack

import uvicorn
import uvloop

from services._bus import logs, process, telemetry
from services._bus.kafka import RecordsGone, Unavailable, UnusableCertificates
from services._bus.settings import NotConfigured
from services.intake.adapters.migrations import migrate
from services.intake.adapters.vault import UnusableVaultKey
from services.intake.ports import OtherRegister, StoreUnavailable
from services.intake.web.app import create_app
from services.intake.wiring import Intake, Settings

log = logging.getLogger("mingjian.intake")
_SPEAKING = (OtherRegister, RecordsGone, Unavailable, StoreUnavailable)


async def serve(given: Settings) -> int:
    """Run until a signal or a fault; the exit code. Raises ``NotConfigured``."""
    told = telemetry.setup("intake", env=given.environ, home=given.home)
    intake = Intake(given, told)
    server = uvicorn.Server(process.server_config(create_app(intake.parts), host=given.host, port=given.port))
    async with AsyncExitStack() as stack:
        stack.callback(told.shutdown)
        return await process.run(server, await intake.open(stack), log=log, speaking=_SPEAKING)


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
