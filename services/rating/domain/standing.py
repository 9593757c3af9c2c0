"""A grade as it stands on a day, under a rulebook: what every driver computes and what is emitted when it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal

from schemas.events.derived import NOT_RATED
from services.rating.domain.facts import Fact
from services.rating.domain.law import Part
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.values import quick

Moment = Literal["immediate", "evaluation", "status", "correction"]


@quick
class Standing:
    """``grade`` is None where ``status`` says why there is none. ``after``: lowerings at once count from the day after it.
    ``proposed``: the grade that is met and awaits approval, ``returned``: the newest word by which a proposal went back (R8);
    ``by``: the law that judged, None where there is one only."""

    grade: str | None
    status: str
    in_force_from: date | None
    moment: Moment
    reasons: tuple[Reason, ...]
    period_last: date | None = None
    after: date | None = None
    extra_readings: tuple[str, ...] = ()
    proposed: Standing | None = None
    returned: Fact | None = None
    by: Part | None = None

    def through(self, period_last: date) -> Standing:
        """The same standing after the evaluation of a period that changed nothing."""
        return replace(self, period_last=period_last, after=period_last)

    @property
    def pair(self) -> tuple[str | None, str]:
        """What a reader of a list sees."""
        return (self.grade, self.status)

    @property
    def clauses(self) -> tuple[str, ...]:
        """Each clause once, in the order of the reasons."""
        if len(self.reasons) == 1:
            return (self.reasons[0].clause,)
        return tuple(dict.fromkeys(reason.clause for reason in self.reasons))

    @property
    def decisive(self) -> tuple[Decisive, ...]:
        """Each fact once, in the order of offsets."""
        found = {(one.fact.offset, one.fact.partition): one for reason in reversed(self.reasons) for one in reason.decisive}
        return tuple(found[place] for place in sorted(found))

    @property
    def readings(self) -> tuple[str, ...]:
        """Each reading once, by number."""
        named = {reading for reason in self.reasons for reading in reason.readings} | set(self.extra_readings)
        return tuple(sorted(named, key=lambda one: int(one[1:])))

    @property
    def essence(self) -> tuple[object, ...]:
        """What makes two standings the same to the outside: a change here is a change to tell."""
        places = [tuple((one.fact.partition, one.fact.offset) for one in reason.decisive) for reason in self.reasons]
        reasons = tuple((one.rule, one.clause, one.grade, place, one.numbers) for one, place in zip(self.reasons, places, strict=True))
        return (self.grade, self.status, self.in_force_from, self.period_last, reasons)


def unrated(since: date) -> Standing:
    """The regime rates the subject no more: what said that it does was taken back."""
    return Standing(None, NOT_RATED, since, "correction", ())
