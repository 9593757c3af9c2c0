"""Wilson's interval and the trend test give what scipy gives, and what the books print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.rating.analysis.proportions import share, trend

counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.9, 0.95, 0.99]))
def test_the_interval_is_scipy_s(pair: tuple[int, int], level: float) -> None:
    hits, n = pair
    theirs = stats.binomtest(hits, n).proportion_ci(level, method="wilson")
    ours = share(hits, n, level)
    assert (theirs.low, theirs.high) == pytest.approx((ours.low, ours.high), abs=1e-12)
    assert ours.low is not None and ours.high is not None and ours.share is not None
    assert 0 <= ours.low <= ours.share <= ours.high <= 1


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_the_published_examples(hits: int, n: int, low: float, high: float) -> None:
    found = share(hits, n)
    assert (low, high) == pytest.approx((found.low, found.high), abs=5e-5)


def test_nobody_has_no_share_and_fewer_than_thirty_are_few() -> None:
    assert (None, None, None) == (share(0, 0).share, share(0, 0).low, share(0, 0).high)
    assert [True, False] == [share(1, 29).few, share(1, 30).few]
    with pytest.raises(ValueError, match="3 of 2"):
        share(3, 2)


groups = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=6)


@given(groups)
def test_the_trend_test_is_scipy_s_correlation(made: list[tuple[int, int]]) -> None:
    """The square of Cochran and Armitage's z is n·r², r being the correlation of score and outcome over the single subjects."""
    rows = [(at, got, got + not_got) for at, (got, not_got) in enumerate(made)]
    found = trend([(float(at), got, n) for at, got, n in rows])
    scores = [at for at, _, n in rows for _ in range(n)]
    outcomes = [one < got for _, got, n in rows for one in range(n)]
    if len(set(scores)) < 2 or len(set(outcomes)) < 2:
        assert found is None
        return
    r = stats.pearsonr(scores, outcomes).statistic
    assert found is not None
    assert r * len(scores) ** 0.5 == pytest.approx(found.z, abs=1e-9)
    assert 2 * stats.norm.sf(abs(found.z)) == pytest.approx(found.p, abs=1e-12)


def test_the_trend_of_the_malformation_data() -> None:
    """Maternal drinking and malformations, A. Agresti, Categorical Data Analysis, 2nd ed. (2002), table 3.7 and section 3.4.4: with the
    midpoints 0, 0.5, 1.5, 4, 7 as scores z² is 6.57 and the p-value 0.010."""
    found = trend([(0.0, 48, 17114), (0.5, 38, 14502), (1.5, 5, 793), (4.0, 1, 127), (7.0, 1, 38)])
    assert found is not None
    assert (6.57, 0.0104) == pytest.approx((found.z**2, found.p), abs=0.005)


def test_without_a_difference_to_find_there_is_no_trend() -> None:
    assert trend([(0, 0, 10), (1, 0, 10)]) is None
    assert trend([(0, 5, 5), (1, 5, 5)]) is None
    assert trend([(0, 3, 10)]) is None
    assert trend([]) is None
