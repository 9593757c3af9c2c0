"""Heaps beside a cut: what is found, what isn't, and what is not tested at all."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.cuts import scale
from services.audit.domain.statistics import heaping
from services.audit.domain.statistics.placebo import Prior, Study, fit, settle
from tests.statistics.fold import editions

DAY = date(2026, 1, 1)


def smooth(seed: int = 1, number: int = 4000) -> Counter[int]:
    """Scores without a cut, fond of multiples of five."""
    rng = Random(seed)
    scores = (min(100, max(20, round(rng.gauss(82, 9)))) for _ in range(number))
    return Counter(5 * round(one / 5) if rng.random() < 0.15 else one for one in scores)


def pushed(scores: Counter[int], cut: int, share: float) -> Counter[int]:
    """Most of the two scores below a cut, raised to it."""
    found = Counter(scores)
    for short in (cut - 1, cut - 2):
        moved = round(found[short] * share)
        found[short] -= moved
        found[cut] += moved
    return found


def test_a_push_over_a_cut_is_found_there_and_nowhere_else() -> None:
    scores = pushed(smooth(), 83, 0.7)
    natural = heaping.natural(scores, [83])
    assert natural is not None
    [at_cut] = heaping.population(natural, scores, [83])
    others = heaping.population(natural, scores, [one for one in natural.places if abs(one - 83) > 3])
    assert at_cut.p < 1e-6
    assert at_cut.p * 1000 < min(one.p for one in others)
    assert 0 == at_cut.as_strange


def test_a_natural_heap_at_the_cut_is_none() -> None:
    """Multiples of five heap at 80 as they do at 75, 85 and 95."""
    scores = smooth()
    natural = heaping.natural(scores, [80])
    assert natural is not None
    [at_cut] = heaping.population(natural, scores, [80])
    assert at_cut.tally.good > 1.3 * at_cut.tally.bad
    assert at_cut.p > 0.05


def test_a_drop_on_the_good_side_is_no_heap() -> None:
    scores = pushed(smooth(), 83, 0.7)
    lower = Counter({-score: number for score, number in scores.items()})
    natural = heaping.natural(lower, [-82])
    assert natural is not None
    [at_cut] = heaping.population(natural, lower, [-82])
    assert at_cut.p > 0.99


def test_a_scale_with_too_few_places_is_not_tested() -> None:
    assert heaping.natural(Counter({one: 50 for one in range(11)}), [5, 8, 10]) is None
    assert heaping.natural(Counter(), [5]) is None


def test_scores_in_steps_of_five_have_a_scale_in_steps_of_five() -> None:
    scores = Counter({one: 20 for one in range(0, 100, 5)})
    assert 5 == heaping.step_of(scores)
    assert {one: 20 for one in range(20)} == heaping.stepped(scores, 5)


def test_placebo_cuts_keep_away_from_real_ones() -> None:
    natural = heaping.natural(smooth(), [80, 90])
    assert natural is not None
    assert all(abs(place - cut) >= heaping.APART for place in natural.places for cut in (80, 90))


def test_a_window_never_reaches_over_another_cut() -> None:
    scores = Counter({one: 10 for one in range(100)})
    assert 1 == heaping.tally(scores, 81, [80]).width
    assert 2 == heaping.tally(scores, 82, [80]).width


def test_one_officer_who_pushes_is_found_beside_others_who_do_not() -> None:
    officers = {f"o{seed}": smooth(seed, 700) for seed in range(8)}
    officers["o3"] = pushed(officers["o3"], 84, 0.95)
    natural = heaping.natural(sum(officers.values(), Counter()), [84])
    assert natural is not None
    found = heaping.units(natural, officers, [84])
    assert "o3" == min(found, key=lambda name: found[name][84].p)
    assert found["o3"][84].p < 0.001
    assert all(at[84].p > 0.01 for name, at in found.items() if name != "o3")


def test_few_scores_prove_nothing() -> None:
    officers = {f"o{seed}": smooth(seed, 700) for seed in range(8)} | {"new": Counter({84: 6})}
    natural = heaping.natural(sum(officers.values(), Counter()), [84])
    assert natural is not None
    assert "new" not in heaping.units(natural, officers, [84])


@given(st.decimals("0", "100", places=1), st.sampled_from(["liyujiang", "nyc", "fhrs", "shenzhen-pharmacy"]))
def test_no_rounding_lifts_a_score_over_a_cut(score: Decimal, regime: str) -> None:
    """On which side of a cut a score lies is the same before and after it is turned and counted in whole units."""
    found = scale(editions()[regime][0], DAY)
    assert found is not None
    for cut in found.cuts:
        good = score >= cut.bound if found.more_is_better else score <= cut.bound
        assert good == (found.oriented(score) >= found.first_good(cut))


def test_the_cuts_of_the_rulebooks() -> None:
    """Bounds, side and the inspections that they decide come from the rules' conditions."""
    books = editions()
    town, city = scale(books["liyujiang"][0], DAY), scale(books["nyc"][0], DAY)
    assert town is not None and city is not None
    assert [70, 80, 90, 98] == sorted(int(cut.bound) for cut in town.cuts)
    assert town.more_is_better and not city.more_is_better
    assert {13: {"initial", "recheck"}, 27: {"recheck"}} == {int(cut.bound): set(cut.kinds) for cut in city.cuts}
    assert scale(books["wuhan-2017"][0], DAY) is None
    assert scale(books["liyujiang"][0], date(2004, 12, 31)) is None


def test_a_line_is_found_again_and_what_chance_explains_has_no_spread() -> None:
    rng = Random(5)
    studies = [Study((1.0, x / 20), sum(rng.random() < 0.3 for _ in range(200)), 200) for x in range(-20, 21)]
    line, tau2 = settle(studies, Prior.loose((3.0, 3.0)))
    assert abs(line.beta[0] - -0.847) < 0.1
    assert abs(line.beta[1]) < 0.15
    assert tau2 < 0.02


def test_what_varies_beyond_chance_has_a_spread() -> None:
    studies = [Study((1.0,), seen, 100) for seen in (20, 70, 30, 80, 50, 10, 60, 90)]
    line, tau2 = settle(studies, Prior.loose((3.0,)))
    assert tau2 > 0.5
    assert line.variance((1.0,)) > fit(studies, Prior.loose((3.0,)), 0.0).variance((1.0,))
