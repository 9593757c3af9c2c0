"""The Wuhan evaluation for 2017 as sentences, on each side of every boundary. R-numbers are the rulebook's readings.

Sources' points are shown as they are left of ten; a case names the rule that holds, so that no bound is held by another rule's grade."""

from __future__ import annotations

import pytest

from tests.cases.ledger import Ledger, act

ON = "2018-02-05"


def firm(started: str | None = "2010-03-01") -> Ledger:
    """A licensed enterprise that has been open for years."""
    ledger = Ledger("wuhan-2017")
    ledger.registered("2010-03-01")
    if started:
        ledger.started(started)
    return ledger


def evaluated(ledger: Ledger, year: int = 2017, on: str = ON) -> tuple[str, str, tuple[str, ...]]:
    """The year's evaluation: the grade, the points left, the rules that hold."""
    ledger.evaluated(year, on=on)
    return said(ledger)


def said(ledger: Ledger, day: str | None = None) -> tuple[str, str, tuple[str, ...]]:
    """Grade or status on a day, points left (empty where none are counted), the rules behind it."""
    found = ledger.on(day)
    assert found is not None
    left = [number.value for reason in found.reasons for number in reason.numbers if number.name == "points"]
    return found.grade or found.status, " ".join(left), tuple(reason.rule for reason in found.reasons)


def punished(ledger: Ledger, *kinds: str, month: int = 3, day: int = 1) -> None:
    """One penalty for each kind, each in a decision of its own."""
    for number, kind in enumerate(kinds):
        on = f"2017-{month:02}-{day + number:02}"
        ledger.warned(on) if kind == "warning" else ledger.penalised(on, act(kind))


# 扣分标准: what each kind takes off
@pytest.mark.parametrize(
    ("kind", "left", "grade"),
    [
        ("warning", "9.5", "A"),
        ("fine", "9", "A"),
        ("confiscation_of_gains", "8", "B"),
        ("confiscation_of_property", "8", "B"),
        ("suspension_ordered", "7", "B"),
        ("approval_certificate_revoked", "4", "C"),
        ("permit_revoked", "0", "D"),
        ("detention", "0", "D"),
    ],
)
def test_each_kind_of_penalty_takes_its_points_off(kind: str, left: str, grade: str) -> None:
    ledger = firm()
    punished(ledger, kind)
    assert (grade, left, (f"{grade.lower()}_points",)) == evaluated(ledger)


@pytest.mark.parametrize(("whole", "left", "grade"), [(False, "4", "C"), (True, "0", "D")])
def test_a_permit_revoked_in_part_costs_less_than_a_whole_one(whole: bool, left: str, grade: str) -> None:
    ledger = firm()
    ledger.permit_revoked("2017-05-01", whole=whole)
    assert (grade, left, (f"{grade.lower()}_points",)) == evaluated(ledger)


@pytest.mark.parametrize(("final", "left", "grade"), [(True, "0", "D"), (False, "10", "A")])
def test_a_crime_takes_everything_once_the_judgment_is_final(final: bool, left: str, grade: str) -> None:
    ledger = firm()
    ledger.convicted("2017-05-01", final=final)
    assert (grade, left, (f"{grade.lower()}_points",)) == evaluated(ledger)


@pytest.mark.parametrize("kind", ["criticism", "advertising_approval_revoked", "permit_withheld", "business_licence_withheld"])
def test_what_the_list_does_not_name_takes_nothing_off(kind: str) -> None:
    ledger = firm()
    punished(ledger, kind)
    assert ("A", "10", ("a_points",)) == evaluated(ledger)


