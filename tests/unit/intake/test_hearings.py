"""Steps of a hearing at intake: who speaks, in which order, by when, and that nobody decides who was involved."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.hearings import people_of
from services.intake.domain.judging import Admitted, Denied, judge
from services.intake.domain.registry import Registry
from tests import hearing as h
from tests import toolkit as kit

OFFICE = f"office:{kit.OFFICE}"


def at(day: str) -> str:
    """Noon in the stack's time zone."""
    return f"{day}T04:00:00.000Z"


def after(*steps: dict[str, Any], registry: Registry | None = None) -> Registry:
    """The register once these steps were taken, each on its day."""
    known = registry or kit.enrolled_registry(*h.EVERYBODY, kit.STRANGER)
    for step in steps:
        kit.fold(known, [kit.signed(step, h.signer_of(step))], received_at=at(step["data"]["occurred_on"]))
    return known


def verdict(step: dict[str, Any], registry: Registry, *, day: str | None = None, by: kit.Person | None = None, **more: Any) -> str:
    """ "" where the step is admitted, else the code. ``day``: of receipt, the step's own by default."""
    step = step | {"time": at("2027-02-20")}
    made = kit.signed(step, by or h.signer_of(step))
    found = judge(made, registry=registry, channel=None, received_at=at(day or step["data"]["occurred_on"]), **more)
    return "" if isinstance(found, Admitted) else found.fault.code


NOTICE = h.notified()
REPLY = h.replied()
FIRST = h.decided()
APPEAL = h.appealed(FIRST)
LAST = h.decided_on(APPEAL)


def test_a_whole_hearing_is_admitted_step_by_step() -> None:
    taken: list[dict[str, Any]] = []
    for step in (NOTICE, REPLY, FIRST, APPEAL, LAST):
        assert verdict(step, after(*taken)) == ""
        taken.append(step)
    assert not after(*taken).ignored


@pytest.mark.parametrize(
    ("taken", "step", "code"),
    [
        ([], REPLY, "hearing-not-notified"),
        ([], FIRST, "hearing-not-notified"),
        ([NOTICE], h.replied(matter=kit.new_id("another matter")), "hearing-not-notified"),
        ([NOTICE], h.notified(), ""),
        ([NOTICE, REPLY], h.notified(), "hearing-under-way"),
        ([NOTICE, REPLY], h.replied(), ""),
        ([NOTICE, REPLY, FIRST], h.decided(by=h.OTHER_DECIDER), "hearing-decided"),
        ([NOTICE, REPLY, FIRST], REPLY, "hearing-decided"),
        ([NOTICE, REPLY, FIRST], h.appealed(h.decided()), "hearing-not-named"),
        ([NOTICE, REPLY, FIRST], LAST, "hearing-not-named"),
        ([NOTICE, REPLY, FIRST, APPEAL], h.appealed(FIRST), "hearing-decided"),
        ([NOTICE, REPLY, FIRST, APPEAL, LAST], h.appealed(FIRST), "hearing-decided"),
        ([NOTICE, REPLY, FIRST, APPEAL, LAST], h.decided_on(APPEAL), "hearing-not-named"),
        ([NOTICE, REPLY, FIRST, APPEAL, LAST], h.notified(day="2027-05-06", reply_by="2027-05-20"), ""),
    ],
)
def test_steps_come_in_their_order(taken: list[dict[str, Any]], step: dict[str, Any], code: str) -> None:
    assert verdict(step, after(*taken)) == code


@pytest.mark.parametrize(("day", "code"), [("2027-03-14", "hearing-term-runs"), ("2027-03-15", "hearing-term-runs"), ("2027-03-16", "")])
def test_without_a_reply_the_term_is_waited_for(day: str, code: str) -> None:
    """The day before the last day to reply, that day, and the day after."""
    assert verdict(h.decided(day=day), after(NOTICE)) == code


def test_a_waiver_ends_the_term() -> None:
    waived = h.replied(day="2027-03-03", waived=True, excuse="none")
    del waived["data"]["statement"]
    assert verdict(h.decided(day="2027-03-03"), after(NOTICE, waived)) == ""


@pytest.mark.parametrize(("day", "code"), [("2027-04-11", ""), ("2027-04-12", ""), ("2027-04-13", "appeal-too-late")])
def test_an_appeal_comes_within_its_term(day: str, code: str) -> None:
    """By the day of receipt: a day that whoever appeals names can't lengthen the term."""
    assert verdict(APPEAL, after(NOTICE, REPLY, FIRST), day=day) == code


@pytest.mark.parametrize(("day", "code"), [("2027-04-12", "hearing-under-way"), ("2027-04-13", "")])
def test_a_decided_matter_is_notified_anew_once_the_term_to_appeal_has_run_out(day: str, code: str) -> None:
    assert verdict(h.notified(day=day, reply_by="2027-05-20"), after(NOTICE, REPLY, FIRST)) == code


def test_cleared_ends_the_hearing_at_once_and_can_not_be_appealed_against() -> None:
    cleared = h.decided(outcome="cleared", appeal_by="2027-04-12")
    known = after(NOTICE, REPLY, cleared)
    assert verdict(h.appealed(cleared), known) == "hearing-not-named"
    assert verdict(h.notified(day="2027-03-21", reply_by="2027-05-20"), known) == ""


