"""四 for what follows a case, a decision or an application: re-checks, published records, the notice of extension."""

from __future__ import annotations

import pytest

from tests.cases.ledger import OFFICE, act
from tests.cases.offices import OTHER, PERSON, SCORES, SOMEBODY, Bureau, graded

RECHECK = {
    "C": ("四(二)1", "recheck_cautioned"),
    "D": ("四(三)1", "recheck_discredited"),
    "E": ("四(四)1", "recheck_seriously_discredited"),
}
RECORD = {"C": ("四(二)3", "record_cautioned"), "D": ("四(三)4", "record_discredited"), "E": ("四(四)4", "record_seriously_discredited")}
recheck_clauses = pytest.mark.clause("四(二)1", "四(三)1", "四(四)1", "R12")
record_clauses = pytest.mark.clause("四(二)3", "四(三)4", "四(四)4", "R12")
UNKNOWING = ("unknowing_sale",)


def closed(grade: str, on: str = "2025-03-10", **more: str) -> Bureau:
    """A case closed, at an enterprise of the grade whose office adopted the re-check."""
    ledger = graded(grade, RECHECK[grade][0])
    ledger.case_closed(on, **more)
    return ledger


@recheck_clauses
@pytest.mark.parametrize("grade", "CDE")
@pytest.mark.parametrize(("day", "state"), [("2025-04-21", "open"), ("2025-04-22", "open"), ("2025-04-23", "overdue")])
def test_a_re_check_is_due_thirty_working_days_after_the_case_closed(grade: str, day: str, state: str) -> None:
    found = closed(grade).duty(day, RECHECK[grade][1])
    assert (state, "2025-03-10", "2025-04-22", False) == (found.state, str(found.opened_on), str(found.due_on), found.provisional)


@recheck_clauses
@pytest.mark.parametrize("grade", "DE")
@pytest.mark.parametrize(("day", "late"), [("2025-04-21", False), ("2025-04-22", False), ("2025-04-23", True)])
def test_the_re_check_performs_it_in_time_or_late(grade: str, day: str, late: bool) -> None:
    ledger = closed(grade)
    ledger.rechecked(day)
    found = ledger.duty("2025-05-10", RECHECK[grade][1])
    assert ("performed", late) == (found.state, found.performed_on > found.due_on)


@pytest.mark.clause("四(二)1", "R12")
@pytest.mark.parametrize(
    ("report", "state"), [(None, "overdue"), ("2025-03-09", "overdue"), ("2025-03-10", "performed"), ("2025-04-22", "performed")]
)
def test_of_the_cautioned_the_written_report_belongs_to_it(report: str | None, state: str) -> None:
    ledger = closed("C")
    ledger.rechecked("2025-04-01")
    if report:
        ledger.rectified(report)
    assert [state] == ledger.states("2025-04-23", "recheck_cautioned")


@recheck_clauses
@pytest.mark.parametrize("grade", "CDE")
@pytest.mark.parametrize(
    ("kind", "mode", "state"), [("recheck", "on_site", "performed"), ("routine", "on_site", "open"), ("recheck", "written", "open")]
)
def test_only_a_re_check_on_site_is_one(grade: str, kind: str, mode: str, state: str) -> None:
    ledger = closed(grade)
    ledger.rectified("2025-03-20")
    ledger.inspected("2025-03-20", kind=kind, mode=mode)
    assert [state] == ledger.states("2025-03-21", RECHECK[grade][1])


@pytest.mark.clause("四(二)1")
def test_a_report_alone_is_no_re_check() -> None:
    ledger = closed("C")
    ledger.rectified("2025-03-20")
    assert ["open"] == ledger.states("2025-03-21", "recheck_cautioned")


@pytest.mark.clause("四(三)1", "四(四)1", "四(三)4", "四(四)4", "R21")
def test_from_discredited_to_seriously_discredited_the_duties_stay_the_ones_that_they_were() -> None:
    ledger = graded("D", "四(三)1", "四(四)1", "四(三)4", "四(四)4")
    ledger.case_closed("2025-03-10")
    ledger.fined("2025-03-10")
    ledger.penalised("2025-03-20", act("suspension_ordered"))
    found = [(one.measure.name, str(one.opened_on)) for one in ledger.duties("2025-03-20") if str(one.opened_on) < "2025-03-20"]
    assert [("record_discredited", "2025-03-10"), ("recheck_discredited", "2025-03-10")] == found
    assert 3 == len(ledger.duties("2025-03-20"))


