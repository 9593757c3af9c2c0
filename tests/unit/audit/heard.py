"""Steps of hearings as records of a made-up registry, each signed by the key of whom it names; the keys come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests import hearing as h
from tests import toolkit as kit
from tests.unit.audit.bundled import REGISTRAR, event

FIRST = 900


def keys(first: int) -> Iterator[tuple[bytes, bytes]]:
    """(record key, value) of the registrations, from a registry offset on."""
    for number, person in enumerate(h.EVERYBODY):
        data = {"occurred_on": "2026-01-01", "key": person.key.public_object(), "channels": ["desk"]}
        said = event(FIRST + number, "key.registered", person.pseudonym, data)
        yield person.pseudonym.encode(), kit.record(kit.signed(said, REGISTRAR), offset=first + number - 1)


def steps(first: int, *events: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    """The same of steps, received on their own days."""
    for number, one in enumerate(events):
        submission, day = kit.signed(one, h.signer_of(one)), one["data"]["occurred_on"]
        yield one["subject"].encode(), kit.record(submission, received_at=f"{day}T04:00:00.000Z", offset=first + number - 1)
