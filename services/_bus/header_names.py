"""Records whose header names are no UTF-8. Kafka stores whatever bytes it is given, and aiokafka decodes them strictly: one such
record would stop every reader of its partition for good.

Invariant: every record that aiokafka reads, it reads the same; a name that is no UTF-8 comes with each wrong byte as a lone
surrogate (PEP 383), so that encoding it the same way gives back exactly what Kafka holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import google_crc32c
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

HOW = "surrogateescape"


class _Name(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, HOW)


class _Buffer(bytearray):
    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Name(found) if isinstance(at, slice) else found


class _Lenient(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        if not isinstance(self._buffer, _Buffer):
            self._buffer = _Buffer(self._buffer)


# In a batch of today's format: which format, the checksum, and from where on it counts.
_MAGIC_AT, _CRC_AT, _CHECKED_FROM, _MAGIC = 16, 17, 21, 2


class Batch:
    """aiokafka's batch; its records are read again, by name leniently, where it can't decode them."""

    def __init__(self, strict: Any, raw: bytes) -> None:
        self._strict, self._raw = strict, raw

    def validate_crc(self) -> bool:
        """The same answer as aiokafka's, by the processor's own instruction: a tenth of the time, and every record read pays for it."""
        raw = self._raw
        if raw[_MAGIC_AT] != _MAGIC:
            return bool(self._strict.validate_crc())
        return google_crc32c.value(raw[_CHECKED_FROM:]) == int.from_bytes(raw[_CRC_AT:_CHECKED_FROM])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._strict, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = list(self._strict)
        except UnicodeDecodeError:
            records = list(_Lenient(self._raw))
        return iter(records)

    def __next__(self) -> Any:
        return next(self._strict)


class Records(_MemoryRecordsPy):  # type: ignore[misc]
    """What a fetch brought, batch by batch."""

    def next_batch(self) -> Batch | None:  # type: ignore[override]
        raw = self._next_slice
        batch = super().next_batch()
        return None if batch is None or raw is None else Batch(batch, bytes(raw))


def accept() -> None:
    """From now on this process's consumers read such records, too."""
    fetcher.MemoryRecords = Records