def test_sent_back_on_appeal_it_is_decided_anew_by_somebody_else() -> None:
    back = h.decided_on(APPEAL, outcome="remitted")
    third = kit.Person("test-third-decider", "approver", h.AUDIT_OFFICE, schemes=("uscc", "officer"))
    h.SIGNERS[third.pseudonym] = third
    known = after(NOTICE, REPLY, FIRST, APPEAL, back, registry=kit.enrolled_registry(*h.EVERYBODY, third))
    again = {"day": "2027-05-06", "appeal_by": "2027-05-27"}
    assert verdict(h.decided(by=third, **again), known) == ""
    assert verdict(h.decided(**again), known) == "decided-by-involved"
    assert verdict(h.decided(by=h.OTHER_DECIDER, **again), known) == "decided-by-involved"


@pytest.mark.parametrize(
    ("step", "by", "code"),
    [
        (REPLY, kit.COLLEAGUE, "heard-is-another"),
        (h.replied(by=kit.COLLEAGUE), kit.OFFICER, "step-by-another"),
        (FIRST, h.OTHER_DECIDER, "step-by-another"),
        (FIRST, kit.OFFICER, "role-missing"),
        (h.notified(), kit.OFFICER, "role-missing"),
    ],
)
def test_everyone_speaks_for_themselves(step: dict[str, Any], by: kit.Person, code: str) -> None:
    assert verdict(step, after(NOTICE, REPLY) if step is FIRST else after(NOTICE), by=by) == code


def test_who_notified_or_is_named_as_concerned_or_decided_before_does_not_decide() -> None:
    assert verdict(h.decided(by=h.AUDITOR), after(NOTICE, REPLY)) == "decided-by-involved"
    assert verdict(FIRST, after(h.notified(concerns=[h.DECIDER.pseudonym]), REPLY)) == "decided-by-involved"
    assert verdict(h.decided_on(APPEAL, by=h.DECIDER), after(NOTICE, REPLY, FIRST, APPEAL)) == "decided-by-involved"


def test_who_entered_or_acted_in_the_entries_does_not_decide() -> None:
    known = after(NOTICE, REPLY)
    acted = kit.record(kit.signed(kit.event("inspection.recorded", kit.inspection(officers=[h.DECIDER.pseudonym])), kit.OFFICER))
    signed = kit.record(kit.signed(kit.event("inspection.recorded", kit.inspection()), h.DECIDER))
    for entry in (acted, signed):
        assert verdict(FIRST, known, involved=people_of([entry], known)) == "decided-by-involved"
    other = kit.record(kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.OFFICER))
    assert verdict(FIRST, known, involved=people_of([other], known)) == ""


def test_for_an_office_somebody_with_a_role_there_speaks_and_nobody_of_it_decides() -> None:
    notice, reply = h.notified(OFFICE), h.replied(OFFICE)
    assert verdict(reply, after(notice)) == ""
    assert verdict(h.replied(OFFICE, by=kit.STRANGER), after(notice)) == "heard-is-another"
    inside = kit.Person("test-inside", "approver", kit.OFFICE, schemes=("uscc", "office"))
    known = kit.enrolled_registry(*h.EVERYBODY, inside)
    h.SIGNERS[inside.pseudonym] = inside
    assert verdict(h.decided(OFFICE, by=inside), after(notice, reply, registry=known)) == "decided-by-involved"
    assert verdict(h.decided(OFFICE), after(notice, reply, registry=known)) == ""


def test_who_has_left_is_heard_all_the_same_but_enters_nothing_else() -> None:
    left = kit.by_registrar("officer.left", h.HEARD, {"occurred_on": "2027-03-02", "office": kit.OFFICE})
    known = after(NOTICE)
    kit.fold(known, [left], received_at=at("2027-03-02"))
    assert verdict(REPLY, known) == ""
    assert verdict(kit.event("inspection.recorded", kit.inspection(day="2027-02-20")), known, day="2027-03-03", by=kit.OFFICER) == (
        "holder-not-enrolled"
    )


def test_a_step_that_went_past_intake_has_no_effect() -> None:
    """A notice by somebody without a role, and a decision by somebody involved."""
    known = kit.enrolled_registry(*h.EVERYBODY)
    kit.fold(known, [kit.signed(NOTICE, kit.COLLEAGUE)], received_at=at("2027-03-01"))
    assert known.rounds.of(h.MATTER, h.HEARD) is None and len(known.ignored) == 1
    crossed = after(NOTICE, REPLY, h.decided(by=h.AUDITOR))
    found = crossed.rounds.of(h.MATTER, h.HEARD)
    assert found is not None and found.decision is None


def test_every_refusal_says_what_to_do_in_both_languages() -> None:
    made = kit.signed(h.decided(day="2027-03-10") | {"time": at("2027-02-20")}, h.DECIDER)
    found = judge(made, registry=after(NOTICE), channel=None, received_at=at("2027-03-10"))
    assert isinstance(found, Denied)
    assert (found.fault.field, found.fault.status) == ("/event/data/occurred_on", 422)
    assert "2027-03-15" in found.fault.en and "2027-03-15" in found.fault.zh and found.fault.remedy_en and found.fault.remedy_zh
