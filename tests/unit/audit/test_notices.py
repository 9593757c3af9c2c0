"""The notice filled in from its finding: what follows from records is there, what a person decides stays open, the term is the earliest."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.envelope import check_data
from schemas.events import CATALOGUE
from services._cli.errors import CliError
from services._cli.skeleton import read_lenient, skeleton
from services.audit.domain import notices
from services.audit.domain.hearing_terms import HearingRule, reply_term, rule_for, too_short
from services.audit.domain.notices import Decided, NoNotice, check_may_begin, day_of_notice, entries_of, notice, subject_of, text
from services.audit.domain.people import People
from services.audit.domain.workdays import WorkCalendar, YearTable
from tests import hearing as h
from tests.cases import ledger
from tests.unit.audit.test_console import LATE, PATTERN
from tests.unit.audit.test_hearings import FIRST, REPLY, heard

RULE = HearingRule.of(ledger.book("liyujiang").rulebook)
assert RULE is not None
OFFICER, COLLEAGUE = "officer:tester", "officer:helper"
OFFICE = LATE["data"]["office"]
# 1 October 2026 is a Thursday; Saturday the 10th is worked.
DAYS_OFF = frozenset(date(2026, 10, day) for day in (1, 2, 5, 6, 7))
CALENDAR = WorkCalendar({2026: YearTable(2026, DAYS_OFF, frozenset({date(2026, 10, 10)}))})
SERVED = date(2026, 9, 25)


def finding(**more: Any) -> dict[str, Any]:
    """The late entry, with other data."""
    return {**LATE, "data": {name: value for name, value in (LATE["data"] | more).items() if value is not None}}


def filled(said: dict[str, Any] | None = None, subject: str = OFFICER, served: date = SERVED, **decided: Any) -> notices.Notice:
    term = reply_term(RULE, served, CALENDAR)
    return notice(said or finding(concerns=[OFFICER]), LATE["data"]["matter"], subject, term, Decided(served, **decided))


def test_what_follows_from_the_records_is_filled_in_and_what_a_person_decides_is_open() -> None:
    made = filled()
    assert made.event["type"] == "mingjian.finding.notified.v1" and made.event["subject"] == OFFICER
    data = made.event["data"]
    assert (data["finding"], data["matter"], data["concerns"]) == (LATE["id"], LATE["data"]["matter"], [OFFICER])
    assert data["entries"] == [{"source": OFFICE, "id": LATE["data"]["event"]["id"]}]
    assert data["clause"] == LATE["data"]["clause"] == "五(三) ¶1"
    # Sep 28, 29, 30, Oct 8, 9, the worked Saturday 10, 12, 13, 14, 15.
    assert (data["service"]["served_on"], data["reply_by"]) == ("2026-09-25", "2026-10-15")
    assert made.open == ("document_no", "service.method")
    draft = text(made, ["逾期录入\nLate entry"])
    assert [line for line in draft.splitlines() if line.startswith("//")][1] == "// 逾期录入 Late entry"
    with pytest.raises(CliError, match=r"data.document_no is still to be filled in, and 1 more"):
        read_lenient(draft)


def test_with_what_a_person_decides_it_is_an_event_of_its_type() -> None:
    given = {"document_no": "样例知〔2026〕1号", "method": "post", "evidence_sha256": "ab" * 32}
    made = filled(**given)
    assert made.open == ()
    event = read_lenient(text(made, []))
    assert event == made.event
    data = check_data(CATALOGUE[event["type"]], event["data"], event["subject"])
    assert (data.document_no, data.service.method, data.evidence_sha256) == tuple(given.values())  # type: ignore[attr-defined]


def test_what_is_open_is_worded_as_in_the_skeleton() -> None:
    blank = skeleton("finding.notified")
    for words in notices._OPEN.values():
        assert f'"{words}"' in blank


@pytest.mark.parametrize("given", [{"document_no": "x" * 81}, {"document_no": " 1"}, {"evidence_sha256": "abc"}, {"method": "by_owl"}])
def test_what_the_contract_does_not_take_is_not_written(given: dict[str, str]) -> None:
    with pytest.raises(NoNotice, match=r"^data\.(document_no|evidence_sha256|service\.method): "):
        filled(**given)


@pytest.mark.parametrize("served", ["2026-09-24", "2026-09-25", "2026-09-26", "2026-09-30", "2026-10-09", "2026-12-28"])
def test_the_day_to_reply_is_the_earliest_that_is_no_fault(served: str) -> None:
    """Held against what `mingjian hearing` and intake's fold say of a notice with that day, and with the day before."""
    data = filled(served=date.fromisoformat(served)).event["data"]
    by = date.fromisoformat(data["reply_by"])
    at = {"occurred_on": served, "service": {"served_on": served, "method": "post"}}
    assert too_short(heard(h.notified(**at, reply_by=by.isoformat())), RULE, CALENDAR) == ()
    earlier = date.fromordinal(by.toordinal() - 1).isoformat()
    assert [one.least for one in too_short(heard(h.notified(**at, reply_by=earlier)), RULE, CALENDAR)] == [by]


