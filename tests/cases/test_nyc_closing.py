"""New York City: premises that were closed by order, and what they are graded when they may open again."""

from __future__ import annotations

from datetime import date

import pytest

from tests.cases.ledger import Ledger
from tests.cases.test_nyc_grades import grades, inspected, premises

ORDERED, KEPT, LIFTED = ({"closure": word} for word in ("ordered", "kept", "lifted"))


def closed_at(kind: str, points: int | None) -> Ledger:
    """With an A of 2023, closed on 1 May 2024 and open again since 6 May."""
    ledger = premises()
    inspected(ledger, "2023-05-01", "initial", 5)
    inspected(ledger, "2024-05-01", kind, points, **ORDERED)
    inspected(ledger, "2024-05-06", "reopening", 0, **LIFTED)
    return ledger


@pytest.mark.parametrize("kind", ["initial", "recheck", "special", "licensing"])
@pytest.mark.parametrize("points", [0, 13, 14, 27, 28, None])
def test_premises_that_are_closed_have_no_grade_whatever_the_points(kind: str, points: int | None) -> None:
    ledger = premises()
    inspected(ledger, "2023-05-01", "initial", 5)
    inspected(ledger, "2024-05-01", kind, points, **ORDERED)
    assert ["A", "closed_by_order", "closed_by_order"] == grades(ledger, "2024-05-01")
    found = ledger.now()
    assert found is not None
    assert (("24 RCNY ch. 23, closing",), date(2024, 5, 1)) == (found.clauses, found.in_force_from)
    assert "Closed by order at the inspection of 2024-05-01: no grade." == found.reasons[0].en


def test_a_closed_house_is_closed_though_its_grade_is_pending_or_it_was_visited_too_soon() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 20)
    inspected(ledger, "2024-05-03", "recheck", 40, **ORDERED, outcome_pending=True)
    assert "closed_by_order" == ledger.grade()
    ledger = premises()
    inspected(ledger, "2024-05-01", "initial", 20)
    inspected(ledger, "2024-05-03", "recheck", 40, **ORDERED)
    assert "closed_by_order" == ledger.grade()
    ledger = premises()
    inspected(ledger, "2024-05-03", "initial", 10, **ORDERED, outcome_pending=True)
    assert "closed_by_order" == ledger.grade()


def test_premises_that_are_kept_closed_stay_closed_until_they_may_open() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "recheck", 40, **ORDERED)
    inspected(ledger, "2024-05-06", "reopening", 9, **KEPT)
    inspected(ledger, "2024-05-08", "reopening", 2, **LIFTED)
    assert ["closed_by_order"] * 3 == grades(ledger, "2024-05-06")
    assert ["closed_by_order", "C", "C"] == grades(ledger, "2024-05-08")


def test_premises_that_are_kept_closed_are_closed_though_the_order_is_not_on_record() -> None:
    ledger = premises()
    inspected(ledger, "2023-05-01", "initial", 5)
    inspected(ledger, "2024-05-06", "reopening", 9, **KEPT)
    assert ["A", "closed_by_order", "closed_by_order"] == grades(ledger, "2024-05-06")


@pytest.mark.parametrize(("points", "grade"), [(12, "A"), (13, "A"), (14, "B"), (15, "B"), (26, "B"), (27, "B"), (28, "C"), (29, "C")])
def test_closed_at_a_reinspection_the_grade_is_that_of_its_points(points: int, grade: str) -> None:
    ledger = closed_at("recheck", points)
    assert ["closed_by_order", grade, grade] == grades(ledger, "2024-05-06")
    found = ledger.now()
    assert found is not None
    assert (date(2024, 5, 6), "R1" in found.readings) == (found.in_force_from, False)
    sentence = found.reasons[0].en
    assert sentence.startswith("Closed at the re-inspection of 2024-05-01, open again since 2024-05-06: the grade is that of its ")
    assert f"its {points} points" in sentence
    assert {fact.id for fact in ledger.facts[-2:]} == {one.fact.id for one in found.decisive}


def test_closed_at_a_reinspection_without_points_nothing_is_guessed() -> None:
    ledger = closed_at("recheck", None)
    assert ["closed_by_order", "not_gradable", "not_gradable"] == grades(ledger, "2024-05-06")
    found = ledger.now()
    assert found is not None
    assert "The inspection of 2024-05-01 was published without its points, so no grade can be worked out." == found.reasons[0].en


