"""What ``mingjian replay --bundle`` does and says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import typer

from schemas.times import instant
from services.rating.adapters.leaves import BundleDamaged
from services.rating.cli import FAILED, books_of, sentences, stop, tell, write_lines
from services.rating.domain.fold import Book
from services.rating.from_bundle import FromBundle, books_in, opened, rate
from services.rating.outcome import Question
from services.rating.told_in_bundle import Compared, as_json, words_of

_SHOWN = 50
_SAMPLE = "SAMPLE DATA: no enterprise and no event in this log is real · 样例数据：日志里的企业和事件都是虚构的"


def replay_bundle(
    folder: Path,
    day: date | None,
    until: int | None,
    regime: str | None,
    rulebook_file: str | None,
    sequence: bool,
    json_file: Path | None,
    rulebooks: Path,
    cores: int,
    comparing: bool,
) -> None:
    """See ``cli.replay``. ``until``: ``--known-at`` in epoch ms; ``comparing``: hold the grades told against what comes out."""
    with sentences(str(folder)):
        try:
            bundle = opened(folder)
            books, instead = books_of(regime, rulebook_file, rulebooks) if rulebook_file else (books_in(bundle, regime), frozenset[str]())
            asked = Question(books, bundle.newest if until is None else until, day, instead, sequence)
            found = rate(bundle, asked, known_at=until, cores=cores, comparing=comparing)
        except BundleDamaged as error:
            stop(f"not replayed: {error}. `mingjian verify --bundle {folder}` looks at all of it", FAILED)
    if json_file:
        more = {"told": as_json(found.compared)} if found.compared else {}
        write_lines(json_file, found.replayed.outcome.lines, found.replayed.digest, {"root": bundle.root, **more})
    _tell(found, asked, books)


def _tell(found: FromBundle, asked: Question, books: Mapping[str, Book]) -> None:
    bundle = found.bundle
    if bundle.sample:
        typer.echo(_SAMPLE)
    typer.echo(f"log of {bundle.size:,} leaves, root {bundle.root}; as known at {instant(asked.moment)}")
    tell(found.replayed.outcome, found.replayed.digest, dict(books))
    if found.compared is None:
        typer.echo("another day or rulebook was asked for than that of the grades told: they were not compared")
        return
    _compared(found.compared)


def _compared(compared: Compared) -> None:
    for one in compared.differences[:_SHOWN]:
        typer.echo(f"differs: {words_of(one)}", err=True)
    if len(compared.differences) > _SHOWN:
        typer.echo(f"… and {len(compared.differences) - _SHOWN:,} more; --json FILE has all of them", err=True)
    if compared.waiting:
        typer.echo(f"{len(compared.waiting):,} grades follow from facts that rating had not come to when the checkpoint was signed:")
        for one in compared.waiting[:_SHOWN]:
            typer.echo(f"  {words_of(one)}")
    if compared.differences:
        stop(f"{len(compared.differences):,} of {compared.grades:,} grades are not those that the log says were told", FAILED)
    typer.echo(f"{compared.grades - len(compared.waiting):,} grades are those that the log says were told \u2713")
