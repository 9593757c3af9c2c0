"""The bulk drivers' second pass: what parts said in the first, in whatever order, → the lines of the wholes (ADR 0026).

The first pass sees one subject at a time; what each says to others comes here, and nothing else crosses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from services.rating.domain.digest import final_line, step_line
from services.rating.domain.fold import Book
from services.rating.domain.parts.chronicle import Chronicle, held_on
from services.rating.domain.parts.entries import Entry
from services.rating.domain.parts.whole import Whole
from services.rating.domain.standing import Standing
from services.rating.outcome import Outcome, Question


def wholes(found: Iterable[Entry], book: Book, *, as_of: date) -> Iterator[tuple[str, Standing, dict[str, Any]]]:
    """Each parent that the regime rates by its parts, by name: its standing on a day and what that was counted from."""
    of: dict[str, Whole] = {}
    for entry in found:
        if entry.regime == book.rulebook.regime:
            of.setdefault(entry.parent, Whole(entry.parent, book.rulebook)).enter(entry)
    for parent in sorted(of):
        held = held_on(of[parent].history(as_of), as_of)
        if held is not None and held.standing is not None:
            yield parent, of[parent].explained(held, as_of), of[parent].counted(held, as_of)


def add_wholes(outcome: Outcome, asked: Question) -> None:
    """The lines of the wholes, beside those of the first pass."""
    for regime, book in asked.books.items():
        if book.rulebook.parts is None:
            continue
        if asked.sequence:
            _told(outcome, book)
            continue
        for parent, found, _ in wholes(outcome.parts, book, as_of=asked.day(book)):
            if line := final_line(parent, regime, found):
                outcome.lines.append(line)
                outcome.words[regime, found.grade or found.status] += 1
    outcome.parts = []


def _told(outcome: Outcome, book: Book) -> None:
    regime = book.rulebook.regime
    of: dict[str, Chronicle] = {}
    for entry in outcome.parts:
        if entry.regime == regime:
            of.setdefault(entry.parent, Chronicle(entry.parent, book)).add(entry)
    for _, chronicle in sorted(of.items()):
        for place, (_, event) in enumerate(chronicle.settle()):
            outcome.lines.append(step_line(event, place))
            outcome.words[regime, event["type"]] += 1
