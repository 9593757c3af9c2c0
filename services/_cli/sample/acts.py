"""Single acts of the sample town's officers: what happened, on which days, and nothing yet about when it was entered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from services._cli.sample.enterprises import Enterprise
from services._cli.sample.people import REGIME, Officer
from services._cli.sample.workdays import Workdays

ZONE = ZoneInfo("Asia/Shanghai")
STANDARD = "样例评分标准"

# Types that the town's officers enter late now and then: an enforcement activity, or a served document (五(三) ¶1).
ENFORCEMENT = frozenset(
    {
        "inspection.recorded",
        "sampling.recorded",
        "case.opened",
        "case.closed",
        "warning.issued",
        "correction.ordered",
        "penalty.decided",
        "obstruction.determined",
        "document.served",
    }
)


@dataclass(frozen=True)
class Act:
    """``day_zero``: the latest of the activity's end, its result and the service of its document (R13). ``handle`` and ``refers``
    tie a service to its decision before either has an id; ``decided``: the day of that decision; ``served``: of a decision, when
    a record of its own will say that it was served. ``entry`` fixes when it is entered; '' leaves that to chance."""

    type: str
    subject: str
    lead: Officer
    data: dict[str, Any]
    day_zero: date
    ended: datetime | None = None
    handle: str = ""
    refers: str = ""
    decided: date | None = None
    served: date | None = None
    entry: str = ""
    why: str = ""
    private: dict[str, str] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """True where an entry can be late: a decision that awaits service has no deadline yet."""
        awaiting = self.type == "penalty.decided" and "service" not in self.data and self.served is None
        return self.type in ENFORCEMENT and not awaiting

    @property
    def due_from(self) -> date:
        """The day that the term begins after, once everything is known."""
        return self.served or self.day_zero

    @property
    def acted_on(self) -> date:
        """The act's own day, which go-live is held against: of a service that of the decision (R13)."""
        return self.decided or date.fromisoformat(self.data["occurred_on"])

    def entered(self, entry: str, why: str) -> Act:
        """The same act with its entry fixed."""
        return replace(self, entry=entry, why=why)


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """An instant of the town's wall clock."""
    return datetime.combine(day, time_of_day(hour, minute, second), ZONE)


