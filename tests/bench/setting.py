"""What has to be there before the load: genesis, rulebooks in force, and one officer who may inspect premises."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime

from rich.console import Console

from deploy.local.stack import CHECKOUT, Stack
from schemas.keys import SigningKey
from schemas.times import instant
from services._cli.home import Home
from services._cli.opening import open_register
from services._cli.registry import enrol
from services._cli.sample.people import Officer
from services._cli.session import Session
from services._cli.voice import Voice
from services.intake.cli import init_home
from tests.bench.load import REGIME, Author

OFFICE = "/departments/food/offices/bench"


def found(stack: Stack) -> None:
    """Make keys and genesis on a home that has none. Before the services start."""
    init_home(stack.home, clock_mode="wall", sample=False)


def session_of(stack: Stack) -> Session:
    """The command line on this stack, without a voice."""
    silent = Console(file=io.StringIO())
    return Session(Home(stack.home), Voice(silent, silent, "en"), stack.ports)


def author(stack: Stack) -> Author:
    """Open the register and enrol the bench's officer. After the services have started."""
    session = session_of(stack)
    home = session.home
    open_register(session, CHECKOUT / "rulebooks")
    key = SigningKey.generate()
    key.save(stack.home / "keys" / "officers" / "bench.json")
    officer = Officer("bench", OFFICE, "officer", ("desk", "field"))
    enrol(home, session.intake(), officer, key, schemes=["fhrs"], regimes=[REGIME], key_path="keys/officers/bench.json")
    now = int(time.time() * 1000)
    return Author(key, OFFICE, officer.pseudonym, now, instant(now), datetime.fromtimestamp(now / 1000, UTC).date())
