"""A record that can't be read, whole, with the reason, for the quarantine topic: every service puts it there in the same words."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any, Protocol

import orjson

from schemas.topics import MAX_MESSAGE_BYTES, QUARANTINE
from services._bus.producer import Outgoing
from services._bus.telemetry import HEADER, sampled


class Unreadable(Protocol):
    """A record of Kafka. ``timestamp``: epoch milliseconds."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Iterable[tuple[str, bytes]]: ...


def quarantined(topic: str, record: Unreadable, *, service: str, reason: str, partition: int | None = None) -> Outgoing:
    """The row for ``mingjian.quarantine.v1``: JSON with the source's place, its key and value as base64, and the reason.

    A value that would make the row too large is named by its length and SHA-256 instead; it stays on its own topic for ever."""
    source = f"{topic}/{record.partition}/{record.offset}".encode()
    trace = sampled(record.headers)
    headers = (("content-type", b"application/json"), ("source", source), *(((HEADER, trace),) if trace else ()))

    def row(value: dict[str, Any]) -> Outgoing:
        body = {
            "reason": reason,
            "service": service,
            "topic": topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": _base64(record.key),
            **value,
        }
        content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        return Outgoing(QUARANTINE, record.key, content, headers, partition, record.timestamp)

    whole = row({"value": _base64(record.value)})
    if whole.size() <= MAX_MESSAGE_BYTES:
        return whole
    value = record.value or b""
    return row({"value": None, "value_bytes": len(value), "value_sha256": hashlib.sha256(value).hexdigest()})


def _base64(data: bytes | None) -> str | None:
    return base64.b64encode(data).decode() if data is not None else None