# 等级划分, R1: each mark, half a point above and half a point below it
@pytest.mark.parametrize(
    ("kinds", "left", "grade"),
    [
        (["warning"], "9.5", "A"),
        (["fine"], "9", "A"),
        (["fine", "warning"], "8.5", "B"),
        (["confiscation_of_gains", "warning"], "7.5", "B"),
        (["suspension_ordered"], "7", "B"),
        (["suspension_ordered", "warning"], "6.5", "C"),
        (["suspension_ordered", "confiscation_of_gains", "warning"], "4.5", "C"),
        (["suspension_ordered", "suspension_ordered"], "4", "C"),
        (["suspension_ordered", "suspension_ordered", "warning"], "3.5", "D"),
        (["suspension_ordered", "suspension_ordered", "suspension_ordered", "warning"], "0.5", "D"),
        (["detention"], "0", "D"),
        (["detention", "fine"], "0", "D"),
    ],
)
def test_at_a_mark_the_better_grade_holds(kinds: list[str], left: str, grade: str) -> None:
    ledger = firm()
    punished(ledger, *kinds)
    assert (grade, left, (f"{grade.lower()}_points",)) == evaluated(ledger)


# R2: the calendar year of the service
@pytest.mark.parametrize(
    ("served", "left"),
    [("2016-12-31", "10"), ("2017-01-01", "9"), ("2017-01-02", "9"), ("2017-12-30", "9"), ("2017-12-31", "9"), ("2018-01-01", "10")],
)
def test_a_penalty_counts_in_the_year_in_which_it_was_served(served: str, left: str) -> None:
    ledger = firm()
    ledger.penalised("2016-12-01", act("fine"), served=served)
    assert left == evaluated(ledger)[1]


def test_what_is_not_served_takes_nothing_off() -> None:
    ledger = firm()
    decision = ledger.penalised("2017-06-01", act("suspension_ordered"), served=None)
    assert "10" == evaluated(ledger)[1]
    ledger.served(decision, "2017-12-31", known="2018-03-01")
    assert ("B", "7", ("b_points",)) == said(ledger)


@pytest.mark.parametrize(("day", "grade"), [("2019-02-04", "B"), ("2019-02-05", "A"), ("2019-02-06", "A")])
def test_points_come_back_with_the_next_years_evaluation(day: str, grade: str) -> None:
    ledger = firm()
    punished(ledger, "confiscation_of_gains")
    ledger.evaluated(2017, on=ON)
    ledger.evaluated(2018, on="2019-02-05")
    assert grade == ledger.grade(day)


@pytest.mark.parametrize(("day", "grade"), [("2018-02-04", "not_yet_evaluated"), ("2018-02-05", "A"), ("2018-02-06", "A")])
def test_there_is_no_grade_before_the_first_evaluation(day: str, grade: str) -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    ledger.day_closed("2018-03-01")
    assert grade == ledger.grade(day)


# 同一情形从重, R3
def test_of_several_penalties_for_one_act_only_the_heaviest_counts() -> None:
    ledger = firm()
    ledger.penalised("2017-03-01", act("warning", "fine", "confiscation_of_gains", "suspension_ordered"))
    assert ("B", "7", ("b_points",)) == evaluated(ledger)


def test_two_acts_in_one_decision_each_take_their_own_points_off() -> None:
    ledger = firm()
    ledger.penalised("2017-03-01", act("fine"), act("confiscation_of_gains", violation="GSP-08"))
    assert ("B", "7", ("b_points",)) == evaluated(ledger)


def test_two_documents_about_the_same_violation_each_take_their_own_points_off() -> None:
    ledger = firm()
    ledger.warned("2017-03-01")
    ledger.fined("2017-03-02")
    assert ("B", "8.5", ("b_points",)) == evaluated(ledger)


def test_a_decision_that_was_entered_twice_counts_once() -> None:
    ledger = firm()
    ledger.fined("2017-03-01")
    ledger.fined("2017-03-01", known="2017-04-01")
    assert ("A", "9", ("a_points",)) == evaluated(ledger)


def test_an_annulled_penalty_gives_its_points_back() -> None:
    ledger = firm()
    decision = ledger.penalised("2017-03-01", act("suspension_ordered"))
    ledger.evaluated(2017, on=ON)
    ledger.annulled(decision, "2018-04-01")
    assert ("A", "10", ("a_points",)) == said(ledger)


