"""What every event's ``data`` may carry, and the catalogue that names each type once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from schemas import fields as f
from schemas.fields import Frozen, government, public

Route = Literal["facts", "registry", "broadcast", "derived"]
Role = Literal["registrar", "officer", "approver", "auditor", "importer", "system", "service"]


class Position(Frozen):
    """WGS 84, decimal degrees as strings, up to 7 decimals (a centimetre); accuracy in metres."""

    lat: f.Latitude = government()
    lon: f.Longitude = government()
    accuracy_m: Annotated[int, Field(ge=0, le=100_000)] = government()


class Attachment(Frozen):
    """A photograph or scan in the attachment store, by its hash."""

    sha256: f.Sha256 = public()
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,60}$")] = public()
    size: Annotated[int, Field(ge=1, le=2**40)] = public()


CommitmentField = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Data(Frozen):
    """Common to all events. ``occurred_on`` is the civil date of the act in the regime's time zone."""

    officers: tuple[f.Pseudonym, ...] | None = government(default=None, max_length=10)
    entered_by: f.Pseudonym | None = government(default=None)
    on_behalf_of: f.Pseudonym | None = government(default=None)
    reviewed_by: f.Pseudonym | None = government(default=None)
    started_at: f.Instant | None = government(default=None)
    ended_at: f.Instant | None = government(default=None)
    position: Position | None = government(default=None)
    attachments: tuple[Attachment, ...] | None = government(default=None, max_length=40)
    commitments: dict[CommitmentField, f.Sha256] | None = government(default=None, max_length=20)
    note: f.Text | None = government(default=None)

    @model_validator(mode="after")
    def _times_in_order(self) -> Data:
        if len(set(self.officers or ())) != len(self.officers or ()):
            raise ValueError("officers names someone twice")
        if self.started_at and self.ended_at and self.ended_at[:19] < self.started_at[:19]:
            raise ValueError("ended_at lies before started_at")
        return self

    def contradicts(self, subject: str) -> str | None:
        """What in ``data`` can't be true of the event's subject, in words, or None. Types that name both override it."""
        return None


class Act(Data):
    """An event about something that happened on a day."""

    occurred_on: f.CivilDate = public()


class EventRef(Frozen):
    """Another signed fact, by the two that make an id unique. With ``event_hash`` it is exactly those bytes that are meant."""

    source: f.Office = public()
    id: f.EventId = public()
    event_hash: f.Sha256 | None = public(default=None)


class Service(Frozen):
    """Service of a document on the subject: day, method, proof, and the day the office knew of it."""

    served_on: f.CivilDate = public()
    method: Literal["handed_over", "left", "post", "notice", "electronic"] = public()
    proof_sha256: f.Sha256 | None = government(default=None)
    known_to_office_on: f.CivilDate | None = government(default=None)

    @model_validator(mode="after")
    def _known_after_served(self) -> Service:
        if self.known_to_office_on and self.known_to_office_on < self.served_on:
            raise ValueError("known_to_office_on lies before served_on")
        return self


class DocumentAct(Act):
    """An act with a document that has to be served. Without ``service`` it is awaiting service and has no effect yet."""

    document_no: f.DocumentNo = public()
    service: Service | None = public(default=None)

    @model_validator(mode="after")
    def _served_after_decided(self) -> DocumentAct:
        if self.service and self.service.served_on < self.occurred_on:
            raise ValueError("service.served_on lies before occurred_on: a document can't be served before it was decided")
        return self


def check_term(decided: Any, last_day: Any, name: str) -> None:
    """Raise ``ValueError`` where a term's last day lies before the decision that sets it."""
    if last_day and decided and last_day < decided:
        raise ValueError(f"{name} lies before occurred_on")


@dataclass(frozen=True)
class EventType:
    """One row of the catalogue. ``subjects`` are the schemes an event of this type may be about; of a ``withheld`` one the public
    sees nothing, not even that there is one."""

    name: str
    model: type[Data]
    route: Route
    roles: tuple[Role, ...]
    subjects: tuple[str, ...]
    wired: bool
    zh: str
    en: str
    withheld: bool = False

    @property
    def type(self) -> str:
        return f"mingjian.{self.name}.v1"


CATALOGUE: dict[str, EventType] = {}

ENTERPRISE = ("uscc", "fhrs", "camis")
FIELD_ROLES: tuple[Role, ...] = ("officer", "importer")


def event_type(
    name: str,
    *,
    zh: str,
    en: str,
    wired: bool = False,
    route: Route = "facts",
    roles: tuple[Role, ...] = FIELD_ROLES,
    subjects: tuple[str, ...] = ENTERPRISE,
    withheld: bool = False,
) -> Callable[[type[Data]], type[Data]]:
    """Enter a model in the catalogue under ``mingjian.<name>.v1``."""

    def enter(model: type[Data]) -> type[Data]:
        row = EventType(name, model, route, roles, subjects, wired, zh, en, withheld)
        if row.type in CATALOGUE:
            raise ValueError(f"{row.type} stands twice in the catalogue")
        CATALOGUE[row.type] = row
        return model

    return enter
