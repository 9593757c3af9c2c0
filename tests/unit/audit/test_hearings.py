"""Audit's fold of hearings: the order of the registry alone decides, void steps say why, cleared binds."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import open_record
from services.audit.domain.hearings import Heard, Hearing, hearings, step_of
from services.audit.domain.registry import Registry, hearings_of
from tests import hearing as h
from tests import toolkit as kit

NOTICE, REPLY, FIRST = h.notified(), h.replied(), h.decided()
APPEAL = h.appealed(FIRST)
LAST = h.decided_on(APPEAL)


def heard(*events: dict[str, Any], through: str | None = None, **more: Any) -> Heard:
    """The one hearing that these make."""
    found = hearings(h.steps(*events), through=date.fromisoformat(through) if through else None, **more)[h.MATTER]
    assert len(found.parts) == 1
    return found.parts[0]


def test_a_hearing_goes_from_notice_to_the_decision_on_appeal() -> None:
    taken: list[dict[str, Any]] = []
    told = []
    for step in (NOTICE, REPLY, FIRST, APPEAL, LAST):
        taken.append(step)
        one = heard(*taken)
        told.append((one.standing, one.outcome, one.cleared))
    assert told == [
        ("notified", None, False),
        ("replied", None, False),
        ("decided", "confirmed", False),
        ("appealed", "confirmed", False),
        ("final", "cleared", True),
    ]
    assert [one.void for one in one.taken] == [None] * 5


@pytest.mark.parametrize(("through", "standing"), [("2027-04-11", "decided"), ("2027-04-12", "final"), ("2027-04-13", "final")])
def test_unappealed_it_is_final_once_the_last_day_to_appeal_has_closed(through: str, standing: str) -> None:
    assert heard(NOTICE, REPLY, FIRST, through=through).standing == standing


@pytest.mark.parametrize(
    ("events", "void"),
    [
        ([REPLY], "not_notified"),
        ([NOTICE, REPLY, h.notified()], "under_way"),
        ([NOTICE, h.decided(day="2027-03-15")], "term_runs"),
        ([NOTICE, h.decided(day="2027-03-16")], None),
        ([NOTICE, REPLY, h.decided(by=h.AUDITOR)], "involved"),
        ([h.notified(concerns=[h.DECIDER.pseudonym]), REPLY, FIRST], "involved"),
        ([NOTICE, REPLY, FIRST, h.decided(by=h.OTHER_DECIDER)], "decided_before"),
        ([NOTICE, REPLY, FIRST, REPLY], "decided_before"),
        ([NOTICE, REPLY, FIRST, h.appealed(h.decided())], "not_named"),
        ([NOTICE, REPLY, FIRST, h.appealed(FIRST, day="2027-04-12")], None),
        ([NOTICE, REPLY, FIRST, h.appealed(FIRST, day="2027-04-13")], "too_late"),
        ([NOTICE, REPLY, FIRST, APPEAL, h.decided_on(APPEAL, by=h.DECIDER)], "involved"),
        ([NOTICE, REPLY, FIRST, LAST], "not_named"),
    ],
)
def test_a_step_that_does_not_fit_is_void_with_its_reason(events: list[dict[str, Any]], void: str | None) -> None:
    found = heard(*events)
    assert [one.void for one in found.taken] == [None] * (len(events) - 1) + [void]
    if void and events[:-1]:
        before = heard(*events[:-1])
        assert (found.standing, found.outcome) == (before.standing, before.outcome)


def test_who_entered_the_entries_does_not_decide_where_the_caller_knows_them() -> None:
    entry = ("/departments/yangli/offices/retail-workstation", kit.new_id("an entry"))
    notice = h.notified(entries=[{"source": entry[0], "id": entry[1]}])
    assert heard(notice, REPLY, FIRST).outcome == "confirmed"
    found = heard(notice, REPLY, FIRST, people={entry: frozenset({h.DECIDER.pseudonym})})
    assert (found.outcome, found.taken[-1].void) == (None, "involved")


def test_a_decision_that_somebody_else_signed_is_nobodys() -> None:
    value = kit.record(kit.signed(FIRST, h.OTHER_DECIDER), received_at="2027-03-20T04:00:00.000Z")
    taken = [*h.steps(NOTICE, REPLY), step_of(2, open_record(value), h.OTHER_DECIDER.pseudonym, "Asia/Shanghai")]
    assert hearings(taken)[h.MATTER].parts[0].taken[-1].void == "of_another"


def test_cleared_binds_until_a_new_notice_begins_a_new_round() -> None:
    cleared = [NOTICE, REPLY, h.decided(outcome="cleared")]
    assert heard(*cleared).cleared
    anew = heard(*cleared, h.notified(day="2027-06-01", reply_by="2027-06-15"))
    assert (anew.standing, anew.outcome, anew.cleared, [one.round for one in anew.taken]) == ("notified", None, False, [1, 1, 1, 2])


def test_sent_back_it_waits_for_a_new_first_decision() -> None:
    back = heard(NOTICE, REPLY, FIRST, APPEAL, h.decided_on(APPEAL, outcome="remitted"))
    assert (back.standing, back.outcome, back.decision) == ("replied", "remitted", None)


def test_a_matter_of_two_is_cleared_when_both_are() -> None:
    other = kit.COLLEAGUE.pseudonym
    second = [h.notified(other), h.replied(other, by=kit.COLLEAGUE)]
    both = hearings(h.steps(NOTICE, REPLY, h.decided(outcome="cleared"), *second))[h.MATTER]
    assert (both.standing, both.outcome, both.cleared, len(both.parts)) == ("replied", None, False, 2)
    ended = hearings(h.steps(NOTICE, REPLY, h.decided(outcome="cleared"), *second, h.decided(other, outcome="cleared")))[h.MATTER]
    assert (ended.standing, ended.outcome, ended.cleared) == ("final", "cleared", True)
    mixed = hearings(h.steps(NOTICE, REPLY, h.decided(outcome="cleared"), *second, h.decided(other)))[h.MATTER]
    assert (mixed.outcome, mixed.cleared) == ("confirmed", False)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([NOTICE, REPLY, FIRST, APPEAL, LAST, h.decided(by=h.OTHER_DECIDER), h.notified()]), max_size=8), st.data())
def test_the_order_of_the_registry_alone_decides(events: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever comes later changes nothing of what became of a step, and steps on other matters change nothing at all."""
    whole = hearings(h.steps(*events))
    for cut in range(len(events) + 1):
        part = hearings(h.steps(*events[:cut]))
        for matter, one in part.items():
            assert _fates(whole[matter])[: len(_fates(one))] == _fates(one)
    others = [_elsewhere(event) for event in events]
    mixed = data.draw(st.permutations([(n, one) for n, one in enumerate(events)]), label="where other matters' steps stand")
    woven = [event for n, one in enumerate(events) for event in (one, others[mixed[n][0]])]
    assert _fates(hearings(h.steps(*woven)).get(h.MATTER)) == _fates(whole.get(h.MATTER))


