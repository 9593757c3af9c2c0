"""What a fetch brought is handed out from the asked offset up to the end, without a hole, or not at all."""

from __future__ import annotations

import struct

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from services._bus.kafka import Connection, RecordsGone
from services.rating.adapters.partitions import Partitions

READER = Partitions(Connection("127.0.0.1:1"), "facts")


def batch(first: int, *deltas: int) -> bytes:
    """A batch as it stands in the log: its first offset, and each record's distance from it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 100_000)
    for delta in deltas:
        builder.append(delta, 1_790_000_000_000 + delta, b"key", b"value %d" % (first + delta), [("ce_id", b"1")])
    built = bytearray(builder.build())
    struct.pack_into(">q", built, 0, first)
    return bytes(built)


def offsets(data: bytes, position: int, end: int) -> tuple[list[int], int]:
    batches, following = READER._batches(data, 3, position, end)
    entries, at = [], position
    for one in batches:
        entries += READER._entries(one, 3, at, end)
        at = one.next_offset
    assert all(entry[2:4] == (b"key", b"value %d" % entry[0]) for entry in entries)
    return [entry[0] for entry in entries], following


@pytest.mark.parametrize(
    ("position", "end", "found", "following"),
    [
        (0, 9, [0, 1, 2, 3, 4], 5),
        (0, 5, [0, 1, 2, 3, 4], 5),
        (0, 4, [0, 1, 2, 3], 4),
        (2, 9, [2, 3, 4], 5),
        (3, 4, [3], 4),
        (1, 2, [1], 2),
        (5, 9, [], 5),
    ],
)
def test_records_begin_at_the_position_and_stop_before_the_end(position: int, end: int, found: list[int], following: int) -> None:
    assert (found, following) == offsets(batch(0, 0, 1, 2) + batch(3, 0, 1), position, end)


@pytest.mark.parametrize("data", [batch(1, 0, 1), batch(0, 0, 2), batch(0, 0, 1) + batch(3, 0)])
def test_a_hole_is_named(data: bytes) -> None:
    with pytest.raises(RecordsGone, match="facts 3: offsets from [0-9] on are missing"):
        offsets(data, 0, 9)


def test_a_damaged_batch_is_named() -> None:
    data = bytearray(batch(0, 0, 1))
    data[-1] ^= 1
    with pytest.raises(RecordsGone, match="damaged"):
        offsets(bytes(data), 0, 9)


def test_half_a_batch_is_fetched_again() -> None:
    whole, half = batch(0, 0, 1), batch(2, 0, 1)[:-3]
    assert ([0, 1], 2) == offsets(whole + half, 0, 9)
