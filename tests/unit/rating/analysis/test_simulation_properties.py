"""Whatever the history: a rulebook against itself moves nobody, and who moves is the difference of two runs of the file driver."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rating.analysis.compared import label
from services.rating.analysis.history import Scene
from services.rating.analysis.quality import quality
from services.rating.analysis.simulation import by_day, simulate
from services.rating.bulk import fold_lines, rate
from services.rating.domain.fold import Book
from tests.cases.ledger import book, without_approval
from tests.unit.rating.analysis.made import PLAN, Made, edition, labels, subject

pytestmark = pytest.mark.sweep

FIRST = date(2023, 1, 1)
LAST = date(2026, 6, 30)
DAYS = st.integers(0, (LAST - FIRST).days).map(lambda days: (FIRST + timedelta(days=days)).isoformat())
OLD = book(PLAN)
NEW = (
    edition("scores.yaml", ("value: 98", "value: 97")),
    edition("scores.yaml", ("value: 90", "value: 94")),
    edition("windows.yaml", ("value: 36", "value: 12")),
    edition("scores.yaml", ("value: 70", "value: 60")),
    edition("publications.yaml", ("grades: [A]", "grades: [A, B]")),
)


@st.composite
def histories(draw: st.DrawFn) -> Made:
    """Up to five enterprises, each with a start, scores, fines and perhaps an end."""
    made = Made()
    for number in range(draw(st.integers(1, 5))):
        who = subject(number)
        made.opened(who, draw(st.sampled_from(["2010-03-01", "2023-01-01", "2024-06-01"])))
        for year in (2023, 2024, 2025):
            if draw(st.integers(0, 4)):
                made.scored(who, year, draw(st.sampled_from(["65", "75", "85", "90", "93", "97", "97.5", "98", "100"])))
        for _ in range(draw(st.integers(0, 2))):
            made.fined(who, draw(DAYS), draw(st.sampled_from(["fine", "warning", "suspension_ordered"])))
        if draw(st.integers(0, 5)) == 0:
            made.closed(who, draw(DAYS))
    made.evaluated(*draw(st.sampled_from([(), (2023,), (2023, 2024), (2023, 2024, 2025)])))
    return made


few = settings(max_examples=60)


@few
@given(histories(), st.integers(0, (LAST - FIRST).days))
def test_a_rulebook_against_itself_moves_nobody(made: Made, days: int) -> None:
    scene = Scene.of(OLD)
    found = simulate(made.history(), scene, scene, FIRST + timedelta(days=days))
    assert [] == found.movers == found.ever == by_day(found)
    assert () == found.changes
    assert all(was == now for was, now in found.transitions)


@few
@given(histories(), st.sampled_from(NEW), st.integers(0, (LAST - FIRST).days))
def test_who_moves_is_the_difference_of_two_runs(made: Made, new: Book, days: int) -> None:
    day = FIRST + timedelta(days=days)
    found = simulate(made.history(), Scene.of(OLD), Scene.of(new), day)
    was, now = (labels(rate(fold_lines(made.lines, without_approval(one)), without_approval(one), as_of=day)) for one in (OLD, new))
    assert {name: (was[name], now[name]) for name in was if was[name] != now[name]} == {
        one.subject: (label(one.old), label(one.new)) for one in found.movers
    }
    assert len(was) == found.rated == sum(found.transitions.values())
    for name, n in (("old", was), ("new", now)):
        for grade in "ABCDE":
            counted = sum(k for (before, after), k in found.transitions.items() if (before if name == "old" else after) == grade)
            assert list(n.values()).count(grade) == counted


@few
@given(histories(), st.sampled_from(NEW))
def test_the_days_that_differ_are_those_that_two_runs_tell_apart(made: Made, new: Book) -> None:
    found = simulate(made.history(), Scene.of(OLD), Scene.of(new), LAST)
    sampled = [date(2024, 1, 14), date(2024, 1, 15), date(2024, 7, 1), date(2025, 1, 15), date(2025, 12, 31), date(2026, 1, 15), LAST]
    folded = [(one, fold_lines(made.lines, one)) for one in map(without_approval, (OLD, new))]
    for day in sampled:
        was, now = (labels(rate(each, one, as_of=day)) for one, each in folded)
        differing = {one.subject for one in found.compared for each in one.differing if each.first <= day <= each.last}
        assert {name for name in was if was[name] != now[name]} == differing


@few
@given(histories())
def test_the_sums_of_every_matrix_are_the_subjects_of_its_first_day(made: Made) -> None:
    found = quality(made.history(), Scene.of(OLD), LAST, outcome="penalties")
    for first, second, matrix in zip(found.cohorts, found.cohorts[1:], found.matrices, strict=False):
        assert first.n == matrix.n == sum(matrix.row(name) for name in found.labels)
        for name in found.labels:
            assert first.counts.get(name, 0) == matrix.row(name)
            arrived = sum(n for (_, now), n in matrix.cells.items() if now == name)
            assert arrived <= second.counts.get(name, 0)
        assert second.n == matrix.n - matrix.cells.get(("A", "not_rated"), 0) + matrix.newcomers
    for one in found.followed:
        assert one.n == sum(share.n for share in one.shares.values())
        assert one.hits == sum(share.hits for share in one.shares.values())
