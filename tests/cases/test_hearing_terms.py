"""Terms of the hearing on a finding, 五(三) ¶4 with R12, as cases: on each boundary the day before, the day, the day after."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.audit.domain.hearing_terms import HearingRule, dues, too_short
from services.audit.domain.workdays import WorkCalendar, YearTable
from tests import hearing as h
from tests.cases import ledger
from tests.unit.audit.test_hearings import APPEAL, FIRST, NOTICE, REPLY, heard

pytestmark = pytest.mark.clause("五(三) ¶4", "R12")

# No day off but weekends: 2027-03-01 is a Monday.
CALENDAR = WorkCalendar({2027: YearTable(2027, frozenset(), frozenset())})


def rule() -> HearingRule:
    found = HearingRule.of(ledger.book("liyujiang").rulebook)
    assert found is not None
    return found


# Ten working days after Monday 2027-03-01 end on 2027-03-15, fifteen after 2027-03-20 (a Saturday) on 2027-04-09.
@pytest.mark.parametrize(("reply_by", "short"), [("2027-03-12", True), ("2027-03-15", False), ("2027-03-16", False)])
def test_a_day_to_reply_that_is_too_early_is_a_fault_of_the_notice(reply_by: str, short: bool) -> None:
    found = too_short(heard(h.notified(reply_by=reply_by)), rule(), CALENDAR)
    assert [one.least for one in found] == ([date(2027, 3, 15)] if short else [])
    assert all("2027-03-15" in one.zh and "2027-03-15" in one.en for one in found)


@pytest.mark.parametrize(("appeal_by", "short"), [("2027-04-08", True), ("2027-04-09", False), ("2027-04-10", False)])
def test_a_day_to_appeal_that_is_too_early_is_a_fault_of_the_decision(appeal_by: str, short: bool) -> None:
    found = too_short(heard(NOTICE, REPLY, h.decided(appeal_by=appeal_by)), rule(), CALENDAR)
    assert [one.least for one in found] == ([date(2027, 4, 9)] if short else [])


def told(*events: dict[str, object], through: str) -> list[tuple[str, str, str]]:
    return [(one.what, one.by.isoformat(), one.state) for one in dues(heard(*events), rule(), CALENDAR, date.fromisoformat(through))]


@pytest.mark.parametrize(("through", "state"), [("2027-03-14", "running"), ("2027-03-15", "ran_out"), ("2027-03-16", "ran_out")])
def test_the_term_to_reply_runs_out_with_its_last_closed_day(through: str, state: str) -> None:
    assert told(NOTICE, through=through)[0] == ("reply", "2027-03-15", state)


@pytest.mark.parametrize(("through", "state"), [("2027-04-20", "running"), ("2027-04-21", "overdue"), ("2027-04-22", "overdue")])
def test_a_decision_is_overdue_by_the_close_of_its_last_day(through: str, state: str) -> None:
    """Thirty working days after the reply of Wednesday 2027-03-10."""
    assert told(NOTICE, REPLY, through=through) == [("reply", "2027-03-15", "done"), ("decision", "2027-04-21", state)]


def test_without_a_reply_the_decision_is_due_from_the_end_of_the_term() -> None:
    assert told(NOTICE, through="2027-03-15")[1] == ("decision", "2027-04-26", "running")


def test_a_decision_on_appeal_is_due_too_and_cleared_leaves_nothing_due() -> None:
    assert told(NOTICE, REPLY, FIRST, APPEAL, through="2027-05-06")[2:] == [
        ("appeal", "2027-04-12", "done"),
        ("appeal_decision", "2027-05-06", "overdue"),
    ]
    assert told(NOTICE, REPLY, h.decided(outcome="cleared"), through="2027-12-31") == [
        ("reply", "2027-03-15", "done"),
        ("decision", "2027-04-21", "done"),
    ]


def test_a_year_that_is_not_issued_makes_terms_provisional() -> None:
    found = dues(heard(h.notified(day="2027-12-30", reply_by="2028-01-13")), rule(), CALENDAR, date(2027, 12, 30))
    assert [(one.what, one.provisional) for one in found] == [("reply", True)]
    assert date(2027, 12, 30) + timedelta(days=14) <= found[0].by
