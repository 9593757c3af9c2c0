"""The next day on which a subject's standing can change though nothing more is entered.

Time passes by ``day.closed``. With this day known, only the subjects for which it has come need to be looked at then; for all
others the step would tell nothing. A day too early costs a look; one too late would leave a change untold, so whatever may
matter is named: the full year of operation, evaluations, activations and repairs dated ahead, acts that take effect later, and
every date in the rulebook.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date

from services.rating.domain.book import Book
from services.rating.domain.conditions.operated_for import operating
from services.rating.domain.controls import Controls
from services.rating.domain.law import manners
from services.rating.domain.subject import Subject

# What is entered later only makes a day be looked at for nothing.
_EVERYTHING = 2**63


def next_change(subject: Subject, controls: Controls, book: Book, *, as_of: date) -> date | None:
    """The first day after ``as_of`` on which the standing can differ from that day's; None: never by itself."""
    return min((day for day in _days(subject, controls, book, as_of) if day > as_of), default=None)


def _days(subject: Subject, controls: Controls, book: Book, as_of: date) -> Iterator[date]:
    view = subject.view_on(as_of, manners(book.rulebook, as_of))
    following = bisect_right(view.acts, as_of, key=lambda act: act.effective)
    if following < len(view.acts):
        yield view.acts[following].effective
    yield from subject.repair_days()
    yield from controls.dates(book.rulebook.regime, upto=_EVERYTHING)
    for rulebook in book.editions:
        yield from rulebook.dates
        if rulebook.periodic and (months := rulebook.parameter(rulebook.periodic.new_enterprises.months).at(as_of)) is not None:
            complete = operating(view, months).complete_on
            if complete:
                yield complete
