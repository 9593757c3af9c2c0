"""Kafka's record batch (message format 2), written out byte for byte.

aiokafka's producer takes names of headers as text and gives each record a place of its own choosing in a batch. What is put back
from the log has names that are no UTF-8, times and orders that are not ours to choose, and offsets that have to come out right.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from aiokafka.record.util import calc_crc32c

from services.audit.domain.frame import Record

_BEFORE_CRC = struct.Struct(">qiib")
_CRC = struct.Struct(">I")
_HEAD = struct.Struct(">hiqqqhii")
_NO_EPOCH, _MAGIC, _PLAIN = -1, 2, 0
# An upper bound of what a batch's head and a record's own numbers cost.
HEAD_BYTES, RECORD_BYTES, HEADER_BYTES = 61, 40, 10


def size_of(record: Record) -> int:
    """An upper bound of the record's bytes in a batch."""
    headers = sum(len(name) * 3 + len(value or b"") + HEADER_BYTES for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + RECORD_BYTES


def encode(records: Sequence[Record], *, producer: tuple[int, int], sequence: int) -> bytes:
    """A batch of consecutive records. ``producer``: id and epoch; ``sequence``: of the first record, within its partition."""
    base = records[0].timestamp
    body = b"".join(_record(one, at, one.timestamp - base) for at, one in enumerate(records))
    newest = max(one.timestamp for one in records)
    head = _HEAD.pack(_PLAIN, len(records) - 1, base, newest, *producer, sequence, len(records))
    crc = calc_crc32c(head + body)
    return _BEFORE_CRC.pack(0, 9 + len(head) + len(body), _NO_EPOCH, _MAGIC) + _CRC.pack(crc) + head + body


def _record(record: Record, at: int, later: int) -> bytes:
    parts = [b"\0", _varint(later), _varint(at), _blob(record.key), _blob(record.value), _varint(len(record.headers))]
    for name, value in record.headers:
        parts += (_blob(name.encode("utf-8", "surrogateescape")), _blob(value))
    body = b"".join(parts)
    return _varint(len(body)) + body


def _blob(data: bytes | None) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """Zigzag, then seven bits a byte, the lowest first."""
    left = (value << 1) ^ (value >> 63)
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)