def _fates(one: Hearing | None) -> list[tuple[str, int, str | None]]:
    return [(taken.step.id, taken.round, taken.void) for part in one.parts for taken in part.taken] if one else []


def _elsewhere(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"data": event["data"] | {"matter": kit.new_id("elsewhere")}}


def test_the_registry_keeps_signed_steps_with_their_signers_and_no_others() -> None:
    genesis = kit.genesis()
    known, offset = Registry(genesis["event"]), 0
    said = [genesis, *(one for person in h.EVERYBODY for one in kit.enrolment(person))]
    forged = kit.signed(NOTICE, kit.key("nobody"))
    for one in (*said, kit.signed(NOTICE, h.AUDITOR), forged, kit.signed(REPLY, kit.OFFICER), kit.signed(REPLY, kit.OFFICER)):
        known.apply(offset, open_record(kit.record(one, offset=max(0, offset - 1), received_at="2027-03-10T04:00:00.000Z")))
        offset += 1
    assert [(one.kind, one.signer) for one in known.steps] == [("notified", h.AUDITOR.pseudonym), ("replied", h.HEARD)]
    assert hearings_of(known)[h.MATTER].standing == "replied"
    broken = orjson.loads(kit.record(kit.signed(h.decided() | {"data": {"matter": h.MATTER}}, h.DECIDER), offset=offset - 1))
    known.apply(offset, open_record(orjson.dumps(broken)))
    assert known.without_effect == [offset]


ON_PURPOSE = h.decided(intent="on_purpose", grade_affected=True, consequence="referral_for_accountability", clause="五(三) ¶4")
AGAINST = h.appealed(ON_PURPOSE)
OTHER = kit.COLLEAGUE.pseudonym
CLEARED_AT_ONCE = h.decided(outcome="cleared", intent="not_examined")


