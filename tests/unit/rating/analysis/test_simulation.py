"""From 98 to 97 in a copy: exactly those move whom a reckoning of its own says, and everything else follows from who moves."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from services.rating.analysis.history import Scene
from services.rating.analysis.simulation import Simulation, by_day, simulate, stretch_labels
from tests.cases.ledger import book
from tests.unit.rating.analysis.made import PLAN, Made, copy_of, edition, subject

AS_OF = date(2026, 6, 30)
TO_97 = ("value: 98", "value: 97")


def run(made: Made, changed: object = None, as_of: date = AS_OF) -> Simulation:
    old = Scene.of(book(PLAN))
    new = Scene.of(changed or edition("scores.yaml", TO_97), old.go_live)  # type: ignore[arg-type]
    return simulate(made.history(), old, new, as_of)


def made_town(seed: int, n: int = 80) -> tuple[Made, set[str]]:
    """A town, and by a reckoning of its own those who move from B to A when the mark goes from 98 to 97: in operation for the whole
    of 2025, unpunished from 2023 on, a score from 97 to below 98, and neither fined since nor closed."""
    rng, made, moving = Random(seed), Made(), set()
    for number in range(n):
        who = subject(number)
        started = rng.choice(["2010-03-01", "2024-12-31", "2025-01-01", "2025-01-02", "2025-06-01"])
        score = rng.choice(["96.9", "97", "97.0001", "97.5", "97.9", "98", "99", None])
        fined = rng.choice([None, None, None, "2022-12-31", "2023-01-01", "2024-05-05", "2025-12-31", "2026-02-01"])
        closed = rng.choice([None, None, None, None, "2026-03-01"])
        if fined and fined < started:
            fined = None
        made.opened(who, started)
        if score:
            made.scored(who, 2025, score)
        if fined:
            made.fined(who, fined)
        if closed:
            made.closed(who, closed)
        in_band = score in ("97", "97.0001", "97.5", "97.9")
        if started <= "2025-01-01" and in_band and (fined is None or fined < "2023-01-01") and closed is None:
            moving.add(who)
    made.evaluated(2025)
    made.add("2026-06-30", "inspection.recorded", subject(0), {"kind": "routine", "mode": "on_site"})
    return made, moving


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exactly_those_move_whom_an_own_reckoning_names(seed: int) -> None:
    made, moving = made_town(seed)
    found = run(made)
    assert len(moving) >= 5
    assert moving == {one.subject for one in found.movers}
    assert {("B", "A")} == {(one.old.grade, one.new.grade) for one in found.movers if one.old and one.new}
    assert {date(2026, 1, 15)} == {one.since for one in found.movers}
    assert {1} == {found.ranks(one) for one in found.movers}
    assert len(moving) == found.transitions["B", "A"]


def test_the_rule_and_the_number_that_decided_are_named() -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01")
    made.scored(subject(1), 2025, "97.5")
    made.evaluated(2025)
    found = run(made)
    (mover,) = found.movers
    (number,) = found.numbers(mover)
    assert (True, "a_exemplary", "三(二)1(1)") == (number.new, number.rule, number.clause)
    assert ("score", "97.5", "≥ 97") == (number.quantity.name, number.quantity.value, number.quantity.bound)
    (change,) = found.changes
    assert ("score_exemplary", "98", "97", "三(二)1(1)") == (change.name, change.old, change.new, change.clause)
    assert [change] == found.read_parameters(mover)


def test_where_the_mark_rises_it_is_the_old_rule_s_number() -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01")
    made.scored(subject(1), 2025, "98")
    made.evaluated(2025)
    found = run(made, edition("scores.yaml", ("value: 98", "value: 99")))
    (mover,) = found.movers
    assert ("A", "B", -1) == (mover.old and mover.old.grade, mover.new and mover.new.grade, found.ranks(mover))
    (number,) = found.numbers(mover)
    assert (False, "a_exemplary", "≥ 98") == (number.new, number.rule, number.quantity.bound)


def test_lists_and_inspections_follow_from_who_moves() -> None:
    made = Made()
    for number, score in enumerate(["99", "97.5", "95", "85", "75", "60", "89"]):
        made.opened(subject(number), "2010-03-01")
        made.scored(subject(number), 2025, score)
    made.evaluated(2025)
    found = run(made, edition("scores.yaml", ("value: 98", "value: 97"), ("value: 90", "value: 89"), ("value: 80", "value: 75")))
    lists = {one.name: one for one in found.lists}
    assert (1, 2, (subject(1),), ()) == _list(lists["exemplary"])
    assert (1, 1, (), ()) == _list(lists["seriously_discredited"])
    # 85 and 89 are C before, 75 D, 60 E: 1 + 1 + 2 + 4. After, 85 and 75 are C and 89 is B.
    assert {"C": (2, 2), "D": (2, 0), "E": (4, 4)} == {one.grade: (one.old, one.new) for one in found.load}
    assert {("B", "A"): 1, ("C", "B"): 1, ("D", "C"): 1} == {pair: n for pair, n in found.transitions.items() if pair[0] != pair[1]}


def _list(one: object) -> tuple[object, ...]:
    return (one.old, one.new, one.entering, one.leaving)  # type: ignore[attr-defined]


def test_another_number_of_inspections_moves_nobody_and_changes_the_load() -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01")
    made.scored(subject(1), 2025, "60")
    made.evaluated(2025)
    found = run(made, edition("measures.yaml", ("value: 4", "value: 6")))
    assert [] == found.movers
    assert [("E", 4, 6)] == [(one.grade, one.old, one.new) for one in found.load if one.grade == "E"]


def test_a_fine_ends_the_stretch_in_which_it_would_have_stood_otherwise() -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01")
    made.scored(subject(1), 2024, "97.5")
    made.evaluated(2024)
    made.fined(subject(1), "2025-04-10")
    found = run(made)
    (one,) = found.compared
    assert [(date(2025, 1, 15), date(2025, 4, 9), "B", "A")] == stretch_labels(one)
    assert (85, False, None) == (one.days, one.moves, one.since)
    assert [(date(2025, 1, 15), 1), (date(2025, 4, 10), 0)] == by_day(found)


def test_an_earlier_day_is_compared_by_its_own_evaluations() -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01")
    made.scored(subject(1), 2024, "97.5")
    made.scored(subject(1), 2025, "92")
    made.evaluated(2024, 2025)
    assert [] == run(made).movers
    assert [subject(1)] == [one.subject for one in run(made, as_of=date(2026, 1, 14)).movers]
    assert [] == run(made, as_of=date(2025, 1, 14)).movers


def test_a_value_dated_ahead_moves_nobody_yet() -> None:
    made, _ = made_town(1, 10)
    old = '- {value: 98, clause: "三(二)1(1)", in_force_from: 2005-01-01, published_on: null, checked_on: 2026-11-23}'
    new = old + "\n      " + old.replace("98", "97").replace("2005-01-01", "2027-01-01")
    found = run(made, edition("scores.yaml", (old, new)))
    assert [] == found.movers
    assert [date(2027, 1, 1)] == [one.first for one in found.changes]


def test_two_regimes_are_not_compared() -> None:
    made, _ = made_town(1, 3)
    other = Scene.of(book("fhrs"))
    with pytest.raises(ValueError, match="two regimes: liyujiang and fhrs"):
        simulate(made.history(), Scene.of(book(PLAN)), other, AS_OF)


def test_a_copy_says_what_it_changes() -> None:
    assert copy_of("scores.yaml", TO_97) != copy_of("scores.yaml")
