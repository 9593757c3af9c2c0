"""``mingjian supervision-report``: how entries were managed in a year (五(三) ¶2, R16), as a page, CSV and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console

from schemas.rulebook import RulebookError
from services._bus.kafka import Unavailable, UnusableCertificates
from services.audit.bar import Bar
from services.audit.bundles import NoBundle
from services.audit.cli_options import fail
from services.audit.domain.bundle import NoGenesis
from services.audit.regrading import Source
from services.audit.supervision import making
from services.audit.supervision.page import page
from services.audit.supervision.reading import FromBundle, FromKafka, Records
from services.audit.supervision.tables import as_csv, as_json
from services.audit.wiring import RULEBOOKS, broker

FAILED, USAGE = 1, 2
EDITIONS = ("console", "outside")
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@app.command("supervision-report")
def supervision_report(
    year: Annotated[int, typer.Option(min=1949, max=2199, help="The year that is reported on.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to make; it must not be there, or be empty.")],
    edition: Annotated[
        str, typer.Option(help="console: by office and officer, for auditors; outside: decided totals of offices.")
    ] = "console",
    bundle: Annotated[Path | None, typer.Option("--bundle", metavar="DIR", help="A bundle of `mingjian export` in place of Kafka.")] = None,
    kafka: Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Kafka's address; default the embedded broker.")] = None,
    rulebooks: Annotated[
        Path | None,
        typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Folder of rulebooks with their editions; default the shipped ones."),
    ] = None,
) -> None:
    """Write the year's report as index.html, supervision.json and CSV files. The console edition is for auditors alone."""
    if edition not in EDITIONS:
        fail(f"there is no edition {edition!r}; choose {' or '.join(EDITIONS)}", USAGE)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        fail(f"{to} is there already, and not an empty folder; name another with --to", USAGE)
    with Bar(Console(stderr=True)) as bar:
        told = bar.task("reading facts")
        try:
            records = source(bundle, kafka, rulebooks)
            known = making.register(records)
            found = making.supervised(records, year, known, told)
        except NOT_READ as error:
            fail(f"no report was made: {error}", FAILED)
    if not known.entry_rules():
        typer.echo("no rulebook that sets a term for entries was activated and lies here: nothing is judged late", err=True)
    to.mkdir(parents=True, exist_ok=True)
    files = {"index.html": page(found, edition=edition, sample=known.sample)}
    files["supervision.json"] = json.dumps(as_json(found, edition=edition, sample=known.sample), ensure_ascii=False, indent=1) + "\n"
    for name, text in (files | as_csv(found, edition=edition)).items():
        (to / name).write_text(text, encoding="utf-8")
    entries, with_term, late = (sum(getattr(one, name) for one in found.offices) for name in ("entries", "with_term", "late"))
    said = f", {late:,} late" if edition == "console" else ""
    typer.echo(f"{to}/index.html: {year}, {edition} edition: {entries:,} entries, {with_term:,} with a term{said}")


NOT_READ = (KafkaError, Unavailable, UnusableCertificates, NoBundle, NoGenesis, RulebookError, OSError)


def source(bundle: Path | None, kafka: str | None, rulebooks: Path | None) -> Records:
    """A bundle where one is named, else Kafka. Raises what is in ``NOT_READ``."""
    return FromBundle(bundle) if bundle is not None else FromKafka(Source(*broker(kafka)), rulebooks or RULEBOOKS)
