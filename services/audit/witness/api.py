"""``python -m services.audit.witness.api``: the witness of a folder, until a signal.

Exit codes: 0 asked to stop, 1 a fault, 2 not configured."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import uvicorn

from services._bus import logs, process
from services._bus.settings import NotConfigured
from services.audit.witness.adapters.home import HomeError, WitnessHome
from services.audit.witness.web import create_app
from services.audit.witness.wiring import default_home, default_place, witness_of

log = logging.getLogger("mingjian.witness")


def serve(root: Path, host: str, port: int) -> int:
    """Run until a signal; the exit code. Raises ``HomeError``."""
    home = WitnessHome.open(root)
    lock = home.lock()
    try:
        witness = witness_of(home)
        log.info("witness %s follows %d logs", witness.key.name, len(witness.logs))
        server = uvicorn.Server(process.server_config(create_app(witness), host=host, port=port))
        return asyncio.run(process.run(server, {}, log=log))
    finally:
        os.close(lock)


def main() -> int:
    """The exit code of the process."""
    logs.setup("witness")
    try:
        return serve(default_home(), *default_place())
    except (HomeError, NotConfigured) as error:
        log.critical("not started: %s", error)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
