"""What several of audit's commands are told and how they end: options with one wording, the home, the language, a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from services.audit.wiring import default_home

Vkey = Annotated[str | None, typer.Option(help="The log's verifier key; default the one in <home>/genesis.json.")]
PolicyFile = Annotated[
    Path | None, typer.Option(help="The witnesses and their quorum (C2SP tlog-policy); default <home>/witnesses, where it is there.")
]
EditionsFolder = Annotated[
    Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Folder of rulebooks, with every edition activated; default the shipped.")
]
LogDir = Annotated[Path | None, typer.Option(envvar="MINGJIAN_LOG_DIR", hidden=True)]
LogStore = Annotated[str | None, typer.Option(envvar="MINGJIAN_LOG_STORE", hidden=True)]


def home_of(context: typer.Context) -> Path:
    """The folder that ``mingjian --home`` names, else the environment's."""
    return getattr(getattr(context.obj, "home", None), "root", None) or default_home()


def language_of(context: typer.Context) -> str:
    """``zh`` or ``en``, as ``mingjian`` was asked to speak."""
    return str(getattr(getattr(context.obj, "voice", None), "lang", "en"))


def witnesses_of(home: Path, policy: Path | None) -> Path | None:
    """The policy that was named, else the home's own, where it has one."""
    own = home / "witnesses"
    return policy or (own if own.is_file() else None)


def fail(words: str, code: int) -> NoReturn:
    """Say why, and end with this code."""
    typer.echo(words, err=True)
    raise typer.Exit(code) from None
