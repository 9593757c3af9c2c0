"""Authority by role and jurisdiction: one grant of the signer must cover role, office, scheme and regime together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.ids import scheme_of
from services.intake.domain.faults import Fault, Refused, fault
from services.intake.domain.hearings import said_by_heard, speaking_fault
from services.intake.domain.jurisdiction import GRANTED, Grant, beyond
from services.intake.domain.reading import Read
from services.intake.domain.registry import Key, Registry

CHANNELS = ("field", "desk", "feed", "migration")
# By these ways come other systems' data and old files: what doesn't add up there is evidence, not a slip to be sent back.
TAKEN_AS_THEY_ARE = frozenset({"feed", "migration"})
_OWN_ENTRIES = frozenset({"mingjian.entry.corrected.v1", "mingjian.entry.retracted.v1"})
_OWN_ACTS = frozenset({"mingjian.act.annulled.v1", "mingjian.act.changed.v1"})


def channel_of(key: Key, asked: str | None) -> str:
    """The channel of an entry: the one asked for, or the key's first. Raises ``Refused``."""
    if asked is not None and asked not in CHANNELS:
        raise Refused(fault("channel-unknown"))
    if not key.channels or (asked is not None and asked not in key.channels):
        raise Refused(fault("channel-not-allowed", value=asked, channels=", ".join(key.channels)))
    return asked or key.channels[0]


def authority_fault(read: Read, holder: str, registry: Registry) -> Fault | None:
    """None when a grant of ``holder`` covers the event and reaches what it says; else what the grants that come nearest lack."""
    if said_by_heard(read.event):
        # Who is heard may speak, whatever roles they have by now.
        return speaking_fault(read.event, holder, registry)
    event, grants = read.event, registry.grants(holder)
    return _uncovered(read, grants) or _of_another_office(event) or _overreaching(event, grants, registry)


def _of_another_office(event: dict[str, Any]) -> Fault | None:
    """An office takes back and mends what it entered itself, and undoes of its own motion what it decided itself. What a court, the
    authority above or whoever decides an objection does to others' entries is for them to say."""
    data = event["data"]
    if event["type"] in _OWN_ENTRIES:
        named, field = data["entry"], "entry"
    elif event["type"] in _OWN_ACTS and data["ground"] == "own_motion":
        named, field = data["act"], "act"
    else:
        return None
    return fault("entry-of-another-office", field=f"/event/data/{field}/source") if named["source"] != event["source"] else None


def _overreaching(event: dict[str, Any], grants: Sequence[Grant], registry: Registry) -> Fault | None:
    found = beyond(event, grants, root=registry.office, offices=registry.offices(event["subject"]))
    return fault(found.code, field=found.field) if found else None


def _uncovered(read: Read, grants: Sequence[Grant]) -> Fault | None:
    event, roles = read.event, read.event_type.roles
    left = [one for one in grants if one.role in roles]
    if not left:
        return fault("role-missing", field="/event/type", value=event["type"], roles=", ".join(roles))
    left = [one for one in left if one.office == event["source"]]
    if not left:
        return fault("office-not-granted", field="/event/source", value=event["source"])
    left = [one for one in left if one.schemes is None or scheme_of(event["subject"]) in one.schemes]
    if not left:
        return fault("scheme-not-granted", field="/event/subject", value=event["subject"])
    if not any(_covers(one, event) for one in left):
        return fault("regime-not-granted", field="/event/data/regimes" if "regimes" in event["data"] else "/event/data/regime")
    return None


def _covers(grant: Grant, event: dict[str, Any]) -> bool:
    """True when the grant holds for every regime that the event names."""
    if not grant.regimes:
        return True
    named: set[str] = set()
    for data in (event["data"], (event["data"].get("replacement") or {}).get("data") or {}):
        named |= {data["regime"]} if data.get("regime") else set()
        named |= set(data.get("regimes") or ())
    # Which regimes may be granted is the jurisdiction's question.
    return event["type"] == GRANTED or named <= grant.regimes
