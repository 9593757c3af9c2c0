"""Private values beside an event against the commitments within it: each has its other, and they match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.commitments import matches
from schemas.keys import unb64
from services.intake.domain.faults import Fault, fault


def private_fault(event: Mapping[str, Any], private: Mapping[str, Any] | None) -> Fault | None:
    """None where every commitment has its value and every value its commitment. No value is ever named."""
    commitments = event["data"].get("commitments") or {}
    beside = private or {}
    for field in commitments:
        if field not in beside:
            return fault("commitment-without-value", field=f"/event/data/commitments/{field}")
    for field, held in beside.items():
        if field not in commitments:
            return fault("value-without-commitment", field=f"/private/{field}")
        try:
            salt = unb64(held["salt"])
        except ValueError:
            return fault("salt-form", field=f"/private/{field}/salt")
        if not matches(field, held["value"], salt, commitments[field]):
            return fault("commitment-wrong", field=f"/event/data/commitments/{field}")
    return None
