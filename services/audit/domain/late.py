"""Late entries. 五(三) ¶1 with R13: filed and entered within so many working days after the activity ended and its document was served.

In force from the plan's issue (六). How many days, which activities and which channels don't count stand in the rulebook
(``entry.yaml``), never here.

Invariants
1. Day 0 is the latest of the end of the activity, a sample's result and the service of the document; the deadline is the end of the
   n-th working day after it.
2. A decision that awaits service has no deadline; neither has an act from before go-live, or an entry by an exempt channel. The
   act is the decision where a document was served, whether its service was entered with it or by itself.
3. A late entry signed in time, or whose term an outage touched, is still late; the marks are for people to weigh.
4. The same fact, rule, calendar and registry give the same verdict on every replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events import CATALOGUE
from schemas.events.base import DocumentAct
from schemas.rulebook import Parameter, Rulebook, digest
from schemas.times import civil_date
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.people import entering
from services.audit.domain.workdays import WorkCalendar

KIND = "late_entry"
RETRACTED = "late_entry_retracted"
READING = "R13"
DETECTOR_VERSION = 3
UNNAMED = 2
"""The last version whose findings didn't say whom they concern."""
SERVED = "mingjian.document.served.v1"

_DETECTOR = ", detector late "
_DAYS = "entry_working_days"
_ACTIVITIES = "entry_activities"
_EXEMPT = "entry_exempt_channels"


class Unreadable(ValueError):
    """A record that went past intake's checks: its data has not the shape of its type."""


@dataclass(frozen=True)
class EntryRule:
    """What a regime's rulebook says about entry. ``activities`` and ``exempt`` are dated parameters as well.

    ``digest``: the rulebook's, by which an activation names it."""

    regime: str
    version: str
    digest: str
    time_zone: str
    schemes: frozenset[str]
    days: Parameter
    activities: Parameter
    exempt: Parameter

    @staticmethod
    def of(rulebook: Rulebook) -> EntryRule | None:
        """The rulebook's rule about entry, or None where it has none."""
        named = {one.name: one for one in rulebook.parameters}
        if _DAYS not in named:
            return None
        header = rulebook.header
        return EntryRule(
            regime=header.regime,
            version=header.version,
            digest=digest(rulebook),
            time_zone=header.time_zone,
            schemes=frozenset(header.schemes),
            days=named[_DAYS],
            activities=named[_ACTIVITIES],
            exempt=named[_EXEMPT],
        )


def activities_of(rulebooks: Iterable[Rulebook]) -> frozenset[str]:
    """Types of facts, such as ``inspection.recorded``, that any of the rulebooks has entered within a term, whenever it does."""
    dated = [one for book in rulebooks for one in book.parameters if one.name == _ACTIVITIES]
    words = {word for one in dated for value in one.values for word in value.value or ()}
    return frozenset(row.name for event_type, row in CATALOGUE.items() if word_of(event_type) in words)


@dataclass(frozen=True, slots=True)
class Fact:
    """What lateness needs of a fact. Instants are contract text (UTC, Z); ``served_on`` None: not served, or no document.

    ``result_on``: of a sample; ``decided_on``: of a service, the day of the decision, where that is known; ``regime``: the one
    that the event names. ``record_sha256``, ``known_from``: of its record, '' where that was not kept. ``concerns``: who entered it, and
    on whose behalf, by pseudonym."""

    id: str
    type: str
    source: str
    subject: str
    occurred_on: date
    ended_at: str | None
    served_on: date | None
    signed_at: str
    received_at: str
    channel: str
    result_on: date | None = None
    decided_on: date | None = None
    regime: str | None = None
    record_sha256: str = ""
    known_from: str = ""
    concerns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outage:
    """A declared outage of an office, or of the whole stack (``office`` None). Instants are contract text."""

    started: str
    ended: str
    office: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``late`` or not; the dates are what it was judged by. ``settled``: no calendar still to come can change it."""

    late: bool
    day_zero: date
    deadline: date
    entered_on: date
    working_days: int
    clause: str
    rule_from: date
    working_days_late: int
    calendar_days_late: int
    signed_in_time: bool
    outage: bool
    provisional: bool

    @property
    def settled(self) -> bool:
        return not self.provisional


@lru_cache(maxsize=1024)
def word_of(event_type: str) -> str:
    """``mingjian.inspection.recorded.v1`` → ``inspection_recorded``, as the rulebook names it."""
    return event_type.removeprefix("mingjian.").rpartition(".")[0].replace(".", "_")


@lru_cache(maxsize=1024)
def has_document(event_type: str) -> bool:
    """True of the types whose acts have no effect before their document is served."""
    known = CATALOGUE.get(event_type)
    return known is not None and issubclass(known.model, DocumentAct)


def day_zero(fact: Fact, time_zone: str) -> date | None:
    """The latest of the activity's end, its result and its document's service (R13); None while a document awaits service."""
    if fact.served_on is None and has_document(fact.type):
        return None
    ended = civil_date(fact.ended_at, time_zone) if fact.ended_at is not None else None
    return max(one for one in (fact.occurred_on, ended, fact.result_on, fact.served_on) if one is not None)


def judge(fact: Fact, *, rule: EntryRule, calendar: WorkCalendar, go_live: date | None, outages: Sequence[Outage] = ()) -> Verdict | None:
    """Whether the fact was entered in time; None where the regime sets no deadline for it (invariant 2)."""
    if go_live is None or (fact.decided_on or fact.occurred_on) < go_live:
        return None
    start = day_zero(fact, rule.time_zone)
    if start is None:
        return None
    term, activities, exempt = (one.dated_at(start) for one in (rule.days, rule.activities, rule.exempt))
    if term is None or term.value is None or activities is None or word_of(fact.type) not in (activities.value or ()):
        return None
    if exempt is not None and fact.channel in (exempt.value or ()):
        return None
    number = int(term.value)
    entered_on = civil_date(fact.received_at, rule.time_zone)
    deadline = calendar.nth_after(start, number)
    late = entered_on > deadline.day
    overdue = calendar.between(deadline.day, entered_on)
    # The n-th working day is never less than n days away: whoever entered by then is in time by any calendar.
    open_question = (deadline.provisional or overdue.provisional) and (entered_on - start).days > number
    return Verdict(
        late=late,
        day_zero=start,
        deadline=deadline.day,
        entered_on=entered_on,
        working_days=number,
        clause=term.clause,
        rule_from=term.in_force_from,
        # Entered on a day off right after the deadline: no working day has passed, yet it is late; the contract counts from one.
        working_days_late=max(1, overdue.number) if late else 0,
        calendar_days_late=max(0, (entered_on - deadline.day).days),
        signed_in_time=late and civil_date(fact.signed_at, rule.time_zone) <= deadline.day,
        outage=late and bool(outages_within(fact.source, start, deadline.day, rule.time_zone, outages)),
        provisional=open_question,
    )


def outages_within(office: str, first: date, last: date, time_zone: str, outages: Iterable[Outage]) -> list[Outage]:
    """The outages of the office or of the stack that touch the days from ``first`` to the end of ``last``."""
    zone = ZoneInfo(time_zone)
    begin = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    return [
        one
        for one in outages
        if one.office in (None, office) and datetime.fromisoformat(one.started) < end and datetime.fromisoformat(one.ended) >= begin
    ]


def rule_version(rule: EntryRule, verdict: Verdict) -> str:
    """Which rule and which code decided: rulebook, the value's own date, detector."""
    return f"{rule.regime} {rule.version}, {_DAYS} from {verdict.rule_from}{_DETECTOR}{DETECTOR_VERSION}"


