"""Duties of offices (四): opened by adopted measures, closed by the facts that perform them. Derived by rating; not for the public."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas import fields as f
from schemas.events.base import Data, event_type
from schemas.events.control import Period
from schemas.events.derived import SERVICE, Decisive, KnownCause, RulebookRef
from schemas.fields import Frozen, government, public

# ``void``: what was told turns out never to have been a duty.
DutyState = Literal["open", "performed", "overdue", "lapsed", "void"]


class Needed(Frozen):
    """What performs the duty: acts of any of these kinds, at least so many; ``found``: how many there are."""

    acts: tuple[f.Word, ...] = public(min_length=1, max_length=6)
    at_least: Annotated[int, Field(ge=1, le=1000)] = public()
    found: Annotated[int, Field(ge=0)] = public()


class DutyData(Data):
    """A duty as it stands after the cause. ``duty`` is its id, the same in all that is told of it; ``due_on`` its last day.

    ``grade``: the one it arises from, on ``opened_on``. ``set_by_operator``: the plan names neither this date nor this number (R12).
    ``provisional``: it was counted over a year whose calendar is not issued. ``opened_by``: the case, decision or application that it
    is about; ``period``: the span in which it has to be performed. ``performed_on`` after ``due_on``: performed late."""

    duty: f.EventId = government()
    regime: f.Regime = government()
    office: f.Office = government()
    measure: f.Word = government()
    clause: f.Name = government()
    readings: tuple[f.Name, ...] = government(max_length=20)
    grade: f.Name | None = government()
    state: DutyState = government()
    previous_state: DutyState | None = government()
    opened_on: f.CivilDate = government()
    due_on: f.CivilDate = government()
    provisional: bool = government()
    set_by_operator: bool = government()
    performed_on: f.CivilDate | None = government(default=None)
    lapsed_on: f.CivilDate | None = government(default=None)
    period: Period | None = government(default=None)
    opened_by: Decisive | None = government(default=None)
    needed: tuple[Needed, ...] = government(min_length=1, max_length=6)
    events: tuple[Decisive, ...] = government(max_length=20)
    rulebook: RulebookRef = government()
    cause: KnownCause = government()


@event_type("duty.opened", zh="职责产生", en="Duty opened", wired=True, route="derived", roles=SERVICE, withheld=True)
class DutyOpened(DutyData):
    """An office that adopted a measure has to do something about this enterprise by ``due_on``."""


@event_type("duty.performed", zh="职责履行", en="Duty performed", wired=True, route="derived", roles=SERVICE, withheld=True)
class DutyPerformed(DutyData):
    """The facts in ``events`` perform it, in time or late."""


@event_type("duty.overdue", zh="职责逾期", en="Duty overdue", wired=True, route="derived", roles=SERVICE, withheld=True)
class DutyOverdue(DutyData):
    """Its last day closed and it was not performed: a matter of the office, never of the enterprise."""


@event_type("duty.lapsed", zh="职责终止", en="Duty lapsed", wired=True, route="derived", roles=SERVICE, withheld=True)
class DutyLapsed(DutyData):
    """It ended unperformed before it was due: the grade changed, the enterprise closed, the office withdrew the measure, or the act that
    it was about was repaired."""


@event_type("duty.corrected", zh="职责更正", en="Duty corrected", wired=True, route="derived", roles=SERVICE, withheld=True)
class DutyCorrected(DutyData):
    """What was told (``previous_state``, or another date) turns out otherwise: by a fact that came late, by what took one out of effect,
    or by a calendar."""
