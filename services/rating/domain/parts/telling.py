"""What a subject tells its parents, from its own facts alone: on which days it belonged to whom, and what it was then.

A function of the facts and controls up to an offset and of the day on which it is said, as its grades are: a repeated step tells the
same bytes. Told whole whenever any of it changes, so nothing has to be put together from pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from schemas.events.derived import BY_PARTS, NOT_RATED
from services.rating.domain.book import Book
from services.rating.domain.controls import Controls
from services.rating.domain.days import day
from services.rating.domain.facts import Fact
from services.rating.domain.grade import by_parts, ended_on, standing
from services.rating.domain.index import index_of
from services.rating.domain.law import Law, law_of
from services.rating.domain.parts.entries import Entry, Said, Stretch, graded, shortened
from services.rating.domain.parts.membership import Days, memberships
from services.rating.domain.spans import spans, turns_of
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject

On = Callable[[date], Standing | None]


def said(subject: Subject, controls: Controls, book: Book, *, upto: int, today: date) -> Said:
    """What the subject tells by facts and controls up to offset ``upto``, on ``today``. Empty where the newest edition has no parts, for
    who never belonged anywhere, and before the regime is in force."""
    rulebook = book.rulebook
    if rulebook.parts is None or subject.scheme not in rulebook.header.schemes:
        return {}
    law, go_live = law_of(controls, book, upto=upto), controls.go_live(rulebook.regime, upto=upto)
    view = subject.view_on(today, law.manners(today))
    whole = by_parts(view, rulebook)
    if go_live is None or go_live > today or not (whole or view.parts):
        return {}
    if whole:
        # A whole is no part: whatever it joined, its parts are told of it and not it of others.
        turns = (*controls.dates(rulebook.regime, upto=upto), *(act.effective for act, _ in index_of(view, rulebook).terminal[:1]))
        registered = day(view.registered.data.get("occurred_on")) if view.registered else None
        first = min(max(go_live, registered or go_live), today)
        found = _stretches(turns, _itself(subject, controls, law, rulebook.regime, upto), first, today)
        return {subject.subject: found} if found else {}
    days = memberships(view.parts)
    if not days:
        return {}
    first = min(max(go_live, min(one[0] for many in days.values() for one in many)), today)

    def on(when: date) -> Standing | None:
        return standing(subject, controls, book, upto=upto, as_of=when)

    stretches = _stretches(turns_of(subject, controls, book, upto=upto, first=first, last=today), on, first, today, absent=NOT_RATED)
    return {parent: tuple(_within(stretches, many)) for parent, many in sorted(days.items())}


def _itself(subject: Subject, controls: Controls, law: Law, regime: str, upto: int) -> On:
    def on(when: date) -> Standing | None:
        if controls.activation(regime, upto=upto, as_of=when) is None or not law.says(when):
            return None
        view = subject.view_on(when, law.manners(when))
        if regime not in view.regimes or not by_parts(view, law.on(when).rulebook):
            return None
        return ended_on(view, law, when) or Standing(None, BY_PARTS, when, "status", ())

    return on


def _stretches(turns: Iterable[date], on: On, first: date, today: date, absent: str | None = None) -> tuple[Stretch, ...]:
    """``absent``: the status of days on which the regime doesn't rate the subject; None: they are left out."""
    found, now = [], on(today)
    for span in spans(turns, on, first=first, last=today, at_end=now):
        # What goes on is explained as it is now, what is over as it began.
        last, held = (None, now) if span.last == today else (span.last, span.standing)
        if held is not None:
            found.append(Stretch(span.first, last, held.grade, held.status, held.decisive))
        elif absent is not None:
            found.append(Stretch(span.first, last, None, absent))
    return tuple(found)


def _within(stretches: Iterable[Stretch], days: Iterable[Days]) -> Iterator[Stretch]:
    """What of the stretches lies in the days; the last goes on as long as they do."""
    for first, last in days:
        for one in stretches:
            start = max(one.first, first)
            ends = [end for end in (one.last, last) if end is not None]
            end = min(ends, default=None)
            if end is None or start <= end:
                yield Stretch(start, end, one.grade, one.status, one.decisive)


def changed(
    subject: Subject, before: Said, after: Said, *, regime: str, version: str, sha256: str, cause: Fact
) -> Iterator[dict[str, Any]]:
    """The events for those parents for which something changed, by parent."""
    for parent in sorted({*before, *after}):
        was, now = (tuple(one.essence for one in shortened(some.get(parent, ()))) for some in (before, after))
        if was != now:
            stretches = shortened(after.get(parent, ()))
            yield graded(
                parent=parent, part=subject.subject, regime=regime, version=version, sha256=sha256, stretches=stretches, cause=cause
            )


# An answer asks what holds, not by which record it came.
_NOBODY = Fact(0, 0, 0, 0, 0, "", "", "", {})
_EVERYTHING = 2**62


def entries(subject: Subject, controls: Controls, book: Book, *, as_of: date) -> Iterator[Entry]:
    """What a subject says to others on a day, by all that was folded: for answers that no step led to."""
    for parent, stretches in said(subject, controls, book, upto=_EVERYTHING, today=as_of).items():
        yield Entry(parent, book.rulebook.regime, subject.subject, _NOBODY, stretches, book.sha256)
