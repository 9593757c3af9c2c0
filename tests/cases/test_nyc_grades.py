"""New York City's letters: spans of points, the cycle of inspections, what is pending, and the days on which each begins."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.cases.ledger import Ledger

PREMISES = "camis:50000001"


def premises(**more: Any) -> Ledger:
    ledger = Ledger("nyc", subject=PREMISES, **more)
    ledger.registered("2009-01-01", business_kind="restaurant")
    return ledger


def inspected(ledger: Ledger, on: str, kind: str, points: int | None, **more: Any) -> str:
    """Known in the evening of its day, New York time."""
    data: dict[str, Any] = {"occurred_on": on, "kind": kind, "mode": "on_site", "regime": "nyc", **more}
    if points is not None:
        data["component_scores"] = [{"component": "violation_points", "points": points}]
    return ledger.enter("inspection.recorded", data, known=date.fromisoformat(on) + timedelta(days=1))


def around(day: str) -> tuple[str, str, str]:
    """The day before, the day, the day after."""
    on = date.fromisoformat(day)
    return tuple(str(on + timedelta(days=step)) for step in (-1, 0, 1))  # type: ignore[return-value]


def grades(ledger: Ledger, day: str) -> list[str | None]:
    """Around a day."""
    return [ledger.grade(one) for one in around(day)]


@pytest.mark.parametrize(
    ("points", "initial", "recheck"),
    [
        (0, "A", "A"),
        (12, "A", "A"),
        (13, "A", "A"),
        (14, "awaiting_reinspection", "B"),
        (15, "awaiting_reinspection", "B"),
        (26, "awaiting_reinspection", "B"),
        (27, "awaiting_reinspection", "B"),
        (28, "awaiting_reinspection", "C"),
        (29, "awaiting_reinspection", "C"),
        (214, "awaiting_reinspection", "C"),
    ],
)
def test_points_give_the_letter_at_a_reinspection_and_only_an_a_at_once(points: int, initial: str, recheck: str) -> None:
    for kind, wanted in (("initial", initial), ("recheck", recheck)):
        ledger = premises()
        inspected(ledger, "2024-05-01", kind, points)
        assert wanted == ledger.grade()


def test_a_cycle_from_an_a_through_a_wait_to_a_b_and_to_an_a_again() -> None:
    ledger = premises()
    inspected(ledger, "2023-05-01", "initial", 10)
    inspected(ledger, "2024-05-01", "initial", 30)
    inspected(ledger, "2024-06-03", "recheck", 20)
    inspected(ledger, "2024-12-02", "initial", 13)
    assert ["not_yet_graded", "A", "A"] == grades(ledger, "2023-05-01")
    assert ["A", "awaiting_reinspection", "awaiting_reinspection"] == grades(ledger, "2024-05-01")
    assert ["awaiting_reinspection", "B", "B"] == grades(ledger, "2024-06-03")
    assert ["B", "A", "A"] == grades(ledger, "2024-12-02")


def test_a_wait_says_its_points_and_its_clause() -> None:
    ledger = premises()
    event = inspected(ledger, "2024-05-01", "initial", 14)
    found = ledger.now()
    assert found is not None and found.in_force_from == date(2024, 5, 1)
    assert (None, ("HC 81.51(c)(2)",), ("R2",), [event]) == (
        found.grade,
        found.clauses,
        found.readings,
        [one.fact.id for one in found.decisive],
    )
    assert "Initial inspection of 2024-05-01: 14 points, more than 13; the re-inspection is awaited." == found.reasons[0].en
    assert "2024-05-01 首次检查：违规分 14，超过 13，等待复查。" == found.reasons[0].zh


@pytest.mark.parametrize(("after", "grade"), [(6, "awaiting_reinspection"), (7, "B"), (8, "B")])
@pytest.mark.parametrize("last_first", [False, True])
def test_a_visit_sooner_than_seven_days_is_not_the_reinspection(after: int, grade: str, last_first: bool) -> None:
    ledger = premises()
    recheck = str(date(2024, 5, 1) + timedelta(days=after))
    entries = [("2024-05-01", "initial", 20), (recheck, "recheck", 15)]
    for on, kind, points in reversed(entries) if last_first else entries:
        inspected(ledger, on, kind, points)
    assert grade == ledger.grade(recheck)


def test_a_visit_too_soon_says_so() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 20)
    inspected(ledger, "2024-05-07", "recheck", 5)
    found = ledger.now()
    assert found is not None
    said = "The inspection of 2024-05-07 came only 6 days after the initial one of 2024-05-01: it is not the re-inspection that is graded."
    assert (said, ("R4",)) == (found.reasons[0].en, found.readings)


def test_only_an_initial_inspection_is_followed_by_a_wait_of_seven_days() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 20)
    inspected(ledger, "2024-05-20", "recheck", 15)
    inspected(ledger, "2024-05-22", "recheck", 30)
    assert "C" == ledger.grade()


@pytest.mark.parametrize(("kind", "grade"), [("special", "A"), ("initial", "A"), ("recheck", "awaiting_reinspection")])
def test_only_a_reinspection_can_come_too_soon(kind: str, grade: str) -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 10)
    inspected(ledger, "2024-05-04", kind, 12)
    assert grade == ledger.grade()


@pytest.mark.parametrize("kind", ["special", "licensing", "reopening", "complaint", "routine"])
@pytest.mark.parametrize("points", [0, 20, 40, None])
def test_what_is_not_for_grading_leaves_the_grade_as_it_was(kind: str, points: int | None) -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 10)
    inspected(ledger, "2024-06-01", kind, points, published_outcome="N")
    found = ledger.now()
    assert found is not None and found.in_force_from == date(2024, 5, 1)
    assert "A" == found.grade


@pytest.mark.parametrize("kind", ["special", "licensing"])
def test_premises_of_which_nothing_was_for_grading_are_not_yet_graded(kind: str) -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", kind, 5)
    found = ledger.now()
    assert found is not None
    assert ("not_yet_graded", None, "There has been no inspection yet that a grade could follow from.") == (
        found.status,
        found.in_force_from,
        found.reasons[0].en,
    )


def test_premises_that_are_only_registered_are_not_yet_graded() -> None:
    assert "not_yet_graded" == premises().grade()


@pytest.mark.parametrize("kind", ["initial", "recheck"])
def test_an_inspection_for_grading_without_its_points_is_not_gradable(kind: str) -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 10)
    inspected(ledger, "2024-06-01", kind, None, published_outcome="A")
    found = ledger.now()
    assert found is not None
    assert ("not_gradable", "The inspection of 2024-06-01 was published without its points, so no grade can be worked out.") == (
        found.status,
        found.reasons[0].en,
    )


@pytest.mark.parametrize("kind", ["initial", "recheck", "reopening", "special"])
@pytest.mark.parametrize("points", [0, 20, 40, None])
def test_a_grade_that_is_published_as_pending_is_pending_whatever_the_points(kind: str, points: int | None) -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", kind, points, outcome_pending=True, published_outcome="Z")
    found = ledger.now()
    assert found is not None
    assert ("grade_pending", ("R5",)) == (found.status, found.readings)
    assert "Inspection of 2024-05-01: the authority has published that the grade is pending." == found.reasons[0].en


def test_pending_a_visit_too_soon_is_pending() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 20)
    inspected(ledger, "2024-05-05", "recheck", 20, outcome_pending=True)
    assert "grade_pending" == ledger.grade()


def test_a_hearing_that_is_over_lets_the_points_decide() -> None:
    """The same inspection published again, with the points that the tribunal left."""
    ledger = premises()
    inspected(ledger, "2024-05-01", "recheck", 30, outcome_pending=True, published_outcome="Z")
    inspected(ledger, "2024-05-01", "recheck", 26, published_outcome="B")
    assert "B" == ledger.grade()


def test_the_published_letter_is_evidence_and_no_input() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "recheck", 38, published_outcome="B")
    assert "C" == ledger.grade()


# What came so many days before, and then: kind, points, more.
_LIFTED, _ORDERED = {"closure": "lifted"}, {"closure": "ordered"}


@pytest.mark.parametrize(
    ("before", "then", "grade"),
    [
        ((), ("initial", 0, {}), "A"),
        ((), ("recheck", 20, {}), "B"),
        ((), ("recheck", 28, {}), "C"),
        ((), ("initial", 20, {}), "awaiting_reinspection"),
        ((4, "initial", 0, {}), ("recheck", 0, {}), "awaiting_reinspection"),
        ((), ("recheck", 28, {"outcome_pending": True}), "grade_pending"),
        ((), ("initial", 28, _ORDERED), "closed_by_order"),
        ((), ("reopening", 0, _LIFTED), "C"),
        ((4, "initial", 28, _ORDERED), ("reopening", 0, _LIFTED), "grade_pending"),
        ((4, "recheck", 0, _ORDERED), ("reopening", 0, _LIFTED), "A"),
        ((4, "recheck", 20, _ORDERED), ("reopening", 0, _LIFTED), "B"),
        ((4, "recheck", 28, _ORDERED), ("reopening", 0, _LIFTED), "C"),
        ((), ("special", 0, {}), "not_yet_graded"),
    ],
)
def test_every_rule_holds_from_the_first_day_of_the_rules_on(before: tuple[Any, ...], then: tuple[Any, ...], grade: str) -> None:
    for on, wanted in zip(around("2010-07-27"), ("not_gradable", grade, grade), strict=True):
        ledger = premises()
        if before:
            inspected(ledger, str(date.fromisoformat(on) - timedelta(days=before[0])), *before[1:3], **before[3])
        inspected(ledger, on, *then[:2], **then[2])
        assert wanted == ledger.grade("2025-01-01")


def test_an_inspection_from_before_the_rules_is_not_said_to_lack_points() -> None:
    ledger = premises()
    inspected(ledger, "2010-07-26", "recheck", 0)
    found = ledger.on("2025-01-01")
    assert found is not None and "no rule gave grades on that day" in found.reasons[0].en


@pytest.mark.parametrize("reason", ["closed", "deregistered", "licence_revoked"])
def test_premises_that_are_out_of_business_have_a_status(reason: str) -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 5)
    ledger.closed("2024-07-01", reason)
    assert ["A", "closed", "closed"] == grades(ledger, "2024-07-01")


def test_a_status_that_the_authority_declares_is_shown() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 5)
    ledger.enter("enterprise.status.declared", {"regime": "nyc", "status": "closed_by_order", "occurred_on": "2024-06-01"})
    found = ledger.now()
    assert found is not None
    assert ("closed_by_order", "The authority has published the status: Closed by order.") == (found.status, found.reasons[0].en)


@pytest.mark.parametrize(("kind", "grade"), [("special", "closed_by_order"), ("initial", "A"), ("recheck", "A")])
def test_a_declared_status_stands_until_an_inspection_decides_otherwise(kind: str, grade: str) -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 5)
    ledger.enter("enterprise.status.declared", {"regime": "nyc", "status": "closed_by_order", "occurred_on": "2024-06-01"})
    inspected(ledger, "2024-07-01", kind, 5)
    assert ["closed_by_order", grade, grade] == grades(ledger, "2024-07-01")


def test_a_subject_of_another_scheme_is_not_rated() -> None:
    ledger = Ledger("nyc", subject="fhrs:1177669")
    ledger.registered("2009-01-01")
    inspected(ledger, "2024-05-01", "initial", 5)
    assert ledger.now() is None
