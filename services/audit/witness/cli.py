"""``mingjian witness``: make a witness, run it, look at it. Needs its folder and nothing else of Mingjian."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from services._bus import logs
from services._bus.settings import NotConfigured
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.witness.adapters.home import HomeError, WitnessHome, prepare
from services.audit.witness.api import serve
from services.audit.witness.web import WitnessState, state_of
from services.audit.witness.wiring import default_home, default_place, witness_of

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
witness = typer.Typer(no_args_is_help=True, help="A witness of transparency logs, with a key and a memory of its own.")
app.add_typer(witness, name="witness")

Folder = Annotated[Path | None, typer.Option("--dir", help="Its folder; default MINGJIAN_WITNESS_HOME, else .mingjian-witness.")]


@witness.callback()
def _group() -> None:
    pass


def _fail(error: Exception, code: int = 1) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(code)


def _keys(texts: list[str]) -> list[VerifierKey]:
    try:
        return [VerifierKey.parse(text) for text in texts]
    except NoteError as error:
        _fail(error, 2)


@witness.command("init")
def init(
    name: Annotated[str, typer.Argument(help="The name it signs under, such as witness.example.org/1.")],
    folder: Folder = None,
    log: Annotated[list[str] | None, typer.Option(help="Verifier key of a log to follow from now on; may be repeated.")] = None,
) -> None:
    """Make a key, or keep the one that is there, follow these logs too, and print the verifier key: what readers pin.

    A running witness learns of a new log at its next start."""
    keys = _keys(log or [])
    try:
        made = prepare(folder or default_home(), name, keys)
    except HomeError as error:
        _fail(error)
    typer.echo(made.key.text)


@witness.command("run")
def run(
    folder: Folder = None,
    host: Annotated[str | None, typer.Option(help="Where to listen; default MINGJIAN_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Default MINGJIAN_PORT, else 19104.")] = None,
) -> None:
    """Serve until Ctrl-C."""
    logs.setup("witness")
    try:
        usual_host, usual_port = default_place()
        code = serve(folder or default_home(), host or usual_host, usual_port if port is None else port)
    except (HomeError, NotConfigured) as error:
        _fail(error, 2)
    raise typer.Exit(code)


@witness.command("show")
def show(
    folder: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    vkey: Annotated[bool, typer.Option("--vkey", help="The verifier key alone.")] = False,
) -> None:
    """Its key and, for each log, what it cosigned last; exit code 1 where something was lost. Works beside a running one."""
    try:
        found = state_of(witness_of(WitnessHome.open(folder or default_home())))
    except HomeError as error:
        _fail(error)
    if vkey:
        typer.echo(found.vkey)
    elif as_json:
        typer.echo(found.model_dump_json())
    else:
        _tell(found)
    if any(one.lost for one in found.logs):
        raise typer.Exit(1)


def _tell(found: WitnessState) -> None:
    typer.echo(found.vkey)
    for one in found.logs:
        if one.lost:
            typer.echo(f"  {one.origin}: {one.lost}")
        else:
            when = f"cosigned at {one.cosigned_at} s since 1970" if one.cosigned_at else "nothing cosigned yet"
            typer.echo(f"  {one.origin}: {one.size:,} leaves, root {one.root}, {when}")


def embedded(root: Path, log_vkey: str) -> str:
    """The embedded stack's witness, made where there is none, following its log; its verifier key. Raises ``HomeError``, ``NoteError``."""
    log = VerifierKey.parse(log_vkey)
    return prepare(root, f"{log.name}/witness", [log]).key.text


if __name__ == "__main__":
    app()
