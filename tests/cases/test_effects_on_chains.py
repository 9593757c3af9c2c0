"""第十二条, ADR 37: what an entry about a shop did to the grade of its chain. Worked out by hand.

Shops have been open, and in their chain, since 2010; the year 2024 is evaluated on 15 January 2025 at nine o'clock. Their chain is A from
80 % of A shops on, C where C and D together reach 20 %, D where D alone does; the worst band holds. Days from 15 January on: 17; of
February 28.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.audit.domain.assessing import Scene, assess
from services.audit.domain.joint import Joint
from services.audit.domain.supposing import Move, suppose
from services.audit.domain.whole_shown import OfWhole
from services.audit.domain.worlds import by_day
from tests.cases.chain import CHAIN, REGIME, SCORES, Town
from tests.cases.effect import Case, aside, life_of
from tests.cases.ledger import Ledger

pytestmark = pytest.mark.clause("第十二条")
OTHER = "uscc:91440300MA5CHA2N4R"
CUT = "2025-03-31"


def chain_of(town: Town, shop: Ledger, name: str = CHAIN) -> OfWhole:
    """The chain as all but one shop speak of it."""
    return OfWhole(name, tuple(one for one in town.entries(name) if one.part != shop.subject))


def scored_wrong(others: str, *, said: str, true: str, corrected: str | None = "2025-03-10") -> tuple[Town, Ledger, str]:
    """A town whose last shop had another score entered than it got; put right on a day."""
    town = Town(len(others) + 1)
    shop = town.shops[-1]
    town.graded(others + said)
    score = next(one.id for one in shop.facts if one.name == "score.recorded")
    if corrected:
        shop.corrected_entry(score, corrected, score_of(true))
    town.close(CUT)
    return town, shop, score


def score_of(letter: str) -> dict[str, Any]:
    """The data of the year's final score."""
    said = {"occurred_on": "2024-12-20", "regime": REGIME, "year": 2024, "maximum": "10", "deductions": []}
    return said | {"total": SCORES[letter], "final": True, "standard": "example"}


def both(town: Town, shop: Ledger, kind: str, id: str, **more: object) -> tuple[Case, Case]:
    """The shop's own effect, and its chain's."""
    cases = (Case(shop, cut=CUT, **more), Case(shop, cut=CUT, whole=chain_of(town, shop), **more))  # type: ignore[arg-type]
    for one in cases:
        getattr(one, kind)(id)
    return cases


def grades(case: Case, number: int = 0) -> list[tuple[str, str, str, str]]:
    """First, last, was and should of wrong grades."""
    wrong = case.answer(number).data["wrong"]
    return [(one["first"], one["last"], one["was"], one["should"]) for one in wrong if one["what"] == "grade"]


# the others · said · true · what the chain showed and should have
SHARES = [
    ("AAAA", "A", "C", [("2025-01-15", "2025-03-09", "A", "C")]),  # 5 of 5; 4 of 5 with one C
    ("AAAA", "A", "D", [("2025-01-15", "2025-03-09", "A", "D")]),
    ("AAAA", "A", "B", []),  # four of five are 80 %, and the fifth is in no band by itself
    ("AAAAAAAAA", "A", "C", []),  # one of ten moves nothing
    ("AAAB", "A", "B", [("2025-01-15", "2025-03-09", "A", "B")]),  # 80 %, and 60 %
    ("BBBB", "A", "C", [("2025-01-15", "2025-03-09", "B", "C")]),
    ("CCCC", "A", "C", []),  # C either way
]


@pytest.mark.parametrize("others, said, true, expected", SHARES)
def test_a_false_score_moves_the_chain_where_it_moves_a_share_across_a_mark(
    others: str, said: str, true: str, expected: list[tuple[str, str, str, str]]
) -> None:
    town, shop, score = scored_wrong(others, said=said, true=true)
    own, whole = both(town, shop, "untrue", score)
    assert [("2025-01-15", "2025-03-09", said, true)] == grades(own)
    assert expected == grades(whole)
    days = 17 + 28 + 9 if expected else 0
    assert (days, days, days, days) == whole.days()
    data = whole.answer().data
    assert (CHAIN, own.ledger.subject) == (data["affected"], data["subject_of"])
    assert [] == data["evaluations"]  # a chain is not evaluated
    assert "none" == data["consequence"]["kind"]  # what follows is told with the shop's own grades


