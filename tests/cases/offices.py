"""What offices adopt, do and owe: a ledger with their measures, and the duties that rating finds (四)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML

from services.rating.domain.controls import Controls
from services.rating.domain.duties import Duty
from services.rating.domain.facts import CONTROLS
from services.rating.domain.fold import duties_on
from services.rating.domain.subject import Subject
from tests.cases.ledger import OFFICE, RULEBOOKS, Ledger

OTHER = "/departments/drug/offices/section"
PERSON = "person:" + "1" * 32
SOMEBODY = "person:" + "2" * 32


@lru_cache
def schedules() -> dict[int, dict[str, Any]]:
    """The shipped calendars, as ``calendar.issued`` says them."""
    years = YAML(typ="safe").load((RULEBOOKS / "calendar-cn.yaml").read_text(encoding="utf-8"))["years"]
    return {
        one["year"]: {
            "country": "CN",
            "year": one["year"],
            "days_off": [day.isoformat() for day in one["days_off"]],
            "make_up_days": [day.isoformat() for day in one["make_up_days"]],
            "document": one["document"],
        }
        for one in years
    }


class Bureau(Ledger):
    """A ledger whose offices have adopted measures. ``calendars``: years issued from the beginning."""

    def __init__(self, *, calendars: tuple[int, ...] = (2024, 2025, 2026), **more: Any) -> None:
        super().__init__(**more)
        for year in calendars:
            self.calendar(year, on=f"{year - 1}-11-10")

    def calendar(self, year: int, *, on: str) -> str:
        data = {"occurred_on": on, **schedules()[year]}
        return self.enter("calendar.issued", data, subject="stack:calendar", known=date(2005, 1, 2) if year < 2027 else None)

    def adopted(
        self,
        clause: str,
        on: str,
        *,
        office: str = OFFICE,
        effect: str | None = None,
        withdrawn: bool = False,
        known: str | None = None,
        **more: Any,
    ) -> str:
        data = {"occurred_on": on, "regime": self.regime, "clause": clause, "in_force_from": effect or on, "withdrawn": withdrawn, **more}
        return self.enter("measures.adopted", data, subject=f"office:{office}", known=date.fromisoformat(known or on))

    def notified(self, on: str, *, office: str = OFFICE, listed: str = "seriously_discredited") -> str:
        data = {"occurred_on": on, "list": listed, "regime": self.regime, "clause": "四(四)6", "recipient": "样例劳动局", "as_of": on}
        return self.enter("list.notified", data | {"listed": 1, "list_sha256": "0" * 64}, subject=f"office:{office}")

    def case_closed(self, on: str, *, outcome: str = "penalised", number: str | None = None, known: str | None = None) -> str:
        data = {"occurred_on": on, "case_no": number or f"C-{on}", "outcome": outcome}
        return self.enter("case.closed", data, known=date.fromisoformat(known or on))

    def rechecked(self, on: str, **more: Any) -> str:
        return self.inspected(on, kind="recheck", **more)

    def rectified(self, on: str) -> str:
        return self.enter("rectification.reported", {"occurred_on": on, "violations": ["GSP-07"], "statement": "样例：已改正"})

    def self_inspected(self, on: str, **more: Any) -> str:
        items = [{"code": "GSP-07", "result": "pass"}]
        return self.enter("self_inspection.reported", {"occurred_on": on, "items": items, **more})

    def applied(self, on: str, *, accepted: str | None, decide_by: str | None, person: str | None = PERSON) -> str:
        data: dict[str, Any] = {"occurred_on": on, "application_no": f"S-{on}", "permit_kind": "drug_retail"}
        named = {"responsible_person": person, "accepted_on": accepted, "decide_by": decide_by}
        return self.enter("permit.applied_for", data | {key: value for key, value in named.items() if value})

    def extended(self, application: str, on: str, *, decide_by: str, to: str) -> str:
        data = {
            "occurred_on": on,
            "document_no": f"Y-{on}",
            "application": self.ref(application),
            "application_no": "S",
            "clause": "四(四)7",
        }
        data |= {"responsible_person": PERSON, "discredited": self.subject, "grade": "3c1bb2a4-7a55-8c0e-9d3e-0a54c6f0e001"}
        data |= {"decide_by": decide_by, "extended_to": to, "reasons": "样例：从严审查", "approved_by": "officer:approver-one"}
        return self.enter("notice_of_extension.issued", data)

    # what rating says
    def duties(self, day: str, measure: str | None = None) -> list[Duty]:
        """As of a day, from everything entered; the first due first."""
        subject, controls = Subject(self.subject, 3), Controls()
        for fact in self.facts:
            controls.apply(fact) if fact.name in CONTROLS else subject.apply(fact)
        found = duties_on(subject, controls, self.book, upto=self.offset, as_of=date.fromisoformat(day))
        return [one for one in found if measure in (None, one.measure.name)]

    def states(self, day: str, measure: str | None = None) -> list[str]:
        return [one.state for one in self.duties(day, measure)]

    def duty(self, day: str, measure: str) -> Duty:
        """The only one."""
        [one] = self.duties(day, measure)
        return one

    def said(self) -> list[tuple[str, str | None, str]]:
        """What is told of duties: kind, the state before, the state."""
        found = []
        for one in self.told():
            kind = one.event["type"].removeprefix("mingjian.").removesuffix(".v1")
            if kind.startswith("duty."):
                found.append((kind, one.event["data"]["previous_state"], one.event["data"]["state"]))
        return found


SCORES = {"A": "99", "B": "95", "C": "85", "D": "75", "E": "60"}


def graded(grade: str, *clauses: str, adopted: str = "2025-02-01", **more: Any) -> Bureau:
    """An enterprise that has the grade from 15 January 2025 by its score, and an office that adopted the clauses."""
    ledger = Bureau(**more)
    ledger.registered("2010-03-01", responsible_person=PERSON)
    ledger.started("2010-03-01")
    ledger.scored(2024, SCORES[grade])
    ledger.evaluated(2024)
    for clause in clauses:
        ledger.adopted(clause, adopted)
    return ledger
