"""Whether a key signed an event that the registry names: the keys as of every offset, and the check.

Invariants
1. The keys follow from the pinned genesis event and the registry's records alone: the same prefix gives the same answers.
2. A key holds from the offset at which it was registered until the one at which it was revoked; a revoked key stays revoked,
   and a key never changes hands.
3. An event is judged by the keys as of its own ``entry.registry_offset``.

Whether the signer may say what was said (role, office, scheme) is intake's question; here it is whether anyone said it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import Opened
from schemas.keys import UnusableKey, key_id, unb64, verify

GENESIS = "mingjian.genesis.v1"
REGISTERED = "mingjian.key.registered.v1"
REVOKED = "mingjian.key.revoked.v1"
TYPES = frozenset({REGISTERED, REVOKED})
# The receipts' key signs no event.
_OF_GENESIS = ("registrar_key", "system_key")


@dataclass(frozen=True, slots=True)
class _Key:
    """``since``, ``until``: registry offsets; ``until`` None while it is not revoked."""

    alg: str
    raw: bytes
    holder: str
    since: int
    until: int | None = None


class Keys:
    """``genesis``: the pinned event. ``apply`` the registry's records in order, then ask as of any offset folded."""

    def __init__(self, genesis: Mapping[str, Any]) -> None:
        self._known: dict[str, _Key] = {}
        for name in _OF_GENESIS:
            if name in genesis["data"]:
                self._add(genesis["data"][name], name, 0)

    def _add(self, public: Mapping[str, Any], holder: str, offset: int) -> None:
        alg, raw = public["alg"], unb64(public["public_key"])
        name = key_id(alg, raw)
        if name != public["key_id"]:
            raise ValueError("the id is not that of the key")
        before = self._known.get(name)
        if before is None:
            self._known[name] = _Key(alg, raw, holder, offset)
        elif before.holder != holder or before.until is not None:
            raise ValueError("the key is another's, or was revoked")

    def apply(self, offset: int, event: Mapping[str, Any]) -> None:
        """Fold a record of one of ``TYPES``. Raises ``KeyError``, ``TypeError`` or ``ValueError`` where it changes nothing."""
        data, holder = event["data"], str(event["subject"])
        if event["type"] == REGISTERED:
            self._add(data["key"], holder, offset)
            return
        before = self._known[data["key_id"]]
        if before.holder != holder:
            raise ValueError("the key is another's")
        if before.until is None:
            self._known[data["key_id"]] = replace(before, until=offset)

    def holder(self, one: Opened) -> str:
        """Who has the key that signed, by pseudonym; of genesis' own keys their name there. Raises ``KeyError``."""
        return self._known[one.signature["key_id"]].holder

    def signed(self, one: Opened) -> bool:
        """True where a key that held at the event's registry offset signed the event."""
        return self._signed(one, held=True)

    def made(self, one: Opened) -> bool:
        """True where a key that was registered by then signed the event, revoked or not."""
        return self._signed(one, held=False)

    def _signed(self, one: Opened, *, held: bool) -> bool:
        stamp = one.entry.get("registry_offset")
        try:
            key = self._known[one.signature["key_id"]]
            if type(stamp) is not int or stamp < key.since or (held and key.until is not None and key.until <= stamp):
                return False
            return verify(key.alg, key.raw, trusted_canonical_bytes(one.event), unb64(one.signature["value"]))
        except (KeyError, TypeError, ValueError, UnusableKey):
            return False
