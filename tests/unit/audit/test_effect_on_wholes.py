"""Effects on a chain as the service works them out: what is put on record, what is left for another night, whom an earlier answer names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from schemas.rulebook import load_all_editions
from services.audit.assessing import Effects, Given, effects_of, events_of, last_close, read_partition, words_in
from services.audit.domain.matters import standing_matters
from services.audit.domain.replay import PART_GRADED, books_of
from services.audit.domain.whole_shown import words_about
from services.audit.nightly_effects import is_news, name_of
from tests.cases.chain import REGIME
from tests.cases.ledger import RULEBOOKS
from tests.unit.audit.bundled import genesis
from tests.unit.audit.chained import CHAIN, WRONG, ChainWorld
from tests.unit.audit.packed import PARTITION

BOOKS = books_of(load_all_editions(RULEBOOKS))


@pytest.fixture(scope="module")
def world() -> ChainWorld:
    return ChainWorld()


def given(world: ChainWorld, **more: Any) -> list[Given]:
    matters = standing_matters(events_of(world.findings()))
    facts, entries = read_partition(world, PARTITION, [one.entry.offset for one in matters])
    effects = Effects(BOOKS, world._folded(), "mingjian test", lambda: words_in(world.parts()), **more)
    found = list(effects.of_partition(PARTITION, facts, entries, matters))
    assert {} == effects.untold
    return found


def affected(found: list[Given]) -> list[str]:
    return [one.answer.data["affected"] for one in found]


def test_at_night_nothing_is_told_of_wholes_of_a_regime_of_which_not_all_was_said(world: ChainWorld) -> None:
    assert [WRONG, CHAIN] == affected(given(world))
    assert [WRONG] == affected(given(world, unsaid=frozenset({REGIME})))
    assert [WRONG, CHAIN] == affected(given(world, unsaid=frozenset({"another"})))


def test_on_demand_both_are_told(world: ChainWorld) -> None:
    finding = world.late
    found = effects_of(world, BOOKS, genesis(), "mingjian test", finding)
    assert [WRONG, CHAIN] == affected(found)
    assert [one.answer.digest for one in found] == [one.answer.digest for one in given(world)]


def test_a_close_that_is_later_than_the_nights_does_not_count(world: ChainWorld) -> None:
    facts, _ = read_partition(world, PARTITION, [])
    newest = last_close(facts)
    assert newest is not None and date(2027, 1, 31) == newest.day
    earlier = last_close(facts, date(2027, 1, 30))
    assert earlier is None or earlier.day < newest.day
    assert last_close(facts, date(2027, 2, 28)) == newest


def test_whom_an_earlier_answer_was_about_is_answered_again_though_nobody_belongs_to_them_any_more(world: ChainWorld) -> None:
    other = "uscc:91440300MA5CHA2N4R"
    (matter,) = standing_matters(events_of(world.findings()))
    found = given(world, before={(matter.id, REGIME): frozenset({other, WRONG})})
    assert [WRONG, CHAIN, other] == affected(found)
    assert 0 == found[-1].answer.data["most"]


def test_of_a_whole_that_nothing_was_done_to_nothing_is_put_on_record_unless_something_was(world: ChainWorld) -> None:
    (matter,) = standing_matters(events_of(world.findings()))
    *_, nothing = given(world, before={(matter.id, REGIME): frozenset({"uscc:91440300MA5CHA2N4R"})})
    own, chain, _ = given(world, before={(matter.id, REGIME): frozenset({"uscc:91440300MA5CHA2N4R"})})
    assert (False, True, True) == (is_news(nothing, {}), is_news(own, {}), is_news(chain, {}))
    told = {name_of(one.answer.data): one.answer.digest for one in (own, chain, nothing)}
    assert not any(is_news(one, told) for one in (own, chain, nothing))
    assert is_news(nothing, {name_of(nothing.answer.data): "another"})


def test_what_is_no_word_of_a_part_is_passed_over_and_of_one_place_the_last_told_counts(world: ChainWorld) -> None:
    words = list(words_in(world.parts()))
    whole = words_about(words)
    assert set(whole) == {(CHAIN, REGIME)}
    broken: list[Mapping[str, Any]] = [{"type": PART_GRADED, "subject": CHAIN, "data": {}}, words[0] | {"data": {"cause": None}}]
    assert whole == words_about([*words, *broken])
    again = words[-1] | {"data": words[-1]["data"] | {"stretches": []}}
    last = words_about([*words, again])[CHAIN, REGIME]
    assert (
        ()
        == next(one for one in last if one.part == words[-1]["data"]["part"] and one.cause.id == words[-1]["data"]["cause"]["id"]).stretches
    )
