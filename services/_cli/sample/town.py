"""The whole town from a seed: officers, control events, entries in the order of their entry, and what was planted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from schemas.commitments import commit
from schemas.keys import b64
from services._cli.sample import life
from services._cli.sample.acts import ZONE, Act, Hand, at, instant
from services._cli.sample.enterprises import Enterprise, enterprises
from services._cli.sample.entries import Desk, Entered, before_go_live, edges, offline, story
from services._cli.sample.kinds import late_of_each_kind, long_days, served_by_themselves
from services._cli.sample.measures import adopted, notified
from services._cli.sample.numbering import Paper, numbers, renumber
from services._cli.sample.people import APPROVER, BUREAU, IMPORTER, REGIME, RETAIL, Officer, staff
from services._cli.sample.seating import seated
from services._cli.sample.workdays import Workdays

REGISTRAR = "registrar"
_GO_LIVE_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Plan:
    """What the town is made from. ``until``: the instant it ends at, with a time zone; ``tables``: the calendars, one a year."""

    seed: int
    enterprises: int
    years: int
    until: datetime
    tables: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)

    @property
    def last(self) -> date:
        return self.until.astimezone(ZONE).date()

    @property
    def first(self) -> date:
        """The first day of the month ``years`` years before the end."""
        return date(self.last.year - self.years, self.last.month, 1)

    @property
    def go_live(self) -> date:
        return self.first + _GO_LIVE_AFTER

    @property
    def outage_day(self) -> date:
        """On this day the retail workstation's line was down from nine to four, and the registrar declared it the same day."""
        return self.go_live + (self.last - self.go_live) // 2

    @property
    def outage_office(self) -> str:
        return RETAIL


@dataclass(frozen=True)
class Sent:
    """An event to sign and send. ``signer`` is an officer's name, or ``registrar``. ``received``: the simulated instant."""

    event: dict[str, Any]
    signer: str
    channel: str
    received: datetime
    private: dict[str, dict[str, str]] | None = None


@dataclass(frozen=True)
class Town:
    """``sent`` in the order of entry. ``planted`` and ``lookalikes`` are for the file that no service reads.

    Of a falsified one: ``choice``, what it was falsified with; ``matters``, what was sown; ``control``, what the registrar says besides
    (type, subject, data, instant); ``past_intake``, entries that intake would refuse, for tests that write past it."""

    plan: Plan
    enterprises: tuple[Enterprise, ...]
    sent: tuple[Sent, ...]
    planted: tuple[dict[str, Any], ...]
    lookalikes: tuple[dict[str, Any], ...]
    choice: str | None = None
    matters: tuple[dict[str, Any], ...] = ()
    control: tuple[tuple[str, str, dict[str, Any], datetime], ...] = ()
    past_intake: tuple[Sent, ...] = ()


