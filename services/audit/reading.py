"""A record with its envelope, as the detectors see it."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.envelope import NotAnEnvelope, Opened, open_record
from schemas.times import milliseconds
from services.audit.domain.frame import Record

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NUL = "\x00"


@dataclass(frozen=True, slots=True)
class Read:
    """A record with its envelope. ``first``: no copy of it stands before it in its partition; ``changed``: one with other bytes does.

    ``known``: latest record time of the partition up to it, epoch ms."""

    record: Record
    one: Opened
    first: bool
    changed: bool
    known: int = 0


def opened(record: Record) -> Opened | None:
    """The record's envelope; None for what is no envelope: it is a leaf all the same, and quarantine is its readers' task."""
    try:
        one = open_record(record.value)
    except NotAnEnvelope:
        return None
    # No name of ours holds one, and PostgreSQL takes none.
    return None if any(_NUL in one.event[name] for name in ("id", "type", "subject", "source")) else one


def name_of(source: str, id: str) -> bytes:
    """16 bytes that every copy of an event shares: ids are unique per source."""
    return hashlib.sha256(f"{source}\n{id}".encode("utf-8", "surrogatepass")).digest()[:16]


def names_of(first: int, records: Iterable[Record]) -> list[tuple[bytes, int]]:
    """The names of those records that are events, each with its leaf; the first record is leaf ``first``."""
    return [(name_of(one.event["source"], one.event["id"]), leaf) for leaf, record in enumerate(records, first) if (one := opened(record))]


def traceparent_of(record: Record) -> str | None:
    """The record's trace header, where it has a readable one."""
    for name, value in record.headers:
        if name == "traceparent" and value is not None and _TRACEPARENT.fullmatch(value):
            return value.decode()
    return None


def uuid_of(one: Opened) -> str | None:
    """The event's id where it is one."""
    try:
        return str(uuid.UUID(one.event["id"]))
    except ValueError:
        return None


def received_ms(one: Opened) -> int | None:
    """When intake took it, in ms; None where the record does not say."""
    try:
        return milliseconds(one.entry["received_at"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def stamp_of(one: Opened) -> int:
    """``entry.registry_offset``; −1 where there is none that is a number."""
    offset = one.entry.get("registry_offset")
    return offset if type(offset) is int else -1
