"""What ``mingjian simulate`` and ``mingjian quality`` have in common: which rulebook, which history, which day.

A ``Fault`` is what the command line says in one sentence; ``code`` 1: it failed, 2: it was asked wrongly."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.rulebook import load_rulebook
from schemas.times import milliseconds
from services.rating.adapters.files import read
from services.rating.adapters.register import KafkaHistory
from services.rating.analysis.editions import Edition, EditionError, Files, of_file, of_folder
from services.rating.analysis.history import Register
from services.rating.bulk import BadLine
from services.rating.cli import FAILED, USAGE, sentences
from services.rating.domain.fold import Book
from services.rating.progress import bar
from services.rating.replaying import Source

RULEBOOKS = Path(__file__).resolve().parents[2] / "rulebooks"


class Fault(Exception):
    """One sentence, and the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Old:
    """The rulebook that is in use, and how it is called."""

    book: Book
    shown: str


def files_of(folder: Path) -> Files:
    """Every YAML file of a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}


def shipped(directory: Path) -> dict[str, Files]:
    """Regime → files, of a directory of rulebooks."""
    folders = [one for one in sorted(directory.iterdir()) if one.is_dir() and not one.name.startswith(".")]
    return {one.name: files for one in folders if (files := files_of(one))}


def rulebook_named(name: str, directory: Path) -> Old:
    """A regime of the directory, or a rulebook's folder. Raises ``Fault``, ``RulebookError``."""
    if (directory / name).is_dir() and "/" not in name:
        return Old(Book.of(load_rulebook(directory / name)), f"{directory.name}/{name}")
    folder = Path(name)
    if folder.is_dir():
        return Old(Book.of(_edition(of_folder, files_of(folder), name).rulebook), name)
    known = ", ".join(sorted(shipped(directory)))
    raise Fault(f"there is no rulebook {name!r}; use one of {known}, or name a rulebook's folder", USAGE)


def new_edition(given: Path, directory: Path, regime: str | None) -> Edition:
    """The new rulebook from a folder or a file. Raises ``Fault``, ``RulebookError``."""
    if given.is_dir():
        return _edition(of_folder, files_of(given), str(given))
    if not given.exists():
        raise Fault(f"there is no file or folder {given}", USAGE)
    named = regime if regime and (directory / regime).is_dir() and "/" not in regime else None
    books = shipped(directory)
    if regime and not named:
        folder = Path(regime)
        if not folder.is_dir():
            raise Fault(f"there is no rulebook {regime!r}; use one of {', '.join(sorted(books))}, or name a rulebook's folder", USAGE)
        own = _edition(of_folder, files_of(folder), regime).rulebook.regime
        books, named = {own: files_of(folder)}, own
    return _edition(of_file, given.read_bytes(), str(given), books, named)


def _edition(make: Any, *given: Any) -> Edition:
    try:
        return make(*given)
    except EditionError as error:
        raise Fault(str(error), USAGE) from None


def history(file: Path | None, book: Book, known_at: int | None, kafka: Source | None = None) -> Register:
    """The history of a file, ``-`` being standard input; without one that of Kafka, which ends the
    command where it doesn't answer. Raises ``Fault``."""
    if file is None:
        return _of_kafka(kafka, known_at)
    try:
        if str(file) == "-":
            found = read(sys.stdin.buffer, book, known_at=known_at)
        else:
            with file.open("rb") as lines:
                found = read(lines, book, known_at=known_at)
    except OSError as error:
        raise Fault(f"{file} can't be read ({error.strerror})", USAGE) from None
    except BadLine as error:
        raise Fault(f"{file}, {error}; write one event a line, as `mingjian sign` prints them, or take the line out") from None
    return _something(found, str(file), known_at)


def _of_kafka(source: Source | None, known_at: int | None) -> Register:
    if source is None:
        raise Fault("name a file of events, one JSON object a line, or - for standard input", USAGE)
    with sentences(source.bootstrap):
        return _something(KafkaHistory.opened(source.connection(), known_at), f"Kafka at {source.bootstrap}", known_at)


@contextmanager
def shown(found: Register, source: Source, words: str) -> Iterator[None]:
    """Work that reads a history: with a bar where it comes from Kafka, and with what goes wrong there in a sentence."""
    if not isinstance(found, KafkaHistory):
        yield
        return
    with sentences(source.bootstrap), bar(words, found.total) as found.progress:
        yield


def _something(found: Register, where: str, known_at: int | None) -> Register:
    if not found.last_known:
        raise Fault(f"{where} holds no event that rating looks at" + (" and that was known by then" if known_at is not None else ""), USAGE)
    return found


def day_of(text: str | None, option: str) -> date | None:
    """A civil day. Raises ``Fault``."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Fault(f"{option} {text}: write an existing day as YYYY-MM-DD", USAGE) from None


def instant_of(text: str | None, book: Book, option: str) -> int | None:
    """An instant (epoch ms) from an instant, or from a day: its last millisecond in the regime's zone. Raises ``Fault``."""
    if text is None:
        return None
    try:
        if len(text) == len("YYYY-MM-DD"):
            following = date.fromisoformat(text) + timedelta(days=1)
            midnight = datetime.combine(following, datetime.min.time(), book.zone)
            return int(midnight.astimezone(UTC).timestamp() * 1000) - 1
        return milliseconds(text)
    except ValueError:
        raise Fault(f"{option} {text}: write a day as YYYY-MM-DD or an instant as 2026-05-01T08:00:00.000Z", USAGE) from None
