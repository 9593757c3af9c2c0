"""``mingjian effect``: what a late or untrue entry did to grades, from Kafka or from a bundle, both paths drawn."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import orjson
import typer
from aiokafka.errors import KafkaError

from schemas.envelope import lookup
from schemas.rulebook import RulebookError
from services._bus.kafka import Connection, Unavailable, UnusableCertificates
from services._bus.settings import NotConfigured
from services.audit.adapters.effect_records import BundleEffects, KafkaEffects
from services.audit.assessing import Given, NoEffect, effects_of
from services.audit.bundles import SAMPLE, NoBundle, Pinned, anchored, check_files
from services.audit.cli_options import fail, home_of, language_of
from services.audit.domain.consequence import as_it_stands
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.note import NoteError
from services.audit.effect_text import lines
from services.audit.grades_check import books_in
from services.audit.wiring import RULEBOOKS, broker, genesis_event

FAILED, USAGE, NO_ANSWER, NOT_THERE = 1, 2, 5, 6

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """A group of one, so that the command keeps its name."""


@app.command()
def effect(
    context: typer.Context,
    finding: Annotated[str, typer.Argument(help="The id of a finding about an entry, or of its matter.")],
    bundle: Annotated[Path | None, typer.Option(metavar="DIR", help="From a bundle of `mingjian export`, without any server.")] = None,
    kafka: Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Broker; default the embedded one.")] = None,
    genesis: Annotated[Path | None, typer.Option(help="The pinned genesis; default <home>/genesis.json.")] = None,
    rulebooks: Annotated[
        Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Folder of rulebooks; default the shipped ones, of a bundle its own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The event as JSON.")] = False,
) -> None:
    """Work out what a late or untrue entry did to its subject's grades: which days another grade was shown, which evaluations, lists,
    measures and benefits were touched, and what the rules would have for it."""
    software = f"mingjian {version('mingjian')}"
    try:
        if bundle is not None:
            if kafka is not None:
                raise typer.BadParameter("a bundle needs no broker: leave one of the two out", param_hint="--kafka")
            given = _of_bundle(bundle, rulebooks, software, finding, as_json)
        else:
            home = home_of(context)
            source = KafkaEffects(Connection.of(*broker(kafka)))
            pinned = genesis_event(genesis or home / "genesis.json")
            given = effects_of(source, books_in(rulebooks or RULEBOOKS), pinned, software, finding)
    except NoEffect as error:
        fail(str(error), NOT_THERE)
    except (NoBundle, NoteError, NotConfigured, RulebookError, UnusableCertificates, OSError, ValueError) as error:
        fail(f"not worked out: {error}", FAILED)
    except (KafkaError, Unavailable) as error:
        fail(f"Kafka does not answer ({type(error).__name__}); `mingjian up` starts it", NO_ANSWER)
    for number, one in enumerate(given):
        if number and not as_json:
            typer.echo("\n" + "─" * 60 + "\n")
        _tell(one, as_json, language_of(context))


def _of_bundle(folder: Path, rulebooks: Path | None, software: str, finding: str, as_json: bool) -> list[Given]:
    manifest, faults = check_files(folder)
    if manifest is None or faults:
        first = faults[0]
        raise NoBundle(f"{first.where}: {first.what}. `mingjian verify --bundle {folder}` looks at all of it")
    anchor, faults = anchored(folder, Pinned())
    if faults or anchor.genesis is None:
        raise NoBundle(f"{folder} has no genesis to go by")
    if anchor.sample and not as_json:
        typer.echo(SAMPLE)
    source = BundleEffects(folder, manifest)
    given = effects_of(source, books_in(rulebooks) if rulebooks else source.books(), anchor.genesis, software, finding)
    return given


def _tell(given: Given, as_json: bool, language: str) -> None:
    if as_json:
        typer.echo(orjson.dumps(dict(given.answer.event)).decode())
        return
    matter = given.found.matter
    entry = given.found.scene.entry(matter)
    chinese = language == "zh"
    row = lookup(f"mingjian.{entry.name}.v1") if entry else None
    name = row.zh if row and chinese else entry.name if entry else "录入" if chinese else "entry"
    what = f"{name} {matter.entry.id}"
    if matter.deadline and matter.entered_on:
        zh = f"，期限{zh_day(matter.deadline)}，录入于{zh_day(matter.entered_on)}"
        what += zh if chinese else f", due by {en_day(matter.deadline)}, entered on {en_day(matter.entered_on)}"
    stands = as_it_stands(given.answer.data["consequence"], given.since)
    for one in lines(given.answer.data, what, stands, cleared=given.since.cleared, language=language):
        typer.echo(one)
    if given.so_far:
        en = "so far: the day of its entry has not closed, so this is not put on record yet"
        typer.echo("暂时的结果：录入之日尚未结束，还没有记录在案" if chinese else en)