# R5: the field of law
@pytest.mark.parametrize(
    ("field", "left"),
    [("drug", "9"), ("device", "9"), ("cosmetics", "9"), ("food", "9"), ("price", "10"), ("public_security", "10"), ("other", "10")],
)
def test_only_penalties_of_the_own_fields_take_points_off(field: str, left: str) -> None:
    ledger = firm()
    ledger.fined("2017-03-01", field=field)
    assert left == evaluated(ledger)[1]


# 公布后降级, R6
@pytest.mark.parametrize(
    ("kind", "grade"),
    [("approval_certificate_revoked", "C"), ("permit_revoked", "D"), ("detention", "D"), ("suspension_ordered", "A"), ("fine", "A")],
)
@pytest.mark.parametrize(("day", "yet"), [("2018-03-09", False), ("2018-03-10", True), ("2018-03-11", True)])
def test_what_is_serious_lowers_on_the_day_of_its_service(kind: str, grade: str, day: str, yet: bool) -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    ledger.penalised("2018-03-01", act(kind), served="2018-03-10")
    ledger.day_closed("2018-03-20")
    rule = f"{grade.lower()}_at_once" if yet and grade != "A" else "a_points"
    assert (grade if yet else "A", (rule,)) == said(ledger, day)[::2]


@pytest.mark.parametrize(("whole", "grade"), [(False, "C"), (True, "D")])
def test_a_revoked_permit_lowers_at_once(whole: bool, grade: str) -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    ledger.permit_revoked("2018-03-01", whole=whole)
    assert (grade, (f"{grade.lower()}_at_once",)) == said(ledger)[::2]


def test_a_crime_lowers_at_once() -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    ledger.convicted("2018-03-01")
    assert ("D", ("d_at_once",)) == said(ledger)[::2]


@pytest.mark.parametrize("kind", ["approval_certificate_revoked", "detention"])
@pytest.mark.parametrize(("field", "lowered"), [("device", True), ("public_security", False)])
def test_only_what_is_serious_in_the_own_fields_lowers(kind: str, field: str, lowered: bool) -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    ledger.penalised("2018-03-01", act(kind, field=field))
    assert lowered == (ledger.grade() != "A")


def test_a_lowering_stays_until_its_own_year_is_evaluated() -> None:
    ledger = firm()
    ledger.evaluated(2016, on="2017-02-05")
    ledger.penalised("2018-01-10", act("detention"))
    ledger.evaluated(2017, on=ON)
    assert ("D", ("d_at_once",)) == said(ledger)[::2]
    assert ("D", "0", ("d_points",)) == evaluated(ledger, 2018, "2019-02-05")
    assert ("A", "10", ("a_points",)) == evaluated(ledger, 2019, "2020-02-05")


def test_an_enterprise_that_was_never_evaluated_is_graded_by_what_is_serious() -> None:
    ledger = firm()
    ledger.penalised("2017-05-01", act("permit_revoked"))
    assert ("D", ("d_at_once",)) == said(ledger)[::2]


# R7: who takes part
@pytest.mark.parametrize(("started", "grade"), [("2017-12-30", "A"), ("2017-12-31", "A"), ("2018-01-01", "new"), (None, "A")])
def test_whoever_had_begun_by_the_years_end_takes_part(started: str | None, grade: str) -> None:
    ledger = firm(started)
    assert grade == evaluated(ledger)[0]


# 评定依据: status instead of a grade
@pytest.mark.parametrize(("reason", "status"), [("closed", "closed"), ("deregistered", "closed"), ("licence_revoked", "licence_revoked")])
@pytest.mark.parametrize(("day", "over"), [("2018-03-09", False), ("2018-03-10", True), ("2018-03-11", True)])
def test_who_has_closed_has_a_status_and_no_grade(reason: str, status: str, day: str, over: bool) -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    ledger.closed("2018-03-10", reason)
    ledger.day_closed("2018-03-20")
    assert (status if over else "A") == ledger.grade(day)


