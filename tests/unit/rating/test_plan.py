"""A plan that is kept for all scores between two bounds is the plan of each of them."""

from __future__ import annotations

from copy import copy
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import Score
from services.rating.domain.asking import answerable
from services.rating.domain.plan import plan_of
from tests.cases.ledger import book

BOOKS = [book(regime).rulebook for regime in ("liyujiang", "wuhan-2017", "shenzhen-pharmacy", "fhrs", "nyc")]
BOUNDS = [Decimal(one) for one in (60, 70, 80, 85, 90, 98)]
SCORES = [None, Decimal(0), Decimal(100), *(bound + Decimal(steps) / 10_000 for bound in BOUNDS for steps in (-1, 0, 1))]


def open_rules(rulebook: Rulebook, moment: str, day: date, points: Decimal | None) -> set[str]:
    """The rules that a score leaves open, each condition's bounds looked up where it stands."""

    def holds(condition: Score) -> bool:
        lower, upper = (Decimal(rulebook.value(name, day)) if name else None for name in (condition.at_least, condition.below))
        return points is not None and (lower is None or lower <= points) and (upper is None or points < upper)

    rules = (one for one in rulebook.rules if moment in one.at and one.in_force(day) and answerable(one, rulebook, day))
    return {one.id for one in rules if all(holds(condition) for condition in one.all if isinstance(condition, Score))}


@pytest.mark.parametrize("rulebook", BOOKS, ids=lambda one: one.regime)
@settings(max_examples=10, deadline=None)
@given(scores=st.permutations(SCORES), day=st.sampled_from([date(2004, 12, 31), date(2017, 6, 30), date(2025, 12, 31)]))
def test_a_plan_holds_the_rules_that_the_score_leaves_open(rulebook: Rulebook, scores: list[Decimal | None], day: date) -> None:
    fresh = copy(rulebook)  # nothing kept yet, so whichever score comes first makes the plan for its neighbours
    for moment in ("evaluation", "immediate", "new_enterprise", "latest"):
        for points in scores:
            plan = plan_of(fresh, moment, day, points)
            assert {one.rule.id for one in (*plan.plain.all, *plan.last.all)} == open_rules(fresh, moment, day, points)
            for rules in (plan.plain, plan.last):
                order = [fresh.rules.index(one.rule) for one in rules.all]
                assert order == sorted(order)
                assert [one for one in rules.all if not one.causes] == list(rules.free) == list(rules.open({}))
