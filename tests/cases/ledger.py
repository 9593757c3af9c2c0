"""Writes the facts of a case as an office would enter them, and asks rating for the grade on a day.

Every event is checked against the contract's model, so a case can't rest on an event that intake would refuse.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.envelope import check_data, lookup
from schemas.rulebook import load_rulebook
from schemas.times import instant
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, Fact, compact
from services.rating.domain.fold import Book, Told, decide
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject

RULEBOOKS = Path(__file__).resolve().parents[2] / "rulebooks"
OFFICE = "/departments/drug/offices/workstation"
SHOP = "uscc:91350100M000100Y43"
PROPOSAL = "3c1bb2a4-7a55-8c0e-9d3e-0a54c6f0e001"
TWO_OFFICERS = ["officer:inspector-one", "officer:inspector-two"]


@lru_cache
def book(regime: str) -> Book:
    """The repository's rulebook of a regime."""
    return Book.of(load_rulebook(RULEBOOKS / regime))


@lru_cache
def without_approval(whole: Book) -> Book:
    """The same rulebook with approval switched off by its own parameter, so that a case sees what conditions alone say."""
    periodic = whole.rulebook.periodic
    if periodic is None or periodic.approval is None:
        return whole
    off = whole.rulebook.parameter(periodic.approval.required)
    off = off.model_copy(update={"values": tuple(value.model_copy(update={"value": False}) for value in off.values)})
    parameters = tuple(off if one.name == off.name else one for one in whole.rulebook.parameters)
    return Book.of(whole.rulebook.model_copy(update={"parameters": parameters}))


def morning(on: date) -> int:
    """09:00 in China on a day, epoch ms."""
    return int(datetime(on.year, on.month, on.day, 1, tzinfo=UTC).timestamp() * 1000)


