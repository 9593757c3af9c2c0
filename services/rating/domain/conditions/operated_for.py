"""Kind ``operated_for``: 三(三), R4. A full year of *actual* operation; days of interruption don't count.

Started on 1 January 2025 with twelve months asked, the year is complete on 31 December 2025; each day of interruption before
that moves it one day on. An interruption without an end leaves it open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schemas.rulebook.conditions import OperatedFor
from services.rating.domain.days import ONE_DAY, add_months
from services.rating.domain.facts import Fact
from services.rating.domain.holding import Holding, Look, Quantity
from services.rating.domain.subject import Subject


@dataclass(frozen=True, slots=True)
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


def operating(subject: Subject, months: int) -> Operating:
    """When the subject has operated for so many months; worked out again only when starts or interruptions were added."""
    kept = subject.operated.get(months)
    if kept is None or kept[0] != len(subject.operation):
        kept = subject.operated[months] = (len(subject.operation), _work_out(subject, months))
    found: Operating = kept[1]
    return found


def _work_out(subject: Subject, months: int) -> Operating:
    """From the starts and interruptions, in the order of their days."""
    started: date | None = None
    stopped: date | None = None
    known_end: date | None = None
    complete: date | None = None
    facts: list[Fact] = []

    def resume(on: date) -> None:
        nonlocal complete, stopped, known_end
        if stopped is not None and complete is not None and stopped <= complete:
            complete += on - stopped
        stopped = known_end = None

    for on, _, name, until, fact in subject.operation:
        if known_end is not None and known_end <= on:
            resume(known_end)
        if name == "operation.started":
            if started is None:
                started, complete = on, add_months(on, months) - ONE_DAY
            elif stopped is not None:
                resume(on)
            facts.append(fact)
        elif started is not None:
            if stopped is None:
                stopped = on
            known_end = until
            facts.append(fact)
    if known_end is not None:
        resume(known_end)
    if stopped is not None and complete is not None and stopped <= complete:
        complete = None
    return Operating(started, complete, tuple(facts))


def holds(condition: OperatedFor, look: Look, unknown_is_new: bool) -> Holding | None:
    """True when the time asked lies before the window's last day or within it."""
    months = look.value(condition.months)
    found = operating(look.subject, months)
    if found.new_on(look.last, unknown_is_new):
        return None
    return Holding(
        facts=found.facts,
        numbers=(Quantity("operated_from", str(found.started or "unknown"), f"{months} months"),),
        fills={"operating_months": months},
    )