def test_days_that_were_never_put_right_go_on() -> None:
    """Determined to be untrue and not corrected: the chain shows it still on the last day that is over."""
    town, shop, score = scored_wrong("AAAA", said="A", true="D", corrected=None)
    told = {"type": "mingjian.score.recorded.v1", "data": score_of("D")}
    sources = [{"kind": "document", "description": "x", "origin": one} for one in ("one", "two")]
    data = {"occurred_on": "2025-03-20", "document_no": "T-1", "entry": shop.ref(score), "result": "false", "took_place": True}
    data |= {"truth": told, "sources": sources, "decided_by": "officer:decider-one", "involved": [], "explanations_weighed": []}
    _, whole = both(town, shop, "untrue", score, asides=[aside(shop, "truth.determined", "2025-03-20", data)])
    data = whole.answer().data
    assert ([("2025-01-15", CUT, "A", "D")], 17 + 28 + 31) == (grades(whole), data["most"])
    assert "ongoing" in data["marks"]


def test_from_the_day_on_which_others_bring_the_chain_to_the_same_grade_nothing_is_wrong() -> None:
    """Two shops with D join on 10 February: with or without the false score D is more than a fifth."""
    town = Town(5)
    shop, *more = town.shops[-1], town.shop(), town.shop()
    for one, letter in zip(town.shops, "AAAAADD", strict=True):
        one.scored(2024, SCORES[letter], maximum="10")
    score = shop.facts[-1].id
    town.evaluated(2024)
    for one in more:
        one.joined(CHAIN, "2025-02-10")
    shop.corrected_entry(score, "2025-03-10", score_of("D"))
    town.close(CUT)
    own, whole = both(town, shop, "untrue", score)
    assert [("2025-01-15", "2025-03-09", "A", "D")] == grades(own)
    assert [("2025-01-15", "2025-02-09", "A", "D")] == grades(whole)


def test_a_joining_entered_late_moves_the_chain_and_not_the_shop() -> None:
    """A D shop joins on 1 February, entered on 3 March; supposed known on 10 February."""
    town = Town(4)
    shop = town.shop()
    for one, letter in zip(town.shops, "AAAAD", strict=True):
        one.scored(2024, SCORES[letter], maximum="10")
    town.evaluated(2024)
    joined = shop.joined(CHAIN, "2025-02-01", known="2025-03-03")
    town.close(CUT)
    own, whole = (Case(shop, cut=CUT, whole=one).late(joined, "2025-02-10") for one in (None, chain_of(town, shop)))
    assert [] == grades(own)
    assert [("2025-02-11", "2025-03-02", "A", "D")] == grades(whole)
    assert (20, 20, 20, 20) == whole.days()


def test_what_entries_of_one_shop_did_to_the_chain_only_together() -> None:
    """It joined late, and its score was false: before its joining was known the false score moved nothing, nor would it have with it."""
    town = Town(4)
    shop = town.shop()
    for one in town.shops:
        one.scored(2024, SCORES["A"], maximum="10")
    score = shop.facts[-1].id
    town.evaluated(2024)
    joined = shop.joined(CHAIN, "2025-02-01", known="2025-03-03")
    shop.corrected_entry(score, "2025-03-10", score_of("D"))
    town.close(CUT)
    case = Case(shop, cut=CUT, whole=chain_of(town, shop)).late(joined, "2025-02-10").untrue(score)
    assert ([], [("2025-03-03", "2025-03-09", "A", "D")]) == (grades(case), grades(case, 1))
    joint = case.answer().data["joint"]
    assert [([joined, score], 20)] == [(sorted(one["matters"], key=[joined, score].index), one["most"]) for one in joint]
    assert not case.answer().data["joint_complete"]  # other shops' entries are not looked at


def test_a_chain_that_the_shop_belonged_to_in_the_supposed_world_alone() -> None:
    """A joining that never took place: without it the other chain keeps what it had, and this one never lost anything."""
    town = Town(4)
    town.chain(OTHER)
    for _ in range(4):
        town.shop("2010-03-01", joined="2010-03-01", parent=OTHER)
    town.graded("AAAA" + "AAAD")  # the other chain is D by its last shop
    shop = town.shops[-1]
    false = shop.joined(CHAIN, "2025-02-01")
    shop.retracted(false, "2025-03-10")
    town.close(CUT)
    here, there = (Case(shop, cut=CUT, whole=chain_of(town, shop, name)).untrue(false) for name in (CHAIN, OTHER))
    assert [("2025-02-01", "2025-03-09", "D", "A")] == grades(here)
    assert [("2025-02-01", "2025-03-09", "A", "D")] == grades(there)


