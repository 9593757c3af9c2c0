"""What detectors of single entries remember: the entries, in one block of bytes that all of them share.

Invariants
1. An entry is kept once, however many detectors put it and however often it comes; its first copy counts.
2. A kept entry costs its slim ``data`` as JSON, a head of fixed size and its place in one index.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import orjson

from services.audit.domain.detectors.model import Entry, Order

# Free text and personal commitments tell no detector of single entries anything, and are most of the bytes.
_LEFT_OUT = frozenset({"note", "commitments", "statement", "reason", "explanations_weighed", "involved", "licence_numbers"})
# known, offset, received, signed; topic, source, type, subject, channel by number; partition; id; SHA-256; length of the data
_HEAD = struct.Struct("<qqqqIIIIIH16s32sI")


class Ledger:
    """Entries by place. Of ``attachments`` only their number is kept."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._index: dict[int, int] = {}
        self._last: tuple[Entry, int] | None = None
        self._first = False
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []

    def put(self, entry: Entry) -> int:
        """The entry's place; that of its first copy where it was kept before. Raises ``ValueError`` for an id that is none."""
        if self._last is not None and self._last[0] is entry:
            return self._last[1]
        id = _packed(entry.id)
        key = int.from_bytes(id) | self._number(entry.source) << 128
        place = self._index.get(key)
        self._first = place is None
        if place is None:
            place = self._index[key] = len(self._bytes)
            self._bytes += self._row(entry, id)
        self._last = (entry, place)
        return place

    def first(self, entry: Entry) -> bool:
        """Whether the entry, which was put last, is the first copy: then it says itself what is kept of it."""
        return self._first and self._last is not None and self._last[0] is entry

    @property
    def end(self) -> int:
        """The place that the next new entry will have; those known before have smaller ones."""
        return len(self._bytes)

    def find(self, source: str, id: str) -> int | None:
        """The place of an entry by its name."""
        number = self._numbers.get(source)
        return None if number is None else self._index.get(int.from_bytes(_packed(id)) | number << 128)

    def entry(self, place: int) -> Entry:
        """The kept entry, its ``data`` slim; who signed isn't kept."""
        known, offset, received, signed, *rest = _HEAD.unpack_from(self._bytes, place)
        topic, source, kind, subject, channel = (self._names[number] for number in rest[:5])
        partition, id, sha256, size = rest[5:]
        begin = place + _HEAD.size
        data = orjson.loads(bytes(self._bytes[begin : begin + size]))
        order, text = Order(known, partition, offset), id.hex()
        name = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        return Entry(topic, order, received, signed, name, source, kind, subject, channel, "", 0, data, (), sha256.hex())

    def _row(self, entry: Entry, id: bytes) -> bytes:
        data = orjson.dumps(_slim(entry.data))
        names = (entry.topic, entry.source, entry.type, entry.subject, entry.channel)
        times = (entry.order.known, entry.order.offset, entry.received, entry.signed)
        sha256 = bytes.fromhex(entry.sha256)
        return _HEAD.pack(*times, *map(self._number, names), entry.order.partition, id, sha256, len(data)) + data

    def _number(self, name: str) -> int:
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self._names)
            self._names.append(name)
        return found


def _packed(id: str) -> bytes:
    packed = bytes.fromhex(id.replace("-", ""))
    if len(packed) != 16:
        raise ValueError("an id that is no UUID")
    return packed


def _slim(data: Mapping[str, Any]) -> dict[str, Any]:
    slim = {name: value for name, value in data.items() if value is not None and name not in _LEFT_OUT}
    if slim.get("attachments"):
        slim["attachments"] = len(slim["attachments"])
    return slim
