"""五(四) ¶3: the bureau's approver reads what rating proposes and signs it a few working days later (R8).

Which grades are proposed follows from the town's entries and the rulebook, so the town asks rating's own fold. What is still open when
the town ends waits for whoever looks at it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from services._cli.sample.acts import ZONE, at
from services._cli.sample.people import APPROVER, BUREAU, REGIME
from services._cli.sample.town import Sent, Town, event_of, uuid7
from services._cli.sample.workdays import Workdays
from services.rating.domain import emit
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, DUTY_CONTROLS, Fact, compact
from services.rating.domain.fold import Book, Told, decide
from services.rating.domain.subject import Subject

# Room between two entries of the town for the approvals that fall between them.
_ROOM = 1000
_QUICKEST, _SLOWEST = 1, 4


@dataclass(frozen=True)
class Proposed:
    """A grade that was proposed. ``decided``: the approver signed it; ``closed``: it was open no more, by that or otherwise."""

    subject: str
    id: str
    moment: datetime
    decided: bool
    closed: bool = False


def with_approvals(town: Town, sent: Sequence[Sent], book: Book) -> Town:
    """The town with the approver's signatures. ``sent``: all of it in the order of entry, the registrar's part too."""
    return signed_town(town, approvals(town, sent, book)[0])


def signed_town(town: Town, signed: Iterable[Sent]) -> Town:
    """The town with what the approver signed, each at its instant."""
    return replace(town, sent=tuple(sorted((*town.sent, *signed), key=lambda one: one.received)))


def approvals(
    town: Town, sent: Sequence[Sent], book: Book, *, only: Container[str] | None = None, left: Container[str] = ()
) -> tuple[list[Sent], list[Proposed]]:
    """What the approver signs, and all that was proposed. ``only``: of these subjects; ``left``: proposals from which on nothing of
    their subject is signed any more."""
    workdays = Workdays.from_tables(town.plan.tables)
    instants = [one.received for one in sent]
    own: dict[str, list[Fact]] = {}
    controls = Controls()
    for number, one in enumerate(sent):
        fact = _fact(one, number * _ROOM)
        if fact is None or fact.name in DUTY_CONTROLS:
            # What offices owe changes no grade.
            continue
        if fact.name in CONTROLS:
            controls.apply(fact)
        else:
            own.setdefault(one.event["subject"], []).append(fact)
    signed: list[Sent] = []
    proposed: list[Proposed] = []
    for subject, facts in own.items():
        if only is None or subject in only:
            desk = _Desk(town, workdays, instants, Random(f"town {town.plan.seed} approvals {subject}"), left)
            signed += desk.approve(subject, facts, controls, book)
            proposed += desk.proposed
    return signed, proposed


def _fact(sent: Sent, offset: int) -> Fact | None:
    known = int(sent.received.timestamp() * 1000)
    return compact(sent.event, {}, partition=0, offset=offset, known=known, stamp=known)


class _Desk:
    """The approver's, for one subject: folds its entries in their order and signs what is proposed on the way."""

    def __init__(self, town: Town, workdays: Workdays, instants: Sequence[datetime], rng: Random, left: Container[str]) -> None:
        self._town, self._workdays, self._instants, self._rng, self._left = town, workdays, instants, rng, left
        self._gone = False
        self.proposed: list[Proposed] = []

    def approve(self, subject: str, facts: Iterable[Fact], controls: Controls, book: Book) -> list[Sent]:
        state, books = Subject(subject, 0), {book.rulebook.regime: book}
        steps = deque(sorted((*facts, *controls.facts), key=lambda one: one.offset))
        found: list[Sent] = []
        waiting: tuple[Fact, Sent] | None = None
        while steps or waiting:
            if waiting and (not steps or waiting[0].offset < steps[0].offset):
                (step, signed), waiting = waiting, None
                found.append(signed)
            else:
                step = steps.popleft()
            for one in decide(state, controls, books, step):
                # Of several proposals the approver signs the newest, and none that has lapsed.
                if one.event["type"] == emit.TYPE_PROPOSED:
                    waiting = self._decided(one)
                elif one.event["type"] == emit.TYPE_CLOSED:
                    waiting = None
                    self.proposed[-1:] = [replace(last, closed=True) for last in self.proposed[-1:]]
        return found

    def _decided(self, proposal: Told) -> tuple[Fact, Sent] | None:
        event = proposal.event
        self._gone = self._gone or event["id"] in self._left
        signed = None if self._gone else self._signed(proposal)
        self.proposed.append(Proposed(event["subject"], event["id"], _moment(proposal.step), signed is not None))
        return signed

    def _signed(self, proposal: Told) -> tuple[Fact, Sent] | None:
        """The approval, some working days after the proposal; None where the town ends before."""
        moment = _moment(proposal.step)
        day = self._workdays.after(moment.date(), self._rng.randint(_QUICKEST, _SLOWEST))
        received = at(day, 16, self._rng.randint(0, 59))
        if received > self._town.plan.until:
            return None
        event, signed = proposal.event, received - timedelta(minutes=2)
        data = {
            "occurred_on": day.isoformat(),
            "regime": REGIME,
            "proposal": event["id"],
            "grade": event["data"]["grade"],
            "document_no": f"样例信批〔{day.year}〕{self._rng.randint(1, 99_999)}号",
            "approved_by": APPROVER.pseudonym,
            "entered_by": APPROVER.pseudonym,
        }
        made = event_of(
            id=uuid7(signed, self._rng), source=BUREAU, kind="grade.approved", subject=event["subject"], signed=signed, data=data
        )
        sent = Sent(made, APPROVER.name, "desk", received)
        fact = _fact(sent, self._place(received, proposal.step.offset))
        assert fact is not None
        return fact, sent

    def _place(self, received: datetime, after: int) -> int:
        """An offset behind all that is entered by then."""
        return max(bisect_right(self._instants, received) * _ROOM - _ROOM // 2, after + 1)


def _moment(step: Fact) -> datetime:
    return datetime.fromtimestamp(step.known / 1000, ZONE)