@pytest.mark.parametrize(
    ("events", "through", "purpose", "final", "cleared"),
    [
        ([], None, False, False, False),
        ([NOTICE, REPLY], None, False, False, False),
        ([NOTICE, REPLY, FIRST], None, False, False, False),
        # It holds from the decision on; the last day to appeal is 12 April.
        ([NOTICE, REPLY, ON_PURPOSE], "2027-04-11", True, False, False),
        ([NOTICE, REPLY, ON_PURPOSE], "2027-04-12", True, True, False),
        ([NOTICE, REPLY, ON_PURPOSE], "2027-04-13", True, True, False),
        ([NOTICE, REPLY, ON_PURPOSE, AGAINST], "2027-06-01", True, False, False),
        # On appeal the last word counts, either way.
        ([NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST)], None, False, False, True),
        ([NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST, outcome="confirmed", intent="not_found")], None, False, False, False),
        ([NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST, outcome="confirmed", intent="on_purpose")], None, True, True, False),
        ([NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST, outcome="remitted")], None, False, False, False),
        ([NOTICE, REPLY, FIRST, APPEAL, h.decided_on(APPEAL, outcome="confirmed", intent="on_purpose")], None, True, True, False),
        # Who was involved finds nothing, and a decision without a notice is none.
        ([NOTICE, REPLY, h.decided(by=h.AUDITOR, intent="on_purpose")], None, False, False, False),
        ([ON_PURPOSE], None, False, False, False),
        # The contract has no such decision; past intake it could be written, and clears.
        ([NOTICE, REPLY, h.decided(outcome="cleared", intent="on_purpose")], None, False, False, True),
        ([NOTICE, REPLY, CLEARED_AT_ONCE], None, False, False, True),
        # Cleared and found alike hold until a new notice.
        ([NOTICE, REPLY, CLEARED_AT_ONCE, h.notified(day="2027-06-01", reply_by="2027-06-15")], None, False, False, False),
        ([NOTICE, REPLY, ON_PURPOSE, h.notified(day="2027-06-01", reply_by="2027-06-15")], None, False, False, False),
        # Of two: purpose where it is of anybody, cleared where it is of both.
        ([NOTICE, REPLY, CLEARED_AT_ONCE, h.notified(OTHER)], None, False, False, False),
        ([NOTICE, REPLY, ON_PURPOSE, h.notified(OTHER), h.replied(OTHER, by=kit.COLLEAGUE)], "2027-04-12", True, True, False),
        # A void step makes nobody a party.
        ([NOTICE, REPLY, CLEARED_AT_ONCE, h.replied(OTHER, by=kit.COLLEAGUE)], None, False, False, True),
    ],
)
def test_what_a_hearing_says_of_what_follows(
    events: list[dict[str, Any]], through: str | None, purpose: bool, final: bool, cleared: bool
) -> None:
    word = hearings(h.steps(*events), through=date.fromisoformat(through) if through else None).get(h.MATTER, Hearing(h.MATTER, ())).word
    assert (word.purpose, word.final, word.cleared) == (purpose, final, cleared)


def test_the_step_by_which_it_turned_is_named_and_no_other() -> None:
    back = h.decided_on(AGAINST, outcome="remitted")
    anew = h.notified(day="2027-07-01", reply_by="2027-07-15")
    told = []
    taken: list[dict[str, Any]] = []
    for step in (NOTICE, REPLY, ON_PURPOSE, AGAINST, back, h.decided(by=h.AUDITOR, intent="on_purpose")):
        taken.append(step)
        turned = hearings(h.steps(*taken))[h.MATTER].word.turned
        told.append(turned and turned.id)
    assert told == [None, None, ON_PURPOSE["id"], ON_PURPOSE["id"], back["id"], back["id"]]
    reopened = hearings(h.steps(NOTICE, REPLY, CLEARED_AT_ONCE, anew))[h.MATTER].word
    assert reopened.turned is not None and reopened.turned.id == anew["id"]
    of_another = hearings(h.steps(NOTICE, REPLY, CLEARED_AT_ONCE, h.notified(OTHER, day="2027-07-01", reply_by="2027-07-15")))[h.MATTER]
    assert of_another.word.turned is not None and of_another.word.turned.subject == OTHER
