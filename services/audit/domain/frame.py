"""The leaf: a binary frame of one Kafka record, exact to the byte.

Version 1, all numbers big-endian::

    u8  version = 1
    u8  kind      0 whole record, 1 stub of a record whose frame is longer than 65,535 bytes, 2 whole record, wide
    u8  length of topic, topic (ASCII)
    u32 partition · u64 offset
    u8  timestamp type (0 CreateTime, 1 LogAppendTime) · i64 timestamp, ms since 1970
    whole: u32 length of key (FFFFFFFF: null), key
           u16 number of headers; each: u16 length of name, name, u32 length of value (FFFFFFFF: null), value
           u32 length of value (FFFFFFFF: null), value
    wide:  the same with u32 for the number of headers and the lengths of names; only where u16 is too small
    stub:  u64 length of the whole frame · SHA-256 of the whole frame

A header's name is its bytes as Kafka has them: UTF-8 as a rule, and what is none stands in ``Record`` as lone surrogates (PEP 383).

Invariants
1. ``decode(encode(record)) == record``, and ``encode(decode(bytes)) == bytes`` for every accepted ``bytes``: one spelling only.
2. Two different records never have the same frame; (topic, partition, offset) is in every frame.
3. An entry is at most 65,535 bytes (tlog-tiles); what is longer becomes a stub, its whole frame stands beside the log under its
   hash. A wide frame always is. So every record that a partition can hold has an entry, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from services.audit.domain.tiles import MAX_ENTRY_BYTES

VERSION = 1
WHOLE = 0
STUB = 1
WIDE = 2
CREATE_TIME = 0
LOG_APPEND_TIME = 1
NULL = 0xFFFFFFFF

_PLACE = struct.Struct(">IQBq")
_U16 = struct.Struct(">H")
_U16_MOST = 0xFFFF
_U32 = struct.Struct(">I")
_STUB = struct.Struct(">Q32s")


class FrameError(ValueError):
    """Bytes that are no frame, or a record that has none."""


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record as it stands on its partition. ``timestamp`` in ms, ``timestamp_type`` 0 or 1."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Stub:
    """What stands in the log for a record that is too long: its place and time, and length and hash of its frame."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    length: int
    sha256: bytes


def _start(kind: int, record: Record | Stub) -> bytes:
    try:
        topic = record.topic.encode("ascii")
        return (
            bytes((VERSION, kind, len(topic)))
            + topic
            + _PLACE.pack(record.partition, record.offset, record.timestamp_type, record.timestamp)
        )
    except (UnicodeEncodeError, ValueError, struct.error) as error:
        raise FrameError(f"no frame for {record.topic} {record.partition} {record.offset}: {error}") from None


def _blob(data: bytes | None) -> bytes:
    return b"\xff\xff\xff\xff" if data is None else _U32.pack(len(data)) + data


def encode_whole(record: Record) -> bytes:
    """The whole frame, however long. Raises ``FrameError``."""
    names = [name.encode("utf-8", "surrogateescape") for name, _ in record.headers]
    wide = _is_wide(names)
    number = _U32 if wide else _U16
    parts = [_start(WIDE if wide else WHOLE, record), _blob(record.key), number.pack(len(names))]
    for encoded, (_, value) in zip(names, record.headers, strict=True):
        parts += (number.pack(len(encoded)), encoded, _blob(value))
    parts.append(_blob(record.value))
    return b"".join(parts)


def _is_wide(names: Sequence[bytes]) -> bool:
    return len(names) > _U16_MOST or any(len(one) > _U16_MOST for one in names)


def encode_stub(stub: Stub) -> bytes:
    """The stub's frame."""
    return _start(STUB, stub) + _STUB.pack(stub.length, stub.sha256)


def entry_of(record: Record) -> tuple[bytes, bytes | None]:
    """The log's entry for a record, and the whole frame where it has to stand beside the log (else None)."""
    whole = encode_whole(record)
    if len(whole) <= MAX_ENTRY_BYTES:
        return whole, None
    stub = Stub(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        len(whole),
        hashlib.sha256(whole).digest(),
    )
    return encode_stub(stub), whole


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise FrameError("the frame is cut off")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def blob(self) -> bytes | None:
        length = _U32.unpack(self.take(4))[0]
        return None if length == NULL else self.take(length)


def head_of(record: Record) -> bytes:
    """A whole frame without what stands for the value at its end: with it whoever has the value has the entry."""
    return encode_whole(record)[: -len(_blob(record.value))]


def entry_with(head: bytes, value: bytes) -> bytes:
    """The log's entry for the record of this head and value. Raises ``FrameError``."""
    record = decode(head + _blob(value))
    if isinstance(record, Stub) or record.value != value:
        raise FrameError("not the head of a whole frame")
    return entry_of(record)[0]


def decode(data: bytes) -> Record | Stub:
    """Read a frame. Raises ``FrameError`` for anything ``encode_whole`` and ``encode_stub`` would not write."""
    reader = _Reader(data)
    version, kind, length = reader.take(3)
    if version != VERSION or kind not in (WHOLE, STUB, WIDE):
        raise FrameError(f"a frame of version {version}, kind {kind}")
    try:
        topic = reader.take(length).decode("ascii")
        partition, offset, stamp, timestamp = _PLACE.unpack(reader.take(_PLACE.size))
        if stamp not in (CREATE_TIME, LOG_APPEND_TIME):
            raise FrameError(f"a timestamp of type {stamp}")
        if kind == STUB:
            size, digest = _STUB.unpack(reader.take(_STUB.size))
            found: Record | Stub = Stub(topic, partition, offset, timestamp, stamp, size, digest)
        else:
            key = reader.blob()
            number = _U32 if kind == WIDE else _U16
            names, values = [], []
            for _ in range(number.unpack(reader.take(number.size))[0]):
                names.append(reader.take(number.unpack(reader.take(number.size))[0]))
                values.append(reader.blob())
            if _is_wide(names) != (kind == WIDE):
                raise FrameError("a wide frame of a record that needs none")
            headers = tuple(zip((name.decode("utf-8", "surrogateescape") for name in names), values, strict=True))
            found = Record(topic, partition, offset, timestamp, stamp, key, headers, reader.blob())
    except UnicodeDecodeError as error:
        raise FrameError(f"a name in the frame is not text: {error.reason}") from None
    if reader.at != len(data):
        raise FrameError("the frame has bytes after its end")
    return found


def oversize_path(sha256: bytes) -> str:
    """Where a whole frame stands beside the log: ``oversize/<first two hex digits>/<hash>``."""
    name = sha256.hex()
    return f"oversize/{name[:2]}/{name}"
