"""``mingjian simulate``: history rated by a rulebook and by a changed one, and what comes out differently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from schemas.rulebook import RulebookError
from services.rating.analysing import RULEBOOKS, USAGE, Fault, Old, day_of, history, instant_of, new_edition, rulebook_named, shown
from services.rating.analysis.editions import Edition
from services.rating.analysis.history import Scene
from services.rating.analysis.simulation import simulate as simulated
from services.rating.cli import BASE, Kafka, PortBase, TlsDir, default_broker
from services.rating.domain.fold import Book
from services.rating.replaying import Source
from services.rating.report.notes import Note, notes
from services.rating.report.page import Frame
from services.rating.report.simulation_json import simulation_json
from services.rating.report.simulation_page import simulation_page
from services.rating.report.simulation_terminal import Sheet

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _group() -> None:
    """Keeps the command's name while it is the only one."""


@app.command("simulate")
def simulate(
    context: typer.Context,
    rulebook_file: Annotated[
        Path, typer.Option("--rulebook-file", help="The new rulebook: a folder, or one file that takes the place of the file of its topic.")
    ],
    file: Annotated[Path | None, typer.Argument(help="Events, one JSON object a line; - for standard input; default all on Kafka.")] = None,
    rulebook: Annotated[str | None, typer.Option(help="What to compare with: a regime or a folder; default the one of the file.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The day to compare, YYYY-MM-DD; default the last day in the data.")] = None,
    known_at: Annotated[str | None, typer.Option(help="Only what was known by then: a day or an instant; default everything.")] = None,
    go_live: Annotated[str | None, typer.Option(help="From when both rulebooks count; default the first day of the old one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole result as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write a page that needs nothing else.")] = None,
    rulebooks: Annotated[Path, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Directory of the rulebooks in use.")] = RULEBOOKS,
    kafka: Kafka = None,
    tls_dir: TlsDir = None,
    port_base: PortBase = BASE,
) -> None:
    """Before a rule changes: who would move, on which lists, with how many inspections more or fewer.

    History is rated twice, with the same evaluations and the same go-live, by the rulebook in use and by the new one."""
    chinese = getattr(getattr(context.obj, "voice", None), "lang", "en") == "zh"
    try:
        edition = new_edition(rulebook_file, rulebooks, rulebook)
        old = _old(edition, rulebook, rulebooks)
        new = Book.of(edition.rulebook)
        known = instant_of(known_at, old.book, "--known-at")
        source = Source(kafka or default_broker(port_base), tls_dir)
        read = history(file, old.book, known, source)
        day = day_of(as_of, "--as-of") or read.last_day(old.book)
        scene = Scene.of(old.book, day_of(go_live, "--go-live"))
        with shown(read, source, "simulate"):
            found = simulated(read, scene, Scene.of(new, scene.go_live), day)
    except (Fault, RulebookError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(getattr(error, "code", 1) if isinstance(error, Fault) else 1) from None
    told = notes(found, read.evaluations_after(new.rulebook.regime, day))
    was, now = named(old.shown, old.book), new_words(rulebook_file, new, edition.replaced)
    if html:
        frame = Frame(was, now, told, known_at, read.sample)
        html.write_text(simulation_page(found, frame), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(simulation_json(found, told, known_at=known_at, replaced=edition.replaced), ensure_ascii=False, indent=1))
    else:
        compared = f"{was} → {now[0]}" if chinese else f"{was} → {now[1]}"
        Sheet(Console(highlight=False), found, chinese=chinese).write(compared, told)
        if html:
            typer.echo(str(html), err=True)


def _old(edition: Edition, named: str | None, directory: Path) -> Old:
    """The rulebook to compare with. Raises ``Fault`` where it is of another regime."""
    regime = edition.rulebook.regime
    if named is None:
        if not (directory / regime).is_dir():
            known = ", ".join(sorted(one.name for one in directory.iterdir() if one.is_dir()))
            raise Fault(
                f"the new rulebook is of the regime {regime!r}, and none of that regime is in use here ({known}); "
                "say what to compare it with by --rulebook",
                USAGE,
            )
        return rulebook_named(regime, directory)
    old = rulebook_named(named, directory)
    if old.book.rulebook.regime != regime:
        raise Fault(
            f"the new rulebook is of the regime {regime!r}, the one to compare with of {old.book.rulebook.regime!r}; "
            "only two editions of one regime can be compared",
            USAGE,
        )
    return old


def named(shown: str, book: Book) -> str:
    """A rulebook by where it lies, its version and the beginning of its digest."""
    return f"{shown} ({book.rulebook.regime} {book.rulebook.version}, SHA-256 {book.sha256[:16]}…)"


def new_words(given: Path, new: Book, replaced: str | None) -> Note:
    """What was compared with it, and in the place of which file."""
    if replaced is None:
        return (named(str(given), new),) * 2
    return (named(f"{given} 代替 {replaced}", new), named(f"{given} in place of {replaced}", new))
