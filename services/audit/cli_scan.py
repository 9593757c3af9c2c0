"""``mingjian scan``: the detectors over what is there, on demand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from schemas.rulebook import RulebookError, load_all_editions
from services._bus.kafka import Unavailable, UnusableCertificates
from services._bus.settings import NotConfigured
from services.audit.adapters.scan_bundle import BundleScan
from services.audit.adapters.scan_kafka import KafkaScan
from services.audit.adapters.scan_lines import BadLine, LinesScan
from services.audit.bar import Bar
from services.audit.bundles import NoBundle, check_files
from services.audit.cli_options import fail, home_of, language_of
from services.audit.domain.bundle import NoGenesis
from services.audit.domain.derived_entries import derived_types
from services.audit.domain.detectors.all import every
from services.audit.domain.detectors.model import Detector
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import FrameError
from services.audit.domain.replay import books_of
from services.audit.domain.signs import Found
from services.audit.domain.tiles import TileError
from services.audit.regrading import Source
from services.audit.scanning import Records, Scanned, derived_entries, scan
from services.audit.wiring import RULEBOOKS, broker, genesis_event

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

_WRONG = (BadLine, NoBundle, NoGenesis, NotConfigured, RulebookError, TileError, FrameError, UnusableCertificates)
_NO_ANSWER = (KafkaError, Unavailable)


@app.callback()
def group() -> None:
    """A group, although there is one command."""


@app.command("scan")
def scan_all(
    context: typer.Context,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="A bundle of `mingjian export`, without any server.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE.jsonl", help="Envelopes or bare events, one a line, also as .gz.")
    ] = None,
    detector: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this one; may be repeated. Default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Each finding and scan whole, one a line; the last line sums up.")] = False,
    kafka: Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Broker; default the embedded one.")] = None,
    rulebooks: Annotated[
        Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Folder of rulebooks; default the shipped ones.")
    ] = None,
) -> None:
    """Run the detectors over all facts known up to the last closed day and show what they find. Nothing is put on record: the nightly run
    does that."""
    lang = language_of(context)
    if bundle is not None and file is not None:
        raise typer.BadParameter("give one of --bundle and --file", param_hint="--file")
    try:
        editions = load_all_editions(rulebooks or RULEBOOKS)
        chosen = _chosen(every(editions), detector)
        with Bar(Console(stderr=True)) as bar, _records(context, bundle, file, kafka, bar) as (records, genesis):
            if genesis is None:
                chosen = [one for one in chosen if not one.declared.unproved]
            hearing = derived_types(name for one in chosen for name in one.types)
            told = bar.task(_pick(lang, "复算等级", "grades"))
            derived = derived_entries(records, books_of(editions), hearing, told) if hearing else {}
            found = scan(records, genesis, chosen, derived=derived, progress=bar.task(_pick(lang, "筛查", "detectors")))
    except _WRONG as error:
        fail(str(error), 2)
    except _NO_ANSWER as error:
        fail(f"Kafka does not answer ({type(error).__name__}); is the stack up? (`mingjian status`)", 5)
    if as_json:
        _lines(found)
    else:
        _show(found, chosen, lang, trusting=genesis is None)


def _chosen(detectors: Sequence[Detector], names: Sequence[str] | None) -> list[Detector]:
    known = {one.declared.kind: one for one in detectors}
    if unknown := [name for name in names or () if name not in known]:
        raise typer.BadParameter(f"no detector is called {unknown[0]!r}; there are {', '.join(sorted(known))}", param_hint="--detector")
    return [one for name, one in known.items() if not names or name in names]


@contextmanager
def _records(context: typer.Context, bundle: Path | None, file: Path | None, kafka: str | None, bar: Bar) -> Iterator[tuple[Records, Any]]:
    if file is not None:
        opener: Callable[[Path], Any] = gzip.open if file.suffix == ".gz" else Path.open  # type: ignore[assignment]
        with opener(file) if file.suffix == ".gz" else file.open("rb") as lines:
            found = LinesScan(lines)
        yield found, found.genesis
    elif bundle is not None:
        manifest, faults = check_files(bundle)
        if manifest is None or faults:
            raise NoBundle(f"{faults[0].where}: {faults[0].what}; `mingjian verify --bundle {bundle}` says all")
        leaves = BundleScan(bundle, manifest.size, bar.task("leaves", manifest.size))
        yield leaves, leaves.genesis()
    else:
        home = home_of(context)
        genesis = genesis_event(home / "genesis.json")
        with KafkaScan(Source(*broker(kafka)).connection()) as records:
            yield records, genesis


def _lines(found: Scanned) -> None:
    for one in found.found:
        typer.echo(one.value.decode())
    through = found.through.isoformat() if found.through else None
    raised = sum(one.type == TYPE for one in found.found)
    said = {"through": through, "records": found.records, "entries": found.entries, "findings": raised, "on_record": False}
    typer.echo(json.dumps({**said, "unproved": found.unproved, "unreadable": found.odd}))


def _show(found: Scanned, detectors: Sequence[Detector], lang: str, *, trusting: bool) -> None:
    raised = [one for one in found.found if one.type == TYPE]
    stand = standing(raised)
    names = {one.declared.kind: _pick(lang, one.declared.zh, one.declared.en) for one in detectors}
    table = Table(title=_pick(lang, "发现（未经认定）", "Findings (not decided)"), title_justify="left")
    for name in ("迹象", "机构", "主体", "说明") if lang == "zh" else ("sign", "office", "subject", "what was seen"):
        table.add_column(name, overflow="fold")
    for one in stand:
        data = one.data
        table.add_row(names[one.kind], one.office or "", one.subject or "", data[f"detail_{lang}"])
    if stand:
        Console(highlight=False).print(table)
    through = found.through.isoformat() if found.through else _pick(lang, "无", "none")
    typer.echo(
        _pick(
            lang,
            f"{len(detectors)}项筛查，{found.records}条记录，截至已日终的{through}：{len(stand)}项发现，"
            f"另有{len(raised) - len(stand)}项已被后来的取代或撤回。",
            f"{len(detectors)} detectors over {found.records:,} records, up to the last closed day ({through}): {len(stand)} findings, "
            f"and {len(raised) - len(stand)} that later ones took the place of or retracted.",
        )
    )
    _notices(found, lang, trusting)


def _notices(found: Scanned, lang: str, trusting: bool) -> None:
    if trusting:
        typer.echo(
            _pick(lang, "文件中没有创世事件：未核对签名与权限。", "The file holds no genesis: signatures and roles were not checked.")
        )
    if found.unproved:
        words = f"{found.unproved:,} signs were left out: nobody signed what they rest on who had a key."
        typer.echo(_pick(lang, f"略去{found.unproved}项：所依据的记录并无有效签名。", words))
    for kind, count in sorted(found.odd.items()):
        words = f"{kind}: {count:,} entries that went past intake could not be read."
        typer.echo(_pick(lang, f"{kind}：{count}条未经录入服务的记录无法读取。", words))
    typer.echo(
        _pick(
            lang,
            "按需筛查不留记录；每晚的筛查才记录在案。发现在认定之前只是发现。",
            "A scan on demand puts nothing on record; the nightly one does. Findings are findings until they are decided.",
        )
    )


def standing(found: Sequence[Found]) -> list[Found]:
    """Of each matter the last one, without those that were retracted, in order."""
    last = {one.matter: one.id for one in found}
    return [one for one in found if last[one.matter] == one.id and not one.retracted]


def _pick(lang: str, zh: str, en: str) -> str:
    return zh if lang == "zh" else en


if __name__ == "__main__":
    app()
