"""``python -m services.publication.api``: the projector, the API and the portal in one process."""

from __future__ import annotations

import asyncio
import logging
import sys

import uvicorn
import uvloop

from schemas.rulebook import RulebookError
from services._bus import logs, process
from services._bus.settings import NotConfigured
from services.publication.wiring import Service, service

log = logging.getLogger("mingjian.publication")


class _Server(uvicorn.Server):
    """Ends the streams first, so that a stop doesn't wait for readers who never leave."""

    def __init__(self, config: uvicorn.Config, made: Service) -> None:
        super().__init__(config)
        self._made = made

    async def shutdown(self, sockets: object = None) -> None:
        """Close the streams, then the server."""
        self._made.hub.close()
        await super().shutdown(sockets)  # type: ignore[arg-type]


async def serve(made: Service) -> int:
    """Serve until a signal, or until the projection stops for good. Returns the exit code."""
    config = process.server_config(made.app, host=made.settings.host, port=made.settings.port)
    # Whose word is taken for a client's address: limits are counted by it, so nobody else's.
    config.forwarded_allow_ips = list(made.settings.trusted_proxies)
    server = _Server(config, made)

    async def stop_when_failed() -> None:
        await made.wait_failed()
        server.should_exit = True

    watch = asyncio.create_task(stop_when_failed())
    try:
        await server.serve()
    finally:
        watch.cancel()
    return 1 if made.failed is not None or not server.started else 0


def main() -> int:
    """Entry point."""
    logs.setup("publication")
    try:
        return uvloop.run(_run())
    except (NotConfigured, RulebookError) as error:
        log.critical("not started: %s", error)
        return 2


async def _run() -> int:
    # Events and clocks of the service belong to the running loop, so it is made inside.
    return await serve(service())


if __name__ == "__main__":
    sys.exit(main())
