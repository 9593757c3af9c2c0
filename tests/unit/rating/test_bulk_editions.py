"""The drivers without a server: editions by the digests that were activated, and histories that were taken over."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from schemas.rulebook.editions import keep
from services.rating.books import find_book
from services.rating.bulk import fold_lines, in_order, rate, row
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS
from services.rating.domain.fold import Book
from services.rating.domain.subject import fold
from services.rating.outcome import Aside, Outcome, Question, final_of, successors
from tests.cases.law import numbered, rule, under
from tests.cases.ledger import RULEBOOKS, Ledger
from tests.cases.test_liyujiang_successors import DAY, NEW, OLD, Town, own
from tests.unit.rating.test_bulk import graded, lines

JULY = "2025-07-01"


@pytest.mark.parametrize(("on", "grade"), [("2025-06-30", "C"), (JULY, "D")])
def test_a_file_is_rated_by_the_editions_that_it_says_were_activated(on: str, grade: str) -> None:
    ledger = under("2010-03-01", (JULY, rule("c_warned", grade="D")))
    ledger.warned(on)
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert grade == graded(ledger, "2026-01-15")


def test_an_edition_that_is_not_held_is_taken_for_the_newest_from_its_day_on() -> None:
    ledger = Ledger()
    ledger.activate(sha256="0" * 64, in_force_from=JULY, on="2025-05-01")
    newest = numbered(rule("d_money", at=("evaluation",))(ledger.book.rulebook), 2)
    ledger.book = Book.of(newest, ledger.book.rulebook)
    ledger.opened("2010-03-01")
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.fined("2025-08-01")
    assert "B" == graded(ledger, "2025-08-02")


def test_a_regimes_name_means_all_its_editions_and_a_path_one(tmp_path: Path) -> None:
    folder = tmp_path / "liyujiang"
    shutil.copytree(RULEBOOKS / "liyujiang", folder)
    kept = keep(folder)
    header = folder / "rulebook.yaml"
    header.write_text(header.read_text(encoding="utf-8").replace('version: "2026.1"', 'version: "2026.9"'), encoding="utf-8")
    book = find_book("liyujiang", tmp_path)
    assert ("2026.9", ["2026.1"]) == (book.rulebook.version, [one.version for one in book.earlier.values()])
    assert ({}, {}) == (find_book(str(folder), tmp_path).earlier, find_book(str(kept), tmp_path).earlier)


def taken_over() -> Town:
    town = Town()
    old, new = town.shop(OLD), town.shop(NEW)
    old.opened("2010-03-01")
    old.scored(2024, "95")
    new.opened(DAY)
    town.succeeded(NEW, OLD)
    town.evaluated(2024)
    old.fined("2025-02-01", known="2025-09-01")
    return town


def test_a_file_rates_a_successor_with_the_history_of_the_one_before() -> None:
    town = taken_over()
    text = [line for ledger in town.ledgers.values() for line in lines(ledger)]
    # The succession's line stands under the successor; the predecessor's copy is not needed.
    ledger = town.ledgers[NEW]
    folded = fold_lines(text, ledger.book)
    found = {name: row(name, one) for name, one in rate(folded, ledger.book, as_of=date(2025, 10, 1))}
    assert ("D", "D", "2025-05-01") == (found[OLD]["grade"], found[NEW]["grade"], found[NEW]["in_force_from"])
    assert found[OLD]["decisive_events"][0] in found[NEW]["decisive_events"] and "R19" in found[NEW]["readings"]
    facts, _ = in_order(folded)
    assert {OLD: len(own(town.ledgers[OLD].facts)), NEW: len(own(ledger.facts))} == {name: len(some) for name, some in facts.items()}


@pytest.mark.parametrize("turned", [False, True])
def test_the_bulk_replay_rates_successors_once_all_partitions_are_read(turned: bool) -> None:
    town, into = taken_over(), Outcome()
    book = town.ledgers[NEW].book
    for number, (name, ledger) in enumerate(town.ledgers.items()):
        controls = Controls()
        for fact in ledger.facts:
            if fact.name in CONTROLS:
                controls.apply(fact)
        into.aside.append(Aside(name, number, own(ledger.facts), controls))
    if turned:
        into.aside.reverse()
    asked = Question({"liyujiang": book}, 0, date(2025, 10, 1))
    alone = Outcome()
    final_of(fold(NEW, 1, own(town.ledgers[NEW].facts)), into.aside[0].controls, asked, alone)
    successors(asked, into)
    assert {("liyujiang", "D"): 2} == dict(into.words) and [] == into.aside
    assert {("liyujiang", "new"): 1} == dict(alone.words)
