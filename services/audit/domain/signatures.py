"""Who signed what the log holds: every record of facts and registry, each by a key that the registry had when it was taken.

What is shown when no fault is found
1. Registry offset 0 is the pinned genesis event, signed by the registrar's key that it names.
2. Every other record of the registry and every fact carries the signature of a key that the registry had at the record's own
   ``entry.registry_offset`` and had not revoked; of a registration's copies the first one counts.

Bytes in, faults out. Derived topics carry no signature: anyone can work them out again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import NotAnEnvelope, Opened, open_record
from schemas.keys import UnusableKey, unb64, verify
from schemas.topics import FACTS, REGISTRY
from services.audit.domain.frame import FrameError, Record, Stub, decode
from services.audit.domain.keys import GENESIS, TYPES, Keys
from services.audit.domain.verify import Fault, ReadFile, whole_of

SIGNED = frozenset({FACTS, REGISTRY})
_CODE = "signature"


def genesis_of(value: bytes | None, log_vkey: str) -> dict[str, Any] | None:
    """The genesis event that registry offset 0 holds, where it names this log's key: what is pinned where nothing else was."""
    try:
        event = open_record(value).event
    except NotAnEnvelope:
        return None
    return event if event["type"] == GENESIS and event["data"].get("log_vkey") == log_vkey else None


def check_registry(records: Mapping[int, bytes | None], genesis: Mapping[str, Any]) -> tuple[Keys, list[Fault]]:
    """The registry's records by offset (None: unreadable) held against the pinned genesis; the keys that they lead to."""
    keys, faults, names = Keys(genesis), [], set[tuple[str, str]]()
    for offset, value in sorted(records.items()):
        try:
            one = open_record(value)
        except NotAnEnvelope as error:
            faults.append(_fault(REGISTRY, 0, offset, f"holds no signed event: {error}"))
            continue
        if offset == 0:
            if trusted_canonical_bytes(one.event) != trusted_canonical_bytes(genesis) or not _signed_by_itself(one):
                faults.append(_fault(REGISTRY, 0, 0, "is not the pinned genesis event, signed by the registrar's key that it names"))
        elif not keys.signed(one):
            faults.append(_fault(REGISTRY, 0, offset, "no key that the registry had signed it"))
        elif one.event["type"] in TYPES and (one.event["source"], one.event["id"]) not in names:
            try:
                keys.apply(offset, one.event)
            except (KeyError, TypeError, ValueError) as error:
                faults.append(_fault(REGISTRY, 0, offset, f"changes no key: {error}"))
        names.add((one.event["source"], one.event["id"]))
    return keys, faults


def _signed_by_itself(one: Opened) -> bool:
    try:
        key, value = one.event["data"]["registrar_key"], unb64(one.signature["value"])
        return verify(key["alg"], unb64(key["public_key"]), trusted_canonical_bytes(one.event), value)
    except (KeyError, TypeError, ValueError, UnusableKey):
        return False


def check_fact(entry: bytes, keys: Keys, read: ReadFile) -> Fault | bool:
    """Of a leaf that is a fact the fault, or True where a key signed it; False for a leaf of another topic."""
    try:
        found = decode(entry)
        if found.topic != FACTS:
            return False
        whole = whole_of(found, read) if isinstance(found, Stub) else found
    except FrameError:
        # The tree's check names it.
        return False
    try:
        signed = isinstance(whole, Record) and keys.signed(open_record(whole.value))
    except NotAnEnvelope as error:
        return _fault(found.topic, found.partition, found.offset, f"holds no signed event: {error}")
    return signed or _fault(found.topic, found.partition, found.offset, "no key that the registry had signed it")


def _fault(topic: str, partition: int, offset: int, what: str) -> Fault:
    return Fault(_CODE, f"{topic} {partition}:{offset}", what)
