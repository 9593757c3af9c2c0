"""What a restore rests on, without servers: batches as Kafka reads them, a log that may be restored from, and the plan of its leaves."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import FACTS, MAX_MESSAGE_BYTES
from services._bus.header_names import Records
from services.audit.adapters.batches import HEAD_BYTES, encode, size_of
from services.audit.adapters.placing import _batches
from services.audit.adapters.plan_mending import spans_of_leaves
from services.audit.domain.frame import CREATE_TIME, LOG_APPEND_TIME, Record, entry_of
from services.audit.domain.putback import is_leaf
from services.audit.ports import Span
from services.audit.restoring import Unrestorable, _to_make_anew, sound
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.test_appender import World

blobs = st.none() | st.binary(max_size=40)
names = st.binary(max_size=12).map(lambda one: one.decode("utf-8", "surrogateescape"))
odd_records = st.builds(
    Record,
    topic=st.just("t"),
    partition=st.just(3),
    offset=st.just(0),
    timestamp=st.integers(0, 1 << 42),
    timestamp_type=st.just(CREATE_TIME),
    key=blobs,
    headers=st.lists(st.tuples(names, blobs), max_size=4).map(tuple),
    value=blobs,
)


@given(st.lists(odd_records, min_size=1, max_size=5), st.integers(0, 1 << 60), st.integers(0, 1 << 30))
def test_what_is_put_into_a_batch_comes_out_of_it_to_the_byte(records: list[Record], producer: int, sequence: int) -> None:
    data = encode(records, producer=(producer, 1), sequence=sequence)
    assert len(data) <= HEAD_BYTES + sum(map(size_of, records))
    batches = Records(data)
    batch = batches.next_batch()
    assert batch is not None and not batches.has_next()
    assert batch.validate_crc() and (batch.producer_id, batch.base_sequence) == (producer, sequence)
    found = [(one.timestamp, one.key, tuple(one.headers), one.value) for one in batch]
    assert found == [(one.timestamp, one.key, one.headers, one.value) for one in records]


def test_batches_are_as_large_as_a_topic_takes_and_a_larger_record_goes_alone() -> None:
    sizes = (100_000, 100_000, 100_000, MAX_MESSAGE_BYTES * 4, 10)
    records = [Record("t", 0, at, 0, 0, None, (), b"x" * size) for at, size in enumerate(sizes)]
    assert [[one.offset for one in batch] for batch in _batches(records)] == [[0, 1], [2], [3], [4]]


def test_a_record_that_was_put_back_is_its_leaf_s_and_no_other_is() -> None:
    stamped = Record("t", 0, 7, 1_000, LOG_APPEND_TIME, b"k", (("h", None),), b"v")
    leaf = hashlib.sha256(entry_of(stamped)[0]).digest()
    assert is_leaf(stamped, leaf) and is_leaf(replace(stamped, timestamp_type=CREATE_TIME), leaf)
    for other in (replace(stamped, timestamp=1_001), replace(stamped, value=b"w"), replace(stamped, headers=(("h", b""),))):
        assert not is_leaf(other, leaf) and not is_leaf(replace(other, timestamp_type=CREATE_TIME), leaf)
    made = hashlib.sha256(entry_of(replace(stamped, timestamp_type=CREATE_TIME))[0]).digest()
    assert not is_leaf(stamped, made), "a time that the broker gave is not the writer's own"


def folder(tmp_path: Path) -> tuple[Path, World]:
    world = World()
    world.kafka = {(FACTS, 0): [], (FACTS, 1): []}
    world.say((FACTS, 0), 270, 8)
    world.say((FACTS, 1), 3, 66_000)
    world.run(world.writer())
    for path, data in world.store.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path, world


def test_a_sound_log_gives_its_records_back_and_a_damaged_one_nothing(tmp_path: Path) -> None:
    place, world = folder(tmp_path)
    said: list[tuple[int, int]] = []
    log = sound(place, VERIFIER, None, lambda _, done, total: said.append((done, total)))
    assert said[-1] == (273, 273) and log.ends == {(FACTS, 0): 270, (FACTS, 1): 3}
    by_place: dict[tuple[str, int], list[Record]] = {}
    for one in log.records():
        by_place.setdefault((one.topic, one.partition), []).append(one)
    assert by_place == {place: list(records) for place, records in world.kafka.items()}
    assert [one for one in log.records(260)] == [one for one in log.records()][260:]
    beside = next((place / "oversize").rglob("??" + "?" * 62))
    whole = beside.read_bytes()
    beside.write_bytes(whole[:-1] + b"?")
    with pytest.raises(Unrestorable, match=f"damaged: oversize/{beside.parent.name}/{beside.name}"):
        sound(place, VERIFIER, None, lambda *_: None)
    beside.unlink()
    with pytest.raises(Unrestorable, match="missing: oversize"):
        sound(place, VERIFIER, None, lambda *_: None)


def test_leaves_are_planned_in_the_log_s_own_order(tmp_path: Path) -> None:
    place, world = folder(tmp_path)
    records = list(sound(place, VERIFIER, None, lambda *_: None).records())
    assert spans_of_leaves(0, records) == world.plan.spans(0, 1_000), "what the writer had planned"
    first, other = [one for one in records if one.partition == 0], [one for one in records if one.partition]
    mixed = [first[0], other[0], first[1], first[2], first[4]]
    assert spans_of_leaves(5, mixed) == [
        Span(5, 1, FACTS, 0, 0),
        Span(6, 1, FACTS, 1, 0),
        Span(7, 2, FACTS, 0, 1),
        Span(9, 1, FACTS, 0, 4),
    ]


def test_a_topic_without_its_beginning_is_made_anew_only_where_nothing_is_lost_by_it(tmp_path: Path) -> None:
    log = sound(folder(tmp_path)[0], VERIFIER, None, lambda *_: None)
    whole = {(FACTS, number): (0, log.ends.get((FACTS, number), 0)) for number in range(12)}
    assert _to_make_anew(log, whole, anew=False) == []
    emptied = {place: (end, end) for place, (_, end) in whole.items()}
    assert _to_make_anew(log, emptied, anew=False) == [FACTS]
    shortened = whole | {(FACTS, 0): (100, 270)}
    with pytest.raises(Unrestorable, match=f"{FACTS} 0: Kafka begins at offset 100.*--make-anew"):
        _to_make_anew(log, shortened, anew=False)
    assert _to_make_anew(log, shortened, anew=True) == [FACTS]
    with pytest.raises(Unrestorable, match="2 records that are no leaves"):
        _to_make_anew(log, shortened | {(FACTS, 5): (0, 2)}, anew=True)
