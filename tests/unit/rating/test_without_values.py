"""Where the rulebook says nothing for a day, nothing holds and nothing breaks. (The loader refuses gaps in what is in force.)"""

from __future__ import annotations

from datetime import date

import pytest

from schemas.rulebook import Rulebook
from services.rating.domain.fold import Book
from tests.cases import ledger as ledger_module
from tests.cases.ledger import Ledger, book


def without(name: str, *, until: date | None = None, regime: str = "liyujiang") -> Rulebook:
    """The rulebook with a parameter that has no value, or none before a day."""
    whole = book(regime).rulebook
    changed = []
    for one in whole.parameters:
        update = {"in_force_from": until} if until else {"value": None}
        values = tuple(value.model_copy(update=update) for value in one.values)
        changed.append(one.model_copy(update={"values": values}) if one.name == name else one)
    return whole.model_copy(update={"parameters": tuple(changed)})


READ = [one.name for one in book("liyujiang").rulebook.parameters if not one.name.startswith("entry_")]


@pytest.mark.parametrize("name", READ)
def test_a_parameter_without_a_value_breaks_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Book.of(without(name))
    monkeypatch.setattr(ledger_module, "book", lambda regime: own)
    ledger = Ledger()
    ledger.opened("2010-03-01")
    ledger.warned("2024-02-01")
    ledger.warned("2024-05-01")
    ledger.scored(2024, "91")
    ledger.scored(2024, "60", on="2024-12-28")
    ledger.evaluated(2024)
    assert ledger.told()


@pytest.mark.parametrize(
    ("name", "score", "grade"),
    [
        ("score_exemplary", "99", "B"),
        ("clean_of_penalty", "99", "B"),
        ("score_compliant", "91", "not_yet_evaluated"),
        ("score_discredited", "60", "not_yet_evaluated"),
        ("own_fields", "99", "not_yet_evaluated"),
        ("full_year", "99", "not_yet_evaluated"),
        ("contradicting_scores", "99", "A"),
    ],
)
def test_a_condition_without_its_number_does_not_hold(name: str, score: str, grade: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Book.of(without(name))
    monkeypatch.setattr(ledger_module, "book", lambda regime: own)
    ledger = Ledger()
    ledger.opened("2010-03-01")
    ledger.scored(2024, score)
    ledger.evaluated(2024)
    assert grade == ledger.grade()


def test_of_two_finals_none_counts_where_nothing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Book.of(without("contradicting_scores"))
    monkeypatch.setattr(ledger_module, "book", lambda regime: own)
    ledger = Ledger()
    ledger.opened("2010-03-01")
    ledger.scored(2024, "99")
    ledger.scored(2024, "60", on="2024-12-28")
    ledger.evaluated(2024)
    found = ledger.now()
    assert found is not None and ("not_yet_evaluated", "grade_stays") == (found.status, found.reasons[-1].rule)


def test_the_evaluation_of_a_period_before_the_rulebook_leaves_everything_as_it_was() -> None:
    ledger = Ledger()
    ledger.activate(in_force_from="1990-01-01")
    ledger.opened("1990-03-01")
    ledger.fined("1999-05-01")
    ledger.scored(1999, "60")
    ledger.evaluated(1999, on="2000-01-15")
    found = ledger.on("2000-02-01")
    assert found is not None and found.grade is None
    assert "1999-01-01 to 1999-12-31, so the grade stays as it was" in found.reasons[-1].en


COUNTED = [one.name for one in book("wuhan-2017").rulebook.parameters]


@pytest.mark.parametrize("name", COUNTED)
def test_where_points_are_counted_a_parameter_without_a_value_breaks_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Book.of(without(name, regime="wuhan-2017"))
    monkeypatch.setattr(ledger_module, "book", lambda regime: own)
    ledger = Ledger("wuhan-2017")
    ledger.opened("2010-03-01")
    ledger.warned("2017-02-01")
    ledger.fined("2017-05-01")
    ledger.evaluated(2017)
    # 8.5 points lie between these two; what the table lacks is no clean record.
    needed = {"points_a", "points_b", *(name for _, _, name in own.rulebook.tables["yearly"].parameters())}
    assert ("not_yet_evaluated" if name in needed else "B") == ledger.grade()
