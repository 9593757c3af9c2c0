"""What must hold of the fold whatever the facts: duplicates, batches and the order across subjects change nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import check_data, derived_bytes, lookup
from services.rating.domain.controls import Controls
from services.rating.domain.days import civil_day
from services.rating.domain.emit import TYPE
from services.rating.domain.facts import CONTROLS, DAY_CLOSED, Fact, pack, unpack
from services.rating.domain.fold import Told, current, decide, due, history, merged
from services.rating.domain.subject import Subject, fold
from tests.cases.ledger import OFFICE, Ledger, act, book, without_approval

pytestmark = pytest.mark.sweep

BOOK = without_approval(book("liyujiang"))
BOOKS = {"liyujiang": BOOK}
FIRST = date(2023, 1, 1)
DAYS = st.integers(0, 3 * 365).map(lambda days: (FIRST + timedelta(days=days)).isoformat())
KINDS = ["fine", "warning", "suspension_ordered", "advertising_approval_revoked", "criticism", "confiscation_of_gains"]


@st.composite
def steps(draw: st.DrawFn, approving: bool = False) -> Ledger:
    """A life: started some day, then anything in order of entry; evaluations each January."""
    ledger = Ledger(approving=approving)
    ledger.opened(draw(DAYS))
    waiting: list[str] = []
    for _ in range(draw(st.integers(0, 14))):
        what = draw(
            st.sampled_from(
                ["warned", "penalised", "unserved", "served", "inspected", "scored", "evaluated", "ahead", "interrupted", "closed", "night"]
            )
        )
        day = draw(DAYS)
        ledger.source = draw(st.sampled_from([OFFICE, OFFICE, "/departments/drug/offices/market"]))
        if what == "warned":
            ledger.warned(day, violation=draw(st.sampled_from(["GSP-07", "GSP-08"])))
        elif what == "penalised":
            concepts = draw(st.sampled_from([(), ("unknowing_sale",)]))
            ledger.penalised(day, act(draw(st.sampled_from(KINDS)), concepts=concepts, field=draw(st.sampled_from(["drug", "food"]))))
        elif what == "unserved":
            waiting.append(ledger.penalised(day, act("fine"), served=None))
        elif what == "served" and waiting:
            ledger.served(waiting.pop(), day)
        elif what == "inspected":
            ledger.inspected(day, found=draw(st.sampled_from([(), ("GSP-07",)])), corrected=draw(st.sampled_from([(), ("GSP-07",)])))
        elif what == "scored":
            ledger.scored(draw(st.integers(2023, 2025)), str(draw(st.integers(60, 100))), final=draw(st.booleans()))
        elif what == "evaluated":
            ledger.evaluated(draw(st.integers(2023, 2025)))
        elif what == "ahead":
            ledger.evaluated(draw(st.integers(2023, 2025)), known=day)
        elif what == "interrupted":
            ledger.interrupted(day, draw(st.sampled_from([None, (date.fromisoformat(day) + timedelta(days=40)).isoformat()])))
        elif what == "night":
            ledger.day_closed(day)
        elif what == "closed" and draw(st.integers(0, 9)) == 0:
            ledger.closed(day)
    return ledger


def words(told: list[Told]) -> list[bytes]:
    return [derived_bytes(one.event) for one in told]


def run(facts: list[Fact], subject: str = "uscc:91350100M000100Y43") -> tuple[list[Told], Subject, Controls]:
    state, controls, told = Subject(subject, 3), Controls(), []
    for fact in facts:
        if fact.name in CONTROLS and not controls.apply(fact):
            continue
        told += decide(state, controls, BOOKS, fact)
    return told, state, controls


relaxed = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(steps(), st.data())
def test_further_copies_of_facts_change_nothing(ledger: Ledger, data: st.DataObject) -> None:
    copies = data.draw(st.lists(st.sampled_from(ledger.facts), max_size=8))
    later = [replace(one, offset=10_000 + at) for at, one in enumerate(copies)]
    assert words(run(ledger.facts)[0]) == words(run([*ledger.facts, *later])[0])
    again = sorted([*ledger.facts, *copies], key=lambda one: one.offset)
    assert words(run(ledger.facts)[0]) == words(run(again)[0])


@relaxed
@given(steps())
def test_every_step_tells_the_same_when_it_is_worked_out_from_the_start(ledger: Ledger) -> None:
    """What is kept from step to step is only kept to be fast."""
    told, _, controls = run(ledger.facts)
    subject = ledger.subject
    facts = [one for one in ledger.facts if one.name not in CONTROLS]
    assert words(told) == words(list(history(subject, 3, merged(facts, controls), controls, BOOKS)))
    for step in ledger.facts:
        fresh = fold(subject, 3, facts, before=step.offset)
        assert [one for one in words(told) if f'"offset":{step.offset},"partition":3,"source"'.encode() in one] == words(
            decide(fresh, controls, BOOKS, step)
        )


@relaxed
@given(steps(), st.lists(st.tuples(st.integers(0, 30), DAYS), max_size=3))
def test_activating_the_same_rulebook_again_tells_nothing(ledger: Ledger, activations: list[tuple[int, str]]) -> None:
    """Whenever it is entered, and from whatever day after go-live it is in force."""
    apart = [replace(one, offset=100 * one.offset) for one in ledger.facts]
    first = apart[0]
    again = [
        replace(
            first,
            offset=100 * min(after, len(apart) - 1) + 1 + at,
            known=apart[min(after, len(apart) - 1)].known,
            id=f"again-{at}",
            data=first.data | {"in_force_from": day},
        )
        for at, (after, day) in enumerate(activations)
    ]
    assert words(run(apart)[0]) == words(run(sorted([*apart, *again], key=lambda one: one.offset))[0])


@relaxed
@given(steps(), st.lists(st.integers(0, 900), min_size=1, max_size=4))
def test_nothing_changes_by_itself_before_the_day_it_is_due(ledger: Ledger, days: list[int]) -> None:
    state, controls = Subject(ledger.subject, 3), Controls()
    for fact in ledger.facts:
        controls.apply(fact) if fact.name in CONTROLS else state.apply(fact)
        until = due(state, controls, BOOKS, known=fact.known)
        now = current(state, controls, BOOK, upto=fact.offset, known=fact.known)
        for later in days:
            known = fact.known + later * 86_400_000
            if until is None or civil_day(known, BOOK.zone) < until:
                then = current(state, controls, BOOK, upto=fact.offset, known=known)
                assert (now and now.essence) == (then and then.essence)


@relaxed
@given(steps())
def test_passing_over_days_on_which_nothing_is_due_leaves_nothing_untold(ledger: Ledger) -> None:
    """A close of the day after every step, looked at each time, or only when something is due."""
    apart = []
    for one in ledger.facts:
        night = {"through": civil_day(one.known, BOOK.zone).isoformat()}
        closes = replace(
            one, offset=2 * one.offset + 1, known=one.known + 86_400_000, name=DAY_CLOSED, id=f"night-{one.offset}", data=night
        )
        apart += [replace(one, offset=2 * one.offset), closes]
    known = 0
    for at, one in enumerate(apart):
        known = max(known, one.known)
        apart[at] = replace(one, known=known)
    every = run(apart)[0]
    controls = Controls()
    for one in apart:
        if one.name in CONTROLS:
            controls.apply(one)
    facts = [one for one in apart if one.name not in CONTROLS]
    assert words(every) == words(list(history(ledger.subject, 3, merged(facts, controls), controls, BOOKS)))


@relaxed
@given(steps())
def test_the_last_word_is_the_standing_and_each_word_differs_from_the_one_before(ledger: Ledger) -> None:
    told, state, controls = run(ledger.facts)
    found = current(state, controls, BOOK, upto=ledger.offset, known=ledger.clock)
    assert found is not None
    holding = [one for one in told if one.event["type"] == TYPE]
    last = holding[-1].event["data"]
    assert (found.grade, found.status) == (last["grade"], last["status"])
    for before, after in zip(holding, holding[1:], strict=False):
        assert (before.event["data"]["grade"], before.event["data"]["status"]) == (
            after.event["data"]["previous_grade"],
            after.event["data"]["previous_status"],
        )
        assert before.event["data"] != after.event["data"]


@relaxed
@given(steps())
def test_every_word_keeps_the_contract(ledger: Ledger) -> None:
    seen: set[str] = set()
    offsets = {fact.offset: fact for fact in ledger.facts}
    for one in run(ledger.facts)[0]:
        row = lookup(one.event["type"])
        assert row is not None
        check_data(row, one.event["data"])
        assert len(derived_bytes(one.event)) < 61_440
        assert one.event["id"] not in seen
        seen.add(one.event["id"])
        for decisive in one.event["data"]["decisive_events"]:
            assert decisive["id"] == offsets[decisive["offset"]].id
            assert decisive["offset"] <= one.step.offset


@relaxed
@given(steps(), st.integers(1, 5))
def test_chunks_give_back_the_facts(ledger: Ledger, size: int) -> None:
    facts = ledger.facts
    chunks = [facts[at : at + size] for at in range(0, len(facts), size)]
    assert facts == [one for chunk in chunks for one in unpack(pack(chunk), 3)]


@relaxed
@given(steps(), steps())
def test_what_happens_to_others_in_the_partition_does_not_matter(one: Ledger, two: Ledger) -> None:
    """A subject among another's facts tells what it tells alone; both live by the partition's control events."""
    other = "uscc:91110000000000000A"
    mine = [replace(fact, offset=2 * fact.offset) for fact in one.facts]
    theirs = [replace(fact, offset=2 * fact.offset + 1) for fact in two.facts if fact.name not in CONTROLS]
    # As in any partition, what is known of a record is the running maximum of all before it.
    everything = sorted((*mine, *theirs), key=lambda fact: fact.offset)
    known = dict(zip((fact.offset for fact in everything), accumulate((fact.known for fact in everything), max), strict=True))
    mine, theirs = ([replace(fact, known=known[fact.offset]) for fact in facts] for facts in (mine, theirs))
    controls = Controls()
    for fact in mine:
        if fact.name in CONTROLS:
            controls.apply(fact)
    alone = words(list(history(other, 3, merged(theirs, controls), controls, BOOKS)))
    assert alone == together(mine, theirs, one.subject, other)


def together(mine: list[Fact], theirs: list[Fact], first: str, other: str) -> list[bytes]:
    """Both subjects in one partition, fact by fact."""
    states = {first: Subject(first, 3), other: Subject(other, 3)}
    controls, told = Controls(), []
    for fact in sorted([*mine, *theirs], key=lambda one: one.offset):
        if fact.name not in CONTROLS:
            told += decide(states[other if fact.offset % 2 else first], controls, BOOKS, fact)
        elif controls.apply(fact):
            for state in states.values():
                told += decide(state, controls, BOOKS, fact)
    return words([word for word in told if word.event["subject"] == other])
