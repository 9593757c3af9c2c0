"""Hearings: how each stands, what is due by when, what is overdue. Cleared is shown as cleared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from services.audit.domain.findings import event_of
from services.audit.domain.hearing_terms import Due, HearingRule, ReplyTerm, dues, reply_term, rule_for
from services.audit.domain.hearings import REASONS, SILENT, Heard, Hearing, Word
from services.audit.domain.registry import Registry, hearings_of
from services.audit.domain.workdays import WorkCalendar
from services.audit.web.console.base import STATES, Auditor, Desk, State, lang_of, to
from services.audit.web.console.words import CONSEQUENCE, INTENT, pick

SHOWN = 60
_Names = tuple[str, str]
STANDINGS: Mapping[str, _Names] = {
    "open": ("未告知", "Not notified"),
    "notified": ("已告知", "Notified"),
    "replied": ("已答复", "Replied"),
    "waived": ("放弃答复", "Reply waived"),
    "decided": ("已决定", "Decided"),
    "appealed": ("已申诉", "Appealed"),
    "final": ("已终结", "Final"),
}
OUTCOMES: Mapping[str, _Names] = {
    "confirmed": ("认定成立", "confirmed"),
    "cleared": ("已澄清", "cleared"),
    "remitted": ("发回重办", "sent back"),
}
STEPS: Mapping[str, _Names] = {
    "notified": ("告知", "Notified"),
    "replied": ("答复", "Replied"),
    "decided": ("决定", "Decided"),
    "appealed": ("申诉", "Appealed"),
}
DUES: Mapping[str, _Names] = {
    "reply": ("答复", "Reply"),
    "decision": ("作出决定", "Decision"),
    "appeal": ("申诉", "Appeal"),
    "appeal_decision": ("对申诉作出决定", "Decision on the appeal"),
}
DUE_STATES: Mapping[str, _Names] = {
    "done": ("已完成", "done"),
    "done_late": ("期满后完成", "done after the term"),
    "running": ("期限内", "running"),
    "ran_out": ("期满未用", "ran out unused"),
    "overdue": ("逾期未办", "overdue"),
}


def state_of(one: Hearing) -> State:
    """Where a matter stands by its hearing. A decision that can still be appealed against is none that holds."""
    if one.cleared:
        return "cleared"
    if one.standing == "final" and one.outcome == "confirmed":
        return "confirmed"
    return "hearing"


class Board:
    """The hearings as the registry has them now; worked out again when a step or a closed day came."""

    def __init__(self, registry: Callable[[], Registry], rules: Mapping[str, HearingRule]) -> None:
        self._registry, self._rules = registry, rules
        self._seen: tuple[int, int] | None = None
        self._found: Mapping[str, Hearing] = {}

    def hearings(self) -> Mapping[str, Hearing]:
        """By matter."""
        registry = self._registry()
        now = (len(registry.steps), len(registry.closings))
        if now != self._seen:
            self._found, self._seen = hearings_of(registry), now
        return self._found

    def word(self, matter: str) -> Word:
        """What the hearing on a matter says of what follows from it."""
        one = self.hearings().get(matter)
        return SILENT if one is None else one.word

    def standings(self) -> Mapping[str, State]:
        """Where matters stand that somebody was notified of."""
        return {matter: state_of(one) for matter, one in self.hearings().items() if one.standing != "open"}

    def terms(self, part: Heard, regime: str | None, calendar: WorkCalendar) -> tuple[Due, ...]:
        """What is due of a part by the rules of a regime; without one, by the only rules there are."""
        rule = rule_for(self._rules, regime)
        closings = self._registry().closings
        return dues(part, rule, calendar, date.fromisoformat(closings[-1][1]) if closings else None) if rule else ()

    def part(self, matter: str, subject: str) -> Heard | None:
        """What was heard of an officer or office on a matter, where there was a step."""
        one = self.hearings().get(matter)
        return next((part for part in one.parts if part.subject == subject), None) if one else None

    def reply_term(self, regime: str | None, served_on: date, calendar: WorkCalendar) -> ReplyTerm | None:
        """The earliest term to reply to a notice served on a day, by the rules that ``terms`` goes by."""
        rule = rule_for(self._rules, regime)
        return reply_term(rule, served_on, calendar) if rule else None


@dataclass(frozen=True)
class Row:
    """A part of a hearing in the list. ``next``: what is due, the overdue first."""

    href: str | None
    name: str
    who: str
    standing: str
    outcome: str | None
    state: State
    state_name: str
    next: Due | None

    @property
    def order(self) -> tuple[bool, bool, date]:
        """The overdue first, then by the day on which something is due."""
        overdue = self.next is not None and self.next.state == "overdue"
        return (not overdue, self.next is None, self.next.by if self.next else date.max)


def add(app: FastAPI, desk: Desk, board: Board, auditor: Auditor) -> None:
    """The route."""

    @app.get("/hearings", include_in_schema=False, dependencies=[Depends(auditor)])
    async def listed(request: Request) -> Response:
        lang, found = lang_of(request), board.hearings()
        calendar = await desk.reader.calendar()
        named = await desk.reader.named(list(found)) if found else {}
        rows = [_row(desk, board, one, part, named.get(matter), calendar, lang) for matter, one in found.items() for part in one.parts]
        rows.sort(key=lambda one: one.order)
        return desk.pages.render(
            request,
            "console/hearings.html",
            rows=rows[:SHOWN],
            more=max(0, len(rows) - SHOWN),
            overdue=sum(1 for one in rows if one.next and one.next.state == "overdue"),
            dues=DUES,
            due_states=DUE_STATES,
            pick=pick,
            through=desk.closed_through(),
            signed_in=True,
        )


def _row(desk: Desk, board: Board, one: Hearing, part: Heard, finding: Mapping[str, Any] | None, calendar: WorkCalendar, lang: str) -> Row:
    data = event_of(finding["value"])["data"] if finding else {}
    name = desk.words.kind(data["kind"], lang) if data else one.matter
    if entry := desk.words.event(data.get("event_type"), lang):
        name += f" · {entry}"
    left = [due for due in board.terms(part, data.get("regime"), calendar) if due.state in ("running", "overdue")]
    state = state_of(one)
    return Row(
        to(f"/findings/{finding['id']}", lang) if finding else None,
        name,
        part.subject,
        pick(STANDINGS, part.standing, lang),
        pick(OUTCOMES, part.outcome, lang) if part.outcome else None,
        state,
        pick(STATES, state, lang),
        min(left, key=lambda due: (due.state != "overdue", due.by), default=None),
    )


async def told(desk: Desk, board: Board, matter: str, regime: str | None, lang: str) -> list[dict[str, Any]]:
    """The parts of a matter's hearing for the finding's page: steps and terms in words."""
    one = board.hearings().get(matter)
    if one is None:
        return []
    calendar = await desk.reader.calendar()
    return [
        {
            "who": part.subject,
            "standing": pick(STANDINGS, part.standing, lang),
            "outcome": pick(OUTCOMES, part.outcome, lang) if part.outcome else None,
            "steps": _steps(part, lang),
            "dues": [(pick(DUES, due.what, lang), due, pick(DUE_STATES, due.state, lang)) for due in board.terms(part, regime, calendar)],
        }
        for part in one.parts
    ]


def _steps(part: Heard, lang: str) -> Sequence[dict[str, Any]]:
    found = []
    for taken in part.taken:
        step, why = taken.step, REASONS.get(taken.void or "")
        said = step.data
        words = [pick(OUTCOMES, said["outcome"], lang)] if said.get("outcome") else []
        if said.get("intent") == "on_purpose":
            words.append(pick(INTENT, said["intent"], lang))
        if said.get("consequence", "none") != "none":
            words.append(pick(CONSEQUENCE, said["consequence"], lang))
        text = said.get("statement") or said.get("reasons") or said.get("grounds")
        found.append(
            {
                "kind": pick(STEPS, step.kind, lang),
                "day": step.occurred_on.isoformat(),
                "signer": step.signer,
                "round": taken.round,
                "words": words,
                "text": text,
                "void": why and why[0 if lang == "zh" else 1],
                "place": {"topic": "mingjian.registry.v1", "partition": 0, "offset": step.offset},
            }
        )
    return found
