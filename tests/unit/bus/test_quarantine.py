"""What can't be read is kept whole, and fits."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from aiokafka import ConsumerRecord

from schemas.topics import FACTS, MAX_MESSAGE_BYTES, QUARANTINE
from services._bus.quarantine import quarantined

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def record(key: bytes | None, value: bytes | None, *headers: tuple[str, bytes]) -> ConsumerRecord:
    return ConsumerRecord(FACTS, 3, 17, 1_700_000_000_000, 0, key, value, None, 0, 0, headers)


@pytest.mark.parametrize(("key", "value"), [(b"\xff", b"\x00\xfe"), (None, b"x"), (b"k", None)])
def test_the_record_comes_back_whole(key: bytes | None, value: bytes | None) -> None:
    row = quarantined(FACTS, record(key, value, ("ce_id", b"x"), ("traceparent", TRACE)), service="rating", reason="no JSON")
    body = json.loads(row.value)
    assert (body["topic"], body["partition"], body["offset"], body["timestamp"]) == (FACTS, 3, 17, 1_700_000_000_000)
    assert (body["service"], body["reason"]) == ("rating", "no JSON")
    assert [key, value] == [base64.b64decode(body[name]) if body[name] is not None else None for name in ("key", "value")]
    assert (row.topic, row.key, row.timestamp_ms) == (QUARANTINE, key, 1_700_000_000_000)
    assert row.headers == (("content-type", b"application/json"), ("source", f"{FACTS}/3/17".encode()), ("traceparent", TRACE))


def test_a_record_too_large_to_be_wrapped_is_named_by_its_hash() -> None:
    value = b"x" * (MAX_MESSAGE_BYTES - 1_000)
    row = quarantined(FACTS, record(b"k", value), service="rating", reason="no JSON")
    body = json.loads(row.value)
    assert row.size() < MAX_MESSAGE_BYTES
    assert (body["value"], body["value_bytes"], body["value_sha256"]) == (None, len(value), hashlib.sha256(value).hexdigest())
