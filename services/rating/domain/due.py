"""The next day on which a subject's standing can change though nothing more is entered.

Time passes by ``day.closed``. With this day known, only the subjects for which it has come need to be looked at then; for all
others the step would tell nothing. A day too early costs a look; one too late would leave a change untold, so whatever may
matter is named: the full year of operation, evaluations, activations and repairs dated ahead, acts and approvers' words that take
effect later, and every date in the rulebook.

So does a fact that brings nothing by itself: before that day its step tells nothing either, and the standing needn't be asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date

from services.rating.domain.book import Book
from services.rating.domain.conditions.operated_for import operating
from services.rating.domain.controls import Controls
from services.rating.domain.days import civil_day, day
from services.rating.domain.facts import Fact
from services.rating.domain.law import manners
from services.rating.domain.silent import brings_nothing
from services.rating.domain.subject import Subject
from services.rating.domain.view import regimes_of

# What is entered later only makes a day be looked at for nothing.
_EVERYTHING = 2**63


def next_change(subject: Subject, controls: Controls, book: Book, *, as_of: date) -> date | None:
    """The first day after ``as_of`` on which the standing can differ from that day's; None: never by itself."""
    return min((day for day in _days(subject, controls, book, as_of) if day > as_of), default=None)


def goes_without_saying(subject: Subject, controls: Controls, book: Book, step: Fact) -> bool:
    """Whether ``step``, a fact that was not entered yet, can change nothing that was told by the book: neither by what it says nor
    by the days since the step before. In doubt it can. What was not told before remains untold."""
    effects, regime = subject.effects, book.rulebook.regime
    if not brings_nothing(step) or effects.acting or effects.repairs or not subject.is_new(step) or not subject.count:
        return False
    last = controls.last(regime, below=step.offset)
    was, today = (civil_day(known, book.zone) for known in (max(subject.last_known, last.known if last else 0), step.known))
    view = subject.view_on(today, manners(book.rulebook, today))
    if view.parts or (regime in regimes_of(step) and regime not in view.regimes):
        return False
    if was == today:
        return True
    if any(one.latest for one in book.editions):
        return False
    change = next_change(subject, controls, book, as_of=was)
    return change is None or change > today


def _days(subject: Subject, controls: Controls, book: Book, as_of: date) -> Iterator[date]:
    view = subject.view_on(as_of, manners(book.rulebook, as_of))
    following = bisect_right(view.acts, as_of, key=lambda act: act.effective)
    if following < len(view.acts):
        yield view.acts[following].effective
    yield from subject.repair_days()
    yield from controls.dates(book.rulebook.regime, upto=_EVERYTHING)
    yield from (on for word in view.words.get(book.rulebook.regime, ()) if (on := day(word.data["occurred_on"])))
    for rulebook in book.editions:
        yield from rulebook.dates
        if rulebook.periodic and (months := rulebook.parameter(rulebook.periodic.new_enterprises.months).at(as_of)) is not None:
            complete = operating(view, months).complete_on
            if complete:
                yield complete
