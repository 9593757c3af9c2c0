"""The envelope: what a client posts, what stands on Kafka, and how both are read.

Two readers on purpose: ``check_event`` validates everything and is intake's; ``open_record`` trusts what is already
on a topic, decodes it quickly and refuses only what is not an envelope at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas import fields as f
from schemas.canonical import trusted_canonical_bytes
from schemas.events import CATALOGUE
from schemas.events.base import Data, EventType
from schemas.fields import Frozen
from schemas.receipts import SignatureObject

Channel = Literal["field", "desk", "feed", "migration"]
EVENT_KEYS = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data")


class Event(Frozen):
    """CloudEvents 1.0 with exactly these keys. ``time`` is when the device signed it, as the device claims."""

    specversion: Literal["1.0"]
    id: f.EventId
    source: f.Office
    type: Annotated[str, StringConstraints(pattern=r"^mingjian\.[a-z0-9_.]{3,80}\.v[0-9]{1,3}$")]
    subject: f.AnySubject
    time: f.Instant
    datacontenttype: Literal["application/json"]
    data: dict[str, Any]


class PrivateValue(Frozen):
    """A value and its salt (16 bytes, base64url without padding), beside the event, for the vault only."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    salt: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]


class Submission(Frozen):
    """What a client posts."""

    event: Event
    signature: SignatureObject
    private: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")], PrivateValue] | None = None


class Entry(Frozen):
    """What intake adds beside the event, never inside it. ``marks``: what doesn't add up in an event and was taken all the same,
    absent where there is nothing. From an officer's desk or field all but ``officer-unknown`` would have been refused."""

    received_at: f.Instant
    channel: Channel
    batch: Annotated[str, StringConstraints(max_length=80)] | None = None
    registry_offset: Annotated[int, Field(ge=-1)]
    marks: Annotated[tuple[f.DashedWord, ...], Field(min_length=1, max_length=10)] | None = None


def check_data(event_type: EventType, data: dict[str, Any], subject: str | None = None) -> Data:
    """Validate ``data`` by its type's model and, where ``subject`` is given, that the two don't contradict each other.

    Raises ``pydantic.ValidationError`` with locations under ``data``; a contradiction has the type ``subject-mismatch``."""
    model = event_type.model.model_validate_json(orjson.dumps(data))
    if subject is not None and (why := model.contradicts(subject)):
        error = PydanticCustomError("subject-mismatch", "{why}", {"why": why})
        raise ValidationError.from_exception_data(event_type.type, [InitErrorDetails(type=error, loc=(), input=None)])
    return model


def lookup(type_name: str) -> EventType | None:
    """The catalogue's row, or None for a type we don't know."""
    return CATALOGUE.get(type_name)


def envelope_bytes(event: dict[str, Any], signature: dict[str, Any], entry: dict[str, Any]) -> bytes:
    """The Kafka value of a signed fact: canonical JSON."""
    return trusted_canonical_bytes({"event": event, "signature": signature, "entry": entry})


def derived_bytes(event: dict[str, Any]) -> bytes:
    """The Kafka value of a derived event."""
    return trusted_canonical_bytes({"event": event})


def derived_event(*, id: str, service: str, type: str, subject: str, time: str, data: dict[str, Any]) -> dict[str, Any]:
    """A derived CloudEvent with the contract's keys. ``time`` is the causing record's, so the bytes hold no clock."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": f"/services/{service}",
        "type": type,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }


class NotAnEnvelope(ValueError):
    """The record's value is not one of our envelopes; it belongs into quarantine."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A decoded record: ``event`` and, for signed facts, ``signature`` and ``entry`` (else empty)."""

    event: dict[str, Any]
    signature: dict[str, Any]
    entry: dict[str, Any]


def open_record(value: bytes | None) -> Opened:
    """Decode a value from one of our topics. Raises ``NotAnEnvelope``."""
    if value is None:
        raise NotAnEnvelope("the record has no value")
    try:
        outer = orjson.loads(value)
        event = outer["event"]
        for key in ("id", "type", "subject", "time", "source"):
            if type(event[key]) is not str:
                raise NotAnEnvelope(f"event.{key} is not a string")
        if type(event["data"]) is not dict:
            raise NotAnEnvelope("event.data is not an object")
        beside = [outer.get(name) or {} for name in ("signature", "entry")]
        if any(type(one) is not dict for one in beside):
            raise NotAnEnvelope("signature or entry is not an object")
        return Opened(event, *beside)
    except orjson.JSONDecodeError as error:
        raise NotAnEnvelope(f"not JSON: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise NotAnEnvelope(f"not an envelope: {error!r}") from None