def uuid7(moment: datetime, rng: Random) -> str:
    """A UUIDv7 whose chance comes from the town's."""
    value = int(moment.timestamp() * 1000) << 80 | rng.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def event_of(*, id: str, source: str, kind: str, subject: str, signed: datetime, data: dict[str, Any]) -> dict[str, Any]:
    """A CloudEvent of the contract."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": f"mingjian.{kind}.v1",
        "subject": subject,
        "time": instant(signed),
        "datacontenttype": "application/json",
        "data": data,
    }


def generate(plan: Plan) -> Town:
    """The town of ``plan``: the same plan gives the same town."""
    rng = Random(f"town {plan.seed}")
    workdays = Workdays.from_tables(plan.tables)
    made = enterprises(rng, plan.enterprises, plan.first, plan.last)
    acts: list[Act] = []
    archive: list[Act] = []
    for number, one in enumerate(made):
        hand = Hand(Random(f"town {plan.seed} enterprise {number}"), workdays, one, staff(one.office))
        lived, filed = _life(hand, plan)
        acts += lived
        archive += filed
    chance = Random(f"town {plan.seed} edges")
    steady = [one for one in made if one.final in "AB"] or list(made[:1])
    hands = [Hand(chance, workdays, one, staff(one.office)) for one in steady]
    acts = story(acts, next((one.subject for one in made if one.told), ""), workdays, plan.go_live, plan.last)
    acts = offline(before_go_live(acts, plan.go_live, rng), plan.go_live, rng)
    acts = late_of_each_kind(acts, workdays, plan.go_live, plan.last)
    acts += edges(hands, plan.go_live, plan.last)
    acts += long_days(hands, plan.go_live, plan.last)
    fined = [Hand(chance, workdays, one, staff(one.office)) for one in made if one.final in ("D", "E") and not one.told]
    acts += served_by_themselves(fined, plan.go_live, plan.last)
    acts = seated(acts, plan.seed)
    desk = Desk(Random(f"town {plan.seed} desk"), workdays, plan.go_live, plan.until)
    entered = [entry for act in acts if (entry := desk.enter(act))]
    entered.sort(key=lambda one: (one.received, one.channel, one.signed))
    return _assemble(plan, workdays, made, archive, entered)


def _life(hand: Hand, plan: Plan) -> tuple[list[Act], list[Act]]:
    """Acts entered by the offices, and acts from the paper archive."""
    one = hand.enterprise
    opening = life.opening(hand)
    lived: list[Act] = []
    filed: list[Act] = []
    if one.started < plan.first:
        filed += opening
        if hand.rng.random() < 0.15:
            # Older than any window: history that a register keeps and no grade looks at.
            day = hand.workdays.after(plan.first - timedelta(days=hand.rng.randint(1500, 3000)), 1)
            if day > one.started:
                filed.append(hand.penalty(day, life._penalty_act(hand, "fine", amount=1000)))
    else:
        lived += opening
    for year in range(plan.first.year, plan.last.year + 1):
        lived += life.year_acts(hand, year, plan.first, plan.last)
    lived += life.changes(hand, plan.first, plan.last)
    return lived, filed


def _assemble(plan: Plan, workdays: Workdays, made: tuple[Enterprise, ...], archive: list[Act], entered: list[Entered]) -> Town:
    rng = Random(f"town {plan.seed} ids")
    sent: list[Sent] = []
    ids: dict[str, str] = {}
    planted: list[dict[str, Any]] = []
    lookalikes: list[dict[str, Any]] = []
    start = at(plan.first, 10)
    for number, act in enumerate(archive):
        # The archive is typed in on the first day, five hundred sheets to a minute of the simulated clock.
        received = start + timedelta(minutes=1 + number // 500)
        sent.append(_sent(act, IMPORTER, "migration", received - timedelta(minutes=1), received, rng, ids))
        if act.judged:
            lookalikes.append(_outline(sent[-1], act, "from the paper archive"))
    for one in entered:
        sent.append(_sent(one.act, one.act.lead, one.channel, one.signed, one.received, rng, ids))
        if one.late:
            planted.append(_planted(sent[-1], one, workdays, plan))
        elif one.act.why:
            lookalikes.append(_outline(sent[-1], one.act, one.act.why))
    sent += _evaluations(plan, workdays, rng)
    sent += _measures(plan, made, workdays)
    sent.sort(key=lambda item: item.received)
    new = numbers((Paper(one.event, one.received) for one in sent), Random(f"town {plan.seed} numbers"))
    for one in sent:
        renumber(one.event, new)
    return Town(plan, made, tuple(sent), tuple(planted), tuple(lookalikes))


def _sent(act: Act, officer: Officer, channel: str, signed: datetime, received: datetime, rng: Random, ids: dict[str, str]) -> Sent:
    data = {**act.data, "entered_by": officer.pseudonym}
    if act.refers:
        data["document"] = ids[act.refers]
    private = None
    if act.private:
        salts = {name: rng.randbytes(16) for name in act.private}
        data["commitments"] = {name: commit(name, value, salts[name]) for name, value in act.private.items()}
        private = {name: {"value": value, "salt": b64(salts[name])} for name, value in act.private.items()}
    event = event_of(id=uuid7(signed, rng), source=officer.office, kind=act.type, subject=act.subject, signed=signed, data=data)
    if act.handle:
        ids[act.handle] = event["id"]
    return Sent(event, officer.name, channel, received, private)


def _outline(sent: Sent, act: Act, words: str) -> dict[str, Any]:
    return {
        "id": sent.event["id"],
        "source": sent.event["source"],
        "type": sent.event["type"],
        "subject": act.subject,
        "day_zero": act.due_from.isoformat(),
        "received_at": instant(sent.received),
        "why": words,
    }


def _planted(sent: Sent, one: Entered, workdays: Workdays, plan: Plan) -> dict[str, Any]:
    outline = _outline(sent, one.act, one.act.why or "late by habit")
    return outline | {
        "entered_by": one.act.lead.pseudonym,
        "deadline": one.deadline.isoformat(),
        "entered_on": one.entered_on.isoformat(),
        "working_days_late": workdays.between(one.deadline, one.entered_on),
        "calendar_days_late": (one.entered_on - one.deadline).days,
        "signed_in_time": one.signed_in_time,
        "outage": one.act.lead.office == plan.outage_office and one.act.due_from <= plan.outage_day <= one.deadline,
        "provisional": not set(range((one.act.due_from + timedelta(days=1)).year, one.entered_on.year + 1)) <= workdays.years,
    }


def _measures(plan: Plan, made: tuple[Enterprise, ...], workdays: Workdays) -> list[Sent]:
    rng = Random(f"town {plan.seed} measures")
    sent: list[Sent] = []
    for kind, subject, data, moment in (*adopted(plan.go_live), *notified(made, plan.first, plan.last, workdays, plan.seed)):
        if moment <= plan.until:
            signed = moment - timedelta(minutes=3)
            data = {**data, "entered_by": APPROVER.pseudonym}
            event = event_of(id=uuid7(signed, rng), source=BUREAU, kind=kind, subject=subject, signed=signed, data=data)
            sent.append(Sent(event, APPROVER.name, "desk", moment))
    return sent


def _evaluations(plan: Plan, workdays: Workdays, rng: Random) -> list[Sent]:
    """R10: announced in December, closed in January, by the bureau."""
    sent: list[Sent] = []
    for year in range(plan.first.year, plan.last.year):
        period = {"first": date(year, 1, 1).isoformat(), "last": date(year, 12, 31).isoformat()}
        day = workdays.after(date(year + 1, 1, 15), 1)
        announced = workdays.after(date(year, 12, 1), 1)
        for kind, moment in (("evaluation.announced", at(announced, 10)), ("evaluation.closed", at(day, 17, 40))):
            if not at(plan.first, 12) < moment <= plan.until:
                continue
            data = {
                "occurred_on": moment.date().isoformat(),
                "regime": REGIME,
                "period": period,
                "evaluation_date": day.isoformat(),
                "entered_by": APPROVER.pseudonym,
            }
            signed = moment - timedelta(minutes=3)
            event = event_of(id=uuid7(signed, rng), source=BUREAU, kind=kind, subject=f"regime:{REGIME}", signed=signed, data=data)
            sent.append(Sent(event, APPROVER.name, "desk", moment, None))
    return sent
