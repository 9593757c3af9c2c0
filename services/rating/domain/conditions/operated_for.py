"""Kind ``operated_for``: 三(三), R4. A full year of *actual* operation; days of interruption don't count.

Started on 1 January 2025 with twelve months asked, the year is complete on 31 December 2025; each day of interruption before
that moves it one day on. An interruption without an end leaves it open; ``until`` is the day of resumption.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import OperatedFor
from services.rating.domain.days import ONE_DAY, add_months
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Ask, Holding, Look, Quantity
from services.rating.domain.values import quick
from services.rating.domain.view import View

if TYPE_CHECKING:
    from services.rating.domain.index import Index

Entry = tuple[date, int, str, date | None, Fact]


@quick
class Operating:
    """``complete_on``: the last day of the time asked, None while it is open. ``started``: None where it isn't on record."""

    started: date | None
    complete_on: date | None
    facts: tuple[Fact, ...]

    def new_on(self, day: date, unknown_is_new: bool) -> bool:
        """True when the time asked is not complete with ``day``."""
        if self.started is None:
            return unknown_is_new
        return self.complete_on is None or day < self.complete_on


def operating(view: View, months: int) -> Operating:
    """When the subject has operated for so many months; worked out again only when starts or interruptions were added."""
    kept = view.operated.get(months)
    if kept is None or kept[0] != len(view.operation):
        kept = view.operated[months] = (len(view.operation), _work_out(view, months))
    found: Operating = kept[1]
    return found


def _work_out(view: View, months: int) -> Operating:
    """From the first start on, less the days of the interruptions after it."""
    if len(view.operation) == 1 and view.operation[0][2] == "operation.started":
        on, *_, fact = view.operation[0]
        return Operating(on, max(on, add_months(on, months) - ONE_DAY), (fact,))
    starts = [entry for entry in view.operation if entry[2] == "operation.started"]
    if not starts:
        return Operating(None, None, ())
    started = starts[0][0]
    own = [entry for entry in view.operation if entry[:2] >= starts[0][:2]]
    # Of no months at all the first day of operation is the last one that has to be waited for.
    complete: date | None = max(started, add_months(started, months) - ONE_DAY)
    for stopped, resumed in _interruptions(own):
        assert complete is not None
        if stopped > complete:
            break
        if resumed is None:
            complete = None
            break
        complete += resumed - stopped
    return Operating(started, complete, tuple(entry[4] for entry in own))


def _interruptions(entries: Sequence[Entry]) -> Iterator[tuple[date, date | None]]:
    """First day and day of resumption (None: not known), by day; those that overlap are one. A start ends what goes before it."""
    stopped: date | None = None
    resumed: date | None = None
    for on, _, name, until, _ in entries:
        if stopped is not None and resumed is not None and resumed <= on:
            yield stopped, resumed
            stopped = None
        if name == "operation.started":
            if stopped is not None:
                yield stopped, on
            stopped = None
        elif stopped is None:
            stopped, resumed = on, until
        elif resumed is not None:
            resumed = max(resumed, until) if until else None
    if stopped is not None:
        yield stopped, resumed


def asking(condition: OperatedFor, rulebook: Rulebook, day: date, unknown_is_new: bool) -> Ask:
    """Holds where the time asked lies before the look's last day or within it."""
    months = rulebook.value(condition.months, day)
    bound, fills = f"{months} months", {"operating_months": months}

    def ask(look: Look, index: Index) -> Holding | None:
        found = operating(look.view, months)
        if found.new_on(look.last, unknown_is_new):
            return None
        since = found.started.isoformat() if found.started else "unknown"
        return Holding(found.facts, (), (Quantity("operated_from", since, bound),), fills)

    return ask
