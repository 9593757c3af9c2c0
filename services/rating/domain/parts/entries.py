"""What a part tells its parent, as values and as ``mingjian.part.graded.v1``, to and fro.

Invariant: an entry read from the event that tells it is the entry that was told, but for what no parent asks of a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas.envelope import derived_event
from schemas.ids import derived_id
from schemas.times import instant, milliseconds
from services.rating.domain.days import day
from services.rating.domain.emit import cause_of, decisive, identity_of
from services.rating.domain.facts import Fact, name_of
from services.rating.domain.sentences import Decisive

KIND = "part.graded"
TYPE = f"mingjian.{KIND}.v1"
# The contract's sizes: older stretches go without their facts, and the oldest of all not at all.
MAX_STRETCHES, MAX_WITH_FACTS, MAX_FACTS = 400, 60, 2
Order = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days, both inclusive, of one grade or status; ``last`` None: it goes on. ``decisive``: some of the facts behind it."""

    first: date
    last: date | None
    grade: str | None
    status: str
    decisive: tuple[Decisive, ...] = ()

    def covers(self, on: date) -> bool:
        """True on its days."""
        return self.first <= on and (self.last is None or on <= self.last)

    @property
    def essence(self) -> tuple[object, ...]:
        """What makes two of them the same: days, words, and the places of the facts."""
        places = tuple((one.fact.partition, one.fact.offset, one.served) for one in self.decisive)
        return (self.first, self.last, self.grade, self.status, places)


Said = dict[str, tuple[Stretch, ...]]
"""Parent → what a subject tells it; the subject itself where it is rated by its parts."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a parent's log. ``cause``: the fact or control whose arrival made it due."""

    parent: str
    regime: str
    part: str
    cause: Fact
    stretches: tuple[Stretch, ...] = field(compare=False)
    # The rulebook that it was said by: of another one than its own a parent takes nothing.
    sha256: str = ""

    @property
    def order(self) -> Order:
        """By when the system knew it, then by place: never by arrival."""
        return (self.cause.known, self.cause.offset, self.cause.partition, self.part)

    @property
    def identity(self) -> str:
        """The cause and the part: a control is one event for all parts."""
        return f"{identity_of(self.cause)}#{self.part}"


def shortened(stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """As many and as much as a record holds, the newest first to stay."""
    kept = stretches[-MAX_STRETCHES:]
    bare = len(kept) - MAX_WITH_FACTS
    return tuple(
        Stretch(one.first, one.last, one.grade, one.status, () if place < bare else one.decisive[:MAX_FACTS])
        for place, one in enumerate(kept)
    )


def graded(
    *, parent: str, part: str, regime: str, version: str, sha256: str, stretches: tuple[Stretch, ...], cause: Fact
) -> dict[str, Any]:
    """The event that tells the parent. No clock: its time is the cause's."""
    data = {
        "regime": regime,
        "part": part,
        "stretches": [_said(one) for one in stretches],
        "rulebook": {"regime": regime, "version": version, "sha256": sha256},
        "cause": cause_of(cause),
    }
    identity = derived_id(cause=f"{identity_of(cause)}#{part}", kind=KIND, subject=parent, regime=regime)
    return derived_event(id=identity, service="rating", type=TYPE, subject=parent, time=instant(cause.stamp), data=data)


def entry_of(event: Mapping[str, Any]) -> Entry:
    """The entry that an event tells. Raises ``KeyError``, ``TypeError``, ``ValueError`` for what is no such event."""
    data, cause = event["data"], event["data"]["cause"]
    stamp, known = milliseconds(event["time"]), milliseconds(cause["known_from"])
    place, name = (int(cause["partition"]), int(cause["offset"])), name_of(cause["type"])
    fact = Fact(*place, known, stamp, stamp, cause["id"], cause["source"], name, {})
    stretches = tuple(_stretch(one) for one in data["stretches"])
    return Entry(event["subject"], data["regime"], data["part"], fact, stretches, data["rulebook"]["sha256"])


def _said(one: Stretch) -> dict[str, Any]:
    last = one.last.isoformat() if one.last else None
    return {
        "first": one.first.isoformat(),
        "last": last,
        "grade": one.grade,
        "status": one.status,
        "decisive": [decisive(found) for found in one.decisive],
    }


def _stretch(said: Mapping[str, Any]) -> Stretch:
    facts = tuple(_decisive(one) for one in said.get("decisive", ()))
    return Stretch(date.fromisoformat(said["first"]), day(said["last"]), said["grade"], said["status"], facts)


def _decisive(said: Mapping[str, Any]) -> Decisive:
    data = {"occurred_on": said["occurred_on"]} if said.get("occurred_on") else {}
    fact = Fact(int(said["partition"]), int(said["offset"]), 0, 0, 0, said["id"], "", name_of(said["type"]), data)
    return Decisive(fact, day(said.get("served_on")))
