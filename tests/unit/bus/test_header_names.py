"""Records whose header names are no UTF-8 are read like any others, and the rest of their batch with them."""

from __future__ import annotations

import struct

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from services._bus import header_names

_CRC_AT, _CHECKED_FROM = 17, 21
NAMES = (b"ce_id", b"\xff\xfe\x80", b"\xc3\xa9", b"\xe2\x82", b"\xed\xa0\x80")


def batch() -> bytes:
    """Five records, each with one of the names and a header after it; the broker would store it as it is."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=False, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=10_000
    )
    for number, name in enumerate(NAMES):
        headers = [("x" * len(name) + f"{number}", b"value"), ("after", None)]
        builder.append(number, timestamp=1_700_000_000_000, key=b"k", value=f"record {number}".encode(), headers=headers)
    raw = bytearray(builder.build())
    for number, name in enumerate(NAMES):
        at = raw.index(b"x" * len(name) + b"%d" % number)
        raw[at : at + len(name)] = name
    struct.pack_into(">I", raw, _CRC_AT, calc_crc32c(raw[_CHECKED_FROM:]))
    return bytes(raw)


def read(raw: bytes) -> list:
    """As the consumer's fetcher does it."""
    header_names.accept()
    records = fetcher.PartitionRecords(
        TopicPartition("t", 0), fetcher.MemoryRecords(raw), [], 0, None, None, True, fetcher.READ_UNCOMMITTED
    )
    return list(records)


def test_every_record_of_the_batch_is_read_with_the_bytes_of_its_names() -> None:
    found = read(batch())
    assert [(one.offset, one.value) for one in found] == [(number, f"record {number}".encode()) for number in range(5)]
    names = [one.headers[0][0].encode("utf-8", "surrogateescape") for one in found]
    assert names == [name + b"%d" % number for number, name in enumerate(NAMES)]
    assert {one.headers[1] for one in found} == {("after", None)}


def test_a_changed_byte_is_still_refused() -> None:
    raw = bytearray(batch())
    raw[-1] ^= 1
    with pytest.raises(Exception, match="CRC"):
        read(bytes(raw))
