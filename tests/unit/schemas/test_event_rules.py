"""What ties the fields of an event together. Each case changes a golden event in one way and says what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.envelope import check_data
from schemas.events import CATALOGUE
from schemas.events.effect import NOT_REPLACEABLE
from tests.unit.schemas.goldens import golden_event

R1, A1 = "officer:yangli-r01", "officer:yangli-a01"


def changed(name: str, change: dict[str, Any]) -> dict[str, Any]:
    """The golden event's data with some fields replaced; None takes a field out."""
    data = {**golden_event(name)["data"], **change}
    return {key: value for key, value in data.items() if value is not None}


def refusal(name: str, change: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        check_data(CATALOGUE[f"mingjian.{name}.v1"], changed(name, change))
    return str(refused.value)


ACT = golden_event("penalty.decided")["data"]["acts"][0]
REF = golden_event("act.changed")["data"]["act"]
INSPECTION = {"type": "mingjian.inspection.recorded.v1", "data": {"occurred_on": "2026-03-10", "kind": "routine", "mode": "on_site"}}

CASES: list[tuple[str, str, dict[str, Any], str]] = [
    ("an officer twice", "inspection.recorded", {"officers": [R1, R1]}, "someone twice"),
    ("ends before it starts", "inspection.recorded", {"ended_at": "2026-03-10T01:39:59.999Z"}, "before started_at"),
    ("a component twice", "inspection.recorded", {"component_scores": [{"component": "a", "points": 1}] * 2}, "twice"),
    ("served before decided", "penalty.decided", {"service": {"served_on": "2026-05-17", "method": "post"}}, "before it was decided"),
    (
        "known before served",
        "penalty.decided",
        {"service": {"served_on": "2026-05-21", "method": "post", "known_to_office_on": "2026-05-20"}},
        "before served_on",
    ),
    ("a negative fine", "penalty.decided", {"acts": [{**ACT, "amount": "-1"}]}, "negative"),
    ("a kind twice", "penalty.decided", {"acts": [{**ACT, "kinds": ["fine", "fine"]}]}, "twice"),
    ("approvals counted without any", "penalty.decided", {"acts": [{**ACT, "approvals_revoked": 2}]}, "no advertising_approval_revoked"),
    ("a decision without acts", "penalty.decided", {"acts": []}, "at least 1"),
    ("a warning's term before it", "warning.issued", {"correct_by": "2026-03-10"}, "before occurred_on"),
    ("an announcement's term before it", "announcement.made", {"correct_by": "2026-03-29"}, "before occurred_on"),
    ("an order's term before it", "correction.ordered", {"correct_by": "2026-03-10"}, "before occurred_on"),
    ("service on another day", "document.served", {"occurred_on": "2026-05-20"}, "must be service.served_on"),
    ("one officer for an obstruction", "obstruction.determined", {"officers": [R1]}, "two different officers"),
    ("a result before the sample", "sampling.recorded", {"result_on": "2026-03-24"}, "before occurred_on"),
    ("an interruption that ends at once", "operation.interrupted", {"until": "2026-06-15"}, "after occurred_on"),
    ("accepted before applied for", "permit.applied_for", {"accepted_on": "2026-03-31"}, "accepted_on"),
    ("to be decided before accepted", "permit.applied_for", {"decide_by": "2026-04-02"}, "decide_by"),
    ("a permit that has run out", "permit.granted", {"valid_until": "2026-05-18"}, "valid_until"),
    ("a suspension that is over", "permit.suspended", {"until": "2026-07-13"}, "until"),
    ("a certificate that has run out", "gsp_certificate.granted", {"valid_until": "2026-03-01"}, "valid_until"),
    ("an extension that doesn't extend", "notice_of_extension.issued", {"extended_to": "2026-05-07"}, "must lie after"),
    (
        "an extension after the term",
        "notice_of_extension.issued",
        {"occurred_on": "2026-05-08", "service": None},
        "had run out",
    ),
    ("a list of a day to come", "list.notified", {"as_of": "2027-01-29"}, "still to come"),
    ("a period that ends before it begins", "other_department_list.received", {"period_to": "2026-03-31"}, "before period_from"),
    ("an evaluation before its period's end", "evaluation.closed", {"evaluation_date": "2026-12-30"}, "before period.last"),
    ("an announced evaluation before its period's end", "evaluation.announced", {"evaluation_date": "2026-12-30"}, "before period.last"),
    ("a weekend day off", "calendar.issued", {"days_off": ["2026-01-03"]}, "weekend day"),
    ("a weekday made up", "calendar.issued", {"make_up_days": ["2026-01-05"]}, "weekday"),
    ("a day of another year", "calendar.issued", {"days_off": ["2025-12-31"]}, "outside the year"),
    ("an outage that ends before it starts", "outage.declared", {"ended": "2026-03-18T00:59:59.000Z"}, "before started"),
    ("an assignment that is over", "entry.assigned", {"until": "2026-01-04"}, "until"),
    ("a leave that is over", "entry.handed_over", {"until": "2026-02-09"}, "until"),
    (
        "a key under another's id",
        "key.registered",
        {"key": {**golden_event("key.registered")["data"]["key"], "key_id": "0" * 32}},
        "key_id",
    ),
    (
        "a key of small order",
        "key.registered",
        {"key": {"key_id": "0" * 32, "alg": "Ed25519", "public_key": "AQ" + "A" * 41}},
        "small order",
    ),
    ("an approval served before it", "grade.approved", {"service": {"served_on": "2026-05-28", "method": "left"}}, "service.served_on"),
    ("a stay that ends before it begins", "stay.ordered", {"until": "2026-08-24"}, "before from_day"),
    ("a repair granted from no day", "repair.decided", {"effective_from": None}, "effective_from"),
    ("a repair refused from a day", "repair.decided", {"outcome": "refused"}, "effective_from"),
    ("a refusal without a reason", "repair.decided", {"outcome": "refused", "effective_from": None, "reason": None}, "needs a reason"),
    ("an objection to nothing", "objection.raised", {"entry": None}, "one of entry and derived"),
    ("an objection to two things", "objection.raised", {"derived": REF["id"]}, "one of entry and derived"),
    ("upheld, but what?", "objection.decided", {"outcome": "upheld", "replacement": None, "entry": None}, "entry is needed"),
    ("changed into nothing", "objection.decided", {"replacement": None}, "replacement"),
    ("upheld and replaced", "objection.decided", {"outcome": "upheld"}, "replacement"),
    ("decided by someone involved", "truth.determined", {"involved": [A1]}, "someone else must decide"),
    (
        "false on one source",
        "truth.determined",
        {"result": "false", "sources": [{"kind": "statement", "description": "a", "origin": "same"}] * 2},
        "two sources of different origin",
    ),
    ("true, and yet another truth", "truth.determined", {"result": "true"}, "no other truth"),
    ("inaccurate, but what was true?", "truth.determined", {"truth": None}, "truth is missing"),
    ("never took place, and yet replaced", "truth.determined", {"took_place": False}, "no replacement"),
    ("a reply before the notice", "finding.notified", {"reply_by": "2026-08-23"}, "reply_by"),
    ("a notice that was not served", "finding.notified", {"service": None}, "service"),
    ("a first decision without a term to appeal", "finding.decided", {"instance": "first", "appeal": None, "appeal_by": None}, "appeal_by"),
    ("a reply that says nothing", "finding.replied", {"statement": None}, "statement"),
    ("waived, and yet a statement", "finding.replied", {"waived": True}, "waived"),
    ("a hearing decided by someone involved", "finding.decided", {"involved": ["officer:yangli-a02"]}, "someone else must decide"),
    ("an appeal against nothing", "finding.decided", {"appeal": None}, "appeal names"),
    ("a first decision on an appeal", "finding.decided", {"instance": "first"}, "appeal names"),
    ("cleared, and yet criticised", "finding.decided", {"outcome": "cleared"}, "no consequence"),
    ("criticised without effect on a grade", "finding.decided", {"grade_affected": False}, "effect on a grade"),
    ("referred without purpose", "finding.decided", {"consequence": "referral_for_accountability"}, "on purpose"),
    ("a consequence without its clause", "finding.decided", {"clause": None}, "clause"),
    ("an appeal that is over", "finding.decided", {"appeal_by": "2026-10-19"}, "appeal_by"),
    ("a replacement of an unknown type", "entry.corrected", {"replacement": {"type": "mingjian.x.v1", "data": {}}}, "no type of fact"),
    (
        "a control event as replacement",
        "entry.corrected",
        {"replacement": {"type": "mingjian.key.revoked.v1", "data": {}}},
        "no type of fact",
    ),
    (
        "a replacement that doesn't fit its type",
        "act.changed",
        {"replacement": {**INSPECTION, "data": {**INSPECTION["data"], "kind": "surprise"}}},
        "replacement.data/kind",
    ),
    (
        "commitments within a replacement",
        "entry.corrected",
        {"replacement": {**INSPECTION, "data": {**INSPECTION["data"], "commitments": {}}}},
        "beside the replacement",
    ),
]


@pytest.mark.parametrize(("name", "change", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_contradicts_itself_is_refused_with_the_reason(name: str, change: dict[str, Any], says: str) -> None:
    assert says in refusal(name, change)


@pytest.mark.parametrize("type_name", sorted(NOT_REPLACEABLE))
def test_facts_about_facts_are_retracted_never_replaced(type_name: str) -> None:
    replacement = {"type": type_name, "data": golden_event(type_name.removeprefix("mingjian.").removesuffix(".v1"))["data"]}
    assert "can't be replaced" in refusal("entry.corrected", {"replacement": replacement})
    assert type_name in CATALOGUE


def test_a_correction_may_itself_be_retracted() -> None:
    entry = {"source": "/departments/yangli/offices/retail-workstation", "id": golden_event("entry.corrected")["id"]}
    check_data(CATALOGUE["mingjian.entry.retracted.v1"], changed("entry.retracted", {"entry": entry}))


def test_a_refusal_of_a_replacement_does_not_repeat_what_was_sent() -> None:
    """The message may be logged and shown; the value that didn't fit may be somebody's telephone number."""
    data = {**INSPECTION["data"], "kind": "secret-value"}
    with pytest.raises(ValidationError) as refused:
        check_data(CATALOGUE["mingjian.entry.corrected.v1"], changed("entry.corrected", {"replacement": {**INSPECTION, "data": data}}))
    assert "secret-value" not in refused.value.errors(include_input=False, include_url=False)[0]["msg"]


def test_a_cleared_finding_is_a_decision_like_the_others() -> None:
    cleared = {"outcome": "cleared", "consequence": "none", "intent": "not_found", "clause": None}
    check_data(CATALOGUE["mingjian.finding.decided.v1"], changed("finding.decided", cleared))


SUBJECT_CASES = [
    ("rulebook.activated", "regime:another"),
    ("evaluation.announced", "regime:another"),
    ("evaluation.closed", "regime:another"),
    ("go_live.declared", "regime:another"),
    ("enterprise.succeeded", golden_event("enterprise.succeeded")["data"]["predecessor"]),
    ("part.joined", golden_event("part.joined")["data"]["parent"]),
    ("part.left", golden_event("part.left")["data"]["parent"]),
    ("entry.handed_over", golden_event("entry.handed_over")["data"]["to"]),
    ("finding.decided", golden_event("finding.decided")["data"]["decided_by"]),
]


@pytest.mark.parametrize(("name", "subject"), SUBJECT_CASES)
def test_data_that_can_not_be_about_the_subject_is_refused(name: str, subject: str) -> None:
    row = CATALOGUE[f"mingjian.{name}.v1"]
    event = golden_event(name)
    check_data(row, event["data"], event["subject"])
    check_data(row, event["data"])
    with pytest.raises(ValidationError) as refused:
        check_data(row, event["data"], subject)
    assert "subject-mismatch" == refused.value.errors(include_url=False)[0]["type"]
