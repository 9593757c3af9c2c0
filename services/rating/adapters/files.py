"""A history from a file of JSON lines, by the file driver (``services.rating.bulk``), with the names that enterprises registered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import orjson

from services.rating.analysis.history import Known
from services.rating.bulk import fold_lines
from services.rating.domain.days import civil_day
from services.rating.domain.facts import Fact
from services.rating.domain.fold import Book
from services.rating.domain.subject import Subject

_REGISTERED, _GENESIS = b"mingjian.enterprise.registered.v1", b"mingjian.genesis.v1"


@dataclass(slots=True)
class FileHistory:
    """All of a file, in memory. ``last_known``: the newest instant in it (epoch ms), 0 where it holds nothing; ``lines``: how many
    events were read. ``sample``: the file says itself that its register is made up."""

    subjects: dict[str, Subject]
    controls: tuple[Fact, ...]
    last_known: int
    lines: int
    names: dict[str, str] = field(default_factory=dict)
    sample: bool = False

    def __iter__(self) -> Iterator[Known]:
        for name in sorted(self.subjects):
            yield Known(self.subjects[name], self.controls, self.names.get(name))

    def last_day(self, book: Book) -> date:
        """The civil day of the newest instant, in the regime's zone."""
        return civil_day(self.last_known, book.zone)

    def evaluations_after(self, regime: str, day: date) -> list[str]:
        """Dates of the regime's evaluations that are entered and lie after a day."""
        mine = (one.data["evaluation_date"] for one in self.controls if one.name == "evaluation.closed" and one.data["regime"] == regime)
        return sorted({one for one in mine if one > day.isoformat()})


def read(lines: Iterable[bytes], book: Book, *, known_at: int | None = None) -> FileHistory:
    """Fold a file. ``known_at`` (epoch ms) leaves out what became known only later. Raises ``BadLine``."""
    aside = Aside()
    folded = fold_lines(aside.noting(lines), book, known_at=known_at)
    evaluations = tuple(one for one in folded.controls.facts if one.name == "evaluation.closed")
    # What the driver activates by itself was nobody's entry: it has no source's id.
    instants = (*(one.last_known for one in folded.subjects.values()), *(one.known for one in folded.controls.facts if one.offset >= 0))
    return FileHistory(folded.subjects, evaluations, max(instants, default=0), folded.lines, aside.names, aside.sample)


@dataclass(slots=True)
class Aside:
    """What rating doesn't keep and a report shows: what enterprises are called, and whether the register is a sample."""

    names: dict[str, str] = field(default_factory=dict)
    sample: bool = False

    def noting(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines. One that can't be read is the driver's to refuse."""
        for line in lines:
            if _REGISTERED in line or _GENESIS in line:
                self._note(line)
            yield line

    def _note(self, line: bytes) -> None:
        try:
            value = orjson.loads(line)
            event = value.get("event", value)
            if event["type"] == _GENESIS.decode():
                self.sample = bool(event["data"]["sample"])
            elif event["type"] == _REGISTERED.decode():
                self.names.setdefault(event["subject"], str(event["data"]["name"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return
