"""Words of rulebooks as a report shows them: grades with their marks, statuses, lists."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.events.derived import NOT_RATED
from schemas.rulebook import Rulebook

SHADES = 6


@dataclass(frozen=True, slots=True)
class Word:
    """``shade``: 0 for the best grade to ``SHADES`` − 1 for the worst, None for a status."""

    word: str
    zh: str
    en: str
    shade: int | None

    @property
    def graded(self) -> bool:
        return self.shade is not None


def words(*rulebooks: Rulebook) -> dict[str, Word]:
    """Every grade and status of the rulebooks, the last one's names first."""
    found: dict[str, Word] = {NOT_RATED: Word(NOT_RATED, "不评级", "Not rated", None)}
    for book in rulebooks:
        for at, grade in enumerate(book.grades):
            shade = _shade(at, len(book.grades))
            found[grade.grade] = Word(grade.grade, grade.name.zh, grade.name.en, shade)
        for status in book.statuses:
            found.setdefault(status.status, Word(status.status, status.name.zh, status.name.en, None))
    return found


def _shade(rank: int, grades: int) -> int:
    """Spread any number of grades over the shades, the first and the last at the ends, as the public pages do."""
    return 0 if grades < 2 else (2 * rank * (SHADES - 1) + grades - 1) // (2 * (grades - 1))
