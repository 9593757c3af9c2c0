"""Kafka's segment files, edited while the broker is down, as an operator with root can: checksums are made right again.

A batch (magic 2): base offset i64, length i32, leader epoch i32, magic i8, CRC-32C u32 over all from the attributes on, attributes i16,
last offset delta i32, base and highest time i64, producer id i64, epoch i16, sequence i32, number of records i32, records.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from aiokafka.record.util import calc_crc32c, decode_varint, encode_varint

_HEAD = struct.Struct(">qii b I".replace(" ", ""))
_BODY = struct.Struct(">hiqqqhii")
_CRC_AT = 17
_BODY_AT = 21


@dataclass(frozen=True)
class Batch:
    """One batch: where it begins counting, how many records, its first and highest time, and the rest as bytes."""

    base: int
    epoch: int
    attributes: int
    last: int
    times: tuple[int, int]
    producer: tuple[int, int, int]
    count: int
    records: bytes

    @property
    def data(self) -> bytes:
        """The batch with its right checksum."""
        body = _BODY.pack(self.attributes, self.last, *self.times, *self.producer, self.count) + self.records
        return _HEAD.pack(self.base, len(body) + 9, self.epoch, 2, calc_crc32c(body)) + body


def read(path: Path) -> list[Batch]:
    """The records of a segment, each as a batch of its own."""
    data, at, found = path.read_bytes(), 0, []
    while at + _BODY_AT < len(data):
        base, length, epoch, magic, crc = _HEAD.unpack_from(data, at)
        body = data[at + _BODY_AT : at + 12 + length]
        assert magic == 2 and calc_crc32c(body) == crc
        attributes, last, first_ms, high_ms, producer, era, sequence, count = _BODY.unpack_from(body)
        assert not attributes & 7, "compressed"
        whole = Batch(base, epoch, attributes, last, (first_ms, high_ms), (producer, era, sequence), count, body[_BODY.size :])
        found += _one_by_one(whole)
        at += 12 + length
    return found


def _one_by_one(batch: Batch) -> list[Batch]:
    """The batch's records, each a batch of its own."""
    found, at = [], 0
    for _ in range(batch.count):
        length, at = decode_varint(batch.records, at)
        end = at + length
        later, after = decode_varint(batch.records, at + 1)
        further, after = decode_varint(batch.records, after)
        record = batch.records[at : at + 1] + _varint(0) + _varint(0) + batch.records[after:end]
        producer, era, sequence = batch.producer
        name = (producer, era, sequence + further if sequence >= 0 else sequence)
        time = batch.times[0] + later
        found.append(Batch(batch.base + further, batch.epoch, batch.attributes, 0, (time, time), name, 1, _varint(len(record)) + record))
        at = end
    return found


def _varint(number: int) -> bytes:
    out = bytearray()
    encode_varint(number, out.append)
    return bytes(out)


def edit(partition: Path, act: Callable[[list[Batch]], list[Batch]]) -> None:
    """Rewrite a partition's only segment. Its indexes go, for Kafka makes them again where they are missing."""
    [segment] = partition.glob("*.log")
    found = read(segment)
    segment.write_bytes(b"".join(one.data for one in act(found)))
    for path in (*partition.glob("*index"), *partition.glob("*.snapshot")):
        path.unlink()


def single(value: bytes, key: bytes, at_ms: int, offset: int) -> Batch:
    """A batch of one record without headers, of no producer."""
    record = b"\0" + _varint(0) * 2 + _varint(len(key)) + key + _varint(len(value)) + value + _varint(0)
    return Batch(offset, 0, 0, 0, (at_ms, at_ms), (-1, -1, -1), 1, _varint(len(record)) + record)


def replaced(batches: list[Batch], old: bytes, new: bytes) -> list[Batch]:
    """``old`` gives way to ``new``, as long as it, in the first batch that has it."""
    assert len(old) == len(new)
    for number, one in enumerate(batches):
        if old in one.records:
            return [*batches[:number], replace(one, records=one.records.replace(old, new, 1)), *batches[number + 1 :]]
    raise AssertionError(f"no batch holds {old!r}")


def shifted(batches: list[Batch], by: int) -> list[Batch]:
    """The same records, so many offsets further on."""
    return [replace(one, base=one.base + by) for one in batches]