def test_what_is_entered_about_the_chain_itself() -> None:
    """It closed on 3 February, entered on 3 March."""
    town = Town(5).graded("AAAAA")
    chain = town.parents[CHAIN]
    data = {"occurred_on": "2025-02-03", "reason": "closed"}
    closed = chain.enter("enterprise.closed", data, known=date(2025, 3, 3))
    town.close(CUT)
    case = Case(chain, cut=CUT, whole=chain_of(town, chain)).late(closed, "2025-02-10")
    assert [("2025-02-11", "2025-03-02", "A", "closed")] == grades(case)


def test_supposing_nothing_the_days_are_those_that_the_chains_own_log_tells() -> None:
    """Day by day, as known at each day's end: what the chain showed is what its chronicle had said by then, and so for what never was."""
    town, shop, score = scored_wrong("AAAC", said="A", true="D")
    town.shops[0].left(CHAIN, "2025-02-20", known="2025-02-25")
    town.shops[1].enter("enterprise.closed", {"occurred_on": "2025-02-27", "reason": "closed"}, known=date(2025, 3, 1))
    whole, life, first, last = chain_of(town, shop), life_of(shop), date(2025, 1, 10), date(2025, 3, 31)
    for lived in (life, suppose(life, [Move((shop.source, score), never=True)])):
        pairs = by_day(whole.pieces(lived, first, last))
        for number, pair in enumerate(pairs):
            on = first + timedelta(days=number)
            known = [one for one in (*whole.others, *lived.words[CHAIN]) if _day(one.cause.known) <= on]
            standing = town.chronicle(entries=known).standing(on)
            assert pair == (standing.pair if standing else (None, None)), on
    assert len({*by_day(whole.pieces(life, first, last))}) > 2


def _day(known: int) -> date:
    return date(1970, 1, 1) + timedelta(milliseconds=known + 8 * 3_600_000)


def test_a_scene_of_a_whole_counts_its_own_days_and_no_others() -> None:
    """The two scenes of one life share nothing that they showed."""
    town, shop, score = scored_wrong("AAAA", said="A", true="B")
    life, case = life_of(shop), Case(shop, cut=CUT).untrue(score)
    for whole, most in ((None, 54), (chain_of(town, shop), 0)):
        scene = Scene(life, case.cut, (), tuple(case.matters), (), whole)
        assert most == assess(scene, case.matters[0]).differing.most
        assert (whole is None) is Joint.of(scene).complete


def test_who_joined_somebody_that_is_graded_by_no_parts_moves_nobody() -> None:
    """The parent is registered as an ordinary shop, so it says nothing of itself."""
    town = Town(1)
    shop = town.shop("2010-03-01", joined="2010-03-01", parent=town.shops[0].subject)
    town.graded("AA")
    score = next(one.id for one in shop.facts if one.name == "score.recorded")
    shop.corrected_entry(score, "2025-03-10", score_of("D"))
    town.close(CUT)
    name = town.shops[0].subject
    case = Case(shop, cut=CUT, whole=chain_of(town, shop, name)).untrue(score)
    assert ([], 0) == (grades(case), case.answer().data["most"])


def test_who_is_a_chain_in_one_world_and_a_shop_in_the_other_has_its_own_days_beside_those_of_its_parts() -> None:
    """Registered as a chain, which it was not: put right on 10 March. What it would have been is its own score."""
    town = Town(5).graded("AAAAA")
    chain = town.parents[CHAIN]
    registered = next(one.id for one in chain.facts if one.name == "enterprise.registered")
    chain.facts = [one for one in chain.facts if one.name not in ("evaluation.closed", "day.closed")]
    chain.started("2010-03-01")
    chain.scored(2024, SCORES["C"], maximum="10")
    chain.evaluated(2024)
    words = {"occurred_on": "2010-03-01", "name": "样例药店", "business_kind": "drug_retail", "regimes": [REGIME]}
    chain.corrected_entry(registered, "2025-03-10", words)
    town.close(CUT)
    case = Case(chain, cut=CUT, whole=chain_of(town, chain)).untrue(registered)
    assert ("2025-01-15", "2025-03-09", "A", "C") == grades(case)[-1]


def test_what_the_words_name_stands_at_its_place_in_the_log() -> None:
    town, shop, score = scored_wrong("AAAC", said="A", true="D")
    of_log = {(one.partition, one.offset): one.id for one in shop.facts}
    named = [one.fact for word in life_of(shop).words[CHAIN] for stretch in word.stretches for one in stretch.decisive]
    assert named and all(of_log[one.partition, one.offset] == one.id and one.source == shop.source for one in named)
