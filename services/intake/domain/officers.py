"""Events about officers, keys and roles must fit what the registry says already; and so must whom an event names as having acted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.intake.domain.authority import TAKEN_AS_THEY_ARE
from services.intake.domain.faults import Fault, fault
from services.intake.domain.registry import Registry

OFFICER_UNKNOWN = "officer-unknown"
_OBSTRUCTION = "mingjian.obstruction.determined.v1"
_OWN_WORD = ("approved_by", "returned_by")
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


def people_fault(event: Mapping[str, Any], holder: str, channel: str, registry: Registry) -> Fault | None:
    """What can't be of the people that an entry by a person names. Who left meanwhile was there when it happened."""
    data = event["data"]
    for name in _OWN_WORD:
        # R8: by whatever way it comes, an approver's word is that of the approver who signed it.
        if data.get(name) not in (None, holder):
            return fault("approved-by-another", field=f"/event/data/{name}", value=data[name])
    if channel in TAKEN_AS_THEY_ARE:
        return None
    entered_by = data.get("entered_by")
    if entered_by is not None and entered_by != holder:
        return fault("entered-by-another", field="/event/data/entered_by", value=entered_by)
    if event["type"] == _OBSTRUCTION:
        for place, officer in enumerate(data["officers"]):
            if not registry.known(officer):
                return fault("officer-not-enrolled", field=f"/event/data/officers/{place}", value=officer)
    return None


def people_marks(event: Mapping[str, Any], registry: Registry) -> tuple[str, ...]:
    """The mark of an event that names people whom the registry never had: a slip, or someone who should have been enrolled."""
    data = event["data"]
    named = [*(data.get("officers") or ()), *(data.get(name) for name in ("entered_by", "on_behalf_of", "reviewed_by"))]
    return () if all(one is None or registry.known(one) for one in named) else (OFFICER_UNKNOWN,)
