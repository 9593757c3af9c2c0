"""Publication's commands, mounted by ``mingjian``: ``projection rebuild``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from schemas.rulebook import RulebookError
from services._bus.kafka import RecordsGone, UnusableCertificates
from services._bus.settings import NotConfigured
from services.publication.ports import OtherStack
from services.publication.wiring import rebuild_projection

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
projection = typer.Typer(no_args_is_help=True, help="The public projection of facts and grades.")
app.add_typer(projection, name="projection")


@projection.callback()
def _group() -> None:
    """Keeps ``rebuild`` a command of its own while it is the only one."""


@projection.command("rebuild")
def rebuild(
    context: typer.Context,
    accept: Annotated[bool, typer.Option("--accept-differences", help="Switch also where the new build differs from the old one.")] = False,
    kafka: Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Broker; default the embedded one.")] = None,
) -> None:
    """Work the projection out again from Kafka, compare it with the one that is read, and switch. The service goes on meanwhile.

    Every change keeps its number, so streams resume across the switch. Exit code 1: it failed or was not switched."""
    home = getattr(getattr(context.obj, "home", None), "root", None) or Path(".mingjian")
    try:
        done = asyncio.run(rebuild_projection(home=home, kafka_address=kafka, accept=accept, say=lambda line: typer.echo(line, err=True)))
    except (NotConfigured, RulebookError, UnusableCertificates, RecordsGone, OtherStack, ConnectionError) as error:
        typer.echo(f"not rebuilt: {error or type(error).__name__}", err=True)
        raise typer.Exit(1) from None
    for table, (gone, come) in done.differences.items():
        typer.echo(f"{table}: {gone:,} rows only in the old build, {come:,} only in the new one", err=True)
    if not done.switched:
        typer.echo("not switched: the builds differ; look at the reasons, then say --accept-differences", err=True)
        raise typer.Exit(1)
    typer.echo(f"rebuilt from {done.records:,} records and switched")
