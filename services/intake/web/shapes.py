"""The bodies of intake's answers, for the API's description."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from schemas.receipts import Receipt, Refusal, SignatureObject
from services._bus.problems import ProblemBody


class SignedReceipt(BaseModel):
    """A receipt and intake's signature over its canonical bytes. The same id always gets the same bytes."""

    receipt: Receipt
    signature: SignatureObject


class SignedRefusal(BaseModel):
    """Proof that an officer tried, and why it was refused."""

    refusal: Refusal
    signature: SignatureObject


class Stored(BaseModel):
    """The event is stored; its receipt will be at ``location``."""

    model_config = ConfigDict(extra="forbid")
    location: str = Field(description="the path of `/api/v1/receipts` with the event's source and id")


class Result(BaseModel):
    """One event's answer: ``receipt`` with 201, ``location`` with 202, ``problem`` with the rest. ``again``: it was here before."""

    model_config = ConfigDict(extra="forbid")
    status: int
    receipt: SignedReceipt | None = None
    location: str | None = None
    problem: ProblemBody | None = None
    again: bool | None = None
    retry_after: int | None = Field(default=None, ge=1, description="with 202, 429 and 503: seconds until it is worth asking again")
    refusal: SignedRefusal | None = None


class Results(BaseModel):
    """In the order of the events sent."""

    model_config = ConfigDict(extra="forbid")
    results: list[Result]


class State(BaseModel):
    """Positions and lag by ``topic/partition``; ``unread``: events on their way to Kafka and back; ``registry_ignored``: offsets of
    registry records that have no effect, for they can't be read or nobody was entitled to sign them."""

    model_config = ConfigDict(extra="allow")
    ready: bool
    reasons: list[str]
    lag: int
    positions: dict[str, int]
    unread: int
    queued: int
    registry_offset: int
    registry_ignored: list[int]
    now: str
    clock: str
    sample: bool
    fingerprint: str | None
