"""The fold that every driver runs: facts and controls in the order of their offsets → grade events.

Invariants
1. What a step tells is a function of the facts and controls up to it: a step that is repeated tells the same bytes under the
   same id, so sending it again is harmless.
2. A step tells only what changed since the step before; nothing before a rulebook's activation is told.
3. As-of days never go back: the civil day of ``known`` in the regime's zone. What is dated ahead (an evaluation, an activation)
   acts from its day on and is told with the first step of that day or later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from schemas.rulebook import Rulebook, digest
from services.rating.domain.controls import Activation, Controls
from services.rating.domain.due import next_change
from services.rating.domain.emit import determined
from services.rating.domain.facts import CONTROLS, DAY_CLOSED, Fact
from services.rating.domain.grade import standing
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject


@dataclass(frozen=True, slots=True)
class Book:
    """A loaded rulebook with its digest and time zone."""

    rulebook: Rulebook
    sha256: str
    zone: ZoneInfo

    @staticmethod
    def of(rulebook: Rulebook) -> Book:
        return Book(rulebook, digest(rulebook), ZoneInfo(rulebook.header.time_zone))


Books = Mapping[str, Book]


@dataclass(frozen=True, slots=True)
class Told:
    """A grade event and the step that made it due."""

    step: Fact
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Untold:
    """A regime by which a step's standing can't be worked out. The step is folded all the same."""

    step: Fact
    regime: str
    error: Exception


def decide(subject: Subject, controls: Controls, books: Books, step: Fact) -> list[Told]:
    """Fold ``step`` into ``subject`` and tell what changed.

    A control step must be in ``controls`` already and concerns its own regime only; a fact and the close of a day concern every
    regime that rates the subject. A further copy of a folded fact tells nothing. Raises the first error of any regime.
    """
    told, untold = attempt(subject, controls, books, step)
    if untold:
        raise untold[0].error
    return told


def attempt(subject: Subject, controls: Controls, books: Books, step: Fact) -> tuple[list[Told], list[Untold]]:
    """The same, regime by regime: one that fails loses no other's telling, and no fact. Raises only where ``step`` can't be folded.

    Where the standing before can't be worked out either (it was untold then), what stands now is told as the first."""
    concerned = concerned_by(step, books)
    before = {book.rulebook.regime: _previous_or_none(subject, controls, book, step) for book in concerned}
    if step.name not in CONTROLS and not subject.apply(step):
        return [], []
    told, untold = [], []
    for book in concerned:
        regime = book.rulebook.regime
        try:
            event = _change(subject, controls, book, step, before[regime])
        except Exception as error:
            _drop_tables(subject, regime)
            untold.append(Untold(step, regime, error))
            continue
        if event is not None:
            told.append(Told(step, event))
    return told, untold


def concerned_by(step: Fact, books: Books) -> list[Book]:
    """The books of the regimes that a step is told for, sorted."""
    if step.name in CONTROLS and step.name != DAY_CLOSED:
        regime = step.data["regime"]
        return [books[regime]] if regime in books else []
    return [books[regime] for regime in sorted(books)]


def _change(subject: Subject, controls: Controls, book: Book, step: Fact, was: Standing | None) -> dict[str, Any] | None:
    regime = book.rulebook.regime
    after = _at(subject, controls, book, upto=step.offset, known=step.known)
    subject.standings[regime] = (step.offset, after)
    if after is None or (was is not None and was.essence == after.essence):
        return None
    return determined(
        subject=subject.subject,
        regime=regime,
        version=book.rulebook.version,
        sha256=book.sha256,
        before=was,
        after=after,
        cause=step,
    )


def _previous_or_none(subject: Subject, controls: Controls, book: Book, step: Fact) -> Standing | None:
    try:
        return previous(subject, controls, book, step.offset)
    except Exception:
        _drop_tables(subject, book.rulebook.regime)
        return None


def _drop_tables(subject: Subject, regime: str) -> None:
    """What was worked out by a regime that failed on the way may be half of it."""
    subject.indexes.pop(regime, None)
    subject.standings.pop(regime, None)


def due(subject: Subject, controls: Controls, books: Books, *, known: int) -> date | None:
    """From when on the close of a day can tell something of the subject again, after a step of the instant ``known``."""
    days = (next_change(subject, controls, book.rulebook, as_of=civil_day(known, book.zone)) for book in books.values())
    return min((day for day in days if day), default=None)


def today(books: Books, known: int) -> date | None:
    """The latest civil day of an instant in the books' zones."""
    return max((civil_day(known, book.zone) for book in books.values()), default=None)


def previous(subject: Subject, controls: Controls, book: Book, offset: int) -> Standing | None:
    """The standing after the last step below ``offset``: kept from then, or worked out again the same."""
    regime = book.rulebook.regime
    last_control = controls.last(regime, below=offset)
    last_step = max(subject.last_offset, last_control.offset if last_control else -1)
    kept = subject.standings.get(regime)
    if kept is not None and kept[0] == last_step:
        return kept[1]
    known = max(subject.last_known, last_control.known if last_control else 0)
    return _at(subject, controls, book, upto=offset - 1, known=known)


def current(subject: Subject, controls: Controls, book: Book, *, upto: int, known: int) -> Standing | None:
    """The standing at an offset and an instant (epoch ms), without folding anything."""
    return _at(subject, controls, book, upto=upto, known=known)


def _at(subject: Subject, controls: Controls, book: Book, *, upto: int, known: int) -> Standing | None:
    as_of = civil_day(known, book.zone)
    return standing(subject, controls, book.rulebook, sha256=book.sha256, upto=upto, as_of=as_of)


def in_force(controls: Controls, book: Book | None, regime: str, *, upto: int, known: int) -> Activation | None:
    """The regime's activation in force at an offset and an instant; by UTC's day where no book of it is loaded."""
    return controls.activation(regime, upto=upto, as_of=civil_day(known, book.zone if book else UTC))


def civil_day(milliseconds: int, zone: tzinfo) -> date:
    """The civil date of an instant in a zone."""
    return datetime.fromtimestamp(milliseconds / 1000, zone).date()


def attempts(
    subject: str, partition: int, steps: Iterable[Fact], controls: Controls, books: Books, *, since: int = -1
) -> Iterator[tuple[list[Told], list[Untold]]]:
    """Fold one subject's facts and its partition's controls, both in ``steps`` by offset; attempt each from ``since`` on.

    Closed days on which nothing can change are passed over."""
    state = Subject(subject, partition)
    waits: date | None = None
    for step in steps:
        if step.offset < since:
            if step.name not in CONTROLS:
                state.apply(step)
                waits = date.min
        elif step.name != DAY_CLOSED:
            if concerned_by(step, books):
                yield attempt(state, controls, books, step)
                waits = date.min
        elif waits is not None and (today(books, step.known) or date.max) >= waits:
            told, untold = attempt(state, controls, books, step)
            yield told, untold
            waits = date.min if untold else due(state, controls, books, known=step.known)


def history(subject: str, partition: int, steps: Iterable[Fact], controls: Controls, books: Books, *, since: int = -1) -> Iterator[Told]:
    """What ``attempts`` tells. Raises the first error of any regime."""
    for told, untold in attempts(subject, partition, steps, controls, books, since=since):
        if untold:
            raise untold[0].error
        yield from told


def merged(facts: Iterable[Fact], controls: Controls) -> list[Fact]:
    """A subject's facts and its partition's controls in the order of their offsets."""
    return sorted((*facts, *controls.facts), key=lambda one: one.offset)
