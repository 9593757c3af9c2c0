"""Points are counted the same whatever the order, however often something is entered, and however many there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import check_data, derived_bytes, lookup
from services.rating.domain.acts import Act
from services.rating.domain.conditions.points import Tally
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.fold import decide
from services.rating.domain.grade import standing
from services.rating.domain.subject import Subject
from tests.cases.ledger import Ledger, act, book
from tests.unit.rating.test_long_records import calls
from tests.unit.rating.test_spans_properties import lives, read_day_by_day

REGIME = "wuhan-2017"
BOOK = book(REGIME)
BOOKS = {REGIME: BOOK}
FIRST = date(2017, 1, 1)
DEDUCTED = {
    "warning": "0.5",
    "fine": "1",
    "confiscation_of_gains": "2",
    "confiscation_of_property": "2",
    "suspension_ordered": "3",
    "approval_certificate_revoked": "6",
    "criticism": "0",
}
ROWS = {"confiscation_of_property": "confiscation_of_gains"}
relaxed = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """Acts of a year and a bit, some of them entered twice."""
    found: list[Act] = []
    for offset in range(draw(st.integers(0, 12))):
        if found and draw(st.integers(0, 4)) == 0:
            one = draw(st.sampled_from(found))
            found.append(replace(one, offset=offset, fact=replace(one.fact, offset=offset, id=f"again-{offset}")))
            continue
        on = FIRST + timedelta(days=draw(st.integers(-3, 367)))
        kinds = draw(st.sets(st.sampled_from(sorted(DEDUCTED)), min_size=1, max_size=3))
        data = {"document_no": f"P-{offset}"}
        fact = Fact(3, offset, 0, 0, 0, f"id-{offset}", "/departments/drug/offices/workstation", "penalty.decided", data)
        violation = draw(st.sampled_from([None, "GSP-07", "GSP-08"]))
        found.append(Act(on, offset, frozenset(kinds), fact, legal_field=draw(st.sampled_from(["drug", "price"])), violation=violation))
    return found


def left(found: list[Act], same_act: str) -> Decimal:
    """What is taken off in 2017, worked out in the plainest way."""
    groups: dict[object, list[Decimal]] = {}
    for one in found:
        if one.legal_field != "drug" or one.effective.year != 2017:
            continue
        rows = {ROWS.get(kind, kind): Decimal(DEDUCTED[kind]) for kind in one.sanctions}
        weight = sum(rows.values()) if same_act == "each" else max(rows.values())
        key = one.violation if same_act == "violation" and one.violation else one.document
        groups.setdefault(key, []).append(Decimal(weight))
    return sum((max(weights) for weights in groups.values()), Decimal(0))


@pytest.mark.parametrize("same_act", ["each", "act", "violation"])
@relaxed
@given(st.data(), acts())
def test_the_sum_is_that_of_the_plain_way_in_any_order_and_whenever_it_is_asked_for(
    same_act: str, data: st.DataObject, found: list[Act]
) -> None:
    counted = []
    for order in (found, data.draw(st.permutations(found))):
        one = Tally(BOOK.rulebook.tables["yearly"], BOOK.rulebook)
        asked = data.draw(st.integers(0, len(found)))
        for number, each in enumerate(order):
            if number == asked:
                one.window(FIRST, date(2017, 12, 31), same_act)
            one.enter(each)
        window = one.window(FIRST, date(2017, 12, 31), same_act)
        assert left(found, same_act) == window.total == sum((each.points for each in window.counted), Decimal(0))
        assert window.total == sum((points for _, points in window.rows.values()), Decimal(0))
        counted.append(window.counted)
    assert counted[0] == counted[1]


@settings(relaxed, max_examples=150)
@given(lives(REGIME))
def test_the_history_that_is_told_is_the_history_that_is_known(ledger: Ledger) -> None:
    read_day_by_day(ledger)


def run(facts: list[Fact], subject: str) -> list[bytes]:
    state, controls, told = Subject(subject, 3), Controls(), []
    for fact in facts:
        if fact.name not in CONTROLS or controls.apply(fact):
            told += decide(state, controls, BOOKS, fact)
    for one in told:
        row = lookup(one.event["type"])
        assert row is not None
        check_data(row, one.event["data"])
    return [derived_bytes(one.event) for one in told]


@relaxed
@given(lives(REGIME), st.data())
def test_further_copies_of_facts_change_nothing(ledger: Ledger, data: st.DataObject) -> None:
    copies = data.draw(st.lists(st.sampled_from(ledger.facts), max_size=8))
    once = run(ledger.facts, ledger.subject)
    assert once == run([*ledger.facts, *(replace(one, offset=10_000 + at) for at, one in enumerate(copies))], ledger.subject)
    assert once == run(sorted([*ledger.facts, *copies], key=lambda one: one.offset), ledger.subject)


@relaxed
@given(lives(REGIME), lives(REGIME), st.randoms(use_true_random=False))
def test_the_order_across_subjects_changes_no_standing(one: Ledger, two: Ledger, random: object) -> None:
    """Two subjects of a partition, their facts among one another in any way that keeps each one's own order."""
    controls = Controls()
    for fact in one.facts:
        if fact.name in CONTROLS:
            controls.apply(fact)
    queues = [[fact for fact in ledger.facts if fact.name not in CONTROLS] for ledger in (one, two)]
    alone = [Subject("uscc:91350100M000100Y43", 3), Subject("uscc:91110000000000000A", 3)]
    among = [Subject(each.subject, 3) for each in alone]
    for state, queue in zip(alone, queues, strict=True):
        for fact in queue:
            state.apply(fact)
    turns = [0] * len(queues[0]) + [1] * len(queues[1])
    random.shuffle(turns)  # type: ignore[attr-defined]
    for turn in turns:
        among[turn].apply(queues[turn].pop(0))
    last = one.facts[-1].offset
    for on in (date(2024, 12, 31) + timedelta(days=45 * number) for number in range(30)):
        for first, second in zip(alone, among, strict=True):
            found = [standing(each, controls, BOOK, upto=last, as_of=on) for each in (first, second)]
            assert (found[0] and found[0].essence) == (found[1] and found[1].essence)


@pytest.mark.sweep
@pytest.mark.parametrize("kind", ["fine", "warning"])
def test_the_two_thousandth_act_of_a_year_costs_what_the_two_hundredth_costs(kind: str) -> None:
    ledger = Ledger(REGIME)
    ledger.opened("2010-03-01")
    ledger.evaluated(2024)
    for number in range(2_000):
        ledger.penalised((date(2024, 1, 10) + timedelta(days=number // 6)).isoformat(), act(kind))
    subject, controls, costs = Subject(ledger.subject, 3), Controls(), []
    for fact in ledger.facts:
        if fact.name not in CONTROLS or controls.apply(fact):
            costs.append(calls(lambda fact=fact: decide(subject, controls, BOOKS, fact)))
    assert sum(costs[-20:]) < 1.5 * sum(costs[200:220]), (sum(costs[200:220]), sum(costs[-20:]))
