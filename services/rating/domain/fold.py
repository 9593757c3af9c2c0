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


def decide(subject: Subject, controls: Controls, books: Books, step: Fact) -> list[Told]:
    """Fold ``step`` into ``subject`` and tell what changed.

    A control step must be in ``controls`` already and concerns its own regime only; a fact and the close of a day concern every
    regime that rates the subject. A further copy of a folded fact tells nothing.
    """
    if step.name in CONTROLS:
        concerned = [books[regime] for regime in concerned_by(step, books)]
        before = {book.rulebook.regime: previous(subject, controls, book, step.offset) for book in concerned}
    else:
        before = {regime: previous(subject, controls, book, step.offset) for regime, book in sorted(books.items())}
        if not subject.apply(step):
            return []
        concerned = [books[regime] for regime in sorted(books)]
    told = []
    for book in concerned:
        regime = book.rulebook.regime
        after = _at(subject, controls, book, upto=step.offset, known=step.known)
        subject.standings[regime] = (step.offset, after)
        was = before[regime]
        if after is None or (was is not None and was.essence == after.essence):
            continue
        event = determined(
            subject=subject.subject,
            regime=regime,
            version=book.rulebook.version,
            sha256=book.sha256,
            before=was,
            after=after,
            cause=step,
        )
        told.append(Told(step, event))
    return told


def concerned_by(control: Fact, books: Books) -> list[str]:
    """The loaded regimes that a control step is about."""
    return sorted(books) if control.name == DAY_CLOSED else [one for one in (control.data["regime"],) if one in books]


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


def history(subject: str, partition: int, steps: Iterable[Fact], controls: Controls, books: Books, *, since: int = -1) -> Iterator[Told]:
    """Fold one subject's facts and its partition's controls, both in ``steps`` by offset; tell what is due from ``since`` on.

    Closed days on which nothing can change are passed over."""
    state = Subject(subject, partition)
    waits: date | None = None
    for step in steps:
        if step.name == DAY_CLOSED:
            if step.offset >= since and waits is not None and (today(books, step.known) or date.max) >= waits:
                yield from decide(state, controls, books, step)
                waits = due(state, controls, books, known=step.known)
        elif step.offset < since and step.name not in CONTROLS:
            state.apply(step)
            waits = date.min
        elif step.offset >= since:
            yield from decide(state, controls, books, step)
            waits = date.min


def merged(facts: Iterable[Fact], controls: Controls) -> list[Fact]:
    """A subject's facts and its partition's controls in the order of their offsets."""
    return sorted((*facts, *controls.facts), key=lambda one: one.offset)
