"""五(三) ¶3, ¶4: what follows from an entry that moved a grade, as the hearing on it goes: nothing, circulated criticism, referral.

The life is that of the late entries: a shop that is B, whose fine of 2 December 2024 is due by the 9th and entered on 10 February: wrong on
22, 31 and 9 days. It is heard in March 2027; the last day to appeal is 12 April.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests import hearing as h
from tests.cases.effect import Case, deadline
from tests.cases.test_late_entries_effect import LAST, fined, known_on, town_shop

pytestmark = pytest.mark.clause("五(三) ¶3", "五(三) ¶4")
DAYS = 22 + 31 + 9
NOTICE, REPLY = h.notified(), h.replied()
FOUND = {"intent": "on_purpose", "grade_affected": True, "consequence": "referral_for_accountability", "clause": "五(三) ¶4"}
ON_PURPOSE, NOT_FOUND = h.decided(**FOUND), h.decided()
AGAINST = h.appealed(ON_PURPOSE)
CLEARED = h.decided(outcome="cleared", intent="not_examined")

# steps · last closed day · consequence, clause and days · whether it says that the decision is not final
HEARD: list[tuple[list[dict[str, Any]], str, tuple[str, str | None, int], bool]] = [
    ([], "2027-04-30", ("circulated_criticism", "五(三) ¶3", DAYS), False),
    ([NOTICE, REPLY], "2027-04-30", ("circulated_criticism", "五(三) ¶3", DAYS), False),
    ([NOTICE, REPLY, NOT_FOUND], "2027-04-30", ("circulated_criticism", "五(三) ¶3", DAYS), False),
    ([NOTICE, REPLY, ON_PURPOSE], "2027-04-11", ("referral_for_accountability", "五(三) ¶4", DAYS), True),
    ([NOTICE, REPLY, ON_PURPOSE], "2027-04-12", ("referral_for_accountability", "五(三) ¶4", DAYS), False),
    ([NOTICE, REPLY, ON_PURPOSE, AGAINST], "2027-04-30", ("referral_for_accountability", "五(三) ¶4", DAYS), True),
    (
        [NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST, outcome="confirmed", **FOUND)],
        "2027-04-30",
        ("referral_for_accountability", "五(三) ¶4", DAYS),
        False,
    ),
    (
        [NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST, outcome="confirmed", intent="not_found")],
        "2027-04-30",
        ("circulated_criticism", "五(三) ¶3", DAYS),
        False,
    ),
    (
        [NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST, outcome="remitted")],
        "2027-04-30",
        ("circulated_criticism", "五(三) ¶3", DAYS),
        False,
    ),
    ([NOTICE, REPLY, ON_PURPOSE, AGAINST, h.decided_on(AGAINST)], "2027-04-30", ("none", None, 0), False),
    ([NOTICE, REPLY, CLEARED], "2027-04-30", ("none", None, 0), False),
]


def late() -> Case:
    ledger, fine = fined("2025-02-10")
    return Case(ledger, cut="2025-03-31").late(fine, LAST)


@pytest.mark.parametrize("events, through, expected, not_final", HEARD)
def test_the_consequence_follows_the_last_word(
    events: list[dict[str, Any]], through: str, expected: tuple[str, str | None, int], not_final: bool
) -> None:
    found = late().heard(0, *events, through=through).answer().data
    consequence = found["consequence"]
    assert expected == (consequence["kind"], consequence["clause"], consequence["days"])
    assert not_final == ("not final" in consequence["why_en"]) == ("尚未终结" in consequence["why_zh"])
    # What was shown stays what it was: a hearing decides about people, not about days.
    assert (DAYS, DAYS) == (found["least"], found["most"])


def test_each_turn_is_an_answer_of_its_own_though_the_words_come_back() -> None:
    """Found, sent back, cleared, begun anew: no id twice, so none is taken for one that is on record. Its cause is the step."""
    back = h.decided_on(AGAINST, outcome="remitted")
    anew = h.notified(day="2027-06-01", reply_by="2027-06-15")
    begun = [NOTICE, REPLY, ON_PURPOSE, AGAINST]
    turns = [[], begun[:3], [*begun, back], [NOTICE, REPLY, CLEARED], [NOTICE, REPLY, CLEARED, anew]]
    answers = [late().heard(0, *events, through="2027-07-31").answer() for events in turns]
    before, found, sent_back, cleared, reopened = answers
    assert before.digest == sent_back.digest == reopened.digest
    assert len({one.id for one in answers}) == 5
    assert [ON_PURPOSE["id"], back["id"], CLEARED["id"], anew["id"]] == [one.data["cause"]["id"] for one in answers[1:]]
    assert {("mingjian.registry.v1", 0)} == {(one.data["cause"]["topic"], one.data["cause"]["partition"]) for one in answers[1:]}
    # Steps that turned nothing leave answer and id as they were.
    assert before.value == late().heard(0, NOTICE, REPLY, NOT_FOUND).answer().value
    assert found.event["time"] == "2027-03-20T04:00:00.000Z"


def test_nor_is_an_id_twice_where_the_steps_clock_was_behind_the_facts() -> None:
    """Then the cause is the fact each time, as before anybody was heard; the step is in the id."""
    back = h.decided_on(AGAINST, outcome="remitted")
    answers = [late().answer()]
    for events in ([NOTICE, REPLY, ON_PURPOSE], [NOTICE, REPLY, ON_PURPOSE, AGAINST, back]):
        found = late().heard(0, *events)
        for id, word in found.words.items():
            assert word.turned is not None
            found.words[id] = replace(word, turned=replace(word.turned, received=0))
        answers.append(found.answer())
    assert 1 == len({one.data["cause"]["id"] for one in answers}) and answers[0].digest == answers[2].digest
    assert 3 == len({one.id for one in answers})


@pytest.mark.clause("R24")
@pytest.mark.parametrize("cleared", [(), (0,), (1,), (0, 1)])
def test_what_was_done_only_together_with_who_was_cleared_counts_against_nobody(cleared: tuple[int, ...]) -> None:
    """Two warnings that made fifty days wrong only together (see the late entries)."""
    ledger = town_shop()
    first, second = ledger.warned("2024-03-01", term="2024-03-15"), ledger.warned("2024-05-06")
    ledger.facts[-2:] = [known_on(one, date(2024, 7, 1)) for one in ledger.facts[-2:]]
    found = Case(ledger, cut="2024-12-31").late(first, deadline("2024-03-01")).late(second, deadline("2024-05-06"))
    for number in cleared:
        found.heard(number, NOTICE, REPLY, CLEARED)
    for number in (0, 1):
        data = found.answer(number).data
        assert [50] == [one["most"] for one in data["joint"]]
        expected = ("none", 0) if cleared else ("circulated_criticism", 50)
        assert expected == (data["consequence"]["kind"], data["consequence"]["days"])
        assert ("Cleared" in data["consequence"]["why_en"]) == (number in cleared)


def test_an_untrue_entry_on_purpose_is_referred_though_it_moved_no_grade() -> None:
    """五(三) ¶4 asks for purpose and not for a grade; without purpose there is nothing to criticise."""
    ledger = town_shop()
    seen = ledger.inspected("2024-06-03")
    found = Case(ledger, cut="2025-03-31").untrue(seen)
    assert "none" == found.answer().data["consequence"]["kind"]
    assert "none" == found.heard(0, NOTICE, REPLY, NOT_FOUND).answer().data["consequence"]["kind"]
    referred = found.heard(0, NOTICE, REPLY, ON_PURPOSE).answer().data["consequence"]
    assert ("referral_for_accountability", 0) == (referred["kind"], referred["days"])
