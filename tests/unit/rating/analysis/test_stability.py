"""The stability index: an example worked out by hand, and what chance alone brings."""

from __future__ import annotations

from math import log
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.rating.analysis.stability import stability

GRADES = ("A", "B", "C", "D", "E")
spreads = st.lists(st.integers(1, 400), min_size=5, max_size=5).map(lambda counts: dict(zip(GRADES, counts, strict=True)))


def test_an_example_by_hand() -> None:
    """Half and half, then seven tenths: (0.2)·ln(1.4) + (−0.2)·ln(0.6) = 0.0673 + 0.1022 = 0.1695."""
    found = stability({"A": 50, "B": 50}, {"A": 70, "B": 30}, GRADES)
    assert found is not None
    assert 0.1695 == pytest.approx(found.psi, abs=5e-5)
    assert ("some", 1 * (1 / 100 + 1 / 100), 100, 100, ()) == (found.reading, found.by_chance, found.n, found.m, found.filled)


@given(spreads, spreads)
def test_it_is_the_relative_entropy_both_ways(before: dict[str, int], after: dict[str, int]) -> None:
    p, q = ([year[one] / sum(year.values()) for one in GRADES] for year in (before, after))
    found = stability(before, after, GRADES)
    assert found is not None
    assert stats.entropy(p, q) + stats.entropy(q, p) == pytest.approx(found.psi, abs=1e-12)


def test_a_grade_that_a_year_has_nobody_in_counts_as_half_a_subject() -> None:
    found = stability({"A": 99, "B": 1}, {"A": 100}, GRADES)
    assert found is not None and ("B",) == found.filled
    assert (1.0 - 0.99) * log(1.0 / 0.99) + (0.005 - 0.01) * log(0.005 / 0.01) == pytest.approx(found.psi)


def test_without_anybody_there_is_no_index() -> None:
    assert stability({}, {"A": 3}, GRADES) is None
    assert stability({"new": 3}, {"new": 3}, GRADES) is None


def test_chance_alone_brings_what_is_said_of_it() -> None:
    rng = Random(3)
    found = []
    for _ in range(400):
        years = [rng.choices(GRADES, weights=(3, 4, 2, 1, 1), k=k) for k in (200, 300)]
        one = stability(*({grade: year.count(grade) for grade in GRADES} for year in years), GRADES)
        assert one is not None
        found.append(one.psi)
    assert 4 * (1 / 200 + 1 / 300) == pytest.approx(mean(found), rel=0.12)


@pytest.mark.parametrize(("psi_after", "reading"), [((50, 50), "stable"), ((70, 30), "some"), ((80, 20), "marked")])
def test_the_usual_reading(psi_after: tuple[int, int], reading: str) -> None:
    found = stability({"A": 500, "B": 500}, {"A": 10 * psi_after[0], "B": 10 * psi_after[1]}, GRADES)
    assert found is not None and reading == found.reading


def test_what_few_subjects_bring_by_chance_is_called_so() -> None:
    found = stability({"A": 5, "B": 3, "C": 2}, {"A": 4, "B": 5, "C": 1}, GRADES)
    assert found is not None and "chance" == found.reading
