"""``python -m services.audit.api``: appender, detectors and HTTP in one process.

A loop that ends takes the process with it: whoever supervises starts it again, and start is recovery. Exit codes: 0 asked to
stop, 1 a fault (the log says which), 2 not configured, 3 another writer took over.
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

import uvicorn
import uvloop

from schemas.rulebook import RulebookError
from services._bus import logs, process, telemetry
from services._bus.kafka import UnusableCertificates
from services._bus.settings import NotConfigured
from services.audit.domain.note import NoteError
from services.audit.ports import LogDamaged, RecordsGone, Superseded
from services.audit.web.app import create_app
from services.audit.wiring import Audit, Settings, build, migrate

log = logging.getLogger("mingjian.audit")


async def serve(settings: Settings) -> int:
    """Run until a signal or a fault; the exit code. Raises what ``build`` raises."""
    told = telemetry.setup("audit", env=settings.environ, home=settings.home)
    audit: Audit = build(settings, told)
    server = uvicorn.Server(process.server_config(create_app(audit.parts), host=settings.host, port=settings.port))
    async with AsyncExitStack() as stack:
        stack.callback(told.shutdown)
        await audit.open(stack)
        loops = {
            "log": audit.log.run(),
            "registry": audit.registry.run(),
            "detectors": audit.detectors.run(),
            "nights": audit.nights.run(),
        }
        return await process.run(server, loops, log=log, speaking=(Superseded, LogDamaged, RecordsGone), codes={Superseded: 3})


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