def instant(moment: datetime) -> str:
    """UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True)
class Hand:
    """What writes the acts of one enterprise: its chance, its calendar, its officers."""

    rng: Random
    workdays: Workdays
    enterprise: Enterprise
    staff: tuple[Officer, ...]

    def officer(self) -> Officer:
        return self.rng.choice(self.staff)

    def second(self, lead: Officer) -> Officer:
        """The colleague who comes along."""
        return self.rng.choice([one for one in self.staff if one != lead])

    def document_no(self, kind: str, day: date) -> str:
        return f"样例{kind}〔{day.year}〕{self.rng.randint(1, 99999):05d}号"

    def make(self, kind: str, lead: Officer, data: dict[str, Any], day_zero: date, **more: Any) -> Act:
        return Act(kind, self.enterprise.subject, lead, data, day_zero, **more)

    def inspection(
        self,
        day: date,
        *,
        kind: str = "routine",
        violations: tuple[str, ...] = (),
        corrected: tuple[str, ...] = (),
    ) -> Act:
        """A visit of one to three hours on ``day``, or a written check."""
        lead = self.officer()
        start = at(day, self.rng.choice((8, 9, 10, 13, 14)), self.rng.choice((30, 35, 40, 50)))
        end = start + timedelta(minutes=self.rng.randint(40, 130))
        on_site = bool(violations or corrected) or self.rng.random() < 0.85
        codes = sorted(self.rng.sample(range(1, 41), self.rng.randint(2, 5)))
        items = [{"code": f"GSP-{number:02d}", "result": "pass"} for number in codes]
        data: dict[str, Any] = {
            "occurred_on": day.isoformat(),
            "kind": kind,
            "mode": "on_site" if on_site else "written",
            "started_at": instant(start),
            "ended_at": instant(end),
            "officers": sorted({lead.pseudonym, self.second(lead).pseudonym}),
            "items": items + [{"code": code, "result": "fail"} for code in violations],
            "regime": REGIME,
        }
        if violations:
            data["violations"] = list(violations)
        if corrected:
            data["corrected"] = list(corrected)
        return self.make("inspection.recorded", lead, data, day, ended=end)

    def sampling(self, day: date, *, qualified: bool = True) -> Act:
        lead = self.officer()
        data = {
            "occurred_on": day.isoformat(),
            "product": f"样例{self.rng.choice(('感冒颗粒', '维生素片', '止咳糖浆', '创可贴', '体温计', '益气丸'))}",
            "batch_no": f"YL{self.rng.randint(100000, 999999)}",
            "result": "qualified" if qualified else "unqualified",
            "report_no": self.document_no("检", day),
        }
        return self.make("sampling.recorded", lead, data, day)

    def _service(self, decided: date, longest: int) -> tuple[dict[str, Any], date]:
        served = self.workdays.after(decided, self.rng.randint(0, longest))
        method = "handed_over" if served == decided else self.rng.choice(("handed_over", "left", "post", "electronic"))
        return {"served_on": served.isoformat(), "method": method}, served

    def warning(self, day: date, violation: str, *, ordered: bool = True) -> tuple[Act, date]:
        """A warning served within three working days. Returns it and the last day of the term to correct."""
        service, served = self._service(day, 3)
        correct_by = served + timedelta(days=self.rng.randint(7, 20))
        data = {
            "occurred_on": day.isoformat(),
            "document_no": self.document_no("警", day),
            "service": service,
            "violation": violation,
            "legal_field": "device" if self.enterprise.kind.startswith("device") else "drug",
            "correct_by": correct_by.isoformat(),
            "correction_ordered": ordered,
        }
        return self.make("warning.issued", self.officer(), data, served), correct_by

    def order(self, day: date, violation: str) -> Act:
        """An order to correct without a warning (R5)."""
        service, served = self._service(day, 2)
        data = {
            "occurred_on": day.isoformat(),
            "document_no": self.document_no("改", day),
            "service": service,
            "violations": [violation],
            "legal_field": "drug",
            "correct_by": (served + timedelta(days=15)).isoformat(),
        }
        return self.make("correction.ordered", self.officer(), data, served)

    def penalty(self, day: date, act: dict[str, Any], *, served: bool = True) -> Act:
        """A decision with one act. Without service it is awaiting service; its handle lets a later service find it."""
        document_no = self.document_no("罚", day)
        data: dict[str, Any] = {"occurred_on": day.isoformat(), "document_no": document_no, "acts": [act]}
        day_zero = day
        if served:
            data["service"], day_zero = self._service(day, 8)
        return self.make("penalty.decided", self.officer(), data, day_zero, handle=f"{self.enterprise.subject} {document_no}")

    def two_days(self, day: date) -> Act:
        """An inspection of a night shift: it ends on the next day."""
        act = self.inspection(day)
        start, end = at(day, 22, 30), at(day + timedelta(days=1), 1, 15)
        data = {**act.data, "started_at": instant(start), "ended_at": instant(end)}
        return replace(act, data=data, day_zero=end.date(), ended=end)

    def sampled(self, day: date, result_on: date) -> tuple[Act, Act]:
        """A sample whose result comes later: an entry when it is taken, and one when the result is there."""
        number = self.document_no("样", day)
        first = self.sampling(day)
        taken = {name: value for name, value in first.data.items() if name not in ("result", "report_no")} | {"sample_no": number}
        result = {**taken, "result": "qualified", "result_on": result_on.isoformat(), "report_no": self.document_no("检", result_on)}
        return replace(first, data={**taken, "result": "pending"}), replace(first, data=result, day_zero=result_on)

    def served_later(self, decision: Act, day: date) -> Act:
        data = {
            "occurred_on": day.isoformat(),
            "document_no": decision.data["document_no"],
            "service": {"served_on": day.isoformat(), "method": "notice"},
        }
        return self.make("document.served", decision.lead, data, day, refers=decision.handle, decided=decision.acted_on)

    def score(self, day: date, year: int, total_halves: int, *, final: bool) -> Act:
        """``total_halves``: the total in half points, of 200. Deductions are dealt over items until they add up (R15)."""
        left = 200 - total_halves
        deductions: list[dict[str, str]] = []
        for number in self.rng.sample(range(1, 31), 30):
            if not left:
                break
            taken = min(left, self.rng.randint(1, 8) if len(deductions) < 29 else left)
            left -= taken
            deductions.append({"item": f"YL-{number:02d}", "points": halves(taken)})
        data = {
            "occurred_on": day.isoformat(),
            "regime": REGIME,
            "year": year,
            "maximum": "100",
            "deductions": deductions,
            "total": halves(total_halves + left),
            "final": final,
            "standard": STANDARD,
        }
        return self.make("score.recorded", self.officer(), data, day)


def halves(count: int) -> str:
    """Half points as a decimal string: 3 → "1.5"."""
    return f"{count // 2}.5" if count % 2 else str(count // 2)
