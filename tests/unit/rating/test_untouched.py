"""What isn't worked out comes out the same: facts that go without saying, what evaluations met, and days of better grades."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import derived_bytes
from services.rating.domain import fold as folding
from services.rating.domain import outlook as outlooks
from services.rating.domain import periodic
from services.rating.domain.controls import Controls, Evaluation
from services.rating.domain.days import ONE_DAY, add_months
from services.rating.domain.facts import CONTROLS, DAY_CLOSED, Fact
from services.rating.domain.fold import Book, attempt, passed_over
from services.rating.domain.silent import brings_nothing
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from services.rating.domain.subject import fold as folded
from tests.cases.ledger import Ledger, book, without_approval
from tests.unit.rating.test_fold_properties import steps

pytestmark = pytest.mark.sweep

ZONED = book("liyujiang").zone


def books(approving: bool) -> dict[str, Book]:
    return {"liyujiang": book("liyujiang") if approving else without_approval(book("liyujiang"))}


def routine(ledger: Ledger, data: st.DataObject) -> list[Fact]:
    """The ledger's facts with routine ones strewn among them, each known with the fact before it or some days later."""
    found: list[Fact] = []
    for fact in ledger.facts:
        found.append(fact)
        if data.draw(st.booleans()):
            later = fact.known + 86_400_000 * data.draw(st.sampled_from([0, 0, 1, 40, 400]))
            following = next((one.known for one in ledger.facts if one.offset > fact.offset), later)
            known = min(later, following)
            day = (date(2023, 1, 1) + timedelta(days=data.draw(st.integers(0, 1_200)))).isoformat()
            final = {"occurred_on": day, "regime": "liyujiang", "year": 2024, "maximum": "100", "total": "97", "final": False}
            name, said = data.draw(
                st.sampled_from(
                    [
                        ("inspection.recorded", {"occurred_on": day, "kind": "routine", "mode": "on_site"}),
                        ("score.recorded", final),
                        ("case.closed", {"occurred_on": day, "case_no": "1", "outcome": "violation_not_established"}),
                    ]
                )
            )
            found.append(replace(fact, known=known, stamp=known, id=f"{fact.id}-routine", name=name, data=said))
    return [replace(fact, offset=offset) for offset, fact in enumerate(found)]


def told(facts: list[Fact], subject: str, rated_by: dict[str, Book], *, passing: bool) -> list[bytes]:
    state, controls, found = Subject(subject, 3), Controls(), []
    for fact in facts:
        if fact.name in CONTROLS:
            controls.apply(fact)
        elif passing and passed_over(state, controls, rated_by, fact):
            assert brings_nothing(fact)
            continue
        events, untold = attempt(state, controls, rated_by, fact)
        assert not untold
        found += [derived_bytes(one.event) for one in events]
    return found


@given(st.data(), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_goes_without_saying_is_told_of_by_no_step(data: st.DataObject, approving: bool) -> None:
    ledger = data.draw(steps(approving))
    facts, rated_by = routine(ledger, data), books(approving)
    assert told(facts, ledger.subject, rated_by, passing=True) == told(facts, ledger.subject, rated_by, passing=False)


def test_routine_facts_are_passed_over_and_others_never() -> None:
    ledger, rated_by = Ledger(), books(False)
    ledger.opened("2020-03-01")
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    for _ in range(3):
        ledger.inspected("2025-03-01")
    ledger.inspected("2025-03-01", found=("GSP-07",))
    state, controls = Subject(ledger.subject, 3), Controls()
    passed = []
    for fact in ledger.facts:
        if fact.name in CONTROLS:
            controls.apply(fact)
        passed.append(fact.name not in CONTROLS and passed_over(state, controls, rated_by, fact))
        if not passed[-1]:
            attempt(state, controls, rated_by, fact)
    assert passed[-4:] == [True, True, True, False]
    assert not any(passed[:-4])
    assert state.count == sum(fact.name not in CONTROLS for fact in ledger.facts)


def seen(found: Standing | None) -> Any:
    if found is None:
        return None
    return found.essence, found.proposed and found.proposed.essence, found.returned and found.returned.offset


@given(st.data(), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_evaluations_met_is_as_if_nothing_were_kept(data: st.DataObject, approving: bool) -> None:
    """A subject kept up fact by fact, asked about many days after each, and one that is folded for the question alone."""
    ledger, rated_by = data.draw(steps(approving)), books(approving)
    if approving and len(ledger.facts) > 3:
        for grade in data.draw(st.lists(st.sampled_from("AE"), max_size=2)):
            data.draw(st.sampled_from([ledger.approved, ledger.returned]))(grade, "2026-01-20")
    state, controls = Subject(ledger.subject, 3), Controls()
    entered: list[Fact] = []
    (one,) = rated_by.values()
    for fact in ledger.facts:
        if fact.name in CONTROLS:
            controls.apply(fact)
        elif state.apply(fact):
            entered.append(fact)
        if fact.name == DAY_CLOSED:
            continue
        for year in (2023, 2024, 2025, 2026, 2027):
            on = date(year, data.draw(st.integers(1, 12)), 20)
            fresh = folded(ledger.subject, 3, entered)
            asked = [folding._on(who, controls, one, upto=fact.offset, as_of=on) for who in (state, fresh)]
            assert seen(asked[0]) == seen(asked[1]), (on, ledger)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_better_grades_come_on_the_days_that_asking_year_by_year_finds(data: st.DataObject) -> None:
    ledger = data.draw(steps())
    (one,) = books(False).values()
    controls = Controls()
    for fact in ledger.facts:
        if fact.name in CONTROLS:
            controls.apply(fact)
    upto = ledger.facts[-1].offset
    on = date(data.draw(st.integers(2023, 2026)), 6, 1)
    found = folding._on(folded(ledger.subject, 3, ledger.facts), controls, one, upto=upto, as_of=on)
    if found is None or found.status in ("closed", "licence_revoked", "permit_revoked"):
        return
    asked = outlooks.better(folded(ledger.subject, 3, ledger.facts), controls, one, found, upto=upto, as_of=on)
    assert [(each.grade, each.on) for each in asked] == year_by_year(
        folded(ledger.subject, 3, ledger.facts), controls, one, found, upto, on
    )


def year_by_year(subject: Subject, controls: Controls, one: Book, found: Standing, upto: int, as_of: date) -> list[tuple[str, date]]:
    """Each year asked by itself, whatever the years before it came to."""
    rulebook = one.rulebook
    known = controls.evaluations("liyujiang", upto=upto, as_of=as_of)
    go_live = controls.go_live("liyujiang", upto=upto)
    assert go_live
    best = rulebook.rank[found.grade] if found.grade else len(rulebook.grades)
    last, reached = (known[-1].last if known else date(as_of.year - 1, 12, 31)), []
    for _ in range(12):
        first, last = last + ONE_DAY, add_months(last, 12)
        on = max(last, as_of) + ONE_DAY
        known = [*known, Evaluation(first, last, on, outlooks._assumed(rulebook, last))]
        fresh = folded(subject.subject, 3, subject.log.values()).view_on(as_of)
        assumed = periodic.by_conditions(fresh, rulebook, go_live, known, outlooks._full_marks(rulebook, last), on, {})
        rank = rulebook.rank[assumed.grade] if assumed.grade else best
        between = rulebook.grades[rank:best] if best < len(rulebook.grades) else rulebook.grades[rank : rank + 1]
        reached += [(each.grade, on) for each in reversed(between)]
        best = min(best, rank)
    return reached
