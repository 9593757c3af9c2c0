"""五(三) ¶3, ¶4 as cases: what is proposed of an entry that was late or untrue, by the days on which it had another grade shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.audit.domain.consequence import Counted, Proposed, Weighed, as_it_stands, consequence
from services.audit.domain.hearings import Word
from tests.cases import ledger

ON = date(2026, 3, 9)
NONE = Counted(0, 0)
NOTHING = Weighed(NONE, NONE, NONE, determined=True)


def proposed(**changes: object) -> Proposed:
    return consequence(ledger.book("liyujiang").rulebook, ON, replace(NOTHING, **changes))  # type: ignore[arg-type]


@pytest.mark.clause("五(三) ¶3", "R22", "R23")
@pytest.mark.parametrize("days, kind", [(0, "none"), (1, "circulated_criticism"), (64, "circulated_criticism")])
def test_circulated_criticism_needs_a_grade_that_was_affected(days: int, kind: str) -> None:
    found = proposed(as_long=Counted(days, days), possible=Counted(64, 64))
    assert (kind, days) == (found.kind, found.days)
    assert ("五(三) ¶3" if days else None) == found.clause
    assert ("R22", "R23") == found.readings


@pytest.mark.clause("R22")
def test_days_that_were_shown_count_though_they_were_undone_since() -> None:
    assert ("circulated_criticism", 5) == ((found := proposed(as_long=Counted(5, 0), possible=Counted(5, 0))).kind, found.days)


@pytest.mark.clause("R23")
def test_approval_is_supposed_as_long_as_it_really_took() -> None:
    """Neither what is wrong whenever approval came, nor what could be wrong at most."""
    assert 3 == proposed(certain=Counted(1, 1), as_long=Counted(3, 3), possible=Counted(9, 9)).days
    never = proposed(possible=Counted(9, 9))
    assert ("none", 0) == (never.kind, never.days) and "9 days" in never.en and "9天" in never.zh
    assert 1 == proposed(certain=NONE, as_long=Counted(1, 1), possible=Counted(1, 1)).days


@pytest.mark.clause("R24")
def test_what_entries_did_only_together_is_their_offices_where_it_is_one_office() -> None:
    one, several = Counted(0, 0, own=7, any=7), Counted(0, 0, own=0, any=7)
    found = proposed(as_long=one, possible=one)
    assert ("circulated_criticism", 7, ("R22", "R23", "R24")) == (found.kind, found.days, found.readings)
    assert "none" == proposed(as_long=several, possible=several).kind


@pytest.mark.clause("五(三) ¶4")
def test_a_referral_needs_purpose_which_a_hearing_finds() -> None:
    found = proposed(word=Word(purpose=True, final=True))
    assert ("referral_for_accountability", "五(三) ¶4") == (found.kind, found.clause)
    assert "not final" not in found.en and "尚未终结" not in found.zh
    assert "none" == proposed(word=Word()).kind
    # A sign is enough where a hearing found purpose: the decision says what is so.
    assert "referral_for_accountability" == proposed(word=Word(purpose=True), determined=False).kind


@pytest.mark.clause("五(三) ¶4")
def test_a_decision_that_can_still_be_set_aside_says_so() -> None:
    found = proposed(word=Word(purpose=True))
    assert "referral_for_accountability" == found.kind
    assert "The decision is not final yet." in found.en and "该决定尚未终结。" in found.zh


@pytest.mark.clause("五(三) ¶3", "五(三) ¶4")
def test_of_who_was_cleared_nothing_is_proposed_whatever_it_did() -> None:
    moved = Counted(64, 64, 7, 7)
    found = proposed(certain=moved, as_long=moved, possible=moved, word=Word(cleared=True))
    assert ("none", None, 0, ()) == (found.kind, found.clause, found.days, found.readings)
    assert "已澄清" in found.zh and "against anybody" in found.en


@pytest.mark.clause("五(三) ¶3", "五(三) ¶4")
@pytest.mark.parametrize(
    "kind, word, holds",
    [
        ("none", Word(), True),
        ("circulated_criticism", Word(), True),
        ("circulated_criticism", Word(purpose=True), True),
        ("circulated_criticism", Word(cleared=True), False),
        ("referral_for_accountability", Word(purpose=True), True),
        ("referral_for_accountability", Word(), False),
        ("referral_for_accountability", Word(cleared=True), False),
    ],
)
def test_what_is_on_record_gives_way_to_what_was_decided_since(kind: str, word: Word, holds: bool) -> None:
    """Until the next night puts it on record."""
    told = {"kind": kind, "clause": "c", "days": 3, "readings": ["R22"], "why_zh": "x", "why_en": "x"}
    found = as_it_stands(told, word)
    assert (found == told) == holds
    assert holds or ("none", None, 0) == (found["kind"], found["clause"], found["days"])


@pytest.mark.clause("五(三) ¶3")
def test_a_sign_alone_has_no_consequence() -> None:
    assert "none" == proposed(as_long=Counted(9, 9), possible=Counted(9, 9), determined=False).kind


def test_a_rulebook_that_says_nothing_of_it_proposes_nothing() -> None:
    found = consequence(ledger.book("fhrs").rulebook, ON, replace(NOTHING, as_long=Counted(9, 9)))
    assert ("none", None) == (found.kind, found.clause)
