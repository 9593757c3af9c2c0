"""Reading request bodies within limits, and what stands in them besides the events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request

from schemas import fields
from schemas.times import milliseconds
from services.intake.domain.faults import Refused, fault, personal_fault
from services.intake.domain.personal import find
from services.intake.domain.reading import canonical

SINGLE_BYTES = 262_144
BATCH_BYTES = 16 * 1024 * 1024
MOST = 1_000
_BATCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,79}")
_JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json", re.I)


@dataclass(frozen=True)
class Batch:
    """The members of a batch's body. ``asked``: simulated instants, ``channels``: ways in; one for each event or none at all."""

    events: list[Any]
    name: str | None
    asked: list[str | None]
    channels: list[str | None]


async def read_limited(request: Request, most: int) -> bytes:
    """The body. Raises ``Refused`` when it is no JSON by its content type, or longer than ``most`` bytes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if not _JSON.fullmatch(kind):
        raise Refused(fault("content-type", value=kind or None))
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced) > most:
        raise Refused(fault("body-too-large", value=int(announced), most=most))
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Refused(fault("body-too-large", value=size, most=most))
        parts.append(part)
    return b"".join(parts)


def batch_of(value: Any) -> Batch:
    """``{"events": [1 to 1,000 submissions], "batch"?: name, "channels"?: [texts or nulls], "simulated_at"?: [instants]}``, or the
    array alone. Raises ``Refused``. Whether the events themselves have a canonical form is not looked at: each has its own answer."""
    if isinstance(value, list):
        value = {"events": value}
    for name, part in value.items() if isinstance(value, dict) else (("", value),):
        if name != "events" or not isinstance(part, list):
            canonical({name: None})
            canonical(part, name and f"/{name}")
    if not isinstance(value, dict) or not isinstance(value.get("events"), list):
        raise Refused(fault("batch-shape", field="/events"))
    events = value["events"]
    if unknown := sorted(value.keys() - {"events", "batch", "channels", "simulated_at"}):
        raise Refused(fault("batch-shape", field=f"/{unknown[0]}"))
    if not 1 <= len(events) <= MOST:
        raise Refused(fault("batch-size", field="/events", value=len(events), most=MOST))
    name = value.get("batch")
    if name is not None and not (isinstance(name, str) and _BATCH_NAME.fullmatch(name)):
        raise Refused(fault("batch-name", field="/batch"))
    # It stands in every entry of the batch, for ever.
    if name is not None and (kind := find(name, date.max)):
        raise Refused(personal_fault("/batch", kind))
    channels = value.get("channels")
    if channels is None:
        channels = [None] * len(events)
    if not isinstance(channels, list) or len(channels) != len(events) or not all(isinstance(one, str | None) for one in channels):
        raise Refused(fault("batch-channels", field="/channels"))
    asked = value.get("simulated_at")
    if asked is None:
        return Batch(events, name, [None] * len(events), channels)
    if not isinstance(asked, list) or len(asked) != len(events):
        raise Refused(fault("simulated-at", field="/simulated_at"))
    return Batch(events, name, asked, channels)


def instants(asked: Sequence[str | None], *, simulated: bool, where: str) -> list[int | None]:
    """Simulated instants as epoch milliseconds. Raises ``Refused`` on a wall stack, or where one is no instant."""
    found: list[int | None] = []
    for one in asked:
        if one is None:
            found.append(None)
            continue
        if not simulated:
            raise Refused(fault("clock-is-real", field=where))
        try:
            found.append(milliseconds(fields._instant(one)))
        except (ValueError, TypeError):
            raise Refused(fault("simulated-at", field=where, value=str(one)[:40])) from None
    return found
