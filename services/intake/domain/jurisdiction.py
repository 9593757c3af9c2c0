"""How far a registrar's word about officers, keys and roles reaches.

The register's own office, which genesis names, may say it of everyone. A registrar of another office may say it
1. of enrolment, departure and roles at that office alone,
2. of the keys of those who are enrolled at such offices alone,
3. with roles that reach no further than the registrar's own, and never the role of a registrar.

Intake refuses what goes further, and the fold of the registry gives it no effect: one rule for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Code = Literal["office-not-granted", "holder-not-granted", "scheme-not-granted", "regime-not-granted", "role-not-granted"]
GRANTED = "mingjian.role.granted.v1"
_ROLES = frozenset({GRANTED, "mingjian.role.withdrawn.v1"})
_AT_AN_OFFICE = frozenset({"mingjian.officer.enrolled.v1", "mingjian.officer.left.v1", *_ROLES})
_KEYS = frozenset({"mingjian.key.registered.v1", "mingjian.key.revoked.v1"})


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at an office. ``schemes`` None and ``regimes`` empty: all."""

    role: str
    office: str
    schemes: frozenset[str] | None
    regimes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a grant doesn't reach; ``field``: JSON pointer."""

    code: Code
    field: str


def beyond(event: Mapping[str, Any], grants: Sequence[Grant], *, root: str, offices: frozenset[str]) -> Beyond | None:
    """None where one of the signer's ``grants`` for ``event.source`` reaches what the event says.

    ``root``: the register's own office; ``offices``: those at which the event's subject is enrolled."""
    if event["type"] not in _AT_AN_OFFICE | _KEYS:
        return None
    registrar = [one for one in grants if one.role == "registrar"]
    within = frozenset(one.office for one in registrar)
    found = [_beyond(event, one, within, root, offices) for one in registrar if one.office == event["source"]]
    if not found:
        return Beyond("office-not-granted", "/event/source")
    return None if None in found else found[0]


def _beyond(event: Mapping[str, Any], grant: Grant, within: frozenset[str], root: str, offices: frozenset[str]) -> Beyond | None:
    kind, data = event["type"], event["data"]
    if grant.office != root:
        if kind in _AT_AN_OFFICE and data["office"] != grant.office:
            return Beyond("office-not-granted", "/event/data/office")
        if kind in _KEYS and not (offices and offices <= within):
            return Beyond("holder-not-granted", "/event/subject")
        if kind in _ROLES and data["role"] == "registrar":
            return Beyond("role-not-granted", "/event/data/role")
    if kind != GRANTED:
        return None
    if grant.schemes is not None and not set(data["schemes"]) <= grant.schemes:
        return Beyond("scheme-not-granted", "/event/data/schemes")
    # No regime means all of them.
    if grant.regimes and not (data["regimes"] and set(data["regimes"]) <= grant.regimes):
        return Beyond("regime-not-granted", "/event/data/regimes")
    return None