def as_told(told: Mapping[str, Any], again: Mapping[str, Any]) -> dict[str, Any]:
    """What was found again, as it was told where that names nobody: by version ``UNNAMED`` of the detector, or of a fact that it had kept
    until its calendar came."""
    if "concerns" in told:
        return dict(again)
    unnamed = {name: value for name, value in again.items() if name != "concerns"}
    version = str(again["rule_version"]).removesuffix(f"{_DETECTOR}{DETECTOR_VERSION}") + f"{_DETECTOR}{UNNAMED}"
    return unnamed | ({"rule_version": version} if told["rule_version"] == version else {})


def sentences(verdict: Verdict) -> tuple[str, str]:
    """The finding in Chinese and in English: dates and numbers, no blame."""
    if not verdict.late:
        return (
            f"按已发布的工作日历重新计算：最后期限为{zh_day(verdict.deadline)}，{zh_day(verdict.entered_on)}录入，未逾期。原发现撤回。",
            f"Worked out again with the issued calendar: the last day was {en_day(verdict.deadline)}; entered on "
            f"{en_day(verdict.entered_on)}, in time. The earlier finding is retracted.",
        )
    marks = [
        (verdict.signed_in_time, "签署时间在期限内。", " Signed in time."),
        (verdict.outage, "期限内有申明的故障。", " A declared outage touched the term."),
        (verdict.provisional, "所涉年度工作日历尚未发布，暂定。", " Provisional: the calendar of a year concerned is not issued."),
    ]
    zh = (
        f"执法活动结束并送达之日为{zh_day(verdict.day_zero)}，{verdict.working_days}个工作日的最后期限为{zh_day(verdict.deadline)}；"
        f"{zh_day(verdict.entered_on)}录入，逾期{verdict.working_days_late}个工作日（{verdict.calendar_days_late}天）。"
    )
    en = (
        f"The activity ended and its document was served by {en_day(verdict.day_zero)}; the last of {verdict.working_days} working "
        f"days was {en_day(verdict.deadline)}. Entered on {en_day(verdict.entered_on)}: "
        f"{_plural(verdict.working_days_late, 'working day')} ({_plural(verdict.calendar_days_late, 'day')}) after the deadline."
    )
    return zh + "".join(words for holds, words, _ in marks if holds), en + "".join(words for holds, _, words in marks if holds)


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def fact_of(event: Mapping[str, object], entry: Mapping[str, object]) -> Fact | None:
    """A fact from an envelope's ``event`` and ``entry``; None where it has no day to count from. Raises ``Unreadable``."""
    data = event["data"]
    if not isinstance(data, Mapping) or data.get("occurred_on") is None:
        return None
    service = data.get("service")
    try:
        fact = Fact(
            id=str(event["id"]),
            type=str(event["type"]),
            source=str(event["source"]),
            subject=str(event["subject"]),
            occurred_on=date.fromisoformat(data["occurred_on"]),
            ended_at=data.get("ended_at"),
            served_on=date.fromisoformat(service["served_on"]) if service else None,
            signed_at=str(event["time"]),
            received_at=str(entry["received_at"]),
            channel=str(entry["channel"]),
            result_on=date.fromisoformat(data["result_on"]) if data.get("result_on") is not None else None,
            regime=data.get("regime"),
            concerns=entering(data),
        )
        for instant in (fact.received_at, fact.signed_at, *([fact.ended_at] if fact.ended_at is not None else [])):
            if datetime.fromisoformat(instant).tzinfo is None:
                raise Unreadable("an instant has no zone")
        if "\x00" in fact.channel + (fact.regime or ""):
            raise Unreadable("a channel or regime that nothing can keep")
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"{type(error).__name__} in the data of {event['type']}") from error
    return fact
