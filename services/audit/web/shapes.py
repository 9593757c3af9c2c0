"""Shapes of the answers, for the OpenAPI page."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class PartitionState(BaseModel):
    """``next_offset``: the first record that is no leaf yet; ``lag``: records behind it, null while unknown."""

    topic: str
    partition: int
    next_offset: int
    lag: int | None


class WitnessStanding(BaseModel):
    """A witness of the policy. ``cosigned``: its line stands under the published checkpoint; ``standing``: how it answered last
    (``cosigned``, ``away``, ``behind``, ``refused``, ``conflict``, ``unasked``); ``since``: seconds since 1970; ``size``: leaves it
    said it has."""

    name: str
    key_name: str
    url: str | None
    cosigned: bool
    standing: str
    reason: str
    since: float | None
    size: int | None


class Cosigning(BaseModel):
    """``needed`` of ``counted`` witnesses; ``missing``: what happens below that (``publish``, ``wait``); ``reached``: by the published
    checkpoint."""

    needed: int
    counted: int
    missing: str
    reached: bool
    witnesses: list[WitnessStanding]


class GradesRun(BaseModel):
    """A run that worked every grade out again, after the close of ``day``.

    ``events``: that the facts lead to; ``compared``: records that stand; ``found``: differences that no run before it had; ``pending``: not
    due yet; ``reworded``: told otherwise by an earlier version or edition; ``untold``: subjects that can't be worked out; ``unjudged``:
    ``<regime>/<partition>`` whose edition does not lie here."""

    registry_offset: int
    day: str
    ended_at: str
    seconds: float
    digest: str
    facts: int
    events: int
    compared: int
    differences: int
    copies_missing: int
    found: int
    pending: int
    reworded: int
    untold: int
    unjudged: list[str]


class GradesRunning(BaseModel):
    """The run that takes place now: records worked off of so many."""

    day: str
    done: int
    of: int


class GradesState(BaseModel):
    """``due``: the newest closed day, where its run is not on record; ``failed``: why the last attempt came to nothing."""

    last: GradesRun | None
    running: GradesRunning | None
    due: str | None
    failed: str | None


class LogState(BaseModel):
    """The log as published (``size``, ``root``) and as integrated; lags are numbers of records."""

    phase: str
    origin: str
    vkey: str
    size: int
    root: str | None
    checkpoint_age_seconds: float | None
    integrated: int
    lag: int | None
    witnesses: Cosigning
    grades: GradesState
    detectors_phase: str
    detectors_lag: int | None
    unreadable_registry_offsets: list[int]
    partitions: list[PartitionState]


class LeafState(BaseModel):
    """A record's leaf: hex hashes; ``path`` leads from ``leaf_hash`` to ``root`` of the tree of ``size`` leaves (RFC 9162 §2.1.3)."""

    index: int
    topic: str
    partition: int
    offset: int
    leaf_hash: str
    size: int
    root: str
    path: list[str]
    proof: str


class EventProof(LeafState):
    """The proof of an event's first copy. ``file``: the same as a C2SP tlog-proof."""

    status: str
    source: str
    id: str
    file: str


class PendingProof(BaseModel):
    """The event is on its way into the log, or may be."""

    status: str
    source: str
    id: str


class PrefixProof(BaseModel):
    """Hex hashes; ``path`` shows the tree of ``first`` leaves to be a prefix of that of ``second`` (RFC 9162 §2.1.4).

    ``checkpoint``: the latest one, signed, of which both are prefixes."""

    first: int
    second: int
    first_root: str
    second_root: str
    path: list[str]
    checkpoint: str


class DeclaredOutage(BaseModel):
    """``office`` null: of the whole stack."""

    started: str
    ended: str
    office: str | None


class FindingItem(BaseModel):
    """A finding's event, with the subject and regime of the entry it is about.

    ``outages``: those on record now that touch a late entry's term, also those declared after the entry: for people to weigh.
    ``cleared``: a hearing cleared its matter, so it holds nothing against anybody."""

    subject: str | None
    regime: str | None
    superseded: bool
    outages: list[DeclaredOutage]
    cleared: bool
    event: dict[str, Any]


class FindingPage(BaseModel):
    """A page; ``next`` is null on the last one."""

    findings: list[FindingItem]
    next: str | None
