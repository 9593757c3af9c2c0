"""Bringing data in: published files, and the sample town."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from services._cli.errors import REFUSED
from services._cli.importing import FORMATS, Report, import_rows, importer_key, read_rows
from services._cli.sample.falsify.ground import Choice
from services._cli.session import Session, session_of
from services._cli.summary import holdings, settle
from services._cli.town import ENTERPRISES, SEED, YEARS, bring_town, order_of
from services.intake.importers.rows import PublishedFormat

import_app = typer.Typer(help="Take in published data.", no_args_is_help=True)


Falsify = Annotated[bool, typer.Option("--falsify", help="With falsehoods and innocent look-alikes of every kind.")]
Sown = Annotated[
    Choice | None,
    typer.Option(help="What --falsify sows; clean: nothing, in a town as richly told.", show_default="both"),
]
_Json = Annotated[bool, typer.Option("--json", help="The report as JSON.")]
_Receipts = Annotated[Path | None, typer.Option(help="Write every receipt to this file, one a line.")]


@import_app.command("fhrs")
def import_fhrs(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="One authority's file of the Food Hygiene Rating Scheme, CSV.")],
    as_json: _Json = False,
    receipts: _Receipts = None,
) -> None:
    """Take in a published file. Every row is accepted, or refused with its line and the reason; again changes nothing."""
    _import(session_of(context), FORMATS["fhrs"], file, as_json, receipts)


@import_app.command("nyc")
def import_nyc(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="New York City's restaurant inspection results, CSV: one row a violation.")],
    as_json: _Json = False,
    receipts: _Receipts = None,
) -> None:
    """Take in a published file. Rows of one inspection become one fact; every row is accepted, or refused with its line and the
    reason; again changes nothing. `mingjian agree nyc` compares the official grades."""
    _import(session_of(context), FORMATS["nyc"], file, as_json, receipts)


def wanted(falsify: bool, sown: Choice | None) -> Choice | None:
    """What is sown; whoever says what need not say that."""
    return sown or ("both" if falsify else None)


def _import(session: Session, given: PublishedFormat, file: Path, as_json: bool, receipts: Path | None) -> None:
    rows, refused = read_rows(file, given)
    report = Report(str(file), rows=sum(len(row.lines) for row in rows) + len(refused), refused=refused)
    intake = session.intake(patience_s=300.0)
    if rows:
        key = importer_key(session.home, intake, given, sorted({row.office for row in rows}))
        total = sum(len(row.events) for row in rows)
        sink = receipts.open("wb") if receipts else None
        try:
            with session.voice.bar(file.name, total, beside=True) as bar:
                intake.said = bar.note
                import_rows(
                    rows,
                    key,
                    intake,
                    report,
                    moved=bar.to,
                    kept=lambda one: sink.write(orjson.dumps(one.receipt) + b"\n") and None if sink else None,
                )
        finally:
            if sink:
                sink.close()
    report.refused.sort(key=lambda one: one.line)
    if as_json:
        session.voice.say(orjson.dumps(report.as_json()).decode())
    else:
        _table(session, report)
    if report.refused:
        raise typer.Exit(REFUSED)


def sample(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="The same seed gives the same town.")] = SEED,
    enterprises: Annotated[int, typer.Option(min=1, max=2000, help="How many enterprises it has.")] = ENTERPRISES,
    years: Annotated[int, typer.Option(min=1, max=10, help="How many years it looks back on.")] = YEARS,
    falsify: Falsify = False,
    sown: Sown = None,
) -> None:
    """Bring a made-up town into the running, empty sample stack of this home (`mingjian up --sample` does so by itself)."""
    session = session_of(context)
    bring_town(session, order_of(seed, enterprises, years, wanted(falsify, sown)))
    settle(session, None, lambda: None)
    for line in holdings(session):
        session.voice.say(line)


def _table(session: Session, report: Report) -> None:
    table = Table(title=report.file, title_justify="left", show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    for words, number in (
        ("rows", report.rows),
        ("accepted", report.accepted),
        ("refused", len(report.refused)),
        ("events with a receipt", report.events),
        ("of these already there", report.known),
    ):
        table.add_row(words, f"{number:,}")
    session.voice.out.print(table)
    for one in report.refused:
        session.voice.say(f"line {one.line}: {one.premises}: {one.reason}")