@pytest.mark.clause("四(二)3", "四(三)4", "R21")
def test_a_cautioned_enterprise_s_record_is_published_once_though_it_becomes_discredited() -> None:
    ledger = graded("C", "四(二)3", "四(三)4")
    ledger.penalised("2025-03-10", act("fine", concepts=UNKNOWING))
    ledger.fined("2025-03-20")
    assert {"record_cautioned", "record_discredited"} == {one.measure.name for one in ledger.duties("2025-03-20")}
    assert 2 == len(ledger.duties("2025-03-20"))


@recheck_clauses
@pytest.mark.parametrize(("day", "state"), [("2025-03-09", "open"), ("2025-03-10", "performed"), ("2025-03-11", "performed")])
def test_a_check_before_the_case_closed_is_no_re_check(day: str, state: str) -> None:
    ledger = closed("D")
    ledger.rechecked(day)
    assert [state] == ledger.states("2025-03-12", "recheck_discredited")


@pytest.mark.clause("四(二)1", "R21")
@pytest.mark.parametrize(("outcome", "duties"), [("penalised", 1), ("violation_no_penalty", 1), ("no_violation", 0), ("transferred", 0)])
def test_a_case_without_a_violation_needs_no_re_check(outcome: str, duties: int) -> None:
    assert duties == len(closed("D", outcome=outcome).duties("2025-03-20"))


@pytest.mark.clause("四(二)1", "R21")
@pytest.mark.parametrize(("on", "duties"), [("2024-01-31", 0), ("2024-02-01", 1), ("2024-02-02", 1)])
def test_a_case_of_the_twelve_months_before_is_dealt_with_from_the_grade_and_the_adoption_on(on: str, duties: int) -> None:
    found = closed("D", on=on).duties("2025-02-10")
    assert [("2025-02-01", "2025-03-17")] * duties == [(str(one.opened_on), str(one.due_on)) for one in found]


@pytest.mark.clause("四(二)1", "R21")
def test_a_case_that_two_officers_closed_is_one_case() -> None:
    ledger = closed("D", number="C-1")
    ledger.case_closed("2025-03-11", number="C-1")
    assert ["2025-03-10"] == [str(one.opened_on) for one in ledger.duties("2025-03-20")]


@pytest.mark.clause("四(二)1", "四(三)1", "R21")
def test_one_case_opens_one_re_check_which_stays_when_the_grade_changes() -> None:
    ledger = graded("C", "四(二)1", "四(三)1")
    ledger.case_closed("2025-03-10")
    ledger.fined("2025-03-20")
    assert "D" == ledger.grade("2025-03-20")
    assert [("recheck_cautioned", "open")] == [(one.measure.name, one.state) for one in ledger.duties("2025-03-25")]


@pytest.mark.clause("四(三)1", "R21")
def test_where_the_first_grade_s_measure_was_not_adopted_the_next_one_s_opens_it() -> None:
    ledger = graded("C", "四(三)1")
    ledger.case_closed("2025-03-10")
    ledger.fined("2025-03-20")
    assert [("recheck_discredited", "2025-03-20")] == [(one.measure.name, str(one.opened_on)) for one in ledger.duties("2025-03-25")]


@pytest.mark.clause("四(三)1", "三(二)1")
def test_a_re_check_of_an_enterprise_that_closed_is_over() -> None:
    ledger = closed("D")
    ledger.closed("2025-03-20")
    assert [("lapsed", "2025-03-20")] == [(one.state, str(one.lapsed_on)) for one in ledger.duties("2025-05-01")]


@pytest.mark.clause("R13", "四(三)1")
def test_a_term_that_runs_into_a_year_without_a_calendar_is_provisional() -> None:
    ledger = graded("D", "四(三)1", calendars=(2025,))
    ledger.case_closed("2025-12-10")
    found = ledger.duty("2025-12-11", "recheck_discredited")
    assert ("2026-01-21", True) == (str(found.due_on), found.provisional)
    ledger.calendar(2026, on="2025-12-15")
    found = ledger.duty("2025-12-16", "recheck_discredited")
    assert ("2026-01-22", False) == (str(found.due_on), found.provisional)


