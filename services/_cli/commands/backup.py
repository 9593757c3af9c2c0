"""A backup, and the proof that it can be restored."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import orjson
import typer

from deploy.local import preflight, state
from deploy.local.ports import Ports
from deploy.local.stack import Stack
from services._cli import backing_up
from services._cli.backing_up import Backup, back_up, load_database, unpack
from services._cli.errors import FAILED, CliError
from services._cli.home import Home
from services._cli.restoring import as_json as outcome_as_json
from services._cli.restoring import bars, folder_of_log, restore_stack, sentences, tell
from services._cli.running import stack_of
from services._cli.session import session_of

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON.")]


@app.command("backup")
def backup(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A new or empty folder, at best on another disk.")],
    keys_to: Annotated[
        Path | None,
        typer.Option("--keys-to", metavar="DIR", help="Also copy the private keys, to a place of their own."),
    ] = None,
    log_dir: Annotated[Path | None, typer.Option(envvar="MINGJIAN_LOG_DIR", help="The log's folder; default <home>/log.")] = None,
    json: AsJson = False,
) -> None:
    """Copy what a stack can be rebuilt from: the log (with every record of Kafka), PostgreSQL, genesis. The stack may go on meanwhile.

    Keys are not in it, nor the witness's folder. `mingjian restore-check DIR` proves that it can be restored."""
    session = session_of(context)
    folder_of_log(log_dir)
    session.home.genesis()
    home = session.home
    running = state.supervisor(home.root) is not None
    stack = stack_of(session, os.environ)
    with bars(session.voice) as told, sentences():
        if running:
            found = back_up(stack, home, to, log_dir=log_dir or home.log_dir, running=True, told=told)
        else:
            with stack:
                stack.start_servers()
                found = back_up(stack, home, to, log_dir=log_dir or home.log_dir, running=False, told=told)
    keys = backing_up.copy_keys(home, keys_to, to) if keys_to else None
    if json:
        said = {name: value for name, value in found.body.items() if name != "files"}
        session.voice.say(orjson.dumps(said | {"folder": str(to), "keys_copied": keys}).decode())
        return
    body = found.body
    session.voice.say(
        f"{to}: {body['leaves']:,} leaves under root {body['root']}, the newest record of {body['until']}; PostgreSQL; genesis"
    )
    if body["behind"]:
        session.voice.say(f"{body['behind']:,} records on Kafka are no leaves yet and so not in it; `mingjian up` lets audit log them")
    session.voice.say(
        f"{keys} key files to {keys_to}" if keys else "private keys are not in it: they belong in a safe of their own (--keys-to)"
    )
    session.voice.say(f"try it: mingjian restore-check {to}")


@app.command("restore-check")
def restore_check(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `mingjian backup` wrote.")],
    genesis: Annotated[Path | None, typer.Option(help="The pinned genesis; default the one in the backup.")] = None,
    keys: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the keys are kept: are all there that are needed?")] = None,
    work: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the temporary home is made; default the system's.")] = None,
    json: AsJson = False,
) -> None:
    """Restore a backup for a trial, from the backup alone, in a temporary home on ports of its own, and say what would be lost.

    Starts Kafka and PostgreSQL there, loads and fills both, compares every record, and throws the home away."""
    voice = session_of(context).voice
    with bars(voice) as told:
        found = Backup.read(folder, told)
    with _temporary(work) as home:
        unpack(found, home, with_log=False)
        stack = Stack(home.root, _free_ports(), say=voice.mention)
        stack.restoring = True
        with stack:
            mode = "simulated" if home.simulated() else "wall"
            stack.start_servers(mode)
            with sentences():
                load_database(found, stack)
            outcome = restore_stack(
                stack, voice, log_dir=found.log_dir, genesis=genesis or found.genesis, memory=None, mode=mode, anew=False
            )
    missing = backing_up.missing_keys(found, keys) if keys else []
    sound = outcome.size == found.body["leaves"] and outcome.root == found.body["root"] and not outcome.lost and not missing
    if json:
        voice.say(
            orjson.dumps({"restorable": sound, "until": found.body["until"], "missing_keys": missing, **outcome_as_json(outcome)}).decode()
        )
    else:
        tell(outcome, voice)
        _say_lost(found, outcome.lost, missing, keys, voice.say)
        voice.say("it can be restored ✓" if sound else "it can't be restored as it is")
    if not sound:
        raise typer.Exit(FAILED)


def _say_lost(found: Backup, lost: dict[str, int], missing: list[str], keys: Path | None, say: Callable[[str], None]) -> None:
    body = found.body
    say(f"lost would be: everything after {body['until']}" + (f", and {body['behind']:,} records of before that" if body["behind"] else ""))
    if lost:
        say(f"PostgreSQL is newer than the log by {sum(lost.values()):,} records: the backup was not taken by `mingjian backup`")
    if keys is None:
        say("needed besides: the private keys, which are not in the backup (--keys DIR looks whether they are whole)")
    for one in missing:
        say(f"missing: {one}")


@contextmanager
def _temporary(work: Path | None) -> Iterator[Home]:
    """A home that goes when the block ends. Entered by all: run by root, PostgreSQL works as another user."""
    if work:
        work.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="mingjian-restore-check-", dir=work))
    root.chmod(0o755)
    try:
        yield Home(root)
    finally:
        shutil.rmtree(root)


def _free_ports() -> Ports:
    for base in range(29_900, 32_000, 20):
        ports = Ports(base)
        if all(preflight.is_free(port) for port in ports.everything().values()):
            return ports
    raise CliError("no range of ports is free for a trial")
