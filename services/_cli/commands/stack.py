"""The embedded stack: set it up, start it, look at it, stop it, throw it away."""

from __future__ import annotations

import os
from typing import Annotated

import orjson
import typer

from deploy.local import preflight
from deploy.local.control import stop_running
from schemas.canonical import event_hash
from services._cli.clearing import clear, held_outside, is_home, make_root
from services._cli.commands.bring import Falsify, Sown, wanted
from services._cli.errors import FAILED, NOT_RUNNING, USAGE, CliError
from services._cli.looking import cosigning_words, grades_words, look, other_stack
from services._cli.running import Wanted, bring_up
from services._cli.session import Session, session_of
from services._cli.town import ENTERPRISES, SEED, YEARS


def init(
    context: typer.Context,
    sample: Annotated[bool, typer.Option(help="A stack for made-up data, on a simulated clock, for ever marked as such.")] = False,
) -> None:
    """Make keys and the genesis event, and print its fingerprint: what outsiders pin."""
    session = session_of(context)
    if session.home.genesis_path.exists():
        raise CliError(f"{session.home.root} already holds a stack; `mingjian reset` throws it away", USAGE)
    from services.intake.cli import init_home

    make_root(session.home.root)
    init_home(session.home.root, clock_mode="simulated" if sample else "wall", sample=sample)
    session.voice.say(fingerprint(session))


def fingerprint(session: Session) -> str:
    """The genesis event's hash."""
    return event_hash(session.home.genesis()["event"])


def up(
    context: typer.Context,
    sample: Annotated[bool, typer.Option(help="With the sample town, or an empty stack on the wall clock.")] = False,
    seed: Annotated[int | None, typer.Option(help="The sample town's seed.", show_default=str(SEED))] = None,
    enterprises: Annotated[
        int | None, typer.Option(min=1, max=2000, help="How many enterprises the sample town has.", show_default=str(ENTERPRISES))
    ] = None,
    years: Annotated[
        int | None, typer.Option(min=1, max=10, help="How many years the sample town looks back on.", show_default=str(YEARS))
    ] = None,
    falsify: Falsify = False,
    sown: Sown = None,
) -> None:
    """Start Kafka, PostgreSQL and the services, and stay until Ctrl-C."""
    bring_up(session_of(context), Wanted(sample, seed, enterprises, years, wanted(falsify, sown)))


def down(context: typer.Context) -> None:
    """Stop the stack of this home, or what a killed one left behind. The data stays."""
    session = session_of(context)
    stopped = stop_running(session.home.root)
    session.voice.say("stopped" if stopped else "nothing was running")


def status(context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """What runs, how far behind it is, and where the log is. Exit code 3 when not everything is ready."""
    session = session_of(context)
    found = look(session)
    if as_json:
        session.voice.say(orjson.dumps(found).decode())
    else:
        session.voice.say(f"{'ready' if found['ready'] else 'not ready'} · {session.home.root}")
        if words := other_stack(found["genesis"]):
            session.voice.say(f"  {words}")
        for name, one in found["services"].items():
            lag = "" if one["lag"] is None else f" · {one['lag']} records behind"
            session.voice.say(f"  {name:<12} {one['url']}  {'ready' if one['ready'] else one['reason']}{lag}")
        for words in (*cosigning_words(found["witnesses"]), *grades_words(found["grades"])):
            session.voice.say(f"  {words}")
    if not found["ready"]:
        raise typer.Exit(NOT_RUNNING)


def doctor(context: typer.Context) -> None:
    """Check what the machine must have, and say what to do about what it lacks."""
    session = session_of(context)
    checks = preflight.run(session.home.root)
    for one in checks:
        session.voice.say(f"{'✓' if one.ok else '✗'} {one.message}")
    if not all(one.ok for one in checks):
        raise typer.Exit(FAILED)


def reset(context: typer.Context, yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False) -> None:
    """Stop the stack of this home and delete all its data: facts, keys, log."""
    session = session_of(context)
    root = session.home.root
    if not root.exists():
        session.voice.say(f"{root} does not exist; nothing to do")
        return
    if not is_home(root):
        raise CliError(f"{root} doesn't look like a stack's home; nothing was deleted", USAGE)
    if not yes:
        typer.confirm(f"Delete the stack in {root} with all its facts, keys and its log?", abort=True, err=True)
    stop_running(root)
    left = clear(root)
    session.voice.say(f"the stack in {root} is deleted; left alone: {', '.join(left)}" if left else f"{root} is deleted")
    if held := held_outside(os.environ):
        session.voice.mention(f"not deleted: {held}")


def enter(context: typer.Context, role: Annotated[str, typer.Option(help="registrar, officer, approver or auditor")] = "auditor") -> None:
    """Print a one-time sign-in address for the console. It works once, within ten minutes."""
    session = session_of(context)
    if role not in ("registrar", "officer", "approver", "auditor"):
        raise CliError(f"there is no role {role!r}; choose registrar, officer, approver or auditor", USAGE)
    session.voice.say(session.endpoints["audit"] + session.home.once_address(role))
