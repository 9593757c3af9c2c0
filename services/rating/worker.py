"""``python -m services.rating.worker``: the live rating of facts, with /livez, /readyz and /status.

Exit codes: 0 asked to stop, 2 not configured or a rulebook that can't be read, 70 a fault, 75 Kafka doesn't take what was
rated. Whoever supervises starts it again; what was not durable was not acknowledged.
"""

from __future__ import annotations

import gc
import logging
import sys

import uvloop

from schemas.rulebook import RulebookError
from services._bus import logs
from services._bus.settings import NotConfigured
from services.rating.adapters.health import serve
from services.rating.wiring import Worker, faust_worker, from_environment

log = logging.getLogger("mingjian.rating")
# Facts and standings make no circles, and there are very many of them: looking for circles as often as Python does by itself takes
# a fifth of a worker's time. The event loop's own are few.
GC_THRESHOLDS = (50_000, 20, 50)


def main() -> int:
    """Run until a signal."""
    # faust speaks in the name of our own classes, too: each of its steps, at every start.
    logs.setup("rating", levels={"services": logging.WARNING})
    uvloop.install()
    try:
        given = from_environment()
        worker = Worker(given)
        server = serve(given.host, given.port, worker.answers())
    except (NotConfigured, RulebookError) as error:
        log.critical("%s", error)
        return 2
    except OSError as error:
        log.critical("port %s can't be used: %s", given.port, error.strerror)
        return 2
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    log.info("rating by %s on port %d", ", ".join(sorted(worker.rater.books)), given.port)
    try:
        faust_worker(worker).execute_from_commandline()
    finally:
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
