"""Receipts and refusals: what intake signs, and how anyone checks it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas import fields as f
from schemas.canonical import canonical_bytes, trusted_canonical_bytes
from schemas.keys import SigningKey, unb64, verify

RECEIPT_TYPE = "mingjian.receipt.v1"
REFUSAL_TYPE = "mingjian.refusal.v1"


class SignatureObject(BaseModel):
    """``value`` is base64url without padding, 64 bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    key_id: f.KeyId
    alg: Literal["Ed25519", "ES256"]
    value: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{86}$")]


class Receipt(BaseModel):
    """Proof that the first copy of an event stands at (topic, partition, offset). Times UTC, milliseconds, ``Z``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    type: Literal["mingjian.receipt.v1"] = RECEIPT_TYPE
    source: str
    id: str
    event_hash: f.Sha256
    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    received_at: f.Instant
    known_from: f.Instant


class Refusal(BaseModel):
    """Proof that an officer tried: what was sent (by hash), when, and why it was refused. Carries no payload.

    ``source`` and ``id`` stand as they were sent where they are an office and an id, else '': the hash says which event it was."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    type: Literal["mingjian.refusal.v1"] = REFUSAL_TYPE
    source: str
    id: str
    event_hash: f.Sha256
    key_id: f.KeyId
    received_at: f.Instant
    reason: str
    detail_en: str
    detail_zh: str


def sign_receipt(receipt: Receipt, key: SigningKey) -> dict[str, Any]:
    """``{"receipt", "signature"}``; with an Ed25519 key the same receipt always gives the same bytes."""
    body = receipt.model_dump()
    return {"receipt": body, "signature": key.signature_over(trusted_canonical_bytes(body))}


def sign_refusal(refusal: Refusal, key: SigningKey) -> dict[str, Any]:
    """``{"refusal", "signature"}``."""
    body = refusal.model_dump()
    return {"refusal": body, "signature": key.signature(body)}


def verify_signed(signed: dict[str, Any], part: str, alg: str, raw_public: bytes) -> bool:
    """True when ``signed[part]`` carries a signature by the given key. ``part``: ``event``, ``receipt`` or ``refusal``.

    Whatever else ``signed`` or the key may be, the answer is False."""
    try:
        signature, message = signed["signature"], canonical_bytes(signed[part])
        return signature["alg"] == alg and verify(alg, raw_public, message, unb64(signature["value"]))
    except (KeyError, TypeError, ValueError):
        return False
