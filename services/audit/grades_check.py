"""``mingjian verify --grades``: every grade worked out again, as a check that stands by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from schemas.rulebook import load_all_editions
from services.audit.domain.regrading_findings import where_of, words_of
from services.audit.domain.replay import Book, books_of
from services.audit.domain.verify import Fault
from services.audit.regrading import Progress, Regraded, Source, regrade


def books_in(folder: Path) -> dict[str, Book]:
    """All rulebooks in all their editions. Raises ``RulebookError``."""
    return books_of(load_all_editions(folder))


def check_grades(source: Source, books: Mapping[str, Book], *, cores: int, progress: Progress) -> tuple[Regraded, list[Fault]]:
    """What differs, as faults whose code is the kind of the finding, and what could not be judged. Raises what ``regrade`` raises."""
    found = regrade(source, books, cores=cores, progress=progress)
    faults = [Fault(one.kind, where_of(one), words_of(one)) for one in found.differences]
    faults += [
        Fault(
            "grades_unjudged",
            one,
            "an edition of this regime's rulebook that was activated there does not lie here: --rulebooks names a folder",
        )
        for one in found.unjudged
    ]
    return found, faults
