"""R19: who takes over an enterprise takes over its history."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.grade import standing
from services.rating.domain.standing import Standing
from services.rating.domain.succession import joined, links
from tests.cases.ledger import Ledger

pytestmark = pytest.mark.clause("R19")

OLD, NEW, NEWER = "uscc:91350100M000100Y43", "uscc:91350100M000100044", "uscc:91350100M000100145"
DAY = "2025-05-01"


class Town:
    """Several enterprises, each with a log of its own."""

    def __init__(self) -> None:
        self.ledgers: dict[str, Ledger] = {}

    def shop(self, name: str) -> Ledger:
        self.ledgers[name] = Ledger(subject=name)
        return self.ledgers[name]

    def succeeded(self, successor: str, predecessor: str, on: str = DAY, *, manner: str = "transfer", known: str | None = None) -> str:
        """The fact stands in both logs, with one id."""
        data = {"occurred_on": on, "predecessor": predecessor, "successor": successor, "manner": manner}
        day = date.fromisoformat(known or on)
        id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{predecessor}/{successor}/{on}"))
        for name in (successor, predecessor):
            self.ledgers[name].take("enterprise.succeeded", data, known=day, id=id)
        return id

    def evaluated(self, year: int) -> None:
        for ledger in self.ledgers.values():
            ledger.evaluated(year)

    def on(self, name: str, day: str, *, known: str | None = None) -> Standing | None:
        upto = max(one.clock for one in self.ledgers.values()) if known is None else _end(known)
        logs = {
            name: [fact for fact in one.facts if fact.known <= upto and fact.name not in CONTROLS] for name, one in self.ledgers.items()
        }
        controls, mine = Controls(), self.ledgers[name]
        for fact in mine.facts:
            if fact.name in CONTROLS and fact.known <= upto:
                controls.apply(fact)
        return standing(joined(name, 3, logs, links(logs)), controls, mine.book, upto=2**62, as_of=date.fromisoformat(day))

    def grade(self, name: str, day: str, **more: Any) -> str | None:
        found = self.on(name, day, **more)
        return None if found is None else found.grade or found.status


def _end(day: str) -> int:
    from tests.cases.ledger import morning

    return morning(date.fromisoformat(day) + timedelta(days=1)) - 1


def taken_over(manner: str = "transfer", **more: Any) -> Town:
    """A shop since 2010 with a good year, and one that took it over in May 2025."""
    town = Town()
    old, new = town.shop(OLD), town.shop(NEW)
    old.opened("2010-03-01")
    old.scored(2024, "95")
    new.opened(DAY)
    town.succeeded(NEW, OLD, manner=manner, **more)
    town.evaluated(2024)
    return town


@pytest.mark.clause("三(三)", "R4")
def test_a_successor_is_not_new() -> None:
    town = taken_over()
    new = town.ledgers[NEW]
    new.scored(2025, "99")
    town.evaluated(2025)
    assert "A" == town.grade(NEW, "2026-01-15")
    found = town.on(NEW, "2026-01-15")
    assert found is not None and "succession" in [one.rule for one in found.reasons] and "R19" in found.readings


@pytest.mark.parametrize(("on", "grade"), [("2025-04-30", "new"), ("2025-05-01", "B"), ("2025-05-02", "B")])
def test_the_grade_follows_from_the_day_of_the_succession_on(on: str, grade: str) -> None:
    town = Town()
    old, new = town.shop(OLD), town.shop(NEW)
    old.opened("2010-03-01")
    old.scored(2024, "95")
    new.opened("2025-03-01")
    town.succeeded(NEW, OLD)
    town.evaluated(2024)
    assert grade == town.grade(NEW, on)
    found = town.on(NEW, "2025-06-01")
    assert found is not None and date(2025, 5, 1) == found.in_force_from


@pytest.mark.clause("三(二)3(2)")
@pytest.mark.parametrize("on", ["2025-04-30", "2025-05-01", "2025-05-02"])
def test_a_fine_of_the_predecessor_is_the_successors_whenever_it_was(on: str) -> None:
    town = taken_over()
    town.ledgers[OLD].fined(on)
    assert "D" == town.grade(NEW, "2025-06-01")


def test_facts_of_the_predecessor_that_come_after_the_succession_follow_and_so_do_their_corrections() -> None:
    town = taken_over()
    fine = town.ledgers[OLD].fined("2025-02-01", known="2025-09-01")
    assert ["B", "D"] == [town.grade(NEW, "2025-08-01", known=known) for known in ("2025-08-31", "2025-09-01")]
    town.ledgers[OLD].annulled(fine, "2025-10-01")
    assert ["D", "B"] == [town.grade(NEW, "2025-08-01", known=known) for known in ("2025-09-30", "2025-10-01")]


@pytest.mark.clause("R18")
def test_what_is_entered_for_the_successor_about_an_act_of_the_predecessor_counts() -> None:
    town = taken_over()
    fine = town.ledgers[OLD].fined("2025-02-01")
    new = town.ledgers[NEW]
    data = {"occurred_on": "2025-10-01", "document_no": "AN", "act": {"source": new.source, "id": fine}, "authority": "样例复议机关"}
    new.enter("act.annulled", data | {"ground": "reconsideration"})
    assert ["D", "B"] == [town.grade(NEW, "2025-08-01", known=known) for known in ("2025-09-30", "2025-10-01")]


@pytest.mark.clause("R18")
def test_a_succession_that_is_retracted_took_nothing_over() -> None:
    town = taken_over()
    town.ledgers[OLD].fined("2025-02-01")
    new = town.ledgers[NEW]
    new.retracted(next(fact.id for fact in new.facts if fact.name == "enterprise.succeeded"), "2025-10-01")
    assert ["D", "new"] == [town.grade(NEW, "2025-08-01", known=known) for known in ("2025-09-30", "2025-10-01")]


@pytest.mark.parametrize(
    ("manner", "grade"), [("transfer", "D"), ("merger", "D"), ("change_of_name", "D"), ("division", "new"), ("other", "new")]
)
def test_history_follows_in_the_ways_that_the_rulebook_names(manner: str, grade: str) -> None:
    town = taken_over(manner)
    town.ledgers[OLD].fined("2025-02-01")
    assert grade == town.grade(NEW, "2025-06-01")


@pytest.mark.clause("三(二)1")
def test_what_ended_the_predecessor_does_not_end_the_successor() -> None:
    town = taken_over()
    town.ledgers[OLD].permit_revoked("2025-04-20", whole=True)
    town.ledgers[OLD].closed("2025-05-01")
    assert ("permit_revoked", "B") == (town.grade(OLD, "2025-06-01"), town.grade(NEW, "2025-06-01"))
    # As a penalty it keeps A away all the same.
    town.ledgers[NEW].scored(2025, "99")
    town.evaluated(2025)
    assert "A" != town.grade(NEW, "2026-01-20")


@pytest.mark.clause("R9")
def test_a_score_follows_only_where_the_successor_has_none_of_its_own() -> None:
    town = taken_over()
    town.ledgers[OLD].scored(2025, "75", on="2025-05-01")
    town.evaluated(2025)
    assert "D" == town.grade(NEW, "2026-01-20")
    town.ledgers[NEW].scored(2025, "99", on="2026-01-21")
    assert "A" == town.grade(NEW, "2026-01-22")


def test_chains_pass_on_what_they_took_over() -> None:
    town = Town()
    old, new, newer = town.shop(OLD), town.shop(NEW), town.shop(NEWER)
    old.opened("2010-03-01")
    old.scored(2024, "95")
    new.opened(DAY)
    newer.opened("2025-07-01")
    town.succeeded(NEW, OLD)
    town.succeeded(NEWER, NEW, "2025-07-01")
    old.fined("2025-02-01", known="2025-08-01")
    town.evaluated(2024)
    assert ["new", "D", "D"] == [town.grade(NEWER, on) for on in ("2025-06-30", "2025-07-01", "2025-07-02")]
    assert ["B", "D"] == [town.grade(NEWER, "2025-07-31", known=known) for known in ("2025-07-31", "2025-08-01")]


def test_two_that_merge_both_hand_over_their_history() -> None:
    town = Town()
    for name in (OLD, NEW):
        town.shop(name).opened("2010-03-01")
        town.ledgers[name].scored(2024, "95")
    town.shop(NEWER).opened(DAY)
    for name in (OLD, NEW):
        town.succeeded(NEWER, name, manner="merger")
    town.evaluated(2024)
    assert "B" == town.grade(NEWER, "2025-06-01")
    town.ledgers[NEW].fined("2025-02-01")
    assert ("D", "B", "D") == tuple(town.grade(name, "2025-06-01") for name in (NEWER, OLD, NEW))


def test_nobody_succeeds_itself() -> None:
    """Of two successions that make a circle the one known last has no effect, whoever is asked."""
    town = taken_over()
    town.ledgers[NEW].fined("2025-06-01")
    town.succeeded(OLD, NEW, "2025-07-01")
    assert ("D", "B") == (town.grade(NEW, "2025-08-01"), town.grade(OLD, "2025-08-01"))


@pytest.mark.clause("R3")
def test_a_succession_counts_from_when_it_was_known() -> None:
    town = taken_over(known="2025-09-01")
    town.ledgers[OLD].fined("2025-02-01")
    assert ["new", "D"] == [town.grade(NEW, "2025-08-01", known=known) for known in ("2025-08-31", "2025-09-01")]


def own(facts: list[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.name not in CONTROLS]


def test_the_joined_log_does_not_depend_on_how_the_logs_are_listed() -> None:
    town = taken_over()
    town.ledgers[OLD].fined("2025-02-01", known="2025-09-01")
    logs = {name: own(one.facts) for name, one in town.ledgers.items()}
    turned = dict(reversed(logs.items()))
    first, second = (joined(NEW, 3, some, links(some)) for some in (logs, turned))
    assert [(fact.key, fact.offset) for fact in first.log.values()] == [(fact.key, fact.offset) for fact in second.log.values()]
