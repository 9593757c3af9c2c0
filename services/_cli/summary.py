"""What ``up`` says at the end: what the town came to, and where to look."""

from __future__ import annotations

import time
from collections.abc import Callable

from services._cli.errors import FAILED, CliError
from services._cli.session import Session

_POLL_S = 0.3


def settle(session: Session, limit_s: float, alive: Callable[[], None]) -> None:
    """Wait until every service has read all there is. Raises ``CliError`` after ``limit_s`` seconds."""
    from services._cli.commands.stack import look

    until = time.monotonic() + limit_s
    quiet = 0
    while quiet < 3:
        alive()
        found = look(session)
        quiet = quiet + 1 if found["ready"] and not found["lag"] else 0
        if time.monotonic() > until:
            raise CliError(f"the services did not catch up within {limit_s:.0f} s; see `mingjian status`", FAILED)
        time.sleep(_POLL_S)


def tell(session: Session) -> None:
    """The last lines of ``up``."""
    say = session.voice.say
    say(f"Start here → {session.endpoints['publication']}/")