def test_the_sentence_names_the_rule_the_reading_and_the_calendar() -> None:
    zh, en = filled().basis
    for words in ("2026年10月15日", "第10个工作日", "五(三) ¶4", "R12", "由运行单位设定", "2026年放假安排", RULE.version):
        assert words in zh
    for words in ("2026-10-15 (Thu)", "10 working days", "五(三) ¶4, R12, set by the operator", "issued for 2026.", RULE.version):
        assert words in en
    assert "暂定" not in zh and "provisional" not in en


@pytest.mark.parametrize(
    ("served", "issued", "unissued"),
    [("2026-12-16", (2026,), ()), ("2026-12-25", (2026,), (2027,)), ("2026-12-31", (), (2027,)), ("2028-05-05", (), (2028,))],
)
def test_a_year_that_is_not_issued_makes_the_day_provisional_and_is_named(
    served: str, issued: tuple[int, ...], unissued: tuple[int, ...]
) -> None:
    made = filled(served=date.fromisoformat(served))
    assert made.term is not None
    assert (made.term.issued, made.term.unissued, made.term.provisional) == (issued, unissued, bool(unissued))
    assert made.term.provisional == CALENDAR.nth_after(date.fromisoformat(served), 10).provisional
    zh, en = made.basis
    assert ("暂定" in zh) == ("provisional" in en) == bool(unissued)
    assert all(str(year) in zh and str(year) in en for year in unissued)


def test_without_a_rule_the_day_is_the_person_s() -> None:
    whole = notice(finding(concerns=[OFFICER], clause=None), LATE["data"]["matter"], OFFICER, None, Decided(SERVED, "1", "post"))
    assert whole.open == ("reply_by", "clause")
    assert "sets a term to reply" in whole.basis[1]


def test_of_several_regimes_the_finding_s_own_rule_holds() -> None:
    other = HearingRule("another", "1", RULE.reply, RULE.decision, RULE.appeal, RULE.appeal_decision)
    both = {"liyujiang": RULE, "another": other}
    assert rule_for(both, "another") is other and rule_for(both, "fhrs") is None and rule_for(both, None) is None
    assert rule_for({"liyujiang": RULE}, "fhrs") is RULE and rule_for({}, "liyujiang") is None


EVIDENCE = {"topic": "mingjian.facts.v1", "partition": 1, "offset": 2, "source": OFFICE, "id": "a"}


@pytest.mark.parametrize(
    ("more", "entries"),
    [
        (
            {"evidence": [EVIDENCE, EVIDENCE | {"role": "again"}, EVIDENCE | {"id": "b", "source": "/other"}]},
            [(OFFICE, "a"), ("/other", "b")],
        ),
        ({"evidence": [EVIDENCE, EVIDENCE | {"id": "b", "topic": "mingjian.registry.v1"}]}, [(OFFICE, "a")]),
        ({"evidence": None}, [(OFFICE, LATE["data"]["event"]["id"])]),
        ({"evidence": None, "event": None}, []),
        ({"about": "office", "event": None, "evidence": [EVIDENCE]}, []),
        ({"about": "office", "evidence": [EVIDENCE]}, [(OFFICE, "a")]),
    ],
)
def test_the_entries_are_the_facts_that_it_rests_on_and_none_of_what_was_not_entered(more: dict[str, Any], entries: list[Any]) -> None:
    assert [(one["source"], one["id"]) for one in entries_of(finding(**more)["data"])] == entries


