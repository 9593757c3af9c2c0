"""Tails, corrections and intervals, held against another implementation and against what they mean."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.audit.domain.statistics import distributions as own
from services.audit.domain.statistics.rates import gamma_tail


@given(st.floats(0.1, 500), st.floats(0.1, 500), st.floats(0.001, 0.999))
def test_the_incomplete_beta_function_is_another_implementations(a: float, b: float, x: float) -> None:
    assert own.incomplete_beta(a, b, x) == pytest.approx(float(stats.beta.cdf(x, a, b)), rel=1e-8, abs=1e-300)


@given(st.integers(1, 400), st.data(), st.floats(0.001, 0.999))
def test_the_binomial_tail_is_another_implementations(of: int, data: st.DataObject, share: float) -> None:
    seen = data.draw(st.integers(0, of + 1))
    assert own.binomial_tail(seen, of, share) == pytest.approx(float(stats.binom.sf(seen - 1, of, share)), rel=1e-8, abs=1e-300)


def test_the_nodes_are_those_of_students_t() -> None:
    for freedom in (3.0, 10.0, 30.0):
        above = sum(weight for t, weight in own.student_nodes(freedom) if t > 2.0)
        assert above == pytest.approx(float(stats.t.sf(2.0, freedom)), rel=0.08)
        assert 1.0 == pytest.approx(sum(weight for _, weight in own.student_nodes(freedom)))


def test_without_spread_the_predictive_tail_is_the_binomial_one() -> None:
    found = own.predictive_binomial(30, 40, logit=0.0, spread=1e-9, freedom=5.0)
    assert found == pytest.approx(own.binomial_tail(30, 40, 0.5), rel=1e-6)


def test_more_spread_and_fewer_degrees_of_freedom_make_the_tail_heavier() -> None:
    tails = [own.predictive_binomial(38, 40, logit=0.0, spread=s, freedom=f) for s, f in ((0.1, 30.0), (0.4, 30.0), (0.4, 4.0))]
    assert tails == sorted(tails)


def test_the_gamma_tail_without_spread_is_the_negative_binomial_one() -> None:
    mean, shape = 7.0, 3.5
    expected = float(stats.nbinom.sf(11, shape, shape / (shape + mean)))
    assert gamma_tail(12, mean=mean, shape=shape, tau=1e-9, freedom=9.0) == pytest.approx(expected, rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = own.holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [adjusted[one] for one in order] == sorted(adjusted)


def test_holm_as_in_the_textbook() -> None:
    assert [0.03, 0.06, 0.06, 0.02] == pytest.approx(own.holm([0.01, 0.04, 0.03, 0.005]))


def test_wilsons_interval_of_none_in_a_hundred() -> None:
    low, high = own.wilson(0, 100)
    assert (0.0, 0.0370) == (low, pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "0.0001"), (1e-12, "0.0001"), (0.0001, "0.0001"), (0.00011, "0.0002"), (0.05, "0.05"), (1.0, "1")]
)
def test_a_probability_as_a_decimal_is_never_too_small(p: float, text: str) -> None:
    assert text == own.at_most(p)
    assert float(text) >= p


def test_decimals_have_no_negative_zero() -> None:
    assert ["0", "1.5", "12", "-3.25"] == [own.decimal_text(one) for one in (-0.0001, 1.5, 12.0, -3.25)]
    assert math.isfinite(float(own.decimal_text(99_999.0)))
