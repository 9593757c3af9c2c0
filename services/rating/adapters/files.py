"""A register's history from a file of JSON lines, by the file driver, with the names that enterprises registered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from services.rating.analysis.history import Known, Register, evaluations_of
from services.rating.bulk import fold_lines
from services.rating.domain.fold import Book
from services.rating.domain.subject import Subject

_REGISTERED, _GENESIS = b"mingjian.enterprise.registered.v1", b"mingjian.genesis.v1"


@dataclass(slots=True)
class FileHistory(Register):
    """All of a file, in memory. ``lines``: how many events were read."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    lines: int = 0
    names: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Known]:
        for name in sorted(self.subjects):
            yield Known(self.subjects[name], self.evaluations, self.names.get(name))


def read(lines: Iterable[bytes], book: Book, *, known_at: int | None = None) -> FileHistory:
    """Fold a file. ``known_at`` (epoch ms) leaves out what became known only later. Raises ``BadLine``."""
    aside = Aside()
    folded = fold_lines(aside.noting(lines), book, known_at=known_at)
    # What the driver activates by itself was nobody's entry: it has no source's id.
    instants = (*(one.last_known for one in folded.subjects.values()), *(one.known for one in folded.controls.facts if one.offset >= 0))
    return FileHistory(max(instants, default=0), evaluations_of(folded.controls), aside.sample, folded.subjects, folded.lines, aside.names)


@dataclass(slots=True)
class Aside:
    """What rating doesn't keep and a report shows: what enterprises are called, and whether the register is a sample."""

    names: dict[str, str] = field(default_factory=dict)
    sample: bool = False

    def noting(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines. One that can't be read is the driver's to refuse."""
        for line in lines:
            self.note(line)
            yield line

    def note(self, line: bytes) -> None:
        """Look at an event or an envelope."""
        if _REGISTERED not in line and _GENESIS not in line:
            return
        try:
            value = orjson.loads(line)
            event = value.get("event", value)
            if event["type"] == _GENESIS.decode():
                self.sample = bool(event["data"]["sample"])
            elif event["type"] == _REGISTERED.decode():
                self.names.setdefault(event["subject"], str(event["data"]["name"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return
