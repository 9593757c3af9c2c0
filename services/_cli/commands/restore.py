"""Kafka lost, PostgreSQL lost: the stack rebuilt from its log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import orjson
import typer

from deploy.local import state
from services._cli.backing_up import Backup, load_database, unpack
from services._cli.errors import USAGE, CliError
from services._cli.restoring import as_json as result
from services._cli.restoring import bars, folder_of_log, restore_stack, tell, write_log_again
from services._cli.running import stack_of
from services._cli.session import Session, session_of

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _group() -> None:
    """Keeps ``restore`` a command of its own while it is the only one."""


@app.command("restore")
def restore(
    context: typer.Context,
    log_dir: Annotated[Path | None, typer.Option(envvar="MINGJIAN_LOG_DIR", help="The log's folder; default <home>/log.")] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="A backup (`mingjian backup`), into a home that holds no stack yet.")
    ] = None,
    make_anew: Annotated[
        bool,
        typer.Option(
            "--make-anew", help="Also delete and make again topics whose beginning is missing, if the log has all they still hold."
        ),
    ] = False,
    log_again: Annotated[
        bool,
        typer.Option("--log-again", help="The log's folder is lost: write it again from PostgreSQL's plan and Kafka, with the same root."),
    ] = False,
    memory: Annotated[Path | None, typer.Option(help="Where the checkpoint seen last is kept; default <home>/seen.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Rebuild emptied topics from the log, record by record at the same offsets, and mend the services' positions.

    Stop the stack first (`mingjian down`); this starts Kafka and PostgreSQL alone, and stops them again. A log that does not verify
    is not restored from, and a topic that holds other records is left alone. Cut off, it goes on where it ended. With --from the home
    is made from a backup first; put the keys into <home>/keys before you start the stack."""
    session = session_of(context)
    home = session.home
    folder_of_log(log_dir)
    backup = None
    if source:
        with bars(session.voice) as told:
            backup = Backup.read(source, told)
        unpack(backup, home, with_log=log_dir is None)
    at_rest(session)
    stack = stack_of(session, os.environ)
    stack.restoring = True
    with stack:
        mode = "simulated" if home.simulated() else "wall"
        stack.start_servers(mode)
        if backup and not load_database(backup, stack):
            session.voice.mention("PostgreSQL is in use already: the backup's dump was not loaded")
        if log_again:
            count = write_log_again(stack, session.voice, home, log_dir or home.log_dir, mode, memory or home.root / "seen")
            session.voice.mention(f"{count:,} leaves written again into {log_dir or home.log_dir}")
        outcome = restore_stack(
            stack,
            session.voice,
            log_dir=log_dir or home.log_dir,
            genesis=home.genesis_path,
            memory=memory or home.root / "seen",
            mode=mode,
            anew=make_anew,
        )
    if json:
        session.voice.say(orjson.dumps(result(outcome)).decode())
    else:
        tell(outcome, session.voice)


def at_rest(session: Session) -> None:
    """Raises ``CliError`` while a stack runs on this home: whoever else writes would take offsets that belong to the log's records."""
    session.home.genesis()
    if state.supervisor(session.home.root):
        raise CliError(f"a stack is running on {session.home.root}; stop it first with `mingjian down`", USAGE)
