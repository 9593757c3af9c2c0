"""Control events: what changes the meaning of grades, or marks the passing of time.

Originals stand in registry; types routed ``broadcast`` are copied into every partition of facts.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from schemas import fields as f
from schemas.events.base import Act, Data, check_term, event_type
from schemas.events.enterprise import BusinessKind
from schemas.fields import Frozen, public
from schemas.keys import UnusableKey, check_public, key_id, unb64

REGISTRAR = ("registrar",)
SYSTEM = ("system",)


class OfRegime(Act):
    """About a regime as a whole: the event's subject is ``regime:<regime>``."""

    regime: f.Regime = public()

    def contradicts(self, subject: str) -> str | None:
        return None if subject == f"regime:{self.regime}" else f"the subject must be regime:{self.regime}, the regime that data names"


class Period(Frozen):
    """First and last day, both inclusive."""

    first: f.CivilDate = public()
    last: f.CivilDate = public()

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.last < self.first:
            raise ValueError("last lies before first")
        return self


@event_type(
    "evaluation.announced",
    zh="年度评定公告",
    en="Evaluation announced",
    wired=True,
    route="registry",
    roles=("registrar", "approver"),
    subjects=("regime",),
)
class EvaluationAnnounced(OfRegime):
    """R10: the evaluation date is announced beforehand."""

    period: Period = public()
    evaluation_date: f.CivilDate = public()

    @model_validator(mode="after")
    def _evaluated_after_the_period(self) -> EvaluationAnnounced:
        if self.evaluation_date < self.period.last:
            raise ValueError("evaluation_date lies before period.last")
        return self


@event_type(
    "evaluation.closed",
    zh="年度评定",
    en="Evaluation closed",
    wired=True,
    route="broadcast",
    roles=("registrar", "approver"),
    subjects=("regime",),
)
class EvaluationClosed(OfRegime):
    """R10: every subject of the regime is evaluated now, from the period's facts."""

    period: Period = public()
    evaluation_date: f.CivilDate = public()

    @model_validator(mode="after")
    def _evaluated_after_the_period(self) -> EvaluationClosed:
        if self.evaluation_date < self.period.last:
            raise ValueError("evaluation_date lies before period.last")
        return self


@event_type("day.closed", zh="日终", en="Day closed", wired=True, route="broadcast", roles=SYSTEM, subjects=("stack",))
class DayClosed(Data):
    """All civil days up to and with ``through`` are over in ``time_zone``. Time passes by these events, never by a clock in a service."""

    through: f.CivilDate = public()
    time_zone: f.TimeZone = public()


@event_type("calendar.issued", zh="工作日历发布", en="Calendar issued", wired=True, route="broadcast", roles=REGISTRAR, subjects=("stack",))
class CalendarIssued(Act):
    """The State Council's schedule of a year: weekdays that are days off, and weekend days that are worked. A later one for
    the same country and year replaces it."""

    country: Literal["CN", "GB", "US"] = public()
    year: Annotated[int, Field(ge=1949, le=2199)] = public()
    days_off: tuple[f.CivilDate, ...] = public(max_length=60)
    make_up_days: tuple[f.CivilDate, ...] = public(max_length=30)
    document: f.Name = public()

    @model_validator(mode="after")
    def _within_the_year(self) -> CalendarIssued:
        if any(day.year != self.year for day in (*self.days_off, *self.make_up_days)):
            raise ValueError("a day lies outside the year")
        if set(self.days_off) & set(self.make_up_days):
            raise ValueError("a day is both off and worked")
        if any(day.weekday() > 4 for day in self.days_off):
            raise ValueError("days_off names a weekend day; those are free without being named")
        if any(day.weekday() < 5 for day in self.make_up_days):
            raise ValueError("make_up_days names a weekday; those are worked without being named")
        return self


@event_type(
    "rulebook.activated", zh="评级规则启用", en="Rulebook activated", wired=True, route="broadcast", roles=REGISTRAR, subjects=("regime",)
)
class RulebookActivated(OfRegime):
    """``sha256`` is the rulebook's digest (``schemas.rulebook``); a service that holds other bytes refuses to rate."""

    version: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}\.[0-9]{1,3}$")] = public()
    sha256: f.Sha256 = public()
    in_force_from: f.CivilDate = public()


class PublicKey(Frozen):
    """``public_key``: base64url, 32 bytes for Ed25519, 65 for P-256."""

    key_id: f.KeyId = public()
    alg: Literal["Ed25519", "ES256"] = public()
    public_key: f.Base64Url = public()

    @model_validator(mode="after")
    def _id_belongs_to_the_key(self) -> PublicKey:
        try:
            raw = unb64(self.public_key)
            check_public(self.alg, raw)
        except UnusableKey as error:
            raise ValueError(f"public_key: {error}") from None
        if key_id(self.alg, raw) != self.key_id:
            raise ValueError("key_id does not belong to this algorithm and public_key")
        return self


@event_type("genesis", zh="创世", en="Genesis", wired=True, route="registry", roles=REGISTRAR, subjects=("stack",))
class Genesis(Act):
    """Registry offset 0, signed by the registrar's own key that it names. Its hash is the fingerprint outsiders pin."""

    clock_mode: Literal["wall", "simulated"] = public()
    time_zone: f.TimeZone = public()
    registrar: f.Pseudonym = public()
    registrar_key: PublicKey = public()
    receipt_key: PublicKey = public()
    system_key: PublicKey = public()
    log_origin: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{1,100}(/[a-z0-9._-]{1,60})*$")] = public()
    log_vkey: Annotated[str, StringConstraints(pattern=r"^[a-z0-9./_-]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{40,120}$")] = public()
    partitions: Annotated[int, Field(ge=1, le=1024)] = public()
    sample: bool = public()


