"""Enterprises and their operation (五(一), 五(二))."""

from __future__ import annotations

from typing import Literal

from schemas import fields as f
from schemas.events.base import Act, event_type
from schemas.fields import public

BusinessKind = Literal[
    "drug_retail", "drug_wholesale", "drug_chain", "device_retail", "device_wholesale", "restaurant", "food_retail", "other"
]


@event_type("enterprise.registered", zh="企业登记", en="Enterprise registered", wired=True)
class EnterpriseRegistered(Act):
    """Names of natural persons and private addresses are commitments; ``address`` is the place of business.

    ``occurred_on`` is null where a published register doesn't give the day."""

    occurred_on: f.CivilDate | None = public(default=None)  # type: ignore[assignment]
    name: f.Name = public()
    business_kind: BusinessKind = public()
    address: f.Name | None = public(default=None)
    postcode: f.Name | None = public(default=None)
    district: f.Name | None = public(default=None)
    business_type: f.Name | None = public(default=None)
    local_ref: f.Name | None = public(default=None)
    licence_numbers: tuple[f.DocumentNo, ...] | None = public(default=None, max_length=20)
    regimes: tuple[f.Regime, ...] = public(min_length=1, max_length=10)


@event_type("enterprise.changed", zh="企业变更", en="Enterprise changed", wired=True)
class EnterpriseChanged(Act):
    """Only the fields that changed are given."""

    name: f.Name | None = public(default=None)
    business_kind: BusinessKind | None = public(default=None)
    address: f.Name | None = public(default=None)
    postcode: f.Name | None = public(default=None)
    district: f.Name | None = public(default=None)


@event_type("enterprise.closed", zh="企业终止", en="Enterprise closed", wired=True)
class EnterpriseClosed(Act):
    """三(二)1 chapeau: a closed enterprise has a status and no grade."""

    reason: Literal["closed", "deregistered", "licence_revoked"] = public()


@event_type("enterprise.status.declared", zh="监管状态声明", en="Regulatory status declared", wired=True)
class EnterpriseStatusDeclared(Act):
    """A regime's own word for why there is no grade (FHRS: awaiting inspection, exempt, …)."""

    occurred_on: f.CivilDate | None = public(default=None)  # type: ignore[assignment]
    regime: f.Regime = public()
    status: f.Word = public()


@event_type("enterprise.succeeded", zh="企业承继", en="Enterprise succeeded")
class EnterpriseSucceeded(Act):
    """Merger, change of name or transfer: the history follows (R19). Goes to both subjects' partitions."""

    predecessor: f.SubjectId = public()
    successor: f.SubjectId = public()
    manner: Literal["merger", "division", "transfer", "change_of_name", "other"] = public()


@event_type("part.joined", zh="门店加入", en="Part joined")
class PartJoined(Act):
    """A shop joins a chain, a household a village."""

    parent: f.SubjectId = public()


@event_type("part.left", zh="门店退出", en="Part left")
class PartLeft(Act):
    parent: f.SubjectId = public()


@event_type("operation.started", zh="开始经营", en="Operation started", wired=True)
class OperationStarted(Act):
    """三(三), R4: actual operation, not registration, begins the year. Also ends an interruption."""


@event_type("operation.interrupted", zh="停业(歇业)", en="Operation interrupted", wired=True)
class OperationInterrupted(Act):
    """R4: days of interruption don't count. ``until`` is the first day of operation again, where it is known."""

    until: f.CivilDate | None = public(default=None)
