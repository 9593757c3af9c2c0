"""A record that was put back on Kafka from its leaf: the same bytes at the same place with the same time, under CreateTime.

Kafka takes a time from a writer under CreateTime alone, and keeps with each record which kind of time it has. So a record whose
leaf says LogAppendTime stands there as CreateTime once it was put back. Everything else is as it was, and readers of Kafka see
the same times.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from services.audit.domain.frame import CREATE_TIME, LOG_APPEND_TIME, Record, entry_of


def is_leaf(record: Record, digest: bytes) -> bool:
    """True where the record of Kafka is the one whose entry has this SHA-256, as it was written or put back."""
    if _digest(record) == digest:
        return True
    return record.timestamp_type == CREATE_TIME and _digest(replace(record, timestamp_type=LOG_APPEND_TIME)) == digest


def _digest(record: Record) -> bytes:
    return hashlib.sha256(entry_of(record)[0]).digest()