def people(*enrolled: str) -> People:
    found = People()
    for officer in enrolled:
        found._enrol(1, officer, {"office": OFFICE})
    return found


@pytest.mark.parametrize(
    ("more", "officer", "office", "subject"),
    [
        ({"concerns": [OFFICER]}, None, False, OFFICER),
        ({"concerns": [OFFICER, COLLEAGUE]}, COLLEAGUE, False, COLLEAGUE),
        ({"concerns": [OFFICER, COLLEAGUE]}, "helper", False, COLLEAGUE),
        ({"concerns": [OFFICER, COLLEAGUE]}, None, True, f"office:{OFFICE}"),
        ({}, None, False, f"office:{OFFICE}"),
        ({}, COLLEAGUE, False, COLLEAGUE),
    ],
)
def test_who_is_heard(more: dict[str, Any], officer: str | None, office: bool, subject: str) -> None:
    assert subject_of(finding(**more)["data"], people(COLLEAGUE), officer, office=office) == subject


@pytest.mark.parametrize(
    ("more", "officer", "office", "why"),
    [
        ({"concerns": [OFFICER, COLLEAGUE]}, None, False, "concerns 2 officers: officer:tester, officer:helper.*--officer"),
        ({"concerns": [OFFICER]}, COLLEAGUE, False, "does not concern officer:helper; it concerns officer:tester"),
        ({}, "nobody-here", False, "officer:nobody-here was never enrolled"),
        ({"office": None}, None, False, "neither an officer nor an office"),
        ({"office": None, "concerns": [OFFICER]}, None, True, "names no office"),
    ],
)
def test_who_can_not_be_told_is_asked_for(more: dict[str, Any], officer: str | None, office: bool, why: str) -> None:
    with pytest.raises(NoNotice, match=why):
        subject_of(finding(**more)["data"], people(COLLEAGUE), officer, office=office)


@pytest.mark.parametrize(
    ("steps", "on", "may"),
    [
        ([h.notified()], "2027-03-09", True),
        ([h.notified(), REPLY], "2027-03-11", False),
        ([h.notified(), REPLY, FIRST], "2027-04-12", False),
        ([h.notified(), REPLY, FIRST], "2027-04-13", True),
        ([REPLY], "2027-03-11", True),
    ],
)
def test_none_is_written_while_a_hearing_is_under_way(steps: list[dict[str, Any]], on: str, may: bool) -> None:
    """And the fold takes a new notice on exactly the days on which one may be written."""
    part, day = heard(*steps), date.fromisoformat(on)
    again = heard(*steps, h.notified(day=on, reply_by="2027-06-30"))
    assert (again.taken[-1].void is None) == may
    if may:
        check_may_begin(h.MATTER, h.HEARD, part, day, retracted=False)
    else:
        with pytest.raises(NoNotice, match=f"under way.*mingjian hearing {h.MATTER}"):
            check_may_begin(h.MATTER, h.HEARD, part, day, retracted=False)
    check_may_begin(h.MATTER, h.HEARD, None, day, retracted=False)
    with pytest.raises(NoNotice, match="retracted"):
        check_may_begin(h.MATTER, h.HEARD, None, day, retracted=True)


def test_a_sign_that_proposes_a_check_leads_to_no_hearing_by_itself() -> None:
    assert notices.proposes_hearing(LATE["data"])
    assert not notices.proposes_hearing(PATTERN["data"])
    assert not notices.proposes_hearing(finding(proposes="correction")["data"])
    assert not notices.proposes_hearing(finding(about="operation")["data"])


def test_the_day_is_the_wall_s_and_after_the_last_closed_one() -> None:
    wall = date(2026, 11, 29)
    assert day_of_notice(wall, None) == day_of_notice(wall, date(2026, 11, 28)) == day_of_notice(wall, date(2026, 1, 1)) == wall
    assert day_of_notice(wall, date(2026, 11, 29)) == date(2026, 11, 30)
