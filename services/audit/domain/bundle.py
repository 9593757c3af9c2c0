"""What of a bundle follows from the log's registry: genesis, keys and calendars as files, and which editions of rulebooks it needs.

Written by ``export`` and worked out again by ``verify``: a file that differs from what the leaves say is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.canonical import event_hash, trusted_canonical_bytes
from schemas.envelope import NotAnEnvelope, Opened, open_record
from services.audit.domain.keys import GENESIS

GENESIS_FILE, LOG_KEY, RECEIPT_KEY = "genesis.json", "keys/log.vkey", "keys/receipts.json"
WITNESSES, README, RULEBOOKS = "witnesses", "README.md", "rulebooks"
_CALENDAR, _ACTIVATED = "mingjian.calendar.issued.v1", "mingjian.rulebook.activated.v1"
# What a folder's name takes of a digest, as below ``rulebooks/<regime>/editions``.
_DIGITS = 12
# What the contract allows: nothing that could name another folder.
_EDITION = re.compile(r"[a-z][a-z0-9_-]{0,60} [0-9]{4}\.[0-9]{1,3} [0-9a-f]{64}")
_CALENDAR_NAME = re.compile(r"[A-Z]{2}-[0-9]{4}")

Registry = Mapping[int, bytes | None]
"""The registry's values by offset; None: unreadable."""


class NoGenesis(LookupError):
    """The registry does not begin with a genesis event."""


@dataclass(frozen=True, slots=True)
class Activated:
    """An edition that the registry put in force; ``offset``: where it said so first."""

    regime: str
    version: str
    sha256: str
    offset: int

    @property
    def folder(self) -> str:
        """Where its files lie in the bundle."""
        return f"{RULEBOOKS}/{self.regime}/{self.version}-{self.sha256[:_DIGITS]}"


def genesis_in(registry: Registry) -> Opened:
    """Registry offset 0. Raises ``NoGenesis``."""
    try:
        one = open_record(registry.get(0))
    except NotAnEnvelope as error:
        raise NoGenesis(f"the registry's first record is no event: {error}") from None
    if one.event["type"] != GENESIS:
        raise NoGenesis(f"the registry's first record is a {one.event['type']}")
    return one


def fingerprint(genesis: Mapping[str, Any]) -> str:
    """What outsiders pin: the genesis event's hash, in hex."""
    return event_hash(dict(genesis))


def is_sample(genesis: Mapping[str, Any]) -> bool:
    """Whether all of it is made up, as the register says for ever."""
    return bool(genesis["data"].get("sample"))


def files_of(registry: Registry) -> dict[str, bytes]:
    """Path → bytes of what the leaves say. Raises ``NoGenesis``, ``KeyError`` for a genesis without keys."""
    genesis = genesis_in(registry)
    data = genesis.event["data"]
    found = {
        GENESIS_FILE: trusted_canonical_bytes({"event": genesis.event, "signature": genesis.signature}) + b"\n",
        LOG_KEY: f"{data['log_vkey']}\n".encode(),
        RECEIPT_KEY: trusted_canonical_bytes(data["receipt_key"]) + b"\n",
    }
    for offset, one in _firsts(registry, _CALENDAR):
        name = "{country}-{year}".format_map({"country": None, "year": None} | one.event["data"])
        if _CALENDAR_NAME.fullmatch(name):
            found[f"calendars/{offset:06d}-{name}.json"] = registry[offset] or b""
    return found


def activated(registry: Registry) -> list[Activated]:
    """Every edition that was activated, once, regime by regime; of each regime the one activated last comes first."""
    found: dict[tuple[str, str], Activated] = {}
    last: dict[tuple[str, str], tuple[str, int]] = {}
    for offset, one in _firsts(registry, _ACTIVATED):
        data = one.event["data"]
        regime, version, sha256 = (str(data.get(name)) for name in ("regime", "version", "sha256"))
        if not _EDITION.fullmatch(f"{regime} {version} {sha256}"):
            # Nobody can hold it, and live rating keeps such a record in quarantine.
            continue
        found.setdefault((regime, sha256), Activated(regime, version, sha256, offset))
        last[regime, sha256] = max(last.get((regime, sha256), ("", 0)), (str(data.get("in_force_from")), offset))
    newest_first = sorted(found, key=last.__getitem__, reverse=True)
    return [found[key] for key in sorted(newest_first, key=lambda one: one[0])]


def _firsts(registry: Registry, kind: str) -> Iterator[tuple[int, Opened]]:
    """The registry's events of a type that have data, the first copy of each."""
    seen = set()
    for offset, value in sorted(registry.items()):
        try:
            one = open_record(value)
        except NotAnEnvelope:
            continue
        name = one.event["source"], one.event["id"]
        if one.event["type"] == kind and name not in seen:
            seen.add(name)
            yield offset, one
