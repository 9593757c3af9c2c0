"""Terms of a hearing in working days: what is due by when, what is overdue, and days given that are shorter than the rules.

How many days stand in the rulebook (``hearing.yaml``), never here. Day 0 is the day of service, of the reply or of the appeal; a term
ends with its last working day. A day that a step names earlier than that is a fault of the step: the term lasts as long as the rules
say. What is overdue is overdue by the close of a day, not by a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from schemas.rulebook import Parameter, Rulebook
from schemas.rulebook.parameters import DatedValue
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.hearings import Heard, Step
from services.audit.domain.workdays import Counted, WorkCalendar

What = Literal["reply", "decision", "appeal", "appeal_decision"]
State = Literal["done", "done_late", "running", "ran_out", "overdue"]
_NAMES: tuple[What, ...] = ("reply", "decision", "appeal", "appeal_decision")


@dataclass(frozen=True)
class HearingRule:
    """What a regime's rulebook says about hearings, as dated parameters."""

    regime: str
    version: str
    reply: Parameter
    decision: Parameter
    appeal: Parameter
    appeal_decision: Parameter

    @staticmethod
    def of(rulebook: Rulebook) -> HearingRule | None:
        """The rulebook's rule, or None where it has none."""
        named = {one.name: one for one in rulebook.parameters}
        if "reply_working_days" not in named:
            return None
        return HearingRule(rulebook.header.regime, rulebook.header.version, *(named[f"{one}_working_days"] for one in _NAMES))


def rule_for(rules: Mapping[str, HearingRule], regime: str | None) -> HearingRule | None:
    """Of the rules by regime those of the regime that a finding names, else the only ones there are."""
    return rules.get(regime or "") or (next(iter(rules.values())) if len(rules) == 1 else None)


@dataclass(frozen=True, slots=True)
class ReplyTerm:
    """The term to reply to a notice served on ``served_on``. ``by``: the earliest last day that the rules allow; ``reading``, ``clause``,
    ``set_by``: of the rulebook's parameter; ``issued``, ``unissued``: the years counted through, by whether their schedule was issued."""

    served_on: date
    by: date
    working_days: int
    regime: str
    version: str
    clause: str
    reading: str | None
    set_by: str | None
    issued: tuple[int, ...]
    unissued: tuple[int, ...]

    @property
    def provisional(self) -> bool:
        """Whether the day stands only until the schedule of a year is issued."""
        return bool(self.unissued)

    @property
    def sentences(self) -> tuple[str, str]:
        """What the day follows from, in Chinese and English."""
        operator = self.set_by == "operator"
        rests_zh = "，".join(filter(None, (self.clause, self.reading, "由运行单位设定" if operator else None)))
        rests_en = ", ".join(filter(None, (self.clause, self.reading, "set by the operator" if operator else None)))
        zh = (
            f"答复期限最早至{zh_day(self.by)}：自送达日{zh_day(self.served_on)}（第0日）起第{self.working_days}个工作日，"
            f"依 {self.regime} {self.version}（{rests_zh}）。"
        )
        en = (
            f"The last day to reply is {en_day(self.by)} at the earliest: {self.working_days} working days after the day of service, "
            f"{en_day(self.served_on)}, by {self.regime} {self.version} ({rests_en})."
        )
        if self.issued:
            zh += f"工作日按已发布的{_listed(self.issued, '、')}年放假安排计算。"
            en += f" Working days are those of the schedule issued for {_listed(self.issued, ', ')}."
        if self.unissued:
            zh += f"{_listed(self.unissued, '、')}年的放假安排尚未发布，按周一至周五计算：该日是暂定的，发布后可能变动。"
            en += (
                f" The schedule of {_listed(self.unissued, ', ')} is not issued, so Monday to Friday count there: the day is provisional "
                "and may move once it is."
            )
        return zh, en


def _listed(years: tuple[int, ...], comma: str) -> str:
    return comma.join(map(str, years))


def reply_term(rule: HearingRule, served_on: date, calendar: WorkCalendar) -> ReplyTerm | None:
    """The earliest term to reply to a notice that is served on a day; None where the rules set none for it."""
    ended = _end(rule.reply, served_on, calendar)
    if ended is None:
        return None
    counted, value = ended
    years = range((served_on + timedelta(days=1)).year, counted.day.year + 1)
    return ReplyTerm(
        served_on=served_on,
        by=counted.day,
        working_days=counted.number,
        regime=rule.regime,
        version=rule.version,
        clause=value.clause,
        reading=rule.reply.reading,
        set_by=rule.reply.set_by,
        issued=tuple(year for year in years if year in calendar.years),
        unissued=tuple(year for year in years if year not in calendar.years),
    )


