"""Opaque cursors of keyset pages: the last row's key, bound to the filters it was given out for."""

from __future__ import annotations

import base64
import hashlib
import json


class BadCursor(ValueError):
    """The text is no cursor of ours, or belongs to a page with other filters."""


def _mark(filters: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(filters, sort_keys=True).encode()).hexdigest()[:12]


def encode(key: list[str], filters: dict[str, str]) -> str:
    """``key`` is the sort key of the last row shown; the same filters must come back with the cursor."""
    raw = json.dumps([_mark(filters), *key], ensure_ascii=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str, filters: dict[str, str], length: int) -> list[str]:
    """The key in a cursor, ``length`` strings. Raises ``BadCursor``."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw.decode("ascii"))
    except (ValueError, RecursionError):
        raise BadCursor("not a cursor of this service") from None
    if not isinstance(found, list) or len(found) != length + 1 or not all(isinstance(part, str) for part in found):
        raise BadCursor("not a cursor of this service")
    if not all(_can_be_stored(part) for part in found):
        raise BadCursor("not a cursor of this service")
    if found[0] != _mark(filters):
        raise BadCursor("the cursor belongs to other filters; start again without it")
    return found[1:]


def _can_be_stored(part: str) -> bool:
    """Whether a database of UTF-8 texts could hold it: JSON can write half a character, which no key of ours has."""
    try:
        part.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in part and len(part) <= 400
