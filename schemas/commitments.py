"""Commitments to personal data: the event holds HMAC-SHA-256 values, the vault the values, and the salt can be erased."""

from __future__ import annotations

import hashlib
import hmac

SALT_BYTES = 16


def commit(field: str, value: str, salt: bytes) -> str:
    """Hex HMAC-SHA-256 keyed with a 16-byte salt over UTF-8 of ``field`` + newline + ``value``.

    The field's name is inside, so a value can't be moved to another field."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return hmac.new(salt, f"{field}\n{value}".encode(), hashlib.sha256).hexdigest()


def matches(field: str, value: str, salt: bytes, commitment: str) -> bool:
    """Constant-time check of a value against its commitment."""
    return hmac.compare_digest(commit(field, value, salt), commitment)
