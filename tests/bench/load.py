"""Signed submissions, made before the clock starts: what is measured is the service, not the client's signatures. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import orjson

from schemas.canonical import canonical_bytes
from schemas.keys import SigningKey, b64

REGIME = "fhrs"
# A subject's rating follows from its first inspection, so each inspection of a new subject is one change on the stream.
COMPONENTS = ("hygiene", "structural", "confidence_in_management")
POINTS = (0, 5, 10)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission ready to be sent: ``body`` is the JSON that a client posts."""

    subject: str
    type: str
    id: str
    body: bytes


def uuid7(at_ms: int, rng: Random) -> str:
    """A version 7 UUID of this instant, its other bits from ``rng``."""
    value = (at_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return str(uuid.UUID(int=value))


@dataclass(frozen=True)
class Author:
    """Who signs, for which office, and the instant the events say they were signed at."""

    key: SigningKey
    source: str
    officer: str
    at_ms: int
    at: str
    day: date

    def sign(self, *, type: str, subject: str, data: dict[str, Any], rng: Random) -> Prepared:
        """A signed submission."""
        event = {
            "specversion": "1.0",
            "id": uuid7(self.at_ms, rng),
            "source": self.source,
            "type": f"mingjian.{type}.v1",
            "subject": subject,
            "time": self.at,
            "datacontenttype": "application/json",
            "data": data,
        }
        signature = {"key_id": self.key.key_id, "alg": self.key.alg, "value": b64(self.key.sign(canonical_bytes(event)))}
        return Prepared(subject, event["type"], event["id"], orjson.dumps({"event": event, "signature": signature}))


def premises(first: int, count: int) -> list[str]:
    """Subject ids, none of which another part of the bench uses."""
    return [f"fhrs:{number}" for number in range(first, first + count)]


def registrations(author: Author, subjects: list[str], rng: Random) -> Iterator[Prepared]:
    """One enterprise.registered for each subject."""
    for subject in subjects:
        data = {
            "occurred_on": author.day.isoformat(),
            "name": f"Bench premises {subject.partition(':')[2]}",
            "business_kind": "restaurant",
            "address": "1 Measured Mile",
            "postcode": "ZZ1 1ZZ",
            "district": "Benchmark",
            "regimes": [REGIME],
            "officers": [author.officer],
        }
        yield author.sign(type="enterprise.registered", subject=subject, data=data, rng=rng)


def inspections(author: Author, subjects: list[str], rng: Random) -> Iterator[Prepared]:
    """One scored inspection for each subject, about the size that officers' events have."""
    for subject in subjects:
        data = {
            "occurred_on": author.day.isoformat(),
            "kind": "routine",
            "mode": "on_site",
            "regime": REGIME,
            "component_scores": [{"component": name, "points": rng.choice(POINTS)} for name in COMPONENTS],
            "officers": [author.officer],
        }
        yield author.sign(type="inspection.recorded", subject=subject, data=data, rng=rng)


def batches(prepared: list[Prepared], size: int) -> list[bytes]:
    """Bodies for ``POST /api/v1/events:batch``, at most ``size`` submissions each."""
    chunks = (prepared[start : start + size] for start in range(0, len(prepared), size))
    return [b'{"events":[' + b",".join(one.body for one in chunk) + b"]}" for chunk in chunks]
