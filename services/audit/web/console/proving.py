"""From a record's signature to the cosigned checkpoint, link by link, each as this service has just worked it out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.canonical import event_hash
from schemas.envelope import NotAnEnvelope, open_record
from services._bus.problems import Problem
from services.audit.proving import whole_record
from services.audit.web.console.base import Desk


@dataclass(frozen=True)
class Chain:
    """``signature``: its key's id, None where nobody signed; ``holds``: a key that the registry had then made it. ``event_hash``: what a
    receipt names. ``leaf``: index and hash, ``size``, ``root``: of the checkpoint. ``cosigned``: names of the witnesses."""

    source: str
    signature: str | None
    holds: bool
    signed_at: str
    received_at: str | None
    channel: str | None
    event_hash: str
    leaf: int
    leaf_hash: str
    hashes: int
    size: int
    root: str
    cosigned: tuple[str, ...]
    needed: int
    witnesses: int


async def chain(desk: Desk, record: Mapping[str, Any]) -> Chain | None:
    """Of the record at ``topic``, ``partition``, ``offset``; None while no checkpoint covers it, or where it is no event."""
    try:
        leaf = await desk.leaves.at(record["topic"], record["partition"], record["offset"])
    except Problem:
        return None
    whole = await asyncio.to_thread(whole_record, leaf, desk.read_file)
    try:
        one = open_record(whole.value) if whole is not None else None
    except NotAnEnvelope:
        one = None
    if one is None:
        return None
    said = one.signature if isinstance(one.signature, dict) else {}
    witnesses = desk.log()["witnesses"]
    return Chain(
        source=one.event["source"],
        signature=said.get("key_id"),
        holds=bool(said) and desk.registry().keys.signed(one),
        signed_at=one.event["time"],
        received_at=one.entry.get("received_at"),
        channel=one.entry.get("channel"),
        event_hash=event_hash(one.event),
        leaf=leaf.index,
        leaf_hash=leaf.hash.hex(),
        hashes=len(leaf.proof.path),
        size=leaf.size,
        root=leaf.root.hex(),
        cosigned=tuple(each["key_name"] for each in witnesses["witnesses"] if each["cosigned"]),
        needed=witnesses["needed"],
        witnesses=witnesses["counted"],
    )
