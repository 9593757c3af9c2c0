"""What publication needs from the registry: is this a sample, which time zone, which rulebooks are in force, who may sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.canonical import sha256_hex, trusted_canonical_bytes
from schemas.envelope import NotAnEnvelope
from services.publication.domain.disclosure import public_data
from services.publication.domain.rows import Seen

GENESIS = "mingjian.genesis.v1"
GO_LIVE = "mingjian.go_live.declared.v1"
RULEBOOK = "mingjian.rulebook.activated.v1"
KEY = "mingjian.key.registered.v1"
ROLE = "mingjian.role.granted.v1"
# Everything else in the registry is about officers and keys, which no page of publication shows.
KEPT = (GENESIS, GO_LIVE, RULEBOOK)
KEPT_ON_SAMPLES = (KEY, ROLE)


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack as genesis made it."""

    sample: bool
    clock_mode: str
    time_zone: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RegistryRow:
    """A kept registry event: ``subject`` is the regime, or on sample stacks the officer."""

    offset: int
    type: str
    event_id: str
    subject: str
    known_ms: int
    data: dict[str, Any]


def stack(seen: Seen) -> Stack:
    """Genesis, the first record. Raises ``NotAnEnvelope`` where the registry begins with something else."""
    event = seen.opened.event
    data = public_data(GENESIS, event["data"])
    if event["type"] != GENESIS or type(data.get("sample")) is not bool or type(data.get("time_zone")) is not str:
        raise NotAnEnvelope("the registry doesn't begin with genesis")
    fingerprint = sha256_hex(trusted_canonical_bytes(event))
    return Stack(data["sample"], str(data.get("clock_mode")), data["time_zone"], fingerprint)


def registry_row(seen: Seen, *, sample: bool) -> RegistryRow | None:
    """The row a registry record leaves, or ``None``."""
    event = seen.opened.event
    if event["type"] not in KEPT and not (sample and event["type"] in KEPT_ON_SAMPLES):
        return None
    data = public_data(event["type"], event["data"])
    return RegistryRow(seen.offset, event["type"], event["id"], event["subject"], seen.known_ms, data)