@event_type("officer.enrolled", zh="人员登记", en="Officer enrolled", wired=True, route="registry", roles=REGISTRAR, subjects=("officer",))
class OfficerEnrolled(Act):
    """The subject is the pseudonym; the name is a commitment ``name`` (vault)."""

    office: f.Office = public()


@event_type("officer.left", zh="人员离任", en="Officer left", wired=True, route="registry", roles=REGISTRAR, subjects=("officer",))
class OfficerLeft(Act):
    office: f.Office = public()


@event_type("key.registered", zh="密钥登记", en="Key registered", wired=True, route="registry", roles=REGISTRAR, subjects=("officer",))
class KeyRegistered(Act):
    """The algorithm is bound to the key here. ``channels``: by which ways the key may enter events."""

    key: PublicKey = public()
    channels: tuple[Literal["field", "desk", "feed", "migration"], ...] = public(min_length=1, max_length=4)


@event_type("key.revoked", zh="密钥吊销", en="Key revoked", wired=True, route="registry", roles=REGISTRAR, subjects=("officer",))
class KeyRevoked(Act):
    key_id: f.KeyId = public()
    reason: Literal["lost", "compromised", "left", "replaced", "other"] = public()


@event_type("role.granted", zh="角色授予", en="Role granted", wired=True, route="registry", roles=REGISTRAR, subjects=("officer",))
class RoleGranted(Act):
    """Role and jurisdiction: an office, schemes of subjects, regimes. An empty ``regimes`` means all."""

    role: Literal["registrar", "officer", "approver", "auditor", "importer"] = public()
    office: f.Office = public()
    schemes: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,10}$")], ...] = public(min_length=1, max_length=10)
    regimes: tuple[f.Regime, ...] = public(max_length=20)


@event_type("role.withdrawn", zh="角色撤回", en="Role withdrawn", wired=True, route="registry", roles=REGISTRAR, subjects=("officer",))
class RoleWithdrawn(Act):
    role: Literal["registrar", "officer", "approver", "auditor", "importer"] = public()
    office: f.Office = public()


@event_type(
    "outage.declared", zh="故障申明", en="Outage declared", wired=True, route="registry", roles=REGISTRAR, subjects=("office", "stack")
)
class OutageDeclared(Act):
    """A declared outage excuses, it doesn't undo lateness (R13). ``observed_by``: the monitor that is not the operator's own."""

    started: f.Instant = public()
    ended: f.Instant = public()
    cause: f.Text = public()
    observed_by: f.Name | None = public(default=None)

    @model_validator(mode="after")
    def _in_order(self) -> OutageDeclared:
        if self.ended[:19] < self.started[:19]:
            raise ValueError("ended lies before started")
        return self


@event_type("go_live.declared", zh="系统启用", en="Go-live declared", wired=True, route="registry", roles=REGISTRAR, subjects=("regime",))
class GoLiveDeclared(OfRegime):
    """Lateness is judged for acts on or after ``occurred_on`` only (design: sample data and migration)."""


@event_type(
    "entry.assigned",
    zh="录入责任分配",
    en="Entry assigned",
    wired=True,
    route="registry",
    roles=("registrar", "approver"),
    subjects=("officer",),
)
class EntryAssigned(Act):
    """The subject has to enter what an office does in these categories (五(二)): evidence for a late finding."""

    office: f.Office = public()
    categories: tuple[f.Word, ...] = public(min_length=1, max_length=20)
    until: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _until_in_order(self) -> EntryAssigned:
        check_term(self.occurred_on, self.until, "until")
        return self


@event_type(
    "entry.handed_over",
    zh="录入责任交接",
    en="Entry handed over",
    wired=True,
    route="registry",
    roles=("registrar", "approver"),
    subjects=("officer",),
)
class EntryHandedOver(Act):
    """The subject hands the duty to enter to a colleague: for good, or ``until`` the last day of a leave."""

    office: f.Office = public()
    to: f.Pseudonym = public()
    reason: Literal["leave", "transfer", "workload", "other"] = public()
    categories: tuple[f.Word, ...] | None = public(default=None, max_length=20)
    until: f.CivilDate | None = public(default=None)

    @model_validator(mode="after")
    def _until_in_order(self) -> EntryHandedOver:
        check_term(self.occurred_on, self.until, "until")
        return self

    def contradicts(self, subject: str) -> str | None:
        return "the subject can't hand over to itself" if subject == self.to else None


@event_type(
    "measures.adopted",
    zh="措施采纳",
    en="Measures adopted",
    wired=True,
    route="broadcast",
    roles=("registrar", "approver"),
    subjects=("office",),
)
class MeasuresAdopted(Act):
    """The office that is the subject takes a measure that the plan allows (四) upon itself; from then on it is a duty of that office.
    ``withdrawn``: no longer, from ``in_force_from`` on. It acts from ``occurred_on`` at the earliest: no duty before it was taken.

    ``business_kinds``: for enterprises of these kinds only, where offices share a regime between them; absent, for all."""

    regime: f.Regime = public()
    clause: f.Name = public()
    in_force_from: f.CivilDate = public()
    withdrawn: bool = public()
    business_kinds: tuple[BusinessKind, ...] | None = public(default=None, min_length=1, max_length=10)
    document_no: f.DocumentNo | None = public(default=None)
