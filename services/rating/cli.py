"""Rating's commands, mounted by ``mingjian``: ``rate`` over a file, ``replay`` over Kafka. Neither writes to the register.

Exit codes as in the whole command line: 0 done, 1 failed, 2 wrong use, 5 no answer."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas.rulebook import RulebookError, load_all_editions
from schemas.times import milliseconds
from services._bus.kafka import RecordsGone, Unavailable, UnusableCertificates
from services.rating.books import UnknownRulebook, find_book
from services.rating.bulk import BadLine, Folded, explained, fold_lines, owed, row
from services.rating.bulk import rate as rate_subjects
from services.rating.domain.digest import digest_of, duty_lines, final_line
from services.rating.domain.fold import Book
from services.rating.domain.standing import Standing
from services.rating.progress import bar

REPOSITORY = Path(__file__).resolve().parents[2]
FAILED, USAGE, NO_ANSWER = 1, 2, 5
_STEP = 20_000
# The embedded broker's place in the stack's range of ports, see docs/architecture.md.
BASE, _KAFKA_STEP = 19090, 2

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The day asked for, in the regime's time zone.")]
KnownAt = Annotated[
    str | None, typer.Option("--known-at", metavar="INSTANT", help="Only what was known then, such as 2026-01-31T08:00:00Z; default all.")
]
Kafka = Annotated[str | None, typer.Option(envvar="MINGJIAN_KAFKA", help="Broker; default the embedded one.")]
TlsDir = Annotated[Path | None, typer.Option(envvar="MINGJIAN_KAFKA_TLS_DIR", hidden=True)]
PortBase = Annotated[int, typer.Option(envvar="MINGJIAN_PORT_BASE", hidden=True)]
Rulebooks = Annotated[Path | None, typer.Option(envvar="MINGJIAN_RULEBOOKS", help="Folder of rulebooks; default the shipped ones.")]


@app.command()
def rate(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.jsonl", help="JSON lines, also as .gz; - reads standard input.")],
    rulebook: Annotated[str, typer.Option(metavar="NAME", help="A regime's rulebook, or the path of a folder or file.")],
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="The day asked for, in the regime's time zone.")],
    known_at: KnownAt = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a subject.")] = False,
    rulebooks: Rulebooks = None,
) -> None:
    """Grades from a file of facts (envelopes or bare events), without any server."""
    day, until = _day(as_of), _instant(known_at)
    with sentences(file):
        book = find_book(rulebook, rulebooks or REPOSITORY / "rulebooks")
        with _opened(file) as (stream, size):
            folded = fold_lines(_with_progress(stream, size, file), book, known_at=until)
        assert day is not None
        found = rate_subjects(folded, book, as_of=day)
        if as_json:
            for subject, one in found:
                said = row(subject, one, owed(folded, book, subject, day), book) | explained(folded, book, subject, one, day)
                sys.stdout.write(orjson.dumps(said).decode() + "\n")
            sys.stdout.flush()
        else:
            _show(list(found), folded, book, day, language_of(context))


@app.command()
def replay(
    context: typer.Context,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    rulebook_file: Annotated[
        str | None, typer.Option("--rulebook-file", metavar="PATH", help="Rate its regime by this rulebook, not by the activated one.")
    ] = None,
    regime: Annotated[str | None, typer.Option(help="Only this regime; default all, with --rulebook-file its own.")] = None,
    sequence: Annotated[bool, typer.Option("--sequence", help="Every grade event in turn, not the final grades alone.")] = False,
    as_json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the compared lines and the digest there.")] = None,
    rulebooks: Rulebooks = None,
    cores: Annotated[int, typer.Option(min=1, help="Processes at once.")] = os.cpu_count() or 1,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle", metavar="DIR", help="From a bundle that `mingjian export` made, without any server, by its own rulebooks."
        ),
    ] = None,
    kafka: Kafka = None,
    tls_dir: TlsDir = None,
    port_base: PortBase = BASE,
) -> None:
    """Work all grades out again from the facts on Kafka or in a bundle, on all cores, and say their digest. Nothing is written.

    Equal digests mean equal grades, clauses and days. Without --as-of: the day of --known-at, or of the newest fact. From a bundle the
    grades are also compared with those that its log says were told, unless another day or rulebook is asked for."""
    # Here, for they take their time to load and `rate` needs none of them.
    from services.rating.outcome import Question
    from services.rating.replaying import Source
    from services.rating.replaying import look as look_at
    from services.rating.replaying import replay as replay_all

    if sequence and as_of:
        stop("--sequence tells every day in turn: leave out --as-of, or --sequence", USAGE)
    day, until = _day(as_of), _instant(known_at)
    if bundle is not None:
        from services.rating.cli_bundle import replay_bundle

        comparing = not (as_of or sequence or rulebook_file)
        replay_bundle(bundle, day, until, regime, rulebook_file, sequence, as_json, rulebooks or REPOSITORY / "rulebooks", cores, comparing)
        return
    source = Source(kafka or default_broker(port_base), tls_dir)
    with sentences(source.bootstrap):
        books, instead = books_of(regime, rulebook_file, rulebooks or REPOSITORY / "rulebooks")
        spans, newest = asyncio.run(look_at(source))
        asked = Question(books, newest if until is None else until, day, instead, sequence)
        with bar("replay", sum(end - first for first, end in spans.values())) as progress:
            found = replay_all(source, spans, asked, known_at=until, cores=cores, progress=lambda done, _: progress(done))
    if as_json:
        write_lines(as_json, found.outcome.lines, found.digest)
    tell(found.outcome, found.digest, books)


def default_broker(port_base: int) -> str:
    """The embedded broker's address."""
    return f"127.0.0.1:{port_base + _KAFKA_STEP}"


