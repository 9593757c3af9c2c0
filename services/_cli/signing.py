"""Completing and signing an event: what the officer's device does, as plain functions of key, instant and chance."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from schemas.canonical import CanonicalError, check
from schemas.commitments import SALT_BYTES, commit
from schemas.keys import SigningKey, b64
from schemas.times import instant
from services._cli.errors import USAGE, CliError

_KEYS = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data")
_TODAY = re.compile(r"@today(?:([+-])([0-9]{1,3}))?")


def fill_dates(value: Any, today: date | None) -> Any:
    """``@today``, ``@today+14`` and ``@today-3`` in a draft become dates. Raises ``CliError`` where it isn't known which day it is."""
    if isinstance(value, Mapping):
        return {key: fill_dates(item, today) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_dates(item, today) for item in value]
    match = _TODAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    if today is None:
        raise CliError(f"{value}: which day it is depends on a stack, and this home holds none; write the date", USAGE)
    days = int(match[2] or 0)
    return (today + timedelta(days=-days if match[1] == "-" else days)).isoformat()


def uuid7(now_ms: int, chance: bytes) -> str:
    """A UUIDv7 from epoch milliseconds and 10 bytes of chance (RFC 9562)."""
    value = now_ms << 80 | int.from_bytes(chance, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def complete(draft: Mapping[str, Any], *, now_ms: int, source: str | None, chance: Callable[[int], bytes]) -> dict[str, Any]:
    """The event with id, time, source and the constant keys filled in where they were left out.

    ``draft``: a bare event. Raises ``CliError`` for a key that no event has, or one that only a person can give."""
    strange = [key for key in draft if key not in _KEYS]
    if strange:
        raise CliError(f"an event has no key {strange[0]!r}; its keys are {', '.join(_KEYS)}", USAGE)
    filled = {
        "specversion": "1.0",
        "id": uuid7(now_ms, chance(10)),
        "time": instant(now_ms),
        "datacontenttype": "application/json",
        **({"source": source} if source else {}),
        **draft,
    }
    missing = [key for key in _KEYS if key not in filled]
    if missing:
        raise CliError(f"the event lacks {missing[0]!r}", USAGE)
    return {key: filled[key] for key in _KEYS}


def hide(event: dict[str, Any], private: Mapping[str, Any], chance: Callable[[int], bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Commit to private values: the event gets the commitments, the second part the values and their salts."""
    beside: dict[str, Any] = {}
    commitments = dict(event["data"].get("commitments") or {})
    for field, value in private.items():
        if isinstance(value, Mapping):
            # Values that were committed before keep their salt.
            beside[field] = dict(value)
            continue
        if not isinstance(value, str) or not value:
            raise CliError(f"private.{field} must be a text", USAGE)
        salt = chance(SALT_BYTES)
        commitments[field] = commit(field, value, salt)
        beside[field] = {"value": value, "salt": b64(salt)}
    return {**event, "data": {**event["data"], "commitments": commitments}}, beside


def submission(event: dict[str, Any], key: SigningKey, private: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """``{"event", "signature", "private"?}``. Raises ``CliError`` where the event has no canonical form."""
    try:
        check(event)
    except CanonicalError as error:
        raise CliError(str(error), USAGE) from None
    made: dict[str, Any] = {"event": event, "signature": key.signature(event)}
    if private:
        made["private"] = dict(private)
    return made


def sign_draft(
    draft: Mapping[str, Any],
    *,
    key: SigningKey,
    now_ms: int,
    source: str | None,
    chance: Callable[[int], bytes],
    today: date | None = None,
) -> dict[str, Any]:
    """A draft as a person wrote it → a submission. ``draft``: a bare event, or ``{"event", "private"}``; ``private`` may
    also stand beside the event's own keys. ``today``: the civil date where the stack is, for drafts that say ``@today``."""
    if "event" in draft and isinstance(draft["event"], Mapping):
        bare, private = dict(draft["event"]), draft.get("private")
    else:
        bare = {name: value for name, value in draft.items() if name != "private"}
        private = draft.get("private")
    event = complete({name: fill_dates(value, today) for name, value in bare.items()}, now_ms=now_ms, source=source, chance=chance)
    if not isinstance(event["data"], dict):
        raise CliError("data must be an object", USAGE)
    if not private:
        return submission(event, key)
    event, beside = hide(event, private, chance)
    return submission(event, key, beside)
