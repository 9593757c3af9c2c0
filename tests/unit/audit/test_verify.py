"""Verification: each tampering named with its place; every byte of a small log tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.frame import Record
from services.audit.domain.note import NoteError
from services.audit.domain.verify import Seen, Verification
from tests.unit.audit.fakes import VERIFIER, record
from tests.unit.audit.test_appender import World

A = ("a", 0)


def small() -> World:
    world = World()
    world.say(A, 270, 8)
    world.say(("b", 0), 5, 8)
    world.say(("b", 0), 1, 66_000)
    world.run(world.writer())
    return world


SMALL = small()


def verify(files: dict[str, bytes], kafka: list[Record] | None = None, seen: Checkpoint | None = None) -> list[tuple[str, str]]:
    """(code, where) of the faults."""
    point, _ = open_checkpoint(files["checkpoint"], VERIFIER)
    check = Verification(point, files.get, [Seen(seen)] if seen else ())
    for _ in check.tree():
        pass
    for one in kafka if kafka is not None else [one for records in SMALL.kafka.values() for one in records]:
        check.compare(one)
    check.compared()
    return [(one.code, one.where) for one in check.faults]


def files() -> dict[str, bytes]:
    return dict(SMALL.store.files)


def kafka() -> list[Record]:
    return [one for records in SMALL.kafka.values() for one in records]


def test_an_untouched_log_has_no_fault() -> None:
    assert verify(files()) == []


def flips(whole: dict[str, bytes], step: int) -> int:
    """Flip every ``step``-th byte of every file; each must be found. Returns how many were tried."""
    tried = 0
    for path, data in whole.items():
        for at in range(0, len(data), step):
            bad = {**whole, path: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]}
            tried += 1
            try:
                assert [one for one in verify(bad, []) if one[0] != "lost"], f"{path} byte {at}"
            except NoteError:
                assert path == "checkpoint"
    return tried


def test_every_flipped_byte_of_a_small_log_is_found() -> None:
    world = World()
    world.say(A, 12, 8)
    world.run(world.writer())
    assert flips(world.store.files, 1) > 1_000


def test_flipped_bytes_of_full_tiles_and_of_what_stands_beside_the_log_are_found() -> None:
    assert flips(files(), 97) > 900


def change(at: int) -> Callable[[list[Record]], None]:
    def act(records: list[Record]) -> None:
        records[at] = replace(records[at], value=b"another value")

    return act


@pytest.mark.parametrize(
    ("what", "act", "found"),
    [
        ("a changed value", change(7), [("changed", "a 0:7")]),
        ("a changed time", lambda r: r.__setitem__(3, replace(r[3], timestamp=0)), [("changed", "a 0:3")]),
        ("a changed key", lambda r: r.__setitem__(3, replace(r[3], key=None)), [("changed", "a 0:3")]),
        ("a changed header", lambda r: r.__setitem__(3, replace(r[3], headers=())), [("changed", "a 0:3")]),
        ("a record deleted in the middle", lambda r: r.pop(9), [("hole", "a 0:10")]),
        ("the last record cut off", lambda r: r.pop(269), [("lost", "a 0:269")]),
        ("the long record changed", change(275), [("changed", "b 0:5")]),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_tampering_with_kafka_is_named(what: str, act: Callable[[list[Record]], None], found: list[tuple[str, str]]) -> None:
    records = kafka()
    act(records)
    assert verify(files(), records) == found


def test_two_records_swapped_are_both_named() -> None:
    records = kafka()
    records[4], records[5] = replace(records[5], offset=4), replace(records[4], offset=5)
    assert verify(files(), records) == [("changed", "a 0:4"), ("changed", "a 0:5")]


def test_a_missing_bundle_tile_or_long_record_is_named() -> None:
    whole = files()
    beside = next(path for path in whole if path.startswith("oversize/"))
    for path in ("tile/0/000", "tile/1/000.p/1", "tile/0/001.p/20", beside):
        assert ("missing", path) in verify({name: data for name, data in whole.items() if name != path})
    assert ("missing", "tile/entries/000") in verify({name: data for name, data in whole.items() if name != "tile/entries/000"})


def test_a_log_that_was_rolled_back_forked_or_rewritten_is_named() -> None:
    longer = small()
    longer.say(A, 10)
    longer.run(longer.writer())
    newer, _ = open_checkpoint(longer.store.read("checkpoint") or b"", VERIFIER)
    now, _ = open_checkpoint(files()["checkpoint"], VERIFIER)
    assert verify(files(), seen=newer) == [("rolled-back", "checkpoint")]
    assert verify(files(), seen=Checkpoint(now.origin, now.size, bytes(32))) == [("forked", "checkpoint")]
    assert verify(files(), seen=Checkpoint(now.origin, 100, bytes(32))) == [("rewritten", "leaves 0 to 99")]
    half = World()
    half.say(A, 100, 8)
    half.run(half.writer())
    prefix, _ = open_checkpoint(half.store.read("checkpoint") or b"", VERIFIER)
    assert verify(files(), seen=prefix) == []


def test_a_record_that_is_a_leaf_twice_or_skipped_is_named() -> None:
    for offsets, found in (((0, 1, 1), ("twice", "leaf 2, a 0:1")), ((0, 2), ("gap", "leaf 1, a 0:2"))):
        world = World()
        writer = world.writer()
        for offset in offsets:
            writer._integrate(*writer._entries([record("a", 0, offset)]))
        writer.checkpoint()
        faults = verify(world.store.files, [record("a", 0, offset) for offset in range(max(offsets) + 1)])
        assert faults == [found]
