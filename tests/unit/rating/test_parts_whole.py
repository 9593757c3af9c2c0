"""Words of the vocabulary that no shipped rulebook uses: bounds that don't belong to their band, unrated parts that count."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.rulebook import Rulebook
from schemas.rulebook.conditions import Share
from services.rating.domain.digest import final_line
from services.rating.domain.facts import Fact
from services.rating.domain.fold import Book
from services.rating.domain.parts.entries import MAX_STRETCHES, MAX_WITH_FACTS, Entry, Stretch, shortened
from services.rating.domain.parts.whole import Whole
from services.rating.domain.sentences import Decisive
from services.rating.replaying_wholes import wholes
from tests.cases.chain import CHAIN, REGIME
from tests.cases.ledger import book

WHOLE = book(REGIME).rulebook
DAY = date(2025, 6, 1)
NOBODY = Fact(0, 0, 0, 0, 0, "", "", "", {})


def with_rule(**bounds: str) -> Rulebook:
    """The one rule: A for a share of A in this band."""
    rule = next(one for one in WHOLE.rules if one.id == "chain_trustworthy")
    rule = rule.model_copy(update={"all": (Share(kind="share", of=("A",), **bounds),)})
    return WHOLE.model_copy(update={"rules": (rule,)})


def counting_unrated() -> Rulebook:
    def changed(one):  # type: ignore[no-untyped-def]
        values = tuple(value.model_copy(update={"value": "counted"}) for value in one.values)
        return one.model_copy(update={"values": values}) if one.name == "chain_unrated_shops" else one

    return WHOLE.model_copy(update={"parameters": tuple(changed(one) for one in WHOLE.parameters)})


def grade(rulebook: Rulebook, grades: str) -> str | None:
    status = {"-": "not_yet_evaluated", "x": "closed"}
    said = [Entry(CHAIN, REGIME, CHAIN, NOBODY, (Stretch(date(2020, 1, 1), None, None, "by_parts"),))]
    for number, letter in enumerate(grades):
        one = Stretch(date(2020, 1, 1), None, None if letter in status else letter, status.get(letter, "graded"))
        said.append(Entry(CHAIN, REGIME, f"uscc:{number}", NOBODY, (one,)))
    [(_, found, _)] = wholes(said, Book.of(rulebook), as_of=DAY)
    return found.grade


MARK = "chain_trustworthy_share"


@pytest.mark.parametrize(
    ("bound", "below", "at", "above"),
    [("at_least", None, "A", "A"), ("above", None, None, "A"), ("at_most", "A", "A", None), ("below", "A", None, None)],
)
def test_the_word_says_whether_the_bound_belongs_to_the_band(bound: str, below: str | None, at: str | None, above: str | None) -> None:
    rulebook = with_rule(**{bound: MARK})
    assert [below, at, above] == [grade(rulebook, "A" * many + "B" * (10 - many)) for many in (7, 8, 9)]


def test_an_unrated_part_that_counts_is_one_more_of_which_no_share_is_made() -> None:
    assert ("A", "B") == (grade(WHOLE, "AAAAB-"), grade(counting_unrated(), "AAAAB-"))
    assert ("A", "A") == (grade(WHOLE, "AAAABx"), grade(counting_unrated(), "AAAABx")), "what has ended counts nowhere"


def test_without_a_rule_that_holds_there_is_no_grade() -> None:
    assert grade(with_rule(above=MARK), "BB") is None


def test_whoever_never_said_that_its_parts_decide_has_no_line() -> None:
    whole = Whole(CHAIN, WHOLE)
    whole.enter(Entry(CHAIN, REGIME, "uscc:1", NOBODY, (Stretch(date(2020, 1, 1), None, "A", "graded"),)))
    assert [] == whole.history(DAY) and final_line(CHAIN, REGIME, None) is None


def test_a_record_holds_so_many_stretches_and_the_facts_of_the_newest() -> None:
    facts = tuple(Decisive(NOBODY) for _ in range(9))
    many = tuple(Stretch(date.fromordinal(700_000 + number), None, "A", "graded", facts) for number in range(MAX_STRETCHES + 50))
    kept = shortened(many)
    assert (MAX_STRETCHES, many[-1].first) == (len(kept), kept[-1].first)
    assert [0] * (MAX_STRETCHES - MAX_WITH_FACTS) + [2] * MAX_WITH_FACTS == [len(one.decisive) for one in kept]
