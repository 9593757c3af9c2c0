"""What goes through the desk: the request round the events, each event on its way, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.keys import SigningKey
from services.intake.domain.faults import Fault
from services.intake.domain.judging import Denied
from services.intake.ports import FirstCopy, Kept, Name, Row


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one event. ``status`` 201 has ``receipt``, 202 only ``name``, others ``fault`` and, where the signature was
    good, ``refusal``; ``retry_after`` in seconds; ``again``: the event was here before."""

    status: int
    receipt: dict[str, Any] | None = None
    fault: Fault | None = None
    refusal: bytes | None = None
    name: Name | None = None
    retry_after: int | None = None
    again: bool = False


@dataclass(slots=True)
class Ticket:
    """An event on its way: stored, then read back."""

    row: Row
    kept: asyncio.Future[Kept]
    copy: asyncio.Future[FirstCopy]
    key_id: str


@dataclass(frozen=True, slots=True)
class Turned:
    """An event that will be refused, with what its refusal is made of."""

    denied: Denied
    received_ms: int


@dataclass(frozen=True)
class Request:
    """What comes with the events of one request: the channel asked for, the batch's name, the trace they belong to.

    ``channels``: one for each event, None where the request's holds; empty where it holds for all."""

    channel: str | None = None
    batch: str | None = None
    traceparent: str | None = None
    channels: Sequence[str | None] = ()

    def channel_of(self, number: int) -> str | None:
        """The channel asked for the event at this place."""
        return (self.channels[number] if self.channels else None) or self.channel


@dataclass(frozen=True)
class Keys:
    """Intake's own keys: for receipts and refusals, and for what the system itself says."""

    receipt: SigningKey
    system: SigningKey
