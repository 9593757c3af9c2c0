"""The UK bands: sum and highest component, both bounds inclusive; statuses; rows that can't be graded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases.ledger import Ledger

PREMISES = "fhrs:1177669"


def premises() -> Ledger:
    ledger = Ledger("fhrs", subject=PREMISES)
    ledger.registered("2020-01-01")
    return ledger


def rated(ledger: Ledger, on: str, *scores: int, outcome: str | None = None) -> str:
    names = ("hygiene", "structural", "confidence_in_management")
    more: dict[str, Any] = {"regime": "fhrs"}
    if scores:
        more["component_scores"] = [{"component": name, "points": points} for name, points in zip(names, scores, strict=False)]
    if outcome:
        more["published_outcome"] = outcome
    return ledger.inspected(on, **more)


def declared(ledger: Ledger, status: str, on: str | None = None) -> str:
    return ledger.enter("enterprise.status.declared", {"regime": "fhrs", "status": status} | ({"occurred_on": on} if on else {}))


@pytest.mark.parametrize(
    ("scores", "grade"),
    [
        ((5, 5, 4), "5"),
        ((5, 5, 5), "5"),
        ((5, 5, 6), "4"),
        ((0, 0, 6), "4"),
        ((10, 9, 0), "4"),
        ((10, 10, 0), "4"),
        ((10, 10, 1), "3"),
        ((0, 0, 11), "2"),
        ((10, 10, 9), "3"),
        ((10, 10, 10), "3"),
        ((11, 10, 10), "2"),
        ((15, 14, 10), "2"),
        ((15, 15, 10), "2"),
        ((15, 15, 11), "1"),
        ((0, 0, 16), "1"),
        ((20, 19, 10), "1"),
        ((20, 20, 10), "1"),
        ((20, 20, 11), "0"),
        ((0, 0, 21), "0"),
        ((25, 25, 30), "0"),
    ],
)
def test_both_bounds_belong_to_the_band(scores: tuple[int, int, int], grade: str) -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", *scores)
    assert grade == ledger.grade()


def test_the_newest_inspection_decides_whatever_the_order_of_entry() -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 5, 5, 5)
    rated(ledger, "2022-05-01", 20, 20, 20)
    found = ledger.now()
    assert found is not None and found.in_force_from is not None
    assert ("5", "2024-05-01") == (found.grade, found.in_force_from.isoformat())


def test_two_inspections_of_one_day_are_taken_in_the_order_of_entry() -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 20, 20, 20)
    rated(ledger, "2024-05-01", 5, 5, 5)
    assert "5" == ledger.grade()


def test_a_published_rating_without_scores_is_not_gradable_and_never_guessed() -> None:
    ledger = premises()
    event = rated(ledger, "2024-05-01", outcome="5")
    found = ledger.now()
    assert found is not None
    assert (None, "not_gradable", [event]) == (found.grade, found.status, [one.fact.id for one in found.decisive])


def test_one_score_missing_is_not_gradable() -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 5, 5, outcome="5")
    assert "not_gradable" == ledger.grade()


def test_the_published_outcome_is_evidence_and_no_input() -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 20, 20, 20, outcome="5")
    assert "0" == ledger.grade()


def test_an_inspection_that_was_not_rated_changes_nothing() -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 5, 5, 5)
    ledger.inspected("2024-06-01")
    assert "5" == ledger.grade()


@pytest.mark.parametrize("status", ["awaiting_inspection", "awaiting_publication", "exempt", "sensitive_premises"])
def test_a_published_status_is_shown_instead_of_a_grade(status: str) -> None:
    ledger = premises()
    declared(ledger, status)
    assert status == ledger.grade()


@pytest.mark.parametrize(("on", "grade"), [("2024-04-30", "5"), ("2024-05-01", "exempt"), ("2024-05-02", "exempt")])
def test_a_dated_status_holds_against_older_inspections(on: str, grade: str) -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 5, 5, 5)
    declared(ledger, "exempt", on)
    assert grade == ledger.grade()


def test_premises_of_which_only_the_registration_is_known_are_not_shown_with_a_grade() -> None:
    assert premises().now() is None


@pytest.mark.parametrize("reason", ["closed", "deregistered", "licence_revoked"])
def test_closed_premises_have_a_status(reason: str) -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 5, 5, 5)
    ledger.closed("2024-07-01", reason)
    assert ["5", "closed"] == [ledger.grade("2024-06-30"), ledger.grade("2024-07-01")]


def test_a_subject_of_another_scheme_is_not_rated() -> None:
    ledger = Ledger("fhrs")
    ledger.registered("2020-01-01")
    rated(ledger, "2024-05-01", 5, 5, 5)
    assert ledger.now() is None


@pytest.mark.parametrize(
    ("scores", "grade"), [((5, 5, 5), "5"), ((10, 0, 0), "4"), ((10, 10, 10), "3"), ((15, 0, 0), "2"), ((20, 0, 0), "1"), ((25, 0, 0), "0")]
)
def test_every_band_holds_from_its_first_day_on(scores: tuple[int, int, int], grade: str) -> None:
    for on, wanted in (("1999-12-31", "not_gradable"), ("2000-01-01", grade), ("2000-01-02", grade)):
        ledger = Ledger("fhrs", subject=PREMISES, activated=False)
        ledger.activate(in_force_from="1990-01-01")
        ledger.registered("1990-01-01")
        rated(ledger, on, *scores)
        assert wanted == ledger.grade("2025-01-01")


@pytest.mark.parametrize(
    ("on", "said"), [("1999-12-31", "no bands were in force"), ("2000-01-01", "add up to 0"), ("2000-01-02", "add up to 0")]
)
def test_an_inspection_before_the_bands_is_not_said_to_lack_scores(on: str, said: str) -> None:
    ledger = Ledger("fhrs", subject=PREMISES, activated=False)
    ledger.activate(in_force_from="1990-01-01")
    ledger.registered("1990-01-01")
    rated(ledger, on, 0, 0, 0)
    found = ledger.on("2025-01-01")
    assert found is not None and said in found.reasons[0].en


def test_premises_that_are_declared_closed_are_shown_as_closed() -> None:
    ledger = premises()
    rated(ledger, "2024-05-01", 5, 5, 5)
    declared(ledger, "closed", "2025-01-01")
    found = ledger.now()
    assert found is not None
    assert ("closed", "The authority has published the status: Closed.") == (found.status, found.reasons[0].en)


def test_a_declared_word_that_the_rulebook_does_not_know_is_shown_as_it_is() -> None:
    ledger = premises()
    declared(ledger, "under_review")
    found = ledger.now()
    assert found is not None
    assert ("not_gradable", "The authority has published the status: under_review.") == (found.status, found.reasons[0].en)
