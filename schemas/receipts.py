"""Receipts and refusals: what intake signs, and how anyone checks it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from schemas.canonical import canonical_bytes
from schemas.keys import SigningKey, unb64, verify

RECEIPT_TYPE = "mingjian.receipt.v1"
REFUSAL_TYPE = "mingjian.refusal.v1"


class SignatureObject(BaseModel):
    """``value`` is base64url without padding, 64 bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    key_id: str
    alg: Literal["Ed25519", "ES256"]
    value: str


class Receipt(BaseModel):
    """Proof that the first copy of an event stands at (topic, partition, offset). Times UTC, milliseconds, ``Z``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    type: Literal["mingjian.receipt.v1"] = RECEIPT_TYPE
    source: str
    id: str
    event_hash: str
    topic: str
    partition: int
    offset: int
    received_at: str
    known_from: str


class Refusal(BaseModel):
    """Proof that an officer tried: what was sent (by hash), when, and why it was refused. Carries no payload."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    type: Literal["mingjian.refusal.v1"] = REFUSAL_TYPE
    source: str
    id: str
    event_hash: str
    key_id: str
    received_at: str
    reason: str
    detail_en: str
    detail_zh: str


def sign_receipt(receipt: Receipt, key: SigningKey) -> dict[str, Any]:
    """``{"receipt", "signature"}``; with an Ed25519 key the same receipt always gives the same bytes."""
    body = receipt.model_dump()
    return {"receipt": body, "signature": key.signature(body)}


def sign_refusal(refusal: Refusal, key: SigningKey) -> dict[str, Any]:
    """``{"refusal", "signature"}``."""
    body = refusal.model_dump()
    return {"refusal": body, "signature": key.signature(body)}


def verify_signed(signed: dict[str, Any], part: str, alg: str, raw_public: bytes) -> bool:
    """True when ``signed[part]`` carries a signature by the given key. ``part``: ``event``, ``receipt`` or ``refusal``."""
    try:
        value = unb64(signed["signature"]["value"])
    except (KeyError, TypeError, ValueError):
        return False
    return signed["signature"].get("alg") == alg and verify(alg, raw_public, canonical_bytes(signed[part]), value)
