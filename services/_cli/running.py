"""``mingjian up``: from nothing to a stack that answers, with the sample town in it if asked for, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata

from deploy.local import preflight, state
from deploy.local.control import stop_running
from deploy.local.errors import LocalStackError
from deploy.local.stack import Stack
from services._cli.clearing import clear, held_outside, make_root
from services._cli.errors import USAGE, CliError
from services._cli.opening import open_register
from services._cli.sample.falsify.ground import Choice
from services._cli.sample.load import Mark, Order
from services._cli.session import Session, rulebooks_folder
from services._cli.summary import settle, tell
from services._cli.town import ENTERPRISES, SEED, YEARS, bring_town, order_of


@dataclass(frozen=True)
class Wanted:
    """What ``up`` was asked for. Numbers of the town: None where nobody said."""

    sample: bool
    seed: int | None = None
    enterprises: int | None = None
    years: int | None = None
    falsify: Choice | None = None

    def order(self) -> Order:
        given = (self.seed, SEED), (self.enterprises, ENTERPRISES), (self.years, YEARS)
        return order_of(*(usual if said is None else said for said, usual in given), self.falsify)

    def differs(self, order: Order) -> list[str]:
        """What was asked for explicitly and is not so in a town of this order."""
        said = {"seed": self.seed, "enterprises": self.enterprises, "years": self.years}
        found = [f"--{name} {value}" for name, value in said.items() if value is not None and value != getattr(order, name)]
        return [*found, *(["--falsify"] if self.falsify is not None and self.falsify != order.falsify else [])]


def bring_up(session: Session, wanted: Wanted) -> None:
    """Start everything, load the sample where it isn't in yet, say where to look, and stay until a signal.

    Raises ``CliError`` or ``LocalStackError`` with one sentence when it can't."""
    _check_machine(session)
    fresh = _prepare_home(session, wanted)
    ports = session.ports
    stack = stack_of(session, os.environ)
    session.voice.say(f"[3/5] Kafka :{ports.kafka}  [4/5] PostgreSQL :{ports.postgres}  services :{ports.intake}–{ports.witness}")
    work = _Work(session, wanted, fresh, lambda: stack.stopping)
    try:
        stack.run(ready=lambda running: work.begin())
    finally:
        work.end()
        # A bar that was cut off in the middle has hidden it.
        session.voice.out.show_cursor(True)
    if work.failure:
        raise work.failure
    session.voice.say("stopped; the data stays")


def stack_of(session: Session, env: Mapping[str, str]) -> Stack:
    """The stack of this home, with all that the environment says of it."""
    return Stack.from_env({**_sample_key(session), **env, "MINGJIAN_HOME": str(session.home.root)}, say=session.voice.mention)


def _check_machine(session: Session) -> None:
    if state.supervisor(session.home.root):
        raise CliError(f"a stack is already running on {session.home.root}; `mingjian status` looks at it, `mingjian down` stops it", USAGE)
    checks = preflight.run(session.home.root)
    failed = [one for one in checks if not one.ok]
    if failed:
        raise LocalStackError("\n".join(one.message for one in failed))
    found = [one.message for one in checks if not one.name.startswith("port ")]
    session.voice.say("[1/5] " + " ".join(f"{words} ✓" for words in (*found, "ports")))
    session.voice.say(f"[2/5] packages ✓ mingjian {metadata.version('mingjian')}")


def _prepare_home(session: Session, wanted: Wanted) -> bool:
    """Make sure there is a genesis. True when the sample has still to be loaded."""
    home = session.home
    mark = Mark.read(home)
    if home.genesis_path.exists() and wanted.sample:
        if mark is None and home.simulated():
            return True
        if mark is None:
            raise CliError(
                f"{home.root} holds a stack of its own; put the sample elsewhere with MINGJIAN_HOME, or `mingjian reset` throws it away",
                USAGE,
            )
        if mark.done:
            if ignored := wanted.differs(mark.order):
                session.voice.mention(
                    f"{' '.join(ignored)}: ignored, for {home.root} has its town already; `mingjian reset` makes room for another"
                )
            return False
        # The simulated clock can't go back, so what is left of a town can't be entered at its own time any more.
        if held := held_outside(os.environ):
            raise CliError(f"the sample was cut off while it was loaded, and {held}; empty them, then `mingjian reset`", USAGE)
        session.voice.mention("the sample was cut off while it was loaded; starting over")
        stop_running(home.root)
        clear(home.root)
    elif home.genesis_path.exists():
        return False
    from services.intake.cli import init_home

    make_root(home.root)
    init_home(home.root, clock_mode="simulated" if wanted.sample else "wall", sample=wanted.sample)
    return wanted.sample


def _sample_key(session: Session) -> dict[str, str]:
    """The key that the start page's button signs with, on sample stacks only."""
    if not session.home.simulated():
        return {}
    officers = [one for one in session.home.officers() if one.role == "officer"]
    path = officers[0].key if officers else "keys/officers/yangli-r01.json"
    return {"MINGJIAN_SAMPLE_KEY": str(session.home.root / path)}


@dataclass
class _Work:
    """What happens beside the supervision: it goes on restarting what crashes while the town is loaded."""

    session: Session
    wanted: Wanted
    fresh: bool
    told_to_stop: Callable[[], bool]
    failure: Exception | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._guarded, name="first-run", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=10)

    def _guarded(self) -> None:
        try:
            self._do()
        except _Stopped:
            return
        except Exception as error:  # handed to the main thread, which raises it after a clean stop
            if not self._over():
                self.failure = error
                os.kill(os.getpid(), signal.SIGTERM)

    def _do(self) -> None:
        if self.fresh:
            bring_town(self.session, self.wanted.order(), self._moved)
        elif mark := Mark.read(self.session.home):
            here = "already in" if mark.done else "cut off while it was loaded; `mingjian up --sample` starts over"
            self.session.voice.say(f"[5/5] sample town: {here}")
        elif self.session.home.simulated():
            # Whatever is said now takes the clock to today, and no town could be entered at its own time any more.
            self.session.voice.say("[5/5] no sample town yet; `mingjian sample` brings one")
        else:
            opened = open_register(self.session, rulebooks_folder(), self._moved)
            self.session.voice.say("[5/5] no sample town" + (f"; rulebooks in force: {', '.join(opened)}" if opened else ""))
        settle(self.session, None, self._moved)
        tell(self.session, self._moved)

    def _moved(self) -> None:
        """Raises ``_Stopped`` once there is nothing more to do."""
        if self._over():
            raise _Stopped

    def _over(self) -> bool:
        return self._stopping.is_set() or self.told_to_stop()


class _Stopped(Exception):
    """Ctrl-C came while the town was being loaded."""
