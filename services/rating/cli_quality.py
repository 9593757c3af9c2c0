"""``mingjian quality``: whether the grades of a history tell anything, as the credit-rating field measures it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from schemas.rulebook import RulebookError
from services.rating.analysing import RULEBOOKS, Fault, day_of, history, instant_of, rulebook_named, shown
from services.rating.analysis.history import Scene
from services.rating.analysis.quality import quality as judged
from services.rating.cli import BASE, Kafka, PortBase, TlsDir, default_broker
from services.rating.replaying import Source
from services.rating.report.page import Frame
from services.rating.report.quality_json import quality_json
from services.rating.report.quality_notes import notes
from services.rating.report.quality_page import quality_page
from services.rating.report.quality_terminal import Sheet

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _group() -> None:
    """Keeps the command's name while it is the only one."""


@app.command("quality")
def quality(
    context: typer.Context,
    rulebook: Annotated[str, typer.Option(help="A regime, or a rulebook's folder.")],
    file: Annotated[Path | None, typer.Argument(help="Events, one JSON object a line; - for standard input; default all on Kafka.")] = None,
    outcome: Annotated[str, typer.Option(help="The rulebook's act set that counts as a penalty.")] = "penalties",
    as_of: Annotated[str | None, typer.Option(help="Up to this day, YYYY-MM-DD; default the last day in the data.")] = None,
    known_at: Annotated[str | None, typer.Option(help="Only what was known by then: a day or an instant; default everything.")] = None,
    go_live: Annotated[str | None, typer.Option(help="From when the rulebook counts; default its first day.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page that needs nothing else.")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write the figures as JSON; - for standard output.")] = None,
    rulebooks: Annotated[Path, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Directory of the rulebooks in use.")] = RULEBOOKS,
    kafka: Kafka = None,
    tls_dir: TlsDir = None,
    port_base: PortBase = BASE,
) -> None:
    """Is the rating any good: how grades move, what followed them, how well they tell, and how steady they are."""
    chinese = getattr(getattr(context.obj, "voice", None), "lang", "en") == "zh"
    try:
        old = rulebook_named(rulebook, rulebooks)
        source = Source(kafka or default_broker(port_base), tls_dir)
        read = history(file, old.book, instant_of(known_at, old.book, "--known-at"), source)
        day = day_of(as_of, "--as-of") or read.last_day(old.book)
        with shown(read, source, "quality"):
            found = judged(read, Scene.of(old.book, day_of(go_live, "--go-live")), day, outcome=outcome)
    except (Fault, RulebookError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.code if isinstance(error, Fault) else 1) from None
    told = notes(found, outcome)
    if html:
        frame = Frame(old.shown, notes=told, known_at=known_at, sample=read.sample)
        html.write_text(quality_page(found, frame), encoding="utf-8")
    text = json.dumps(quality_json(found, told, known_at=known_at), ensure_ascii=False, indent=1) if as_json else ""
    if as_json and str(as_json) == "-":
        typer.echo(text)
        return
    if as_json:
        as_json.write_text(text + "\n", encoding="utf-8")
    Sheet(Console(highlight=False), found, chinese=chinese).write(told)