def decided(grade: str, *kinds: str, concepts: tuple[str, ...] = (), field: str = "drug") -> tuple[Bureau, str]:
    """A decision of 10 March 2025 about an enterprise of the grade, whose office adopted the publishing of records."""
    ledger = graded(grade, RECORD[grade][0])
    return ledger, ledger.penalised("2025-03-10", act(*kinds, concepts=concepts, field=field))


@record_clauses
@pytest.mark.parametrize(("grade", "concepts"), [("C", UNKNOWING), ("D", ()), ("E", ())])
@pytest.mark.parametrize(("day", "state"), [("2025-04-07", "open"), ("2025-04-08", "open"), ("2025-04-09", "overdue")])
def test_a_record_is_published_within_twenty_working_days_of_its_service(
    grade: str, concepts: tuple[str, ...], day: str, state: str
) -> None:
    ledger, _ = decided(grade, "fine", concepts=concepts)
    found = ledger.duty(day, RECORD[grade][1])
    assert (state, "2025-04-08") == (found.state, str(found.due_on))


@record_clauses
@pytest.mark.parametrize(("day", "late"), [("2025-04-07", False), ("2025-04-08", False), ("2025-04-09", True)])
def test_the_announcement_that_names_the_decision_performs_it(day: str, late: bool) -> None:
    ledger, decision = decided("D", "fine")
    ledger.announced("2025-03-12")
    assert ["open"] == ledger.states("2025-03-12", "record_discredited")
    ledger.announced(day, of=decision)
    found = ledger.duty("2025-05-01", "record_discredited")
    assert ("performed", late) == (found.state, found.performed_on > found.due_on)


PUBLISHED = """fine confiscation_of_gains confiscation_of_property advertising_approval_revoked approval_certificate_revoked
suspension_ordered permit_withheld business_licence_withheld detention""".split()


@pytest.mark.clause("四(四)4", "R17")
@pytest.mark.parametrize(("kind", "duties"), [*((one, 1) for one in PUBLISHED), ("warning", 0), ("criticism", 0)])
def test_what_a_higher_norm_no_longer_lets_be_published_is_not_owed(kind: str, duties: int) -> None:
    ledger, _ = decided("E", kind)
    assert duties == len(ledger.duties("2025-03-11"))


@pytest.mark.clause("四(四)4")
def test_a_permit_revoked_in_part_is_published() -> None:
    ledger = graded("E", "四(四)4")
    ledger.permit_revoked("2025-03-10", whole=False)
    assert ["open"] == ledger.states("2025-03-11")


@pytest.mark.clause("四(三)4", "R2")
@pytest.mark.parametrize(("field", "duties"), [("drug", 1), ("device", 1), ("price", 0)])
def test_the_record_is_that_under_drug_and_device_law(field: str, duties: int) -> None:
    ledger, _ = decided("D", "fine", field=field)
    assert duties == len(ledger.duties("2025-03-11", "record_discredited"))


@record_clauses
@pytest.mark.parametrize("grade", "CDE")
def test_nor_is_one_outside_it_owed_once_the_next_evaluation_gives_the_grade_back(grade: str) -> None:
    """Until then it had lowered the grade by a step (R7)."""
    ledger, _ = decided(grade, "fine", field="price")
    ledger.scored(2025, SCORES[grade])
    ledger.evaluated(2025)
    assert (grade, []) == (ledger.grade("2026-01-20"), ledger.duties("2026-01-20", RECORD[grade][1]))


@pytest.mark.clause("四(三)4", "R3")
def test_a_decision_that_awaits_service_is_no_record_yet() -> None:
    ledger = graded("D", "四(三)4")
    decision = ledger.penalised("2025-03-10", act("fine"), served=None)
    assert [] == ledger.duties("2025-03-20")
    ledger.served(decision, "2025-03-21")
    assert ["2025-03-21"] == [str(one.opened_on) for one in ledger.duties("2025-03-21")]


