"""第十二条: a chain's grade by its shops' shares, on each side of every mark and of every day on which a shop comes or goes.

The marks are the shipped examples (R7). R-numbers are the rulebook's readings."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import pytest

from services.rating.domain.facts import Fact
from tests.cases.chain import CHAIN, Town
from tests.cases.ledger import act, morning

pytestmark = pytest.mark.clause("第十二条")
OTHER = "uscc:91440300MA5CHA2N4R"
DAY = "2025-02-01"


def rules(town: Town, day: str = DAY) -> set[str]:
    found = town.on(day)
    return {one.rule for one in found.reasons} if found else set()


# 80 % of trustworthy shops: just below, at and just above, as fractions and not as rounded numbers
@pytest.mark.clause("R7")
@pytest.mark.parametrize(
    ("shops", "grade", "rule"),
    [
        ("AAAAAAABBB", "B", "chain_cautioned"),
        ("AAAABB", "B", "chain_cautioned"),
        ("A" * 78 + "B" * 20, "B", "chain_cautioned"),
        ("AAAAB", "A", "chain_trustworthy"),
        ("AAAAAAAABB", "A", "chain_trustworthy"),
        ("A" * 79 + "B" * 20, "B", "chain_cautioned"),
        ("A" * 80 + "B" * 20, "A", "chain_trustworthy"),
        ("A" * 81 + "B" * 20, "A", "chain_trustworthy"),
        ("AAAAAAAAAB", "A", "chain_trustworthy"),
        ("AA", "A", "chain_trustworthy"),
        ("BB", "B", "chain_cautioned"),
    ],
)
def test_the_share_of_trustworthy_shops_decides(shops: str, grade: str, rule: str) -> None:
    town = Town(len(shops)).graded(shops)
    assert (grade, {rule}) == (town.grade(DAY), rules(town))


# 20 % of discredited and seriously discredited shops together, and of seriously discredited ones alone
@pytest.mark.clause("R7", "R9")
@pytest.mark.parametrize(
    ("shops", "grade", "rule"),
    [
        ("A" * 81 + "C" * 19, "A", "chain_trustworthy"),
        ("A" * 80 + "C" * 20, "C", "chain_discredited"),
        ("A" * 79 + "C" * 21, "C", "chain_discredited"),
        ("AAAAAAAACD", "C", "chain_discredited"),
        ("BBBBBBBBBC", "B", "chain_cautioned"),
        ("BBBBBBBBCC", "C", "chain_discredited"),
        ("A" * 81 + "D" * 19, "A", "chain_trustworthy"),
        ("A" * 61 + "C" * 20 + "D" * 19, "C", "chain_discredited"),
        ("A" * 80 + "D" * 20, "D", "chain_seriously_discredited"),
        ("A" * 79 + "D" * 21, "D", "chain_seriously_discredited"),
        ("CCCCCCCCDD", "D", "chain_seriously_discredited"),
    ],
)
def test_discredited_shops_drag_the_chain_down_and_the_worse_band_holds(shops: str, grade: str, rule: str) -> None:
    town = Town(len(shops)).graded(shops)
    assert grade == town.grade(DAY)
    assert {rule} == rules(town)


@pytest.mark.clause("R7")
@pytest.mark.parametrize(("shops", "grade"), [("-", "not_yet_evaluated"), ("A-", "not_yet_evaluated"), ("AA-", "A"), ("AAA", "A")])
def test_a_chain_needs_two_rated_shops(shops: str, grade: str) -> None:
    assert grade == Town(len(shops)).graded(shops).grade(DAY)


@pytest.mark.clause("R8")
def test_a_shop_without_a_grade_is_left_out_of_its_shares() -> None:
    town = Town(6).graded("AAAAB-")
    found = town.on(DAY)
    assert "A" == town.grade(DAY) and found is not None
    assert [("share", "80", "80"), ("parts", "4", "5")] == [(one.name, one.value, one.bound) for one in found.reasons[0].numbers]


@pytest.mark.clause("R8")
def test_a_share_is_never_shown_rounded_up() -> None:
    found = Town(99).graded("A" * 79 + "B" * 20).on(DAY)
    assert found is not None and "79.79" in found.reasons[0].en and "79.79%" in found.reasons[0].zh


# a shop counts from the day on which it joins
@pytest.mark.clause("R10")
@pytest.mark.parametrize(("day", "grade"), [("2025-03-09", "A"), ("2025-03-10", "B"), ("2025-03-11", "B")])
def test_a_shop_counts_from_the_day_of_joining(day: str, grade: str) -> None:
    town = Town(4)
    late = town.shop()
    town.graded("AAAAB")
    town.shops[0].left(CHAIN, "2025-03-01")
    late.joined(CHAIN, "2025-03-10")
    assert grade == town.grade(day)


# and no more from the day on which it leaves
@pytest.mark.clause("R10")
@pytest.mark.parametrize(("day", "grade"), [("2025-03-09", "A"), ("2025-03-10", "B"), ("2025-03-11", "B")])
def test_a_shop_counts_until_the_day_before_it_leaves(day: str, grade: str) -> None:
    town = Town(5).graded("AAAAB")
    town.shops[0].left(CHAIN, "2025-03-10")
    assert grade == town.grade(day)


@pytest.mark.clause("R10")
@pytest.mark.parametrize(("day", "first", "second"), [("2025-03-09", "A", "B"), ("2025-03-10", "B", "A"), ("2025-03-11", "B", "A")])
def test_a_shop_that_changes_chains_counts_once_on_each_day(day: str, first: str, second: str) -> None:
    """It leaves the one and joins the other on one day."""
    town = Town(5)
    town.chain(OTHER)
    for _ in range(4):
        town.shop(joined="2010-03-01", parent=OTHER)
    town.graded("AAAABAAAB")
    town.shops[0].left(CHAIN, "2025-03-10")
    town.shops[0].joined(OTHER, "2025-03-10")
    assert (first, second) == (town.grade(day), town.grade(day, OTHER))


@pytest.mark.clause("R10")
def test_joining_another_chain_ends_what_was_before() -> None:
    """Nobody entered that it left: all the same no shop counts twice."""
    town = Town(5)
    town.chain(OTHER)
    for _ in range(4):
        town.shop(joined="2010-03-01", parent=OTHER)
    town.graded("AAAABAAAB")
    town.shops[0].joined(OTHER, "2025-03-10")
    assert [("A", "B"), ("B", "A")] == [(town.grade(day), town.grade(day, OTHER)) for day in ("2025-03-09", "2025-03-10")]


@pytest.mark.clause("R10")
@pytest.mark.parametrize("order", list(itertools.permutations(["left", "joined"])))
@pytest.mark.parametrize("member", [True, False])
def test_leaving_and_joining_on_one_day_leave_things_as_they_were(order: tuple[str, ...], member: bool) -> None:
    town = Town(4)
    last = town.shop(joined="2010-03-01" if member else None)
    town.graded("AAAAB" if member else "ABBBB")
    before = town.grade("2025-03-09")
    for name in order:
        getattr(last, name)(CHAIN, "2025-03-10")
    assert [before] * 3 == [town.grade(day) for day in ("2025-03-09", "2025-03-10", "2025-03-11")]


@pytest.mark.clause("R10")
def test_leaving_a_chain_that_it_never_belonged_to_means_nothing() -> None:
    town = Town(5)
    town.chain(OTHER)
    town.graded("AAAAB")
    town.shops[0].left(OTHER, "2025-03-10")
    assert "A" == town.grade("2025-03-11")


# what a shop lost its grade by
@pytest.mark.clause("R8")
@pytest.mark.parametrize(("day", "grade"), [("2025-03-09", "A"), ("2025-03-10", "B"), ("2025-03-11", "B")])
def test_a_shop_that_closes_counts_nowhere_from_then_on(day: str, grade: str) -> None:
    town = Town(5).graded("AAAAB")
    town.shops[0].closed("2025-03-10")
    assert grade == town.grade(day)


@pytest.mark.clause("R5")
@pytest.mark.parametrize(("day", "grade"), [("2025-03-09", "A"), ("2025-03-10", "closed"), ("2025-03-11", "closed")])
def test_a_chain_that_closes_has_a_status_and_no_grade(day: str, grade: str) -> None:
    town = Town(5).graded("AAAAB")
    town.parents[CHAIN].closed("2025-03-10")
    assert grade == town.grade(day)


@pytest.mark.clause("R9")
@pytest.mark.parametrize(("day", "grade"), [("2026-01-14", "A"), ("2026-01-15", "B"), ("2026-01-16", "B")])
def test_the_shops_next_evaluation_moves_the_chain_on_its_date(day: str, grade: str) -> None:
    town = Town(5).graded("AAAAB").graded("AAABB", 2025)
    assert grade == town.grade(day)
    found = town.on("2026-03-01")
    assert found is not None and "2026-01-15" == str(found.in_force_from)


@pytest.mark.clause("R9")
def test_an_evaluation_is_one_step_of_the_chain_however_many_shops_it_reaches() -> None:
    """Its copies reach the shops' partitions one after the other; the chain isn't told of half an evaluation."""
    grades = [one["data"]["grade"] for one in Town(5).graded("BBBBB").graded("AAAAA", 2025).told()]
    assert [None, "B", "A"] == grades


# both times
@pytest.mark.clause("R9")
def test_a_late_fact_of_a_shop_re_rates_the_chains_past() -> None:
    town = Town(5).graded("AAAAB")
    town.shops[0].closed("2025-03-10")
    town.shops[0].facts[-1] = _known(town.shops[0].facts[-1], "2025-05-20")
    assert ["A", "A"] == [town.grade(day, known_at="2025-05-19") for day in ("2025-03-09", "2025-05-19")]
    assert ["A", "B", "B"] == [town.grade(day, known_at="2025-05-21") for day in ("2025-03-09", "2025-03-10", "2025-05-19")]
    corrected = [one["data"] for one in town.told() if one["type"] == "mingjian.grade.corrected.v1"]
    [one] = corrected
    assert ("2025-03-10", "2025-05-19", "A", "B") == (one["in_force_from"], one["corrected_to"], one["previous_grade"], one["grade"])
    assert town.shops[0].facts[-1].id == one["cause"]["id"]


@pytest.mark.clause("R18")
def test_a_membership_that_is_taken_back_never_was_one() -> None:
    town = Town(4)
    wrong = town.shop()
    town.graded("AAABB")
    town.shops[0].left(CHAIN, "2025-03-01")
    joined = wrong.joined(CHAIN, "2025-03-01")
    assert "B" == town.grade("2025-03-05")
    before = town.on("2025-03-05")
    assert before is not None and "4" == before.reasons[0].numbers[1].bound
    wrong.retracted(joined, "2025-06-01")
    after = town.on("2025-03-05")
    assert after is not None and "3" == after.reasons[0].numbers[1].bound
    assert "4" == town.on("2025-03-05", known_at="2025-05-31").reasons[0].numbers[1].bound  # type: ignore[union-attr]


@pytest.mark.clause("R18")
def test_a_leaving_that_is_corrected_to_another_day_counts_from_that_day() -> None:
    town = Town(5).graded("AAAAB")
    left = town.shops[0].left(CHAIN, "2025-03-10")
    town.shops[0].corrected_entry(left, "2025-06-01", {"occurred_on": "2025-04-10", "parent": CHAIN})
    assert ["A", "A", "B"] == [town.grade(day) for day in ("2025-03-10", "2025-04-09", "2025-04-10")]
    assert "B" == town.grade("2025-03-10", known_at="2025-05-31")


# R11: who is rated by its parts is rated by nothing else, and is no part
@pytest.mark.clause("R11")
def test_a_chain_has_no_score_of_its_own() -> None:
    town = Town(2).graded("BB")
    chain = town.parents[CHAIN]
    chain.scored(2025, "10", maximum="10")
    town.graded("BB", 2025)
    assert "B" == town.grade("2026-02-01")
    assert [] == town.own(chain)


@pytest.mark.clause("R11")
def test_a_chain_is_no_shop_of_another_chain() -> None:
    town = Town(2)
    town.chain(OTHER)
    town.parents[CHAIN].joined(OTHER, "2012-01-01")
    for _ in range(2):
        town.shop(joined="2010-03-01", parent=OTHER)
    town.graded("DDAA")
    assert ("D", "A") == (town.grade(DAY), town.grade(DAY, OTHER))
    assert {one.part for one in town.entries(OTHER)} == {OTHER, *(shop.subject for shop in town.shops[2:])}


def test_whoever_is_registered_as_something_else_is_no_chain() -> None:
    """Parts that name a parent that says nothing of itself make no grade."""
    town = Town(2).graded("AA")
    town.parents[CHAIN].facts = [one for one in town.parents[CHAIN].facts if one.name != "enterprise.registered"]
    assert [] == town.told()


def test_a_shop_of_no_chain_tells_nobody_anything() -> None:
    town = Town(2)
    alone = town.shop()
    town.graded("AAB")
    assert all(one.part != alone.subject for one in town.entries())
    assert [one.event["type"] for one in alone.told()] == [one.event["type"] for one in town.own(alone)]


# the explanation
def test_the_explanation_names_the_shops_that_decided_and_their_facts() -> None:
    town = Town(5).graded("AAABB")
    told = town.told()[-1]
    named = {one["part"] for one in told["data"]["parts"]["named"]}
    assert named == {shop.subject for shop in town.shops[:3]}
    scores = {fact.id for shop in town.shops[:3] for fact in shop.facts if fact.name == "score.recorded"}
    assert scores == {one["id"] for one in told["data"]["decisive_events"]} == set(told["data"]["reasons"][0]["events"])
    assert {"counted": 5, "others": 0} == {name: told["data"]["parts"][name] for name in ("counted", "others")}
    assert [("A", 3), ("B", 2), ("C", 0), ("D", 0)] == [(one["grade"], one["parts"]) for one in told["data"]["parts"]["grades"]]
    assert "3 of 5 shops are trustworthy, 60 %, below 80 %." == told["data"]["reasons"][0]["en"]
    assert {"R7", "R8", "R9", "R10", "R11"} == set(told["data"]["readings"])


@pytest.mark.clause("R8")
def test_what_ends_a_shop_is_no_lowering_of_the_others() -> None:
    """A permit that is revoked takes one shop out; the others keep their grades and the chain is counted from them."""
    town = Town(3).graded("AAA")
    town.shops[2].permit_revoked("2025-04-01", whole=True)
    found = town.on("2025-04-02")
    assert found is not None and ("A", "2") == (found.grade, found.reasons[0].numbers[1].bound)


@pytest.mark.clause("R6")
def test_a_fine_of_one_shop_moves_no_share_before_its_next_evaluation() -> None:
    """R6: between evaluations grades stay."""
    town = Town(5).graded("AAAAB")
    town.shops[0].penalised("2025-03-01", act("fine"))
    assert "A" == town.grade("2025-03-02")


def _known(fact: Fact, day: str) -> Fact:
    at = morning(date.fromisoformat(day))
    return replace(fact, known=at, stamp=at)
