"""What a whole is doesn't depend on how its parts' words arrive: order, copies, portions, lateness; and never on what came later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.publication.domain.knowledge import Known, layout
from services.rating.domain.controls import Controls
from services.rating.domain.days import civil_day
from services.rating.domain.digest import digest_of, final_line
from services.rating.domain.emit import TYPE
from services.rating.domain.facts import CONTROLS
from services.rating.domain.parts.chronicle import Chronicle, differing, held_on, steps
from services.rating.domain.parts.entries import TYPE as PART_GRADED
from services.rating.domain.parts.entries import Entry, entry_of
from services.rating.domain.parts.whole import Whole
from services.rating.outcome import Outcome, Question, final, told
from services.rating.replaying_wholes import add_wholes
from tests.cases.chain import CHAIN, REGIME, Town
from tests.cases.ledger import book

OTHER = "uscc:91440300MA5CHA2N4R"
BOOK = book(REGIME)
few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def towns(draw: st.DrawFn) -> Town:
    """Two chains, a few shops that come, go, close and are evaluated twice; some papers late, some taken back."""
    town = Town()
    town.chain(OTHER)
    for _ in range(draw(st.integers(2, 5))):
        town.shop(joined=draw(st.sampled_from(["2012-01-01", "2024-06-01", "2025-02-10"])), parent=draw(st.sampled_from([CHAIN, OTHER])))
    town.graded(draw(st.text("ABCD-", min_size=len(town.shops), max_size=len(town.shops))), 2024)
    for shop in town.shops:
        for what in draw(st.lists(st.sampled_from(["left", "joined", "closed", "retracted"]), max_size=3)):
            on = date(2025, 1, 20) + timedelta(days=draw(st.integers(0, 200)))
            known = on + timedelta(days=draw(st.sampled_from([0, 0, 40])))
            if what == "retracted":
                named = draw(st.sampled_from([fact for fact in shop.facts if fact.name.startswith("part.")]))
                shop.retracted(named.id, known.isoformat())
            elif what == "closed":
                shop.enter("enterprise.closed", {"occurred_on": on.isoformat(), "reason": "closed"}, known=known)
            else:
                getattr(shop, what)(draw(st.sampled_from([CHAIN, OTHER])), on.isoformat(), known=known.isoformat())
    if draw(st.booleans()):
        town.graded(draw(st.text("ABCD-", min_size=len(town.shops), max_size=len(town.shops))), 2025)
    return town.close("2026-02-01")


def ids(told: Sequence[tuple[Entry, dict[str, Any]]]) -> list[str]:
    return [event["id"] for _, event in told]


def settled(entries: Sequence[Entry]) -> tuple[Chronicle, list[tuple[Entry, dict[str, Any]]]]:
    found = Chronicle(CHAIN, BOOK)
    for one in entries:
        found.add(one)
    return found, found.settle()


@few
@given(towns(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_copies_change_no_event(town: Town, random: Any) -> None:
    entries = town.entries()
    mixed = entries * 2
    random.shuffle(mixed)
    assert [event for _, event in settled(entries)[1]] == [event for _, event in settled(mixed)[1]]


@few
@given(towns(), st.data())
def test_settled_bit_by_bit_in_order_it_tells_the_same(town: Town, data: st.DataObject) -> None:
    """However far each look reaches: no look tears a step, for its entries are there by then."""
    entries = town.entries()
    of = steps(entries)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(of)), max_size=4))) + [len(of)]
    chronicle, found, done = Chronicle(CHAIN, BOOK), [], 0
    for cut in cuts:
        for step in of[done:cut]:
            for entry in step.entries:
                chronicle.add(entry)
        done = max(done, cut)
        if done:
            found += chronicle.settle(of[done - 1].order)
    assert ids(settled(entries)[1]) == ids(found)


def known(found: Sequence[tuple[Entry, dict[str, Any]]]) -> list[Known]:
    """The events as publication keeps them, in the order in which they were told."""
    return [
        Known(
            number,
            entry.cause.offset,
            entry.cause.known,
            event["data"]["grade"],
            event["data"]["status"],
            date.fromisoformat(event["data"]["in_force_from"]) if event["data"]["in_force_from"] else None,
            date.fromisoformat(event["data"]["corrected_to"]) if event["type"] != TYPE else None,
        )
        for number, (entry, event) in enumerate(found)
    ]


@few
@given(towns(), st.data())
def test_what_comes_late_changes_no_answer_about_what_was_known_when(town: Town, data: st.DataObject) -> None:
    """Some words arrive after everything was told, in any portions. For each instant and each day since anyone was told of the chain,
    publication answers from what was told in this order as the log in its right order says."""
    entries = town.entries()
    late = data.draw(st.lists(st.sampled_from(entries), unique_by=lambda one: one.order, max_size=6)) if entries else []
    chronicle = Chronicle(CHAIN, BOOK)
    outside = {one.order for one in late}
    for one in entries:
        if one.order not in outside:
            chronicle.add(one)
    found = chronicle.settle()
    for one in late:
        chronicle.add(one)
        found += chronicle.settle()
    events = known(found)
    assert len(set(ids(found))) == len(found), "an event is told once"
    whole, since = Whole(CHAIN, BOOK.rulebook), None
    for step, following in zip(of := steps(entries), [*of[1:], None], strict=True):
        for entry in step.entries:
            whole.enter(entry)
        at = step.last.cause.known
        today = civil_day(at, BOOK.zone)
        if following and following.last.cause.known == at:
            continue
        history = whole.history(today)
        held = held_on(history, today)
        if since is None and held and held.standing:
            since = today
        if since is None:
            continue
        laid = layout(events, at_ms=at)
        for day in {since, today, *(one.first for one in history if since <= one.first)}:
            expected = held_on(history, day)
            pair = expected.standing.pair if expected and expected.standing else None
            answer = next((one.pair for one in reversed(laid) if one.start <= day and one.holds(day)), None)
            assert pair == answer or (pair is None and answer in (None, (None, "not_rated"))), (day, at)


@few
@given(towns())
def test_what_became_known_later_never_changes_an_earlier_answer(town: Town) -> None:
    entries = sorted(town.entries(), key=lambda one: one.order)
    whole = [(entry.cause.known, event) for entry, event in settled(entries)[1]]
    times = [(step.entries[0].cause.known, step.last.cause.known) for step in steps(entries)]
    # While a control is on its way to the last of the parts, it doesn't count yet.
    for cut in {last for _, last in times if not any(first <= last < until for first, until in times)}:
        begun = [event for _, event in settled([one for one in entries if one.cause.known <= cut])[1]]
        assert begun == [event for at, event in whole if at <= cut]


@few
@given(towns())
def test_an_entry_survives_its_record(town: Town) -> None:
    for ledger in town.ledgers():
        for one in ledger.told():
            if one.event["type"] == PART_GRADED:
                entry = entry_of(one.event)
                assert (entry.cause.known, entry.cause.offset, entry.cause.partition) == (
                    one.step.known,
                    one.step.offset,
                    one.step.partition,
                )
                assert [one.first for one in entry.stretches] == sorted(one.first for one in entry.stretches)
                assert all(a.last and a.last < b.first for a, b in zip(entry.stretches, entry.stretches[1:], strict=False))


@few
@given(towns())
def test_bulk_and_live_agree_on_the_last_day(town: Town) -> None:
    """The second pass over what parts say now is the last state of the log that they told step by step."""
    at = max(fact.known for ledger in town.ledgers() for fact in ledger.facts)
    day = civil_day(at, BOOK.zone)
    outcome, asked = Outcome(), Question({REGIME: BOOK}, at)
    sequence, asked_all = Outcome(), Question({REGIME: BOOK}, at, sequence=True)
    for ledger in town.ledgers():
        controls = Controls()
        for fact in ledger.facts:
            if fact.name in CONTROLS:
                controls.apply(fact)
        own = [fact for fact in ledger.facts if fact.name not in CONTROLS]
        final(ledger.subject, ledger.partition, own, controls, asked, outcome)
        told(ledger.subject, ledger.partition, own, controls, asked_all, sequence)
    add_wholes(outcome, asked)
    add_wholes(sequence, asked_all)
    lines = {line for line in outcome.lines if any(parent.encode() in line for parent in (CHAIN, OTHER))}
    wanted = [final_line(parent, REGIME, town.chronicle(parent).standing(day)) for parent in (CHAIN, OTHER)]
    assert digest_of(lines) == digest_of(one for one in wanted if one)
    events = sum(len(town.told(parent)) for parent in (CHAIN, OTHER))
    assert events == sum(any(parent.encode() in line for parent in (CHAIN, OTHER)) for line in sequence.lines)


def test_no_stretch_differs_where_nothing_does() -> None:
    history = Town(3).graded("AAB").chronicle()._state.history  # type: ignore[union-attr]
    assert [] == list(differing(history, [history], first=date(2020, 1, 1), last=date(2026, 1, 1)))
