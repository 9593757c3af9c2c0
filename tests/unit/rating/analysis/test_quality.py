"""What followed the grades, counted again from the made population itself; those who ended are told apart."""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random

import pytest

from services.rating.analysis.history import Scene
from services.rating.analysis.quality import Quality, quality
from tests.cases.ledger import book
from tests.unit.rating.analysis.made import PLAN, Made, subject

AS_OF = date(2026, 3, 1)
SCORES = {"A": "99", "B": "93", "C": "85", "D": "72", "E": "60"}


def run(made: Made, as_of: date = AS_OF, outcome: str = "penalties") -> Quality:
    return quality(made.history(), Scene.of(book(PLAN)), as_of, outcome=outcome)


def graded(made: Made, number: int, grade: str, year: int = 2024) -> str:
    who = subject(number)
    made.opened(who, "2010-03-01")
    made.scored(who, year, SCORES[grade])
    return who


def test_the_shares_are_those_of_an_own_count() -> None:
    rng, made = Random(5), Made()
    wanted: Counter[tuple[str, bool]] = Counter()
    for number in range(200):
        grade = rng.choice("AABBBCCD")
        who = graded(made, number, grade)
        hit = rng.random() < {"A": 0.05, "B": 0.15, "C": 0.4, "D": 0.5}[grade]
        if hit:
            made.fined(who, rng.choice(["2025-01-16", "2025-07-01", "2026-01-15"]))
        wanted[grade, hit] += 1
    made.evaluated(2024)
    found = run(made)
    (first,) = found.followed
    assert {g: (wanted[g, True], wanted[g, True] + wanted[g, False]) for g in "ABCDE"} == {
        g: (one.hits, one.n) for g, one in first.shares.items()
    }
    assert first.by_grade is not None and first.by_grade.auc > 0.6
    assert first.trend is not None and first.trend.p < 0.001
    assert 200 == first.n == found.subjects == found.cohorts[0].n


@pytest.mark.parametrize(
    ("on", "kinds", "hit"),
    [
        ("2025-01-15", ("fine",), False),
        ("2025-01-16", ("fine",), True),
        ("2026-01-15", ("fine",), True),
        ("2026-01-16", ("fine",), False),
        ("2025-06-01", ("warning",), True),
    ],
)
def test_a_penalty_follows_from_the_day_after_to_the_same_day_a_year_on(on: str, kinds: tuple[str, ...], hit: bool) -> None:
    made = Made()
    who = graded(made, 1, "B")
    graded(made, 2, "B")
    made.fined(who, on, *kinds)
    made.evaluated(2024)
    (first,) = run(made).followed
    assert hit == bool(first.hits)


def test_a_cohort_whose_twelve_months_are_not_over_says_nothing_of_what_followed() -> None:
    made = Made()
    made.fined(graded(made, 1, "B"), "2025-02-01")
    made.evaluated(2024)
    assert () == run(made, date(2026, 1, 14)).followed
    assert 1 == len(run(made, date(2026, 1, 15)).followed)


def test_a_penalty_outside_the_plan_s_fields_does_not_count() -> None:
    from tests.cases.ledger import act

    made = Made()
    who = graded(made, 1, "B")
    data = {"document_no": "P", "acts": [act("fine", field="food")], "service": {"served_on": "2025-05-05", "method": "handed_over"}}
    made.add("2025-05-05", "penalty.decided", who, data)
    made.evaluated(2024)
    found = run(made)
    assert ("penalties", "own_fields") == (found.outcome and found.outcome.acts, found.outcome and found.outcome.fields)
    assert 0 == found.followed[0].hits


def test_those_who_end_have_a_column_and_are_told_apart() -> None:
    made = Made()
    for number in range(4):
        graded(made, number, "B", 2023)
    made.scored(subject(0), 2024, SCORES["A"])
    made.scored(subject(1), 2024, SCORES["B"])
    made.closed(subject(2), "2024-06-01")
    made.fined(subject(3), "2024-05-01")
    made.closed(subject(3), "2024-08-01")
    made.evaluated(2023, 2024)
    found = run(made)
    (matrix,) = found.matrices
    assert {("B", "A"): 1, ("B", "B"): 1, ("B", "closed"): 2} == dict(matrix.cells)
    assert (0.25, 0.5) == (matrix.share("B", "A").share, matrix.share_of_staying("B", "A", found.ended).share)
    first = next(one for one in found.followed if one.days == (date(2024, 1, 15),))
    assert (1, 4) == (first.shares["B"].hits, first.shares["B"].n)
    assert (1, 3) == (first.staying["B"].hits, first.staying["B"].n)
    assert 1 == first.withdrawn


def test_a_grade_that_breaks_the_order_is_named_and_so_is_whether_it_may_be_chance() -> None:
    made = Made()
    for number in range(6):
        who = graded(made, number, "A" if number < 3 else "B")
        if number < 2:
            made.fined(who, "2025-05-05")
    made.evaluated(2024)
    (first,) = run(made).followed
    assert (("A", "B", True),) == first.breaks
    assert not first.monotone
    assert first.by_grade is not None and first.by_grade.auc < 0.5


def test_the_score_is_judged_on_its_own_and_the_grade_of_the_same_beside_it() -> None:
    made = Made()
    for number, (score, hit) in enumerate([("99", False), ("95", False), ("91", True), ("92", False), ("86", True)]):
        who = subject(number)
        made.opened(who, "2010-03-01")
        made.scored(who, 2024, score)
        if hit:
            made.fined(who, "2025-05-05")
    bare = subject(9)
    made.opened(bare, "2010-03-01")
    made.scored(bare, 2023, "93")
    made.evaluated(2023, 2024)
    found = run(made)
    first = next(one for one in found.followed if one.days == (date(2025, 1, 15),))
    assert first.by_score is not None and first.by_grade is not None and first.by_grade_where_scored is not None
    assert (1.0, 5) == (first.by_score.auc, first.by_score.hits + first.by_score.others)
    assert (6, 5) == (first.n, first.by_grade_where_scored.hits + first.by_grade_where_scored.others)
    assert 1 > first.by_grade_where_scored.auc > 0.5


def test_newcomers_are_counted_apart_from_the_matrix() -> None:
    made = Made()
    graded(made, 1, "B", 2023)
    made.opened(subject(2), "2024-06-01")
    made.evaluated(2023, 2024)
    (matrix,) = run(made).matrices
    assert (1, 1) == (matrix.n, matrix.newcomers)


def test_of_a_period_that_is_evaluated_twice_the_first_date_counts() -> None:
    made = Made()
    graded(made, 1, "B")
    made.evaluated(2024)
    data = {"regime": PLAN, "period": {"first": "2024-01-01", "last": "2024-12-31"}, "evaluation_date": "2025-03-01"}
    made.add("2025-03-01", "evaluation.closed", f"regime:{PLAN}", data)
    assert [date(2025, 1, 15)] == [one.day for one in run(made).cohorts]


def test_without_that_act_set_there_is_no_outcome() -> None:
    made = Made()
    graded(made, 1, "B")
    made.evaluated(2024)
    found = run(made, outcome="nonsense")
    assert (None, ()) == (found.outcome, found.followed)
    assert 1 == len(found.cohorts)
