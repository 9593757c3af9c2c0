"""四 for what is counted by the year or half-year: visits, self-inspection reports, the list that is notified; and what no office owes.

An adopted measure is the duty of the office that adopted it, with a last day; overdue it is the office's matter, never the enterprise's.
"""

from __future__ import annotations

import pytest

from tests.cases.ledger import OFFICE
from tests.cases.offices import OTHER, Bureau, graded

VISITS = {
    "C": ("四(二)2", "visits_cautioned", 1),
    "D": ("四(三)2", "visits_discredited", 2),
    "E": ("四(四)3", "visits_seriously_discredited", 4),
}
MONTHS = ("2025-02-03", "2025-03-03", "2025-06-03", "2025-09-03")


@pytest.mark.clause("四(二)2", "四(三)2", "四(四)3", "R20")
@pytest.mark.parametrize("grade", "CDE")
def test_one_visit_too_few_is_overdue_on_the_day_after_the_year(grade: str) -> None:
    clause, measure, number = VISITS[grade]
    ledger = graded(grade, clause)
    for day in MONTHS[: number - 1]:
        ledger.inspected(day)
    assert ["open", "open", "overdue"] == [ledger.states(day, measure)[0] for day in ("2025-12-30", "2025-12-31", "2026-01-01")]
    found = ledger.duty("2025-12-31", measure)
    assert ("2025-02-01", "2025-12-31", grade, OFFICE) == (str(found.opened_on), str(found.due_on), found.grade, found.office)
    assert [number] == [one.at_least for one in found.needs]


@pytest.mark.clause("四(二)2", "四(三)2", "四(四)3", "R21")
@pytest.mark.parametrize("grade", "CDE")
@pytest.mark.parametrize(("last", "state"), [("2025-12-30", "performed"), ("2025-12-31", "performed"), ("2026-01-01", "overdue")])
def test_the_last_visit_on_the_last_day_of_the_year_performs_it(grade: str, last: str, state: str) -> None:
    clause, measure, number = VISITS[grade]
    ledger = graded(grade, clause)
    for day in (*MONTHS[: number - 1], last):
        ledger.inspected(day)
    found = ledger.duties("2026-01-02", measure)[0]
    assert (state, last if state == "performed" else None) == (found.state, str(found.performed_on) if found.performed_on else None)


@pytest.mark.clause("四(二)2", "R21")
@pytest.mark.parametrize(("day", "state"), [("2024-12-31", "open"), ("2025-01-01", "performed"), ("2025-01-02", "performed")])
def test_a_visit_earlier_in_the_year_counts_whatever_the_grade_was_then(day: str, state: str) -> None:
    ledger = graded("C", "四(二)2")
    ledger.inspected(day)
    assert [state] == ledger.states("2025-03-01", "visits_cautioned")


EACH = [
    ("C", "四(二)2", "visits_cautioned"),
    ("D", "四(三)2", "visits_discredited"),
    ("E", "四(四)3", "visits_seriously_discredited"),
    ("E", "四(四)2", "special_inspections"),
    ("A", "四(一) ¶2 1", "self_inspection"),
]


@pytest.mark.clause("四(二)2", "四(三)2", "四(四)2", "四(四)3")
@pytest.mark.parametrize(("grade", "clause", "measure"), EACH[:4])
@pytest.mark.parametrize(("mode", "state"), [("on_site", "performed"), ("written", "open"), ("remote", "open")])
def test_only_a_visit_on_site_is_one(grade: str, clause: str, measure: str, mode: str, state: str) -> None:
    ledger = graded(grade, clause)
    for day in MONTHS:
        ledger.inspected(day, mode=mode, kind="special")
    assert [state] == ledger.states("2025-10-01", measure)


@pytest.mark.clause("四(二)2")
@pytest.mark.parametrize(("mode", "states"), [("on_site", ["performed", "open"]), ("written", ["overdue", "open"])])
def test_so_it_is_with_the_visit_of_the_half_year(mode: str, states: list[str]) -> None:
    ledger = graded("C", "四(二)2")
    ledger.warned("2025-02-10", term="2025-03-10")
    ledger.inspected("2025-06-03", mode=mode)
    assert states == ledger.states("2025-07-01", "visits_cautioned_half_yearly")


