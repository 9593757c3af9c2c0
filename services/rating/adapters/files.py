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

_REGISTERED = b"mingjian.enterprise.registered.v1"


@dataclass(slots=True)
class FileHistory:
    """All of a file, in memory. ``last_known``: the newest instant in it (epoch ms), 0 where it holds nothing; ``lines``: how many
    events were read."""

    subjects: dict[str, Subject]
    controls: tuple[Fact, ...]
    last_known: int
    lines: int
    names: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Known]:
        for name in sorted(self.subjects):
            yield Known(self.subjects[name], self.controls, self.names.get(name))

    def last_day(self, book: Book) -> date | None:
        """The civil day of the newest instant, in the regime's zone; None of an empty file."""
        return civil_day(self.last_known, book.zone) if self.lines else None

    def evaluations_after(self, regime: str, day: date) -> list[str]:
        """Dates of the regime's evaluations that are entered and lie after a day."""
        mine = (one.data["evaluation_date"] for one in self.controls if one.name == "evaluation.closed" and one.data["regime"] == regime)
        return sorted({one for one in mine if one > day.isoformat()})


def read(lines: Iterable[bytes], book: Book, *, known_at: int | None = None) -> FileHistory:
    """Fold a file. ``known_at`` (epoch ms) leaves out what became known only later. Raises ``BadLine``."""
    names: dict[str, str] = {}
    folded = fold_lines(_noting(lines, names), book, known_at=known_at)
    evaluations = tuple(one for one in folded.controls.facts if one.name == "evaluation.closed")
    return FileHistory(folded.subjects, evaluations, folded.known, folded.lines, names)


def _noting(lines: Iterable[bytes], names: dict[str, str]) -> Iterator[bytes]:
    """The same lines; what enterprises are called is noted on the way. A line that can't be read is the driver's to refuse."""
    for line in lines:
        if _REGISTERED in line:
            try:
                value = orjson.loads(line)
                event = value.get("event", value)
                names.setdefault(event["subject"], str(event["data"]["name"]))
            except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
                yield line
                continue
        yield line
