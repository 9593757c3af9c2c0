"""Loading the sample town into a running stack, with a bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from services._cli.errors import USAGE, CliError
from services._cli.sample.falsify.ground import Choice
from services._cli.sample.load import Mark, Order, control_events, in_order, keys, load, make_town, write_planted
from services._cli.session import Session, rulebooks_folder

SEED = 1
ENTERPRISES = 150
YEARS = 3


def order_of(seed: int, enterprises: int, years: int, falsify: Choice | None = None) -> Order:
    """A town that ends now. ``falsify``: what is sown into it, if anything."""
    return Order(seed, enterprises, years, datetime.now(UTC).replace(second=0, microsecond=0).isoformat(), falsify)


def bring_town(session: Session, order: Order, alive: Callable[[], None] = lambda: None) -> None:
    """Load a town into the running, empty stack of this home; ``alive`` is asked before and after every request.

    Raises ``CliError`` where the stack isn't a sample's, has had its town, or isn't empty."""
    home = session.home
    if not home.simulated():
        words = "holds a register of the real world; a made-up town needs a home of its own (`mingjian up --sample`)"
        raise CliError(f"{home.root} {words}", USAGE)
    if mark := Mark.read(home):
        if not mark.done:
            raise CliError(f"{home.root} has a part of a town, cut off while it was loaded; `mingjian up --sample` starts over", USAGE)
        raise CliError(f"{home.root} has had its town; `mingjian reset` throws it away, `mingjian up --sample` then makes another", USAGE)
    if session.intake().get("/status")["registry_offset"] > 0:
        raise CliError(f"{home.root} holds facts already; `mingjian up --no-sample` goes on without a town", USAGE)
    # Marked as done only when the last receipt is in.
    Mark(order, done=False).write(home)
    _load(session, order, alive)
    Mark(order, done=True).write(home)


def _load(session: Session, order: Order, alive: Callable[[], None]) -> None:
    """Generate, sign, send."""
    town = make_town(order, rulebooks_folder())
    sent = in_order(control_events(town, session.home, rulebooks_folder()), town)
    signers = keys(town, session.home)
    write_planted(session.home, town)
    began = time.monotonic()
    with session.voice.bar("[5/5] sample town", len(sent)) as bar:
        intake = session.intake()
        intake.said, intake.alive = bar.note, alive

        def moved(done: int) -> None:
            alive()
            bar.to(done)

        load(sent, signers, intake, moved)
    session.voice.say(f"[5/5] sample town: {len(sent):,} events in {time.monotonic() - began:.0f} s")
    if town.choice is not None:
        planted, alike = (sum(one["planted"] is kind for one in town.matters) for kind in (True, False))
        where = session.home.matters_path
        session.voice.say(f"      sown: {planted} falsehoods and {alike} look-alikes, told in {where}")
