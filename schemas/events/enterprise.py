"""Enterprises and their operation (五(一), 五(二))."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from schemas import fields as f
from schemas.events.base import Act, event_type
from schemas.fields import government, public

BusinessKind = Literal[
    "drug_retail", "drug_wholesale", "drug_chain", "device_retail", "device_wholesale", "restaurant", "food_retail", "other"
]


@event_type("enterprise.registered", zh="企业登记", en="Enterprise registered", wired=True)
class EnterpriseRegistered(Act):
    """五(一)1. Names of natural persons and private addresses are commitments; ``address`` is the place of business.
    ``responsible_person`` is a pseudonym: through it one person's enterprises are found (四(四)7).

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
    responsible_person: f.Person | None = government(default=None)
    registered_address: f.Name | None = government(default=None)
    scope: f.Text | None = public(default=None)
    mode: f.Name | None = public(default=None)
    registered_capital: f.Amount | None = government(default=None)
    licence_valid_until: f.CivilDate | None = public(default=None)


@event_type("enterprise.changed", zh="企业变更", en="Enterprise changed", wired=True)
class EnterpriseChanged(Act):
    """Only the fields that changed are given; what is private changes by its commitment."""

    name: f.Name | None = public(default=None)
    business_kind: BusinessKind | None = public(default=None)
    address: f.Name | None = public(default=None)
    postcode: f.Name | None = public(default=None)
    district: f.Name | None = public(default=None)
    responsible_person: f.Person | None = government(default=None)
    registered_address: f.Name | None = government(default=None)
    scope: f.Text | None = public(default=None)
    mode: f.Name | None = public(default=None)
    registered_capital: f.Amount | None = government(default=None)
    licence_valid_until: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _says_what_changed(self) -> EnterpriseChanged:
        own = set(EnterpriseChanged.model_fields) - set(Act.model_fields)
        if not self.commitments and all(getattr(self, name) is None for name in own):
            raise ValueError("nothing is named that changed")
        return self


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


Manner = Literal["merger", "division", "transfer", "change_of_name", "other"]


@event_type("enterprise.succeeded", zh="企业承继", en="Enterprise succeeded")
class EnterpriseSucceeded(Act):
    """Merger, change of name or transfer: the history follows (R19). Its subject is the successor; intake puts the same
    bytes into the predecessor's partition too."""

    predecessor: f.SubjectId = public()
    successor: f.SubjectId = public()
    manner: Manner = public()

    def contradicts(self, subject: str) -> str | None:
        if self.predecessor == self.successor:
            return "predecessor and successor are the same"
        return None if subject == self.successor else "the subject must be the successor"


@event_type("part.joined", zh="门店加入", en="Part joined")
class PartJoined(Act):
    """A shop joins a chain, a household a village."""

    parent: f.SubjectId = public()

    def contradicts(self, subject: str) -> str | None:
        return "a subject can't be a part of itself" if subject == self.parent else None


@event_type("part.left", zh="门店退出", en="Part left")
class PartLeft(Act):
    """``occurred_on`` is the first day on which the subject is no longer a part."""

    parent: f.SubjectId = public()

    def contradicts(self, subject: str) -> str | None:
        return "a subject can't be a part of itself" if subject == self.parent else None


@event_type("operation.started", zh="开始经营", en="Operation started", wired=True)
class OperationStarted(Act):
    """三(三), R4: actual operation, not registration, begins the year. Also ends an interruption."""


@event_type("operation.interrupted", zh="停业(歇业)", en="Operation interrupted", wired=True)
class OperationInterrupted(Act):
    """R4: days of interruption don't count. ``until`` is the first day of operation again, where it is known."""

    until: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _until_in_order(self) -> OperationInterrupted:
        if self.until and self.until <= self.occurred_on:
            raise ValueError("until must lie after occurred_on")
        return self