@pytest.mark.clause("四(一) ¶2 1", "四(二)2", "四(三)2", "四(四)2", "四(四)3", "R21")
@pytest.mark.parametrize(("grade", "clause", "measure"), EACH)
@pytest.mark.parametrize(("adopted", "duties"), [("2025-09-30", 1), ("2025-10-01", 1), ("2025-10-02", 0)])
def test_a_year_of_which_less_than_three_months_are_left_opens_no_duty(
    grade: str, clause: str, measure: str, adopted: str, duties: int
) -> None:
    ledger = graded(grade, clause, adopted=adopted)
    assert duties == len(ledger.duties("2025-12-31", measure))
    assert 1 == len(ledger.duties("2026-01-02", measure)) - duties


@pytest.mark.clause("四(二)2", "R21")
@pytest.mark.parametrize(
    ("found", "first", "second"), [("2024-06-30", 0, 0), ("2024-07-01", 1, 0), ("2025-01-01", 1, 1), ("2025-01-02", 1, 1)]
)
def test_half_yearly_where_there_was_a_violation_in_the_twelve_months_that_end_with_the_half_year(
    found: str, first: int, second: int
) -> None:
    ledger = graded("C", "四(二)2")
    ledger.inspected(found, found=("GSP-07",), mode="written")
    due = [str(one.due_on) for one in ledger.duties("2025-12-31", "visits_cautioned_half_yearly")]
    assert [first, second] == [due.count("2025-06-30"), due.count("2025-12-31")]


@pytest.mark.clause("四(二)2")
@pytest.mark.parametrize(("day", "state"), [("2025-06-29", "open"), ("2025-06-30", "open"), ("2025-07-01", "overdue")])
def test_the_visit_of_the_half_year_is_due_on_its_last_day(day: str, state: str) -> None:
    ledger = graded("C", "四(二)2")
    ledger.warned("2025-02-10", term="2025-03-10")
    assert state == ledger.states(day, "visits_cautioned_half_yearly")[0]


@pytest.mark.clause("四(二)2")
def test_one_visit_a_half_year_is_enough() -> None:
    ledger = graded("C", "四(二)2")
    ledger.warned("2025-02-10", term="2025-03-10")
    ledger.inspected("2025-06-30")
    assert ["performed", "open"] == ledger.states("2025-07-01", "visits_cautioned_half_yearly")


@pytest.mark.clause("四(二)2", "R2")
@pytest.mark.parametrize(("field", "duties"), [("drug", 1), ("device", 1), ("price", 0), ("food", 0)])
def test_a_violation_outside_drug_and_device_law_makes_no_visit_half_yearly(field: str, duties: int) -> None:
    ledger = graded("C", "四(二)2")
    ledger.ordered("2025-02-10", field=field)
    assert duties == len(ledger.duties("2025-06-30", "visits_cautioned_half_yearly"))


@pytest.mark.clause("四(二)2", "R21")
@pytest.mark.parametrize(("found", "duties"), [("2025-03-31", 1), ("2025-04-01", 1), ("2025-04-02", 0)])
def test_a_violation_in_the_last_three_months_of_a_half_year_opens_that_of_the_next(found: str, duties: int) -> None:
    ledger = graded("C", "四(二)2")
    ledger.warned(found, term="2025-05-01")
    due = [str(one.due_on) for one in ledger.duties("2025-08-01", "visits_cautioned_half_yearly")]
    assert [duties, 1] == [due.count("2025-06-30"), due.count("2025-12-31")]


@pytest.mark.clause("四(四)2", "R12")
@pytest.mark.parametrize(
    ("kind", "state"), [("special", "performed"), ("routine", "overdue"), ("recheck", "overdue"), ("complaint", "overdue")]
)
def test_a_special_inspection_a_year_of_the_seriously_discredited(kind: str, state: str) -> None:
    ledger = graded("E", "四(四)2")
    ledger.inspected("2025-05-05", kind=kind)
    found = ledger.duties("2026-01-01", "special_inspections")[0]
    assert (state, 1) == (found.state, found.needs[0].at_least)


@pytest.mark.clause("四(一) ¶2 1", "R12")
@pytest.mark.parametrize(("day", "state"), [("2025-12-30", "open"), ("2025-12-31", "open"), ("2026-01-01", "overdue")])
def test_the_exemplary_are_checked_by_a_report_a_year(day: str, state: str) -> None:
    ledger = graded("A", "四(一) ¶2 1")
    assert state == ledger.states(day, "self_inspection")[0]


