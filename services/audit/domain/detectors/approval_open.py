"""A proposed grade that nobody approved or returned within the term. 五(四) ¶3, R8.

The plan has the exemplary and the discredited grades approved and sets no term; the term here is the operator's
(``approval_working_days``). What is open is what rating's fold says of the same facts. Time stands still for nobody, so outages and
applications that waited are for people to weigh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from schemas.rulebook import Parameter, Rulebook
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Sign

_TERM = "approval_working_days"
_PROPOSED, _CLOSED = "grade.proposed", "proposal.closed"


@dataclass(frozen=True, slots=True)
class ApprovalTerm:
    """A regime's term. ``zone``: of its days."""

    regime: str
    term: Parameter
    zone: ZoneInfo

    @staticmethod
    def of(rulebook: Rulebook) -> ApprovalTerm | None:
        """The rulebook's, or None where it sets none."""
        found = next((one for one in rulebook.parameters if one.name == _TERM), None)
        return ApprovalTerm(rulebook.header.regime, found, ZoneInfo(rulebook.header.time_zone)) if found else None


@dataclass(slots=True)
class _Open:
    proposal: Entry
    since: date
    said: Sign | None = None


class ApprovalOpen:
    """Open proposals by subject and regime; looked at when a day ends."""

    declared = Declared(
        kind="approval_open",
        version=1,
        about="office",
        proposes="check",
        clause="五(四) ¶3",
        readings=("R8",),
        zh="等级审批逾期未办",
        en="An approval left open",
        rests_on_zh="五(四) ¶3：等级经批准才生效；期限由运行单位设定。",
        rests_on_en="五(四) ¶3: the grade takes effect on approval alone; the term is set by the operator",
        explanations=(
            Innocent("outage", "期间有申明的故障", "a declared outage fell into the time"),
            Innocent("lapsed", "条件已不具备，拟定等级失效", "the conditions fell away and the proposal lapsed"),
            Innocent("material_awaited", "等待补充材料或申辩", "material or a reply was waited for"),
        ),
        clears_zh="已批准或退回，并说明原因。",
        clears_en="The approval or return, with the reason for the delay.",
    )
    types = frozenset({_PROPOSED, _CLOSED})

    def __init__(self, editions: Mapping[str, Sequence[Rulebook]]) -> None:
        terms = (ApprovalTerm.of(many[0]) for many in editions.values() if many)
        self._terms = {one.regime: one for one in terms if one is not None}
        self._open: dict[tuple[str, str], _Open] = {}

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        """See ``Detector``."""
        of = (entry.subject, str(entry.data["regime"]))
        held = self._open.pop(of, None)
        if entry.type == _PROPOSED:
            if (term := self._terms.get(of[1])) is not None:
                self._open[of] = _Open(entry, _day(entry, term.zone))
        elif held is not None and held.said is not None:
            yield _answered(held.said, str(entry.data["outcome"]), _day(entry, self._terms[of[1]].zone))

    def close(self, closed: Closed) -> Iterator[Sign | Scanned]:
        """See ``Detector``."""
        for (subject, regime), held in self._open.items():
            term = self._terms[regime].term.dated_at(held.since)
            if held.said is not None or term is None or term.value is None:
                continue
            last = closed.scene.calendar.nth_after(held.since, int(term.value))
            if last.day < closed.through:
                held.said = _sign(subject, regime, held, last.day, last.provisional, int(term.value), closed)
                yield held.said


def _day(entry: Entry, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(entry.order.known // 1000, UTC).astimezone(zone).date()


def _sign(subject: str, regime: str, held: _Open, last: date, provisional: bool, days: int, closed: Closed) -> Sign:
    registry, stamp, data = closed.scene.registry, closed.scene.stamp, held.proposal.data
    grade = str(data["grade"])
    offices = registry.people.in_office("approver", subject, regime, stamp)
    began = held.since.isoformat()
    outage = any(one.started[:10] <= last.isoformat() and one.ended[:10] >= began for one in registry.at(stamp).outages)
    zh_more, en_more = ("（所涉年度日历尚未发布，暂定）", " (provisional: a calendar is not issued yet)") if provisional else ("", "")
    return Sign(
        matter=f"{subject} {regime} {held.proposal.id}",
        office=offices[0] if offices else str(data["cause"]["source"]),
        subject=subject,
        regime=regime,
        zh=f"拟定等级{grade}自{zh_day(held.since)}起待审批，{days}个工作日至{zh_day(last)}届满，仍未批准或退回{zh_more}。",
        en=f"Grade {grade} awaits approval since {en_day(held.since)}; {days} working days ended on {en_day(last)}, and it was neither "
        f"approved nor returned{en_more}.",
        values=(("proposed_on", began, None), ("last_day", last.isoformat(), None), ("working_days", str(days), None)),
        supported=frozenset({"outage"} if outage else ()),
    )


def _answered(said: Sign, outcome: str, day: date) -> Sign:
    zh = {"approved": "批准", "returned": "退回"}.get(outcome, "失效")
    lapsed = {"lapsed"} if outcome == "lapsed" else set()
    return replace(
        said,
        zh=f"{said.zh}{zh_day(day)}{zh}。",
        en=f"{said.en} It was closed on {en_day(day)}: {outcome}.",
        values=(*said.values, ("closed_on", day.isoformat(), None)),
        supported=said.supported | lapsed,
    )
