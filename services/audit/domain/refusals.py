"""Refusals in the log: each carries the signature of intake's receipt key, so that nobody else can say that an officer was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from schemas.keys import unb64
from schemas.receipts import verify_signed
from schemas.topics import REFUSALS
from services.audit.domain.contents import Leaf, Tell


class Refusals:
    """A ``Watcher``. ``genesis``: the pinned event, whose receipt key counts."""

    def __init__(self, genesis: Mapping[str, Any], fault: Tell) -> None:
        self._key, self._fault = genesis["data"].get("receipt_key") or {}, fault

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        if leaf.record.topic == REFUSALS and not self._signed(leaf.record.value):
            self._fault("refusal", leaf.where, "is no refusal that the receipt key of genesis signed")

    def _signed(self, value: bytes | None) -> bool:
        try:
            return verify_signed(orjson.loads(value or b""), "refusal", self._key["alg"], unb64(self._key["public_key"]))
        except (KeyError, TypeError, ValueError):
            return False

    def end(self) -> None:
        """See ``Watcher``."""