def test_closed_at_an_initial_inspection_the_grade_is_pending_until_the_reinspection() -> None:
    ledger = closed_at("initial", 40)
    inspected(ledger, "2024-07-01", "recheck", 12)
    assert ["closed_by_order", "grade_pending", "grade_pending"] == grades(ledger, "2024-05-06")
    assert ["grade_pending", "A", "A"] == grades(ledger, "2024-07-01")
    found = ledger.on("2024-05-06")
    assert found is not None
    assert ("reopened_after_initial", "24 RCNY ch. 23, re-opening") == (found.reasons[0].rule, found.reasons[0].clause)
    assert "Closed at the initial inspection of 2024-05-01, open again since 2024-05-06: the grade is pending." == found.reasons[0].en


@pytest.mark.parametrize("kind", ["special", "licensing"])
def test_closed_at_another_inspection_the_earlier_grade_is_shown_again(kind: str) -> None:
    ledger = closed_at(kind, 40)
    assert ["closed_by_order", "A", "A"] == grades(ledger, "2024-05-06")
    found = ledger.now()
    assert found is not None
    assert (date(2024, 5, 6), "What stood before the closure stands again since 2024-05-06, when the premises were allowed to open.") == (
        found.in_force_from,
        found.reasons[-1].en,
    )


def test_closed_twice_before_it_opens_the_grade_of_before_stands_again() -> None:
    ledger = premises()
    inspected(ledger, "2023-05-01", "initial", 5)
    inspected(ledger, "2024-05-01", "special", 40, **ORDERED)
    inspected(ledger, "2024-05-03", "reopening", 30, **KEPT)
    inspected(ledger, "2024-05-06", "reopening", 0, **LIFTED)
    inspected(ledger, "2024-06-06", "special", 10)
    assert ["closed_by_order", "A", "A"] == grades(ledger, "2024-05-06")
    assert ["A"] * 3 == grades(ledger, "2024-06-06")


def test_with_nothing_before_a_closure_at_another_inspection_they_are_not_yet_graded() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-01", "special", 40, **ORDERED)
    inspected(ledger, "2024-05-06", "reopening", 0, **LIFTED)
    assert "not_yet_graded" == ledger.grade()


@pytest.mark.parametrize("points", [0, 13, 14, 40, None])
def test_where_the_closing_inspection_is_not_on_record_it_is_taken_as_a_reinspection(points: int | None) -> None:
    ledger = premises()
    inspected(ledger, "2023-05-01", "initial", 5)
    inspected(ledger, "2024-05-06", "reopening", points, **LIFTED)
    assert ["A", "C", "C"] == grades(ledger, "2024-05-06")
    found = ledger.now()
    assert found is not None
    assert (("R1",), ["reopened_unrecorded"]) == (found.readings, [one.rule for one in found.reasons])


def test_an_inspection_in_open_premises_ends_the_search_for_the_one_that_closed_them() -> None:
    """A closure of last year was lifted, though the register doesn't hold that."""
    ledger = premises()
    inspected(ledger, "2023-05-01", "initial", 40, **ORDERED)
    inspected(ledger, "2023-09-01", "initial", 10)
    inspected(ledger, "2024-05-06", "reopening", 2, **LIFTED)
    found = ledger.now()
    assert found is not None
    assert ("C", ("R1",)) == (found.grade, found.readings)


def test_a_closure_that_was_lifted_is_not_lifted_again() -> None:
    ledger = closed_at("initial", 40)
    inspected(ledger, "2024-09-06", "reopening", 2, **LIFTED)
    assert ["grade_pending", "C", "C"] == grades(ledger, "2024-09-06")


def test_published_as_pending_a_reopening_is_pending() -> None:
    for kind in ("recheck", "initial", "special"):
        ledger = premises()
        inspected(ledger, "2024-05-01", kind, 40, **ORDERED)
        inspected(ledger, "2024-05-06", "reopening", 0, **LIFTED, outcome_pending=True, published_outcome="P")
        assert "grade_pending" == ledger.grade()


def test_a_closing_inspection_that_is_entered_late_changes_what_the_reopening_gave() -> None:
    ledger = premises()
    inspected(ledger, "2024-05-06", "reopening", 2, **LIFTED)
    assert "C" == ledger.grade("2024-05-06")
    inspected(ledger, "2024-05-01", "recheck", 20, **ORDERED)
    assert ["closed_by_order", "B", "B"] == grades(ledger, "2024-05-06")
    assert [("2024-05-01", "2024-05-05", "not_yet_graded", "closed_by_order")] == ledger.corrected()