@pytest.mark.clause("四(一) ¶2 1")
@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, "performed"),
        ({"year": 2025}, "performed"),
        ({"year": 2024}, "open"),
        ({"regime": "liyujiang"}, "performed"),
        ({"regime": "fhrs"}, "open"),
    ],
)
def test_a_report_about_another_year_or_to_another_regime_is_none(said: dict, state: str) -> None:
    ledger = graded("A", "四(一) ¶2 1")
    ledger.self_inspected("2025-05-05", **said)
    assert [state] == ledger.states("2025-06-01", "self_inspection")


@pytest.mark.clause("四(一) ¶2 1")
@pytest.mark.parametrize("mode", ["on_site", "written", "remote"])
def test_a_check_in_its_place_does_as_well(mode: str) -> None:
    ledger = graded("A", "四(一) ¶2 1")
    ledger.inspected("2025-05-05", mode=mode)
    assert ["performed"] == ledger.states("2025-06-01", "self_inspection")


@pytest.mark.clause("四(四)6", "R12")
@pytest.mark.parametrize(("day", "state"), [("2026-01-30", "open"), ("2026-01-31", "open"), ("2026-02-01", "overdue")])
def test_the_list_is_notified_by_the_end_of_january(day: str, state: str) -> None:
    ledger = graded("E", "四(四)6")
    found = ledger.duty(day, "list_notified")
    assert (state, "2026-01-01", "2026-01-31") == (found.state, str(found.opened_on), str(found.due_on))


@pytest.mark.clause("四(四)6")
@pytest.mark.parametrize(
    ("day", "state", "late"),
    [
        ("2025-12-31", "overdue", None),
        ("2026-01-01", "performed", False),
        ("2026-01-31", "performed", False),
        ("2026-02-01", "performed", True),
    ],
)
def test_a_notification_counts_for_its_own_year_and_after_january_it_is_late(day: str, state: str, late: bool | None) -> None:
    ledger = graded("E", "四(四)6")
    ledger.notified(day)
    found = ledger.duty("2026-02-10", "list_notified")
    assert (state, late) == (found.state, found.performed_on > found.due_on if found.performed_on else None)


@pytest.mark.clause("四(四)6", "R21")
@pytest.mark.parametrize(
    ("office", "listed", "state"),
    [(OFFICE, "seriously_discredited", "performed"), (OTHER, "seriously_discredited", "open"), (OFFICE, "exemplary", "open")],
)
def test_the_office_s_own_notification_of_that_list(office: str, listed: str, state: str) -> None:
    ledger = graded("E", "四(四)6")
    ledger.notified("2026-01-10", office=office, listed=listed)
    assert [state] == ledger.states("2026-01-20", "list_notified")


@pytest.mark.clause("四(四)6", "R21")
def test_the_duty_to_notify_ends_with_the_grade() -> None:
    ledger = graded("E", "四(四)6")
    ledger.scored(2025, "95")
    ledger.evaluated(2025, on="2026-01-20")
    assert ["open", "lapsed"] == [ledger.states(day, "list_notified")[0] for day in ("2026-01-19", "2026-01-20")]


@pytest.mark.clause("四(一)1", "四(一)2", "四(一)3", "四(一) ¶2 2", "四(三)3", "四(四)5")
@pytest.mark.parametrize(
    ("grade", "clause"), [("A", "四(一)1"), ("A", "四(一)2"), ("B", "四(一)3"), ("A", "四(一) ¶2 2"), ("D", "四(三)3"), ("E", "四(四)5")]
)
def test_a_power_stays_a_power_and_says_why(grade: str, clause: str) -> None:
    ledger = graded(grade, clause)
    assert [] == ledger.duties("2026-02-01")
    [measure] = [one for one in ledger.book.rulebook.measures if one.clause == clause]
    assert measure.power and grade in measure.grades


@pytest.mark.clause("四(二)2")
def test_what_no_office_adopted_is_nobody_s_duty() -> None:
    ledger = graded("C", "四(三)2")
    ledger.case_closed("2025-03-10")
    ledger.fined("2025-03-11")
    assert [] == ledger.duties("2025-02-28")
    assert [] == Bureau().duties("2025-12-31")


@pytest.mark.clause("四(二)2", "六", "R21")
@pytest.mark.parametrize(
    ("adopted", "effect", "opened"), [("2025-02-01", "2025-01-01", "2025-02-01"), ("2025-02-01", "2025-02-02", "2025-02-02")]
)
def test_no_office_owes_anything_before_it_adopted_the_measure(adopted: str, effect: str, opened: str) -> None:
    ledger = graded("C")
    ledger.adopted("四(二)2", adopted, effect=effect)
    assert opened == str(ledger.duty("2025-12-31", "visits_cautioned").opened_on)


