"""The live driver's half that tells wholes: through crashes between any two writes, by the same ids, and never for another's rulebook."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import derived_bytes
from services.rating.domain.fold import Book
from services.rating.domain.parts.chronicle import Chronicle, steps
from services.rating.domain.parts.entries import TYPE, Entry, entry_of
from services.rating.domain.retelling import said
from services.rating.ports import Message, Record
from services.rating.rebuild import last_cause
from services.rating.wholes import Told, Wholes
from tests.cases.chain import CHAIN, REGIME, Town
from tests.cases.ledger import book
from tests.unit.rating.test_parts_properties import OTHER, towns

BOOKS = {REGIME: book(REGIME)}
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def records(town: Town, order: Any = None) -> list[Record]:
    """What parts said to the chain, as it arrived."""
    events = [
        one.event for ledger in town.ledgers() for one in ledger.told() if one.event["type"] == TYPE and one.event["subject"] == CHAIN
    ]
    if order is not None:
        order.shuffle(events)
    return [
        Record(0, offset, entry_of(one).cause.stamp, CHAIN.encode(), derived_bytes(one), (("traceparent", b"00-t"),))
        for offset, one in enumerate(events)
    ]


def entries(some: list[Record]) -> list[Entry]:
    return [entry_of(orjson.loads(one.value or b"")["event"]) for one in some]


def canonical(some: list[Record]) -> dict[str, bytes]:
    found = Chronicle(CHAIN, BOOKS[REGIME])
    for one in entries(some):
        found.add(one)
    return {event["id"]: derived_bytes(event) for _, event in found.settle()}


def by_id(messages: list[Message]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for one in messages:
        id = orjson.loads(one.value)["event"]["id"]
        assert found.setdefault(id, one.value) == one.value, "the same id with other bytes"
    return found


@few
@given(towns(), st.randoms(use_true_random=False), st.data())
def test_killed_anywhere_it_tells_each_event_and_no_other(town: Town, random: Any, data: st.DataObject) -> None:
    """Rounds of a few steps each; a round may end before anything was written, after the messages, or after its row."""
    arrived = records(town, random)
    of = steps(entries(arrived))
    sent: list[Message] = []
    row: bytes | None = None
    state = Wholes(0, BOOKS)
    done = 0
    while done < len(of):
        if state.offset == 0:
            state.take(arrived)
        done = data.draw(st.integers(done + 1, len(of)))
        crash = data.draw(st.sampled_from(["none", "none", "before", "between"]))
        messages = state.settle(of[done - 1].order)
        if crash != "before":
            sent += messages
        if crash == "none":
            row = state.row().value
            continue
        state = Wholes(0, BOOKS, Told.of(row))
        done = sum(one.order <= state.told.order for one in of) if state.told.order else 0
    assert canonical(arrived) == by_id(sent)


@few
@given(towns(), st.randoms(use_true_random=False))
def test_what_arrives_after_the_row_is_told_by_the_next_worker(town: Town, random: Any) -> None:
    arrived = records(town, random)
    half = len(arrived) // 2
    one = Wholes(0, BOOKS)
    one.take(arrived[:half])
    told = one.settle(max(entry.order for entry in entries(arrived)))
    other = Wholes(0, BOOKS, Told.of(one.row().value))
    other.take(arrived)
    now = other.settle(max(entry.order for entry in entries(arrived)))
    # The state is what it would have been, and nothing that was told is told under its id with other bytes.
    by_id([*told, *now])
    whole = Chronicle(CHAIN, BOOKS[REGIME])
    for entry in entries(arrived):
        whole.add(entry)
    whole.settle()
    [chronicle] = other.chronicles.values()
    assert (chronicle._state and chronicle._state.history) == (whole._state and whole._state.history)


def test_another_version_tells_nothing_that_stands_there() -> None:
    """It has no row of its own yet, and what was told by the one before it is on Kafka."""
    arrived = records(Town(3).graded("AAB"))
    last = max(entry.order for entry in entries(arrived))
    first = Wholes(0, BOOKS)
    first.take(arrived)
    told = first.settle(last)
    assert told
    kept = [Record(0, at, one.timestamp, one.key, one.value, one.headers) for at, one in enumerate(told)]
    second = Wholes(0, BOOKS, sent=frozenset(Wholes.already(kept)))
    second.take(arrived)
    assert [] == second.settle(last)
    half = Wholes(0, BOOKS, sent=frozenset(Wholes.already(kept[: len(kept) // 2])))
    half.take(arrived)
    assert kept[len(kept) // 2 :] == [
        Record(0, len(kept) // 2 + at, one.timestamp, one.key, one.value, one.headers) for at, one in enumerate(half.settle(last))
    ]


def test_a_wholes_words_are_no_fact_of_its_own_partition() -> None:
    """Their causes lie in the parts' partitions: a rebuild compares nothing with them and doesn't wait for their offsets."""
    arrived = records(Town(3).graded("AAB"))
    state = Wholes(0, BOOKS)
    state.take(arrived)
    told = state.settle(max(entry.order for entry in entries(arrived)))
    kept = [Record(0, at, one.timestamp, one.key, one.value, one.headers) for at, one in enumerate(told)]
    assert -1 == last_cause(kept)
    assert {None} == {said(orjson.loads(one.value or b"")["event"], 0) for one in kept}


def test_further_copies_tell_nothing() -> None:
    arrived = records(Town(3).graded("AAB"))
    doubled = [Record(0, offset, one.timestamp, one.key, one.value, one.headers) for offset, one in enumerate(arrived * 2)]
    state = Wholes(0, BOOKS)
    state.take(doubled)
    last = max(entry.order for entry in entries(arrived))
    assert canonical(arrived) == by_id(state.settle(last)) and [] == state.settle(last)


def test_the_trace_of_the_record_goes_on_with_the_grade_it_led_to() -> None:
    state = Wholes(0, BOOKS)
    state.take(
        [Record(*one[:5], (("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"),)) for one in _tuples(Town(2).graded("AA"))]
    )
    [*_, last] = state.settle(state.newest)  # type: ignore[arg-type]
    assert ("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01") in last.headers


def _tuples(town: Town) -> list[tuple[Any, ...]]:
    return [(one.partition, one.offset, one.timestamp, one.key, one.value) for one in records(town)]


def test_words_by_another_rulebook_make_no_grade_and_are_told_when_it_is_loaded() -> None:
    arrived = records(Town(2).graded("AA"))
    last = max(entry.order for entry in entries(arrived))
    other = BOOKS[REGIME].rulebook.model_copy(update={"precedence_clause": "第八条"})
    old = Wholes(0, {REGIME: Book.of(other)})
    old.take(arrived)
    assert [] == old.settle(last)
    new = Wholes(0, BOOKS, Told.of(old.row().value))
    new.take(arrived)
    assert canonical(arrived) == by_id(new.settle(last))
    again = Wholes(0, BOOKS, Told.of(new.row().value))
    again.take(arrived)
    assert [] == again.settle(last)


def test_what_is_no_word_of_a_part_goes_to_quarantine_once_and_other_types_are_left_alone() -> None:
    arrived = records(Town(2).graded("AA"))
    event = orjson.loads(arrived[0].value or b"")["event"]
    other = Record(0, len(arrived), 1, b"x", derived_bytes({**event, "type": "mingjian.history.handed_over.v1"}))
    broken = Record(0, len(arrived) + 1, 1, b"x", derived_bytes({**event, "data": {}}))
    state = Wholes(0, BOOKS)
    [refused] = state.take([*arrived, other, broken])
    assert refused.topic == "mingjian.quarantine.v1"
    state.settle(max(entry.order for entry in entries(arrived)))
    again = Wholes(0, BOOKS, Told.of(state.row().value))
    assert [] == again.take([*arrived, other, broken])


def test_a_whole_that_cannot_be_worked_out_holds_up_no_other_and_is_told_by_code_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(2)
    town.chain(OTHER)
    for _ in range(2):
        town.shop(joined="2010-03-01", parent=OTHER)
    town.graded("AABB")
    events = [one.event for ledger in town.ledgers() for one in ledger.told() if one.event["type"] == TYPE]
    arrived = [Record(0, offset, 1, one["subject"].encode(), derived_bytes(one)) for offset, one in enumerate(events)]
    last = max(entry.order for entry in entries(arrived))
    whole = Chronicle.settle

    def broken(self: Chronicle, upto: Any = None) -> Any:
        if self.parent == CHAIN:
            raise ZeroDivisionError
        return whole(self, upto)

    monkeypatch.setattr(Chronicle, "settle", broken)
    state = Wholes(0, BOOKS)
    state.take(arrived)
    assert {OTHER} == {orjson.loads(one.value)["event"]["subject"] for one in state.settle(last)}
    assert ({(CHAIN, REGIME)}, 0) == (state.failed, state.waiting)
    monkeypatch.setattr(Chronicle, "settle", whole)
    mended = Wholes(0, BOOKS, Told.of(state.row().value))
    mended.take(arrived)
    told = by_id(mended.settle(last))
    assert told == canonical([one for one in arrived if one.key == CHAIN.encode()]) and not mended.failed
