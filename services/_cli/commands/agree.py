"""``mingjian agree``: what a published file says beside what the rulebook makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from schemas.rulebook import Rulebook, load_rulebook
from services._cli.agreement import PASSED_OVER, Agreement, agreement
from services._cli.errors import USAGE, CliError
from services._cli.importing import FORMATS, read_rows
from services._cli.session import Session, rulebooks_folder, session_of
from services._cli.voice import Voice
from services.intake.importers.rows import Refused


def agree(
    context: typer.Context,
    regime: Annotated[str, typer.Argument(help="The published format: " + ", ".join(FORMATS))],
    file: Annotated[Path, typer.Argument(help="A published file with official grades, CSV.")],
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Work out every inspection of a published file by the rulebook and list where the official grade is another. Needs no stack."""
    session: Session = session_of(context)
    if regime not in FORMATS:
        raise CliError(f"there is no format {regime!r}; known: {', '.join(FORMATS)}", USAGE)
    rows, refused = read_rows(file, FORMATS[regime])
    book = load_rulebook(rulebooks_folder() / regime)
    found = agreement(rows, book)
    if as_json:
        refusals = [{"line": one.line, "premises": one.premises, "reason": one.reason} for one in refused]
        session.voice.say(orjson.dumps({"file": str(file), "refused": refusals, **found.as_json()}).decode())
        return
    _tell(session.voice, book, found, refused)


def _tell(voice: Voice, book: Rulebook, found: Agreement, refused: list[Refused]) -> None:
    pick = voice.pick
    voice.say(
        pick(
            f"{book.header.name.zh} {book.version}：{found.graded:,} 次有公布等级的检查中 {found.agreed:,} 次一致"
            f"（{found.graded_lines:,} 行中 {found.agreed_lines:,} 行）",
            f"{book.header.name.en} {book.version}: {found.agreed:,} of {found.graded:,} inspections with an official grade agree"
            f" ({found.agreed_lines:,} of {found.graded_lines:,} lines)",
        )
    )
    if found.unscored:
        voice.say(
            pick(
                f"另有 {found.unscored:,} 次没有公布据以推算的分数",
                f"{found.unscored:,} of the others were published without what a grade is worked out from",
            )
        )
    table = Table(pick("公布", "official"), pick("按规则", "by the rulebook"))
    table.add_column(pick("检查次数", "inspections"), justify="right")
    for (official, ours), number in sorted(found.pairs.items()):
        table.add_row(official or pick("（无）", "(none)"), _word(voice, book, ours), f"{number:,}")
    voice.out.print(table)
    for one in found.differing:
        lines = ", ".join(map(str, one.lines))
        because = f"{one.rule} ({one.clause})" if one.rule else "-"
        voice.say(
            pick(
                f"第 {lines} 行：{one.premises} {one.on}：公布 {one.official}，按规则 {_word(voice, book, one.ours)}；"
                f"依据 {because}：{one.zh}",
                f"line {lines}: {one.premises} {one.on}: official {one.official}, by the rulebook {_word(voice, book, one.ours)};"
                f" decided by {because}: {one.en}",
            )
        )
    for line in refused:
        voice.say(pick(f"第 {line.line} 行未能读取：{line.reason}", f"line {line.line} can't be read: {line.reason}"))


def _word(voice: Voice, book: Rulebook, ours: str) -> str:
    if ours == PASSED_OVER:
        return voice.pick("（不据以评级）", "(decides nothing)")
    status = book.status_words.get(ours)
    return voice.pick(status.name.zh, status.name.en) if status else ours