@pytest.mark.clause("四(三)4", "R21")
def test_a_decision_that_two_offices_entered_is_published_once_and_either_entry_may_be_named() -> None:
    ledger = graded("D", "四(三)4")
    first = ledger.fined("2025-03-10")
    again = ledger.fined("2025-03-10")
    assert first != again and 1 == len(ledger.duties("2025-03-20"))
    ledger.announced("2025-03-21", of=again)
    assert ["performed"] == ledger.states("2025-03-21")


@pytest.mark.clause("R18", "四(三)4")
@pytest.mark.parametrize(("day", "state"), [("2025-03-19", "open"), ("2025-03-20", "lapsed"), ("2025-03-21", "lapsed")])
def test_from_its_repair_on_a_decision_need_not_be_published(day: str, state: str) -> None:
    ledger, decision = decided("D", "fine")
    ledger.repaired(decision, "2025-03-15", "2025-03-20")
    assert [state] == ledger.states(day, "record_discredited")


@pytest.mark.clause("R18", "四(三)4")
def test_a_repair_takes_back_no_duty_that_was_overdue() -> None:
    ledger, decision = decided("D", "fine")
    ledger.repaired(decision, "2025-05-15")
    assert ["overdue"] == ledger.states("2025-06-01", "record_discredited")


@pytest.mark.clause("R18", "四(三)4")
def test_an_annulled_decision_never_had_to_be_published() -> None:
    ledger, decision = decided("D", "fine")
    ledger.annulled(decision, "2025-05-15")
    assert [] == ledger.duties("2025-06-01", "record_discredited")


def applied(**more: str | None) -> Bureau:
    ledger = graded("E", "四(四)7")
    ledger.applied("2025-03-10", **{"accepted": "2025-03-12", "decide_by": "2025-04-15", **more})
    return ledger


@pytest.mark.clause("四(四)7")
@pytest.mark.parametrize(
    ("day", "states"), [("2025-03-11", []), ("2025-03-12", ["open"]), ("2025-04-15", ["open"]), ("2025-04-16", ["overdue"])]
)
def test_once_accepted_an_application_gets_its_notice_within_the_statutory_term(day: str, states: list[str]) -> None:
    assert states == applied().states(day, "notice_of_extension")


@pytest.mark.clause("四(四)7")
@pytest.mark.parametrize(
    "more", [{"accepted": None}, {"decide_by": None}, {"person": SOMEBODY}, {"person": None}, {"accepted": "2025-01-31"}]
)
def test_only_one_by_the_person_who_is_responsible_that_was_accepted_with_a_term(more: dict[str, str | None]) -> None:
    if more.get("accepted") == "2025-01-31":
        ledger = graded("E", "四(四)7")
        ledger.applied("2025-01-20", accepted="2025-01-31", decide_by="2025-04-15")
    else:
        ledger = applied(**more)
    assert [] == ledger.duties("2025-03-20")


@pytest.mark.clause("四(四)7")
def test_the_person_is_the_one_who_was_responsible_on_the_day_of_acceptance() -> None:
    ledger = graded("E", "四(四)7")
    ledger.enter("enterprise.changed", {"occurred_on": "2025-03-01", "responsible_person": SOMEBODY})
    ledger.applied("2025-03-10", accepted="2025-03-12", decide_by="2025-04-15", person=PERSON)
    assert [] == ledger.duties("2025-03-20")
    ledger.applied("2025-03-11", accepted="2025-03-12", decide_by="2025-04-15", person=SOMEBODY)
    assert ["open"] == ledger.states("2025-03-20")


@pytest.mark.clause("四(四)7")
def test_nothing_but_the_notice_that_an_approver_signs_on_that_application_performs_it() -> None:
    ledger = applied()
    other = ledger.applied("2025-03-11", accepted="2025-03-12", decide_by="2025-04-15")
    ledger.extended(other, "2025-04-01", decide_by="2025-04-15", to="2025-05-15")
    assert {"open", "performed"} == set(ledger.states("2025-04-10"))


@pytest.mark.clause("四(二)1", "R21")
def test_an_office_s_own_acts_alone_count_where_the_bureau_decides_so() -> None:
    """A parameter: by the shipped reading any office's re-check performs it."""
    ledger = closed("D")
    ledger.source = OTHER
    ledger.rechecked("2025-03-20")
    found = ledger.duty("2025-03-21", "recheck_discredited")
    assert (OFFICE, "performed") == (found.office, found.state)
