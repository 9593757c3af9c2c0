"""A falsified town as the records of the registry and of all partitions, made by intake's own judging, without a stack.

Everything goes through intake's ``judge``, as in a real stack: signature, authority, dates, sums and what stands already. Only what was
sown to be refused is written past it, with ``keep_refused``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.envelope import envelope_bytes, lookup
from schemas.events.base import EventType
from schemas.keys import SigningKey
from schemas.rulebook import load_all
from schemas.rulebook.model import Rulebook
from schemas.times import milliseconds
from schemas.topics import CONTROL_KEY, FACTS, PARTITIONS, REGISTRY
from services._cli.sample.acts import ZONE, instant
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.falsify.all import falsified
from services._cli.sample.falsify.authority import UNKNOWN
from services._cli.sample.falsify.ground import Choice
from services._cli.sample.falsify.open_approvals import some_left_open
from services._cli.sample.load import active_rulebooks, in_order
from services._cli.sample.people import OFFICERS, REGIME
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import REGISTRAR, Plan, Sent, Town, generate
from services._cli.signing import submission
from services.audit.domain.frame import Record
from services.intake.domain.days import closing, day_closed_event
from services.intake.domain.judging import Admitted, judge
from services.intake.domain.registry import Registry
from services.intake.domain.standing import Facts, known
from services.rating.domain.fold import Book
from tests import toolkit as kit

RULEBOOKS = Path(__file__).resolve().parents[2] / "rulebooks"
UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)
DAWN = "2000-01-01T00:00:00.000Z"


@lru_cache
def books() -> dict[str, Rulebook]:
    """The repository's rulebooks by regime."""
    return load_all(RULEBOOKS)


@lru_cache
def _active(first: date) -> tuple[Any, ...]:
    return tuple(active_rulebooks(RULEBOOKS, first))


@lru_cache
def _book() -> Book:
    return Book.of(books()[REGIME])


def town_of(seed: int, enterprises: int, years: int, choice: Choice, until: datetime = UNTIL) -> Town:
    """What ``make_town`` makes, with the rulebooks read once for all towns."""
    plan = Plan(seed, enterprises, years, until, calendar_tables(RULEBOOKS, until.year - years - 1, until.year))
    town = falsified(generate(plan), choice)
    return some_left_open(town, in_order(control_of(town), town), _book())


def control_of(town: Town) -> list[Sent]:
    """The registrar's part of the town."""
    return bootstrap(town.plan, source=kit.REGISTER, rulebooks=_active(town.plan.first), more=town.control)


class Refused(AssertionError):
    """Intake refused what the town was made to have taken."""


@dataclass
class World:
    """``registry`` and ``partitions``: the records, in order. ``genesis``: the pinned event."""

    town: Town
    keep_refused: bool = True
    registry: list[Record] = field(default_factory=list)
    partitions: dict[int, list[Record]] = field(default_factory=lambda: {number: [] for number in range(PARTITIONS)})

    def __post_init__(self) -> None:
        made = kit.genesis(clock_mode="simulated", time=DAWN)
        self.genesis = made["event"]
        self._system, self._folded, self._facts = kit.key("system"), Registry.empty(), Facts()
        self._through: date | None = None
        self._put_registry(made["event"], made["signature"], DAWN, "desk", ())
        self._signers: dict[str, SigningKey] = {one.name: one.key(self.town.plan.seed) for one in OFFICERS}
        self._signers |= {REGISTRAR: kit.REGISTRAR.key, UNKNOWN: kit.key(UNKNOWN)}
        whole = in_order(control_of(self.town), self.town)
        past = self.town.past_intake if self.keep_refused else ()
        self._past = {one.event["id"] for one in past}
        for one in sorted([*whole, *past], key=lambda one: one.received):
            self._enter(one)
        assert self._folded.ignored == []

    def _enter(self, one: Sent) -> None:
        self._close(one.received)
        made, at = submission(one.event, self._signers[one.signer], one.private), instant(one.received)
        found = judge(made, registry=self._folded, channel=one.channel, received_at=at, standing=[self._facts])
        marks: tuple[str, ...] = ()
        if one.event["id"] in self._past:
            assert not isinstance(found, Admitted), f"intake takes what was sown to be refused: {one.event['type']}"
        elif not isinstance(found, Admitted):
            raise Refused(f"{one.event['type']} of {at}: {found.fault.code} {found.fault.field} {found.fault.en}")
        else:
            marks = found.marks
        row = lookup(one.event["type"])
        assert row is not None
        self._put(row, made["event"], made["signature"], at, one.channel, marks)
        if row.route == "facts" and (fact := known(one.event)):
            self._facts.add(fact)

    def _close(self, now: datetime) -> None:
        """As intake does: the last day that is over, announced once, before whatever comes next."""
        through = closing(self._through, int(now.timestamp() * 1000), self._folded.time_zone)
        if through is None:
            return
        self._through = through
        event = day_closed_event(through, self._folded.time_zone, subject=self._folded.stack, source=kit.REGISTER)
        row = lookup(event["type"])
        assert row is not None
        self._put(row, event, self._system.signature(event), instant(now), "desk", ())

    def finish(self) -> World:
        """Close the last day too."""
        self._close(self.town.plan.until + timedelta(days=1))
        return self

    def _put(self, row: EventType, event: Any, signature: Any, at: str, channel: str, marks: Iterable[str]) -> None:
        if row.route == "facts":
            self._put_fact(zlib.crc32(event["subject"].encode()) % PARTITIONS, event, signature, at, channel, marks)
            return
        value = self._put_registry(event, signature, at, channel, marks)
        if row.route == "broadcast":
            for number in self.partitions:
                self._record(number, value, at, CONTROL_KEY)

    def _put_registry(self, event: Any, signature: Any, at: str, channel: str, marks: Iterable[str]) -> bytes:
        offset = len(self.registry)
        value = envelope_bytes(event, signature, self._stamp(at, channel, marks))
        self.registry.append(Record(REGISTRY, 0, offset, milliseconds(at), 0, b"registry", (), value))
        self._folded.apply(offset, value)
        return value

    def _put_fact(self, number: int, event: Any, signature: Any, at: str, channel: str, marks: Iterable[str]) -> None:
        self._record(number, envelope_bytes(event, signature, self._stamp(at, channel, marks)), at, event["subject"].encode())

    def _record(self, number: int, value: bytes, at: str, key: bytes) -> None:
        some = self.partitions[number]
        some.append(Record(FACTS, number, len(some), milliseconds(at), 0, key, (), value))

    def _stamp(self, at: str, channel: str, marks: Iterable[str]) -> dict[str, Any]:
        entry = {"received_at": at, "channel": channel, "batch": None, "registry_offset": len(self.registry) - 1}
        return entry | ({"marks": list(marks)} if marks else {})
