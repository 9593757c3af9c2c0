"""Keys, officers and what was declared, read from the registry's records, each with the offset from which it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.audit.domain.keys import GENESIS, REGISTERED, REVOKED
from services.audit.domain.registry import ACTIVATED, GO_LIVE, OUTAGE
from services.audit.evidence.records import Held

ENROLLED, LEFT, GRANTED, WITHDRAWN = (
    f"mingjian.{name}.v1" for name in ("officer.enrolled", "officer.left", "role.granted", "role.withdrawn")
)
ASSIGNED, HANDED_OVER = "mingjian.entry.assigned.v1", "mingjian.entry.handed_over.v1"
CALENDAR = "mingjian.calendar.issued.v1"
_OF_GENESIS = ("registrar_key", "system_key", "receipt_key")


def _firsts(registry: Sequence[Held], *types: str) -> list[Held]:
    """First copies of these types, in order."""
    found = {}
    for one in registry:
        if one.event.get("type") in types:
            found.setdefault((one.event["source"], one.event["id"]), one)
    return list(found.values())


def keys(registry: Sequence[Held]) -> list[dict[str, Any]]:
    """Every key that was registered, and those of genesis: ``until`` is the registry's offset that revoked it, None while none did."""
    found: dict[str, dict[str, Any]] = {}
    for one in _firsts(registry, GENESIS, REGISTERED, REVOKED):
        data, offset = one.event["data"], one.record.offset
        if one.event["type"] == GENESIS:
            rows = [(name, data[name], None) for name in _OF_GENESIS if name in data]
        elif one.event["type"] == REGISTERED:
            rows = [(one.event["subject"], data["key"], data.get("channels"))]
        else:
            row = found.get(data["key_id"])
            if row is not None and row["until"] is None:
                row |= {"until": offset, "why": data.get("reason")}
            continue
        for holder, key, channels in rows:
            made = {"holder": holder, "key_id": key["key_id"], "alg": key["alg"], "public_key": key["public_key"]}
            found.setdefault(key["key_id"], made | {"channels": channels, "since": offset, "until": None})
    return list(found.values())


def officers(registry: Sequence[Held]) -> list[dict[str, Any]]:
    """Of each officer, under a pseudonym, what the registry says in its order: offices, roles, jurisdiction, assignments."""
    types = (ENROLLED, LEFT, GRANTED, WITHDRAWN, ASSIGNED, HANDED_OVER)
    found: dict[str, list[dict[str, Any]]] = {}
    for one in _firsts(registry, *types):
        row = {"offset": one.record.offset, "what": one.event["type"], "said": one.event["data"]}
        found.setdefault(one.event["subject"], []).append(row)
    return [{"officer": officer, "said": said} for officer, said in sorted(found.items())]


def state(registry: Sequence[Held]) -> list[dict[str, Any]]:
    """Rulebooks activated, go-lives, outages and calendars, each with the registry's offset: an entry knew those up to its own
    ``registry_offset``."""
    rows = []
    for one in _firsts(registry, ACTIVATED, GO_LIVE, OUTAGE, CALENDAR):
        said = one.event["data"]
        rows.append({"offset": one.record.offset, "what": one.event["type"], "about": one.event["subject"], "said": said})
    return rows