def test_without_its_business_licence_an_enterprise_has_no_grade() -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    ledger.penalised("2018-03-10", act("business_licence_revoked", field="trade"))
    assert "licence_revoked" == ledger.grade()


# what is said of it
def test_the_reason_names_every_deduction_its_day_and_its_document() -> None:
    ledger = firm()
    ledger.warned("2017-03-01")
    ledger.penalised("2017-04-02", act("fine", "confiscation_of_gains"), act("fine", violation="GSP-08"))
    ledger.evaluated(2017, on=ON)
    found = ledger.now()
    assert found is not None
    (reason,) = found.reasons
    assert reason.en == (
        "2017-01-01 to 2017-12-31: of 10 points 3.5 were taken off and 6.5 are left, at or above 4 and below 7. Deductions: "
        "2017-03-01 warning −0.5 (W-2017-03-01); 2017-04-02 confiscation −2 (P-2017-04-02); 2017-04-02 fine −1 (P-2017-04-02)."
    )
    assert reason.zh == (
        "2017-01-01 至 2017-12-31：10 分扣去 3.5 分，剩 6.5 分，达到 4 分而不到 7 分。扣分："
        "2017-03-01 警告 −0.5（W-2017-03-01）；2017-04-02 没收 −2（P-2017-04-02）；2017-04-02 罚款 −1（P-2017-04-02）。"
    )
    assert [(one.name, one.value, one.bound) for one in reason.numbers] == [
        ("points", "6.5", "≥ 4 < 7"),
        ("full", "10", None),
        ("confiscations", "-2", "× 1"),
        ("fines", "-1", "× 1"),
        ("warnings", "-0.5", "× 1"),
    ]
    assert ["warning.issued", "penalty.decided"] == [one.fact.name for one in found.decisive]


def test_a_clean_year_says_so() -> None:
    ledger = firm()
    ledger.evaluated(2017, on=ON)
    found = ledger.now()
    assert found is not None
    assert found.reasons[0].zh.endswith("剩 10 分，达到 9 分。扣分：没有扣分。")
    assert found.reasons[0].en.endswith("0 were taken off and 10 are left, at or above 9. Deductions: no deduction.")


@pytest.mark.parametrize(("kind", "row"), [("permit_revoked", "revocations"), ("detention", "persons")])
def test_the_whole_deduction_is_shown_though_nothing_more_is_left_to_take(kind: str, row: str) -> None:
    ledger = firm()
    punished(ledger, kind, kind)
    ledger.evaluated(2017, on=ON)
    found = ledger.now()
    assert found is not None
    assert [("points", "0"), (row, "-20")] == [(one.name, one.value) for one in found.reasons[0].numbers if one.name != "full"]


def test_a_repair_that_leaves_the_status_as_it_was_moves_no_beginning() -> None:
    """Its operation began the day after it was registered; by the repair no start is on record any more, and it takes part all the same."""
    ledger = Ledger("wuhan-2017")
    ledger.registered("2017-03-01")
    started = ledger.started("2017-03-02")
    ledger.repaired(started, "2017-03-03")
    found = ledger.now()
    assert found is not None
    assert ("not_yet_evaluated", "2017-03-02") == (found.status, str(found.in_force_from))
    assert "new" == ledger.grade("2017-03-01")


def test_of_two_serious_acts_the_worse_decides() -> None:
    ledger = firm()
    evaluated(ledger, 2016, "2017-02-06")
    ledger.penalised("2017-06-01", act("approval_certificate_revoked"))
    assert ("C", ("c_at_once",)) == said(ledger)[::2]
    ledger.penalised("2017-06-02", act("detention"))
    assert ("D", ("d_at_once", "c_at_once")) == said(ledger)[::2]