class Ledger:
    """One enterprise's facts in one partition. Methods that enter a fact return its event id; ``source`` is the office that does.

    ``approving``: grades that need approval wait for it, as the rulebook has it; else conditions alone decide.
    ``known`` (a date) is the day on which the record reached Kafka; by default the act's own day or the newest so far."""

    def __init__(self, regime: str = "liyujiang", *, subject: str = SHOP, activated: bool = True, approving: bool = False) -> None:
        self.book = book(regime) if approving else without_approval(book(regime))
        self.regime = regime
        self.subject = subject
        self.facts: list[Fact] = []
        self.offset = 0
        self.clock = 0
        self.source = OFFICE
        if activated:
            self.activate()

    def activate(self, *, sha256: str | None = None, in_force_from: str = "2005-01-01", on: str = "2005-01-01") -> str:
        data = {
            "occurred_on": on,
            "regime": self.regime,
            "version": self.book.rulebook.version,
            "sha256": sha256 or self.book.sha256,
            "in_force_from": in_force_from,
        }
        return self.enter("rulebook.activated", data, known=date.fromisoformat(on))

    def enter(self, name: str, data: dict[str, Any], *, known: date | None = None, id: str | None = None) -> str:
        row = lookup(f"mingjian.{name}.v1")
        assert row is not None and row.wired, name
        return self.take(name, data, known=known, id=id)

    def take(self, name: str, data: dict[str, Any], *, known: date | None = None, id: str | None = None) -> str:
        """The same, of a type that intake may not take yet."""
        row = lookup(f"mingjian.{name}.v1")
        assert row is not None, name
        check_data(row, data)
        own = known or date.fromisoformat(data.get("occurred_on") or "2020-01-01")
        self.clock = max(self.clock, morning(own) + self.offset % 1000)
        event_id = id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.subject}/{name}/{self.offset}"))
        event = {"id": event_id, "source": self.source, "type": row.type, "subject": self.subject, "data": data}
        entry = {"received_at": instant(self.clock)}
        fact = compact(event, entry, partition=3, offset=self.offset, known=self.clock, stamp=self.clock)
        assert fact is not None
        self.offset += 1
        self.facts.append(fact)
        return event_id

    def __repr__(self) -> str:
        """Line by line what was entered, for a reader of a case that fails."""
        lines = (f"{fact.offset} {instant(fact.known)[:10]} {fact.name} {fact.data}" for fact in self.facts)
        return "\n".join((f"{self.regime} {self.book.sha256[:8]}", *lines))

    # what offices enter
    def registered(self, on: str = "2010-03-01", **more: Any) -> str:
        data = {"occurred_on": on, "name": "样例药店", "business_kind": "drug_retail", "regimes": [self.regime], **more}
        return self.enter("enterprise.registered", data)

    def opened(self, on: str = "2010-03-01") -> str:
        """Registered, and in operation from the day."""
        self.registered(on)
        return self.started(on)

    def started(self, on: str) -> str:
        return self.enter("operation.started", {"occurred_on": on})

    def interrupted(self, on: str, until: str | None = None) -> str:
        return self.enter("operation.interrupted", {"occurred_on": on} | ({"until": until} if until else {}))

    def closed(self, on: str, reason: str = "closed") -> str:
        return self.enter("enterprise.closed", {"occurred_on": on, "reason": reason})

    def inspected(self, on: str, *, found: tuple[str, ...] = (), corrected: tuple[str, ...] = (), **more: Any) -> str:
        data: dict[str, Any] = {"occurred_on": on, "kind": "routine", "mode": "on_site", **more}
        if found:
            data["violations"] = list(found)
        if corrected:
            data["corrected"] = list(corrected)
        return self.enter("inspection.recorded", data)

    def warned(
        self,
        on: str,
        *,
        served: str | None = "same",
        violation: str = "GSP-07",
        term: str | None = None,
        field: str = "drug",
        ordered: bool | None = None,
    ) -> str:
        """``ordered``: whether it orders correction; by default where it sets a term."""
        data = {
            "occurred_on": on,
            "document_no": f"W-{on}",
            "violation": violation,
            "legal_field": field,
            "correction_ordered": term is not None if ordered is None else ordered,
            **_service(on, served),
            **({"correct_by": term} if term else {}),
        }
        return self.enter("warning.issued", data, known=_known(on, served))

    def announced(self, on: str, *, violation: str = "GSP-07", term: str | None = None, of: str | None = None) -> str:
        """``of``: the id of the act that is announced, where the announcement is no act of its own."""
        data = {"occurred_on": on, "document_no": f"N-{on}", "violation": violation, "legal_field": "drug", **_service(on, "same")}
        announces = {"announces": {"source": self.source, "id": of}} if of else {}
        return self.enter("announcement.made", data | announces | ({"correct_by": term} if term else {}))

    def ordered(self, on: str, *, served: str | None = "same", field: str = "drug") -> str:
        data = {"occurred_on": on, "document_no": f"O-{on}", "violations": ["GSP-07"], "legal_field": field, **_service(on, served)}
        return self.enter("correction.ordered", data, known=_known(on, served))

    def penalised(self, on: str, *acts: dict[str, Any], served: str | None = "same", known: str | None = None) -> str:
        data = {"occurred_on": on, "document_no": f"P-{on}", "acts": list(acts), **_service(on, served)}
        return self.enter("penalty.decided", data, known=date.fromisoformat(known) if known else _known(on, served))

    def fined(self, on: str, *, served: str | None = "same", known: str | None = None, field: str = "drug") -> str:
        return self.penalised(on, act("fine", field=field), served=served, known=known)

    def other_department(
        self, on: str, *acts: dict[str, Any], served: str | None = "same", number: str | None = None, authority: str = "样例县物价局"
    ) -> str:
        """A penalty of another department; without acts a fine under price law."""
        data = {"occurred_on": on, "document_no": number or f"OD-{on}", "authority": authority, **_service(on, served)}
        data["acts"] = list(acts) or [act("fine", field="price")]
        return self.enter("other_department.penalised", data, known=_known(on, served))

    def served(self, document: str, on: str, *, known: str | None = None) -> str:
        data = {"occurred_on": on, "document": document, "document_no": "P", "service": {"served_on": on, "method": "post"}}
        return self.enter("document.served", data, known=date.fromisoformat(known or on))

    def obstructed(self, on: str, *, served: str | None = "same") -> str:
        data = {"occurred_on": on, "document_no": f"X-{on}", "act": "inspection", "reply": "chance_given", "officers": TWO_OFFICERS}
        return self.enter("obstruction.determined", data | _service(on, served), known=_known(on, served))

    def convicted(self, on: str, *, final: bool = True, field: str = "drug") -> str:
        data = {"occurred_on": on, "document_no": f"J-{on}", "legal_field": field, "final": final, **_service(on, "same")}
        return self.enter("crime.judged", data)

    def permit_revoked(self, on: str, *, whole: bool, served: str | None = "same") -> str:
        data = {"occurred_on": on, "document_no": f"R-{on}", "permit_no": "XZ-1", "whole": whole, **_service(on, served)}
        return self.enter("permit.revoked", data, known=_known(on, served))

    def scored(self, year: int, total: str, *, final: bool = True, on: str | None = None, maximum: str = "100") -> str:
        data = {
            "occurred_on": on or f"{year}-12-20",
            "regime": self.regime,
            "year": year,
            "maximum": maximum,
            "deductions": [],
            "total": total,
            "final": final,
            "standard": "example",
        }
        return self.enter("score.recorded", data)

    def evaluated(self, year: int, *, on: str | None = None, known: str | None = None) -> str:
        """The year's evaluation, by default on 15 January of the next; ``known`` where it is entered on another day."""
        on = on or f"{year + 1}-01-15"
        data = {
            "occurred_on": on,
            "regime": self.regime,
            "period": {"first": f"{year}-01-01", "last": f"{year}-12-31"},
            "evaluation_date": on,
        }
        return self.enter("evaluation.closed", data, known=date.fromisoformat(known or on))

    def day_closed(self, through: str) -> str:
        """The close of a day, entered on the next morning."""
        data = {"through": through, "time_zone": "Asia/Shanghai"}
        return self.enter("day.closed", data, known=date.fromisoformat(through) + timedelta(days=1))

    # what an approver says
    def approved(self, grade: str, on: str, **more: Any) -> str:
        data = {"occurred_on": on, "regime": self.regime, "proposal": PROPOSAL, "grade": grade, "approved_by": "officer:approver-one"}
        return self.enter("grade.approved", data | more)

    def returned(self, grade: str, on: str, **more: Any) -> str:
        data = {"occurred_on": on, "regime": self.regime, "proposal": PROPOSAL, "grade": grade, "returned_by": "officer:approver-one"}
        return self.enter("grade.returned", data | {"reason": "样例：证据不足"} | more)

    # what takes a fact out of effect
    def ref(self, id: str) -> dict[str, str]:
        """The fact of this id, by its office."""
        return {"source": next(fact.source for fact in self.facts if fact.id == id), "id": id}

    def annulled(self, id: str, on: str) -> str:
        data = {"occurred_on": on, "document_no": f"AN-{on}", "act": self.ref(id), "ground": "reconsideration", "authority": "样例复议机关"}
        return self.enter("act.annulled", data)

    def changed(self, id: str, on: str, replacement: dict[str, Any], *, served: str | None = "same") -> str:
        """``replacement``: the decision's data as they shall read; of the same type."""
        data = {"occurred_on": on, "document_no": f"CH-{on}", "act": self.ref(id), "ground": "litigation", "authority": "样例法院"}
        return self.enter("act.changed", data | {"replacement": self._replacement(id, replacement)} | _service(on, served))

    def corrected_entry(self, id: str, on: str, replacement: dict[str, Any]) -> str:
        data = {"occurred_on": on, "entry": self.ref(id), "ground": "wrong_content", "origin": "self_reported", "reason": "样例：笔误"}
        return self.enter("entry.corrected", data | {"replacement": self._replacement(id, replacement)})

    def retracted(self, id: str, on: str, ground: str = "wrong_subject") -> str:
        data = {"occurred_on": on, "entry": self.ref(id), "ground": ground, "origin": "supervision", "reason": "样例：录错"}
        return self.enter("entry.retracted", data)

    def objection_upheld(self, id: str, on: str) -> str:
        data = {"occurred_on": on, "document_no": f"OB-{on}", "objection": id, "outcome": "upheld", "entry": self.ref(id)}
        return self.enter("objection.decided", data | {"decided_by": "officer:decider-one", "reason": "样例：成立"})

    def repaired(self, id: str, on: str, effective: str | None = None) -> str:
        data = {"occurred_on": on, "document_no": f"RE-{on}", "acts": [self.ref(id)], "outcome": "granted", "basis": ["article 1"]}
        return self.enter("repair.decided", data | {"effective_from": effective or on})

    def _replacement(self, id: str, data: dict[str, Any]) -> dict[str, Any]:
        named = next(fact for fact in self.facts if fact.id == id)
        return {"type": named.type, "data": data}

    # what rating says
    def told(self) -> list[Told]:
        """Every grade event, step by step, as the live driver tells them."""
        subject, controls, told = Subject(self.subject, 3), Controls(), []
        for fact in self.facts:
            if fact.name in CONTROLS and not controls.apply(fact):
                continue
            told += decide(subject, controls, {self.regime: self.book}, fact)
        return told

    def public(self) -> list[Told]:
        """Those that are for the public: what is in force, and what was."""
        return [one for one in self.told() if one.event["type"] not in ("mingjian.grade.proposed.v1", "mingjian.proposal.closed.v1")]

    def determined(self) -> list[Told]:
        """Those that tell what holds, without those that tell what held."""
        return [one for one in self.told() if one.event["type"] == "mingjian.grade.determined.v1"]

    def corrected(self) -> list[tuple[str, str, str | None, str | None]]:
        """The days that turned out otherwise: first, last, what they were told as, what held."""
        found = []
        for one in self.told():
            data = one.event["data"]
            if one.event["type"] == "mingjian.grade.corrected.v1":
                was, now = (data["previous_grade"] or data["previous_status"], data["grade"] or data["status"])
                found.append((data["in_force_from"], data["corrected_to"], was, now))
        return found

    def now(self) -> Standing | None:
        """The standing after the last fact."""
        return self.on(None)

    def on(self, day: str | None) -> Standing | None:
        """The standing on a day, from all facts entered."""
        from services.rating.domain.grade import standing

        subject, controls = Subject(self.subject, 3), Controls()
        for fact in self.facts:
            controls.apply(fact) if fact.name in CONTROLS else subject.apply(fact)
        last = datetime.fromtimestamp(self.clock / 1000, UTC).date()
        as_of = date.fromisoformat(day) if day else last
        return standing(subject, controls, self.book, upto=self.offset, as_of=as_of)

    def proposed(self, day: str | None = None) -> str | None:
        """The grade that awaits approval, if there is one."""
        found = self.on(day)
        return found.proposed.grade if found and found.proposed else None

    def grade(self, day: str | None = None) -> str | None:
        """Grade, or the status word where there is no grade."""
        found = self.on(day)
        return None if found is None else found.grade or found.status


def act(*kinds: str, field: str = "drug", concepts: tuple[str, ...] = (), violation: str = "GSP-07", approvals: int | None = None) -> dict:
    """One act of a penalty decision."""
    found: dict[str, Any] = {
        "violation": violation,
        "kinds": list(kinds),
        "legal_field": field,
        "basis": ["article 1"],
        "gravity": "general",
        "fault": "negligence",
    }
    if concepts:
        found["concepts"] = list(concepts)
    if approvals:
        found["approvals_revoked"] = approvals
    return found


def _service(on: str, served: str | None) -> dict[str, Any]:
    if served is None:
        return {}
    return {"service": {"served_on": on if served == "same" else served, "method": "handed_over"}}


def _known(on: str, served: str | None) -> date:
    return date.fromisoformat(on if served in (None, "same") else served)


def shop(started: str = "2010-03-01", *, approving: bool = False) -> Ledger:
    """A ledger with an enterprise that has been open since ``started``."""
    ledger = Ledger(approving=approving)
    ledger.opened(started)
    return ledger
