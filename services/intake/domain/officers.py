"""Events about officers, keys and roles must fit what the registry says already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.intake.domain.faults import Fault, fault
from services.intake.domain.registry import Registry

_NEED_ENROLMENT = frozenset({"mingjian.key.registered.v1", "mingjian.role.granted.v1"})


def officers_fault(event: Mapping[str, Any], registry: Registry) -> Fault | None:
    """None where the event can be folded with effect."""
    kind, holder, data = event["type"], event["subject"], event["data"]
    if kind in _NEED_ENROLMENT and not registry.enrolled(holder):
        return fault("officer-not-enrolled", field="/event/subject", value=holder)
    if kind == "mingjian.officer.left.v1" and data["office"] not in registry.offices(holder):
        return fault("officer-not-enrolled", field="/event/data/office", value=data["office"])
    if kind == "mingjian.key.registered.v1":
        known = registry.key(data["key"]["key_id"])
        if known is not None and known.holder != holder:
            return fault("key-taken", field="/event/data/key/key_id", value=known.key_id)
        if known is not None and known.revoked_at is not None:
            return fault("key-not-again", field="/event/data/key/key_id", value=known.key_id)
    if kind == "mingjian.key.revoked.v1":
        known = registry.key(data["key_id"])
        if known is None or known.holder != holder:
            return fault("key-not-of-subject", field="/event/data/key_id", value=data["key_id"])
    if kind == "mingjian.role.withdrawn.v1":
        held = {(one.role, one.office) for one in registry.grants(holder)}
        if (data["role"], data["office"]) not in held:
            return fault("role-not-held", field="/event/data/role", value=data["role"])
    return None