def books_of(regime: str | None, file: str | None, directory: Path) -> tuple[dict[str, Book], frozenset[str]]:
    """The rulebooks asked for, by regime, and which of them count in place of the activated one."""
    if file is not None:
        given = find_book(file, directory)
        own = given.rulebook.regime
        if regime not in (None, own):
            raise UnknownRulebook(f"{file} is a rulebook of {own}, not of {regime}")
        return {own: given}, frozenset((own,))
    if regime is not None:
        return {regime: find_book(regime, directory)}, frozenset()
    return {name: Book.of(*editions) for name, editions in load_all_editions(directory).items()}, frozenset()


def tell(outcome: Any, digest: str, books: dict[str, Book]) -> None:
    """Counts and digest; ends with an exit code where something could not be worked out."""
    for name in sorted(books):
        words = ", ".join(f"{word} {count:,}" for (regime, word), count in sorted(outcome.words.items()) if regime == name)
        typer.echo(f"{name} {books[name].rulebook.version}: {words or 'nobody is rated'}")
    typer.echo(f"{outcome.records:,} records, {outcome.subjects:,} subjects, {len(outcome.lines):,} lines")
    if outcome.unreadable:
        typer.echo(f"{outcome.unreadable:,} records could not be read and were left out, as live rating does", err=True)
    typer.echo(f"digest {digest}")
    if outcome.untold:
        stop(f"{outcome.untold:,} grades could not be worked out: the digest is without them", FAILED)


def write_lines(path: Path, lines: list[bytes], digest: str, more: Mapping[str, Any] | None = None) -> None:
    """The lines, sorted, and a last one with their digest and what else is said of them."""
    with path.open("wb") as out:
        for line in sorted(lines):
            out.write(line + b"\n")
        out.write(orjson.dumps({"digest": digest, "lines": len(lines), **(more or {})}) + b"\n")


def _show(found: list[tuple[str, Standing]], folded: Folded, book: Book, day: date, language: str) -> None:
    zh = language == "zh"
    words = {one.grade: one.name for one in book.rulebook.grades} | {one.status: one.name for one in book.rulebook.statuses}
    table = Table(title=f"{book.rulebook.regime} {book.rulebook.version} · {day}", title_justify="left")
    for name in ("主体", "等级", "自", "条款", "理由") if zh else ("subject", "grade", "since", "clauses", "why"):
        table.add_column(name, overflow="fold")
    lines = []
    for subject, one in found:
        word = one.grade or one.status
        name = words[word].zh if zh else words[word].en
        why = next(((reason.zh if zh else reason.en) for reason in one.reasons), "")
        shown = name if name == word or not one.grade else f"{word} {name}"
        table.add_row(subject, shown, str(one.in_force_from or ""), ", ".join(one.clauses), why)
        lines.append(final_line(subject, book.rulebook.regime, one) or b"")
        lines += duty_lines(subject, book.rulebook.regime, owed(folded, book, subject, day))
    Console(highlight=False).print(table)
    said = f"{folded.lines:,} 行，{len(found):,} 个主体" if zh else f"{folded.lines:,} lines, {len(found):,} subjects rated"
    typer.echo(f"{said} · digest {digest_of(lines)}")


def language_of(context: typer.Context) -> str:
    """``zh`` or ``en``."""
    return str(getattr(getattr(context.obj, "voice", None), "lang", "en"))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        stop(f"--as-of is {text!r}; write a day as YYYY-MM-DD", USAGE)


def _instant(text: str | None) -> int | None:
    try:
        return milliseconds(text) if text is not None else None
    except ValueError:
        stop(f"--known-at is {text!r}; write an instant in UTC, such as 2026-01-31T08:00:00Z", USAGE)


def stop(words: str, code: int) -> NoReturn:
    """End with a sentence and an exit code."""
    typer.echo(words, err=True)
    raise typer.Exit(code)


@contextmanager
def sentences(about: str) -> Iterator[None]:
    """What goes wrong, in a sentence and an exit code."""
    try:
        yield
    except (UnknownRulebook, FileNotFoundError, IsADirectoryError) as error:
        stop(f"there is no file {error.filename}" if isinstance(error, OSError) else str(error), USAGE)
    except (BadLine, gzip.BadGzipFile, EOFError) as error:
        stop(f"{about}: {error}", FAILED)
    except (RulebookError, UnusableCertificates, RecordsGone) as error:
        stop(str(error), FAILED)
    except Unavailable as error:
        stop(f"nothing answers as Kafka at {about} ({error}); is the stack up? (`mingjian status`)", NO_ANSWER)


@contextmanager
def _opened(file: str) -> Iterator[tuple[io.BufferedIOBase, int]]:
    """The file's bytes, unpacked, and how many there are on disk (0: nobody knows)."""
    if file == "-":
        yield sys.stdin.buffer, 0
        return
    with open(file, "rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        if raw.peek(2)[:2] == b"\x1f\x8b":
            with gzip.open(raw) as unpacked:
                yield unpacked, 0
        else:
            yield raw, size


def _with_progress(stream: io.BufferedIOBase, size: int, words: str) -> Iterator[bytes]:
    done = 0
    with bar(words, size) as progress:
        for number, line in enumerate(stream):
            done += len(line)
            if number % _STEP == 0:
                progress(done)
            yield line
