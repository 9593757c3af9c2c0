"""The area under the ROC curve and its interval: scipy's, the published example's, and the resampled ones."""

from __future__ import annotations

from random import Random
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.rating.analysis.discrimination import Observation, area, curve

observations = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60)


def each_its_own(pairs: list[tuple[float, bool]]) -> list[Observation]:
    return [Observation(str(at), risk, hit) for at, (risk, hit) in enumerate(pairs)]


@given(observations)
def test_the_area_is_scipy_s_rank_sum(pairs: list[tuple[int, bool]]) -> None:
    hits = [risk for risk, hit in pairs if hit]
    others = [risk for risk, hit in pairs if not hit]
    found = area(each_its_own([(float(risk), hit) for risk, hit in pairs]))
    if not hits or not others:
        assert found is None
        return
    assert found is not None
    assert stats.mannwhitneyu(hits, others).statistic / (len(hits) * len(others)) == pytest.approx(found.auc)
    # Somers' D of the outcome given the order is the accuracy ratio.
    if len(set(hits + others)) > 1:
        order = [risk for risk, _ in pairs]
        assert stats.somersd([hit for _, hit in pairs], order).statistic == pytest.approx(found.gini)


@given(observations)
def test_the_curve_rises_from_corner_to_corner_and_has_the_area_below_it(pairs: list[tuple[int, bool]]) -> None:
    made = each_its_own([(float(risk), hit) for risk, hit in pairs])
    points = curve(made)
    assert (0.0, 0.0) == points[0]
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in zip(points, points[1:], strict=False))
    found = area(made)
    if found:
        assert (1.0, 1.0) == points[-1]
        below = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(points, points[1:], strict=False))
        assert below == pytest.approx(found.auc)


# J. A. Hanley and B. J. McNeil, The meaning and use of the area under a ROC curve, Radiology 143 (1982), table I: ratings 1 to 5 of 58
# normal and 51 abnormal images. Stata's manual works it out with DeLong's error ([R] roctab): 0.8932, 0.0307, 0.83295 to 0.95339.
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)


def test_the_example_of_hanley_and_mcneil() -> None:
    pairs = [(float(risk), False) for risk, n in enumerate(NORMAL) for _ in range(n)]
    pairs += [(float(risk), True) for risk, n in enumerate(ABNORMAL) for _ in range(n)]
    found = area(each_its_own(pairs))
    assert found is not None
    assert (0.8932, 0.0307) == pytest.approx((found.auc, found.se), abs=5e-5)
    assert (0.83295, 0.95339) == pytest.approx((found.low, found.high), abs=5e-6)
    assert (51, 58, False) == (found.hits, found.others, found.few)


def test_subjects_that_count_several_times_count_together() -> None:
    """Copies of everyone say nothing new: the error stays, where DeLong's own would shrink. Resampling whole subjects agrees."""
    rng = Random(7)
    single = [Observation(str(at), rng.gauss(1.0 if at % 3 == 0 else 0.0, 1), at % 3 == 0) for at in range(90)]
    once, thrice = area(single), area(single * 3)
    as_if_independent = area([Observation(str(at), one.risk, one.hit) for at, one in enumerate(single * 3)])
    assert once and thrice and as_if_independent and once.se and thrice.se and as_if_independent.se
    assert once.se == pytest.approx(thrice.se, rel=0.03)
    assert as_if_independent.se < 0.65 * once.se


def test_the_error_is_that_of_resampling_whole_subjects() -> None:
    rng = Random(11)
    made: list[Observation] = []
    for at in range(120):
        own = rng.gauss(0, 1)
        for _ in range(rng.randint(1, 4)):
            hit = rng.random() < 0.25
            made.append(Observation(str(at), own + (1.0 if hit else 0.0) + rng.gauss(0, 0.7), hit))
    found = area(made)
    grouped: dict[str, list[Observation]] = {}
    for one in made:
        grouped.setdefault(one.cluster, []).append(one)
    drawn = []
    for _ in range(300):
        sample = [
            Observation(f"{at}", each.risk, each.hit)
            for at, name in enumerate(rng.choices(sorted(grouped), k=len(grouped)))
            for each in grouped[name]
        ]
        again = area(sample)
        assert again is not None
        drawn.append(again.auc)
    assert found is not None
    assert stdev(drawn) == pytest.approx(found.se, rel=0.15)


def test_what_separates_wholly_has_no_error_to_go_by() -> None:
    found = area(each_its_own([(0.0, False)] * 3 + [(1.0, True)] * 3))
    assert found is not None
    assert (1.0, None, None, 1.0, True) == (found.auc, found.se, found.low, found.gini, found.few)
    assert found.gini_bounds is None


@given(observations, st.randoms(use_true_random=False))
def test_the_order_of_the_observations_changes_no_digit(pairs: list[tuple[int, bool]], random: Random) -> None:
    seen = [Observation(f"s{number % 7}", risk / 7, hit) for number, (risk, hit) in enumerate(pairs)]
    by_subject = sorted(seen, key=lambda one: one.cluster)
    clusters = sorted({one.cluster for one in seen})
    random.shuffle(clusters)
    shuffled = [one for cluster in clusters for one in seen if one.cluster == cluster]
    assert area(by_subject) == area(shuffled)
