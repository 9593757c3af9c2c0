"""A hearing for tests: who takes part, and its steps as events."""

from __future__ import annotations

from typing import Any

from schemas.envelope import open_record
from services.audit.domain.hearings import Step, step_of
from tests import toolkit as kit

AUDIT_OFFICE = "/departments/yangli/offices/supervision"
_HEARD = ("uscc", "officer", "office")
AUDITOR = kit.Person("test-auditor", "auditor", AUDIT_OFFICE, schemes=_HEARD)
DECIDER = kit.Person("test-decider", "approver", AUDIT_OFFICE, schemes=_HEARD)
OTHER_DECIDER = kit.Person("test-other-decider", "auditor", AUDIT_OFFICE, schemes=_HEARD)
EVERYBODY = (kit.OFFICER, kit.COLLEAGUE, AUDITOR, DECIDER, OTHER_DECIDER)
HEARD = kit.OFFICER.pseudonym
MATTER, FINDING = kit.new_id("matter"), kit.new_id("finding")


def notified(subject: str = HEARD, *, day: str = "2027-03-01", reply_by: str = "2027-03-15", **more: Any) -> dict[str, Any]:
    """A notice served on ``day``."""
    data = {
        "occurred_on": day,
        "finding": FINDING,
        "matter": MATTER,
        "document_no": "样例知〔2027〕1号",
        "service": {"served_on": day, "method": "handed_over"},
        "entries": [],
        "concerns": [HEARD],
        "reply_by": reply_by,
        "clause": "五(三) ¶1",
    }
    return kit.event("finding.notified", data | more, subject=subject, source=AUDIT_OFFICE)


def replied(subject: str = HEARD, *, day: str = "2027-03-10", by: kit.Person = kit.OFFICER, **more: Any) -> dict[str, Any]:
    """A reply."""
    data = {"occurred_on": day, "finding": FINDING, "matter": MATTER, "replied_by": by.pseudonym, "waived": False, "excuse": "outage"}
    return kit.event("finding.replied", data | {"statement": "样例：当日断网。"} | more, subject=subject, source=by.office)


def decided(subject: str = HEARD, *, day: str = "2027-03-20", by: kit.Person = DECIDER, **more: Any) -> dict[str, Any]:
    """A first decision that confirms, served on ``day``."""
    data = {
        "occurred_on": day,
        "finding": FINDING,
        "matter": MATTER,
        "document_no": "样例处〔2027〕1号",
        "service": {"served_on": day, "method": "handed_over"},
        "instance": "first",
        "outcome": "confirmed",
        "intent": "not_found",
        "grade_affected": False,
        "consequence": "none",
        "decided_by": by.pseudonym,
        "involved": [],
        "appeal_by": "2027-04-12",
        "reasons": "样例：故障不在期限内。",
    }
    return kit.event("finding.decided", data | more, subject=subject, source=by.office)


def appealed(decision: dict[str, Any], *, day: str = "2027-03-25", by: kit.Person = kit.OFFICER, **more: Any) -> dict[str, Any]:
    """An appeal against ``decision``."""
    data = {"occurred_on": day, "finding": FINDING, "matter": MATTER, "decision": decision["id"], "appealed_by": by.pseudonym}
    return kit.event("finding.appealed", data | {"grounds": "样例：监测记录未计入。"} | more, subject=decision["subject"], source=by.office)


def decided_on(appeal: dict[str, Any], *, day: str = "2027-04-20", by: kit.Person = OTHER_DECIDER, **more: Any) -> dict[str, Any]:
    """The decision on an appeal: cleared."""
    told = {"instance": "appeal", "appeal": appeal["id"], "outcome": "cleared", "intent": "not_examined", "appeal_by": None}
    made = decided(appeal["subject"], day=day, by=by, **(told | more))
    made["data"] = {name: value for name, value in made["data"].items() if value is not None}
    return made


SIGNERS = {one.pseudonym: one for one in (*EVERYBODY, kit.STRANGER)}


def signer_of(event: dict[str, Any]) -> kit.Person:
    """Who signs a step: the one whom it names, the auditor for a notice."""
    data = event["data"]
    return SIGNERS[data.get("replied_by") or data.get("decided_by") or data.get("appealed_by") or AUDITOR.pseudonym]


def steps(*events: dict[str, Any], days: tuple[str, ...] | None = None) -> list[Step]:
    """As the registry has them, received on their own days or on ``days``."""
    made = []
    for offset, event in enumerate(events):
        day = days[offset] if days else event["data"]["occurred_on"]
        value = kit.record(kit.signed(event, signer_of(event)), received_at=f"{day}T04:00:00.000Z")
        made.append(step_of(offset, open_record(value), signer_of(event).pseudonym, "Asia/Shanghai"))
    return made


def on_matter(matter: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """The same steps on another matter."""
    return [event | {"data": event["data"] | {"matter": matter, "finding": matter}} for event in events]