@pytest.mark.clause("四(二)2")
@pytest.mark.parametrize(("day", "state"), [("2025-07-31", "open"), ("2025-08-01", "lapsed"), ("2025-08-02", "lapsed")])
def test_a_withdrawn_measure_is_a_duty_no_more(day: str, state: str) -> None:
    ledger = graded("C", "四(二)2")
    ledger.adopted("四(二)2", "2025-07-01", effect="2025-08-01", withdrawn=True)
    assert [state] == ledger.states(day, "visits_cautioned")
    ledger.adopted("四(二)2", "2025-09-01")
    assert ["open"] == ledger.states("2025-09-01", "visits_cautioned")


@pytest.mark.clause("四(二)2", "五(四) ¶1–2")
@pytest.mark.parametrize(("kinds", "duties"), [(["drug_retail", "device_retail"], 1), (["drug_wholesale"], 0)])
def test_an_office_may_adopt_for_the_enterprises_that_it_has(kinds: list[str], duties: int) -> None:
    ledger = graded("C")
    ledger.adopted("四(二)2", "2025-02-01", business_kinds=kinds)
    assert duties == len(ledger.duties("2025-12-31", "visits_cautioned"))


@pytest.mark.clause("四(二)2", "R21")
def test_each_office_that_adopted_owes_it_and_any_office_s_visit_performs_it() -> None:
    ledger = graded("C", "四(二)2")
    ledger.adopted("四(二)2", "2025-02-01", office=OTHER)
    ledger.source = OTHER
    ledger.inspected("2025-05-05")
    assert {(OFFICE, "performed"), (OTHER, "performed")} == {(one.office, one.state) for one in ledger.duties("2025-06-01")}


@pytest.mark.clause("四(二)2", "四(三)2", "R21")
def test_when_the_grade_gets_worse_the_one_duty_lapses_and_the_other_opens_and_counts_the_year() -> None:
    ledger = graded("C", "四(二)2", "四(三)2")
    ledger.inspected("2025-05-20")
    early = graded("C", "四(二)2", "四(三)2")
    for one in (ledger, early):
        one.fined("2025-06-10")
    assert [("performed", 1)] == [(one.state, len(one.needs[0].found)) for one in ledger.duties("2025-06-10", "visits_cautioned")]
    assert [("open", 1)] == [(one.state, len(one.needs[0].found)) for one in ledger.duties("2025-06-10", "visits_discredited")]
    states = {one.measure.name: (one.state, str(one.lapsed_on)) for one in early.duties("2025-06-10")}
    assert ("lapsed", "2025-06-10") == states["visits_cautioned"]
    assert ("open", "None") == states["visits_discredited"]


@pytest.mark.clause("四(二)2", "三(二)1")
@pytest.mark.parametrize(("day", "state"), [("2025-06-09", "open"), ("2025-06-10", "lapsed"), ("2025-06-11", "lapsed")])
def test_nobody_has_to_visit_an_enterprise_that_closed(day: str, state: str) -> None:
    ledger = graded("C", "四(二)2")
    ledger.closed("2025-06-10")
    assert [state] == ledger.states(day, "visits_cautioned")


@pytest.mark.clause("四(二)2")
def test_once_overdue_it_stays_so_whatever_the_grade_becomes() -> None:
    ledger = graded("C", "四(二)2")
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert ["overdue", "lapsed"] == ledger.states("2026-02-01", "visits_cautioned")


@pytest.mark.clause("四(四)3", "R12")
def test_what_the_plan_does_not_set_is_marked_as_the_operator_s() -> None:
    from services.rating.domain.duties import readings_of, set_by_operator

    book = graded("E").book.rulebook
    marked = {one.clause for one in book.measures if one.power is None and set_by_operator(book, one)}
    assert {"四(一) ¶2 1", "四(二)1", "四(二)3", "四(三)1", "四(三)4", "四(四)1", "四(四)2", "四(四)4", "四(四)6"} == marked
    assert all("R12" in readings_of(book, one) for one in book.measures if one.clause in marked)


@pytest.mark.clause("R18", "四(二)2")
def test_a_visit_that_was_retracted_performed_nothing() -> None:
    ledger = graded("C", "四(二)2")
    visit = ledger.inspected("2025-05-05")
    ledger.retracted(visit, "2025-06-01")
    assert ["open"] == ledger.states("2025-06-02", "visits_cautioned")