@dataclass(frozen=True, slots=True)
class Due:
    """A term. ``by``: its last day; ``done_on``: when it was done. A right that was not used ran out; a duty that was not done is
    overdue. ``provisional``: a year's calendar is not issued."""

    what: What
    by: date
    working_days: int
    clause: str
    set_by: str | None
    provisional: bool
    done_on: date | None
    state: State


@dataclass(frozen=True, slots=True)
class TooShort:
    """A day that a step names, earlier than the rules allow: ``least`` is the earliest."""

    step: str
    field: str
    given: date
    least: date
    working_days: int
    clause: str
    provisional: bool
    zh: str
    en: str


def dues(heard: Heard, rule: HearingRule, calendar: WorkCalendar, through: date | None) -> tuple[Due, ...]:
    """The terms that have begun, in their order. ``through``: the last closed day."""
    return tuple(_dues(heard, rule, calendar, through))


def _dues(heard: Heard, rule: HearingRule, calendar: WorkCalendar, through: date | None) -> Iterator[Due]:
    notice, reply, decision, appeal = heard.notice, heard.reply, heard.decision, heard.appeal
    if notice is None:
        return
    replying = _due("reply", rule.reply, notice.served_on, calendar, through, notice.day("reply_by"), reply)
    if replying is not None:
        yield replying
    begun = (
        heard.sent_back.occurred_on
        if heard.sent_back
        else reply.occurred_on
        if reply
        else replying.by
        if replying and replying.state == "ran_out"
        else None
    )
    if begun is None and decision is not None:
        begun = decision.occurred_on
    if begun is not None and (deciding := _due("decision", rule.decision, begun, calendar, through, None, decision)) is not None:
        yield deciding
    if decision is None or heard.outcome == "remitted" or (heard.outcome == "cleared" and heard.on_appeal is None):
        return
    appealing = _due("appeal", rule.appeal, decision.served_on, calendar, through, decision.day("appeal_by"), appeal)
    if appealing is not None:
        yield appealing
    if appeal is not None:
        last = _due("appeal_decision", rule.appeal_decision, appeal.occurred_on, calendar, through, None, heard.on_appeal)
        if last is not None:
            yield last


def _due(
    what: What, term: Parameter, start: date, calendar: WorkCalendar, through: date | None, named: date | None, done: Step | None
) -> Due | None:
    ended = _end(term, start, calendar)
    if ended is None:
        return None
    counted, value = ended
    by = max(counted.day, named) if named else counted.day
    done_on = done.occurred_on if done else None
    state: State = "running"
    if done_on is not None:
        state = "done" if done_on <= by else "done_late"
    elif through is not None and through >= by:
        state = "ran_out" if what in ("reply", "appeal") else "overdue"
    return Due(what, by, counted.number, value.clause, term.set_by, counted.provisional, done_on, state)


def _end(term: Parameter, start: date, calendar: WorkCalendar) -> tuple[Counted, DatedValue] | None:
    """The end of a term, by the value in force on its day 0; None where the rules set none."""
    value = term.dated_at(start)
    if value is None or value.value is None:
        return None
    return calendar.nth_after(start, int(str(value.value))), value


def too_short(heard: Heard, rule: HearingRule, calendar: WorkCalendar) -> tuple[TooShort, ...]:
    """Days of the newest round's steps that are earlier than the rules allow."""
    found = []
    for step, field, term in ((heard.notice, "reply_by", rule.reply), (heard.decision, "appeal_by", rule.appeal)):
        given = step.day(field) if step else None
        if step is None or given is None:
            continue
        ended = _end(term, step.served_on, calendar)
        if ended is not None and given < ended[0].day:
            found.append(_short(step, field, given, ended[0], ended[1].clause))
    return tuple(found)


def _short(step: Step, field: str, given: date, counted: Counted, clause: str) -> TooShort:
    zh = f"{field} 写的是 {given}，自送达（{step.served_on}）起第{counted.number}个工作日为 {counted.day}；以后者为准"
    en = (
        f"{field} is {given}; the {counted.number}th working day after service ({step.served_on}) is {counted.day}, "
        "and until then the term lasts"
    )
    return TooShort(step.id, field, given, counted.day, counted.number, clause, counted.provisional, zh, en)
