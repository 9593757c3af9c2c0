"""``mingjian verify --grades``: every grade worked out again, as a check that stands by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from schemas.rulebook import load_all_editions
from schemas.topics import FACTS, REGISTRY
from services.audit.bar import Bar
from services.audit.domain.regrading_findings import COPY_MISSING, copy_words, where_of, words_of
from services.audit.domain.replay import Book, books_of
from services.audit.domain.verify import Fault
from services.audit.regrading import Progress, Regraded, Source, regrade


@dataclass(frozen=True)
class Grades:
    """What was compared: see ``Regraded``. ``faults``: everything that is wrong."""

    digest: str
    facts: int
    events: int
    compared: int
    pending: int
    reworded: int
    untold: int
    faults: list[Fault]

    def told(self) -> str:
        """A line about it."""
        words = f"grades: {self.facts:,} facts lead to {self.events:,} events, {self.compared:,} stand, digest {self.digest}"
        for count, what in (
            (self.pending, "not due yet"),
            (self.reworded, "told otherwise by an earlier version or edition, to the same end"),
            (self.untold, "subjects that rating can't work out either: quarantine says why"),
        ):
            words += f"; {count:,} {what}" if count else ""
        return words

    def as_json(self) -> dict[str, object]:
        """Without the faults, which stand among the others."""
        return {name: value for name, value in asdict(self).items() if name != "faults"}


def books_in(folder: Path) -> dict[str, Book]:
    """All rulebooks in all their editions. Raises ``RulebookError``."""
    return books_of(load_all_editions(folder))


def check_grades(source: Source, books: Mapping[str, Book], *, cores: int, progress: Progress) -> Grades:
    """What differs, as faults whose code is the kind of the finding, and what could not be judged. Raises what ``regrade`` raises."""
    found = regrade(source, books, cores=cores, progress=progress)
    return Grades(
        found.digest, found.facts, found.events, found.compared, found.pending, found.reworded, found.untold, list(_faults(found))
    )


def check_with_bar(source: Source, rulebooks: Path, *, cores: int, console: Console) -> Grades:
    """The same with progress on a terminal. Raises ``RulebookError`` as well."""
    books = books_in(rulebooks)
    with Bar(console) as bar:
        return check_grades(source, books, cores=cores, progress=bar.task("grades worked out again"))


def _faults(found: Regraded) -> list[Fault]:
    faults = [Fault(one.kind, where_of(one), words_of(one)) for one in found.differences]
    faults += [Fault(COPY_MISSING, f"{REGISTRY} 0:{one.offset}", copy_words(one, lacking)) for one, lacking in found.copies.missing()]
    for one in found.unjudged:
        regime, _, partition = one.rpartition("/")
        what = f"an edition of the rulebook {regime} that was activated there does not lie here, so its grades are not judged"
        faults.append(Fault("grades_unjudged", f"{FACTS} {partition}", f"{what}: name a folder that has it with --rulebooks"))
    return faults
