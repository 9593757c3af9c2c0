"""A sample town's records in memory, with audit's findings and hearings on some of them: what the yearly report reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from schemas.envelope import derived_bytes, derived_event, envelope_bytes
from schemas.keys import SigningKey
from schemas.rulebook import Rulebook, digest, load_rulebook
from schemas.times import instant as instant_of
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services._cli.sample.acts import ZONE, instant
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.load import active_rulebooks, in_order
from services._cli.sample.people import OFFICERS
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import REGISTRAR, Plan, Town, generate
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule
from services.audit.domain.registry import Registry
from services.audit.handlers import Detectors
from services.audit.reading import opened
from tests import hearing
from tests import toolkit as kit
from tests.unit.audit.fake_work import MemoryStore

UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)
_CALENDAR = "mingjian.calendar.issued.v1"


@dataclass
class Memory:
    """``Records`` in memory. ``books``: by digest."""

    topics: dict[str, list[Record]] = field(default_factory=lambda: {REGISTRY: [], FACTS: [], FINDINGS: []})
    books: dict[str, Rulebook] = field(default_factory=dict)

    def each(self, *topics: str) -> Iterator[Record]:
        for topic in topics:
            yield from self.topics[topic]

    def editions(self) -> dict[str, Rulebook]:
        return self.books

    def put(self, topic: str, value: bytes, ms: int, key: bytes = b"key") -> Record:
        """One more record, at the end of the topic's only partition."""
        made = Record(topic, 0, len(self.topics[topic]), ms, 0, key, (), value)
        self.topics[topic].append(made)
        return made

    def say(self, topic: str, event: dict[str, Any], key: SigningKey, received: str, channel: str = "desk") -> Record:
        """A signed event as intake would write it."""
        entry = {"received_at": received, "channel": channel, "batch": None, "registry_offset": len(self.topics[REGISTRY]) - 1}
        return self.put(topic, envelope_bytes(event, key.signature(event), entry), _ms(received))

    def derive(self, kind: str, subject: str, data: dict[str, Any], day: str, number: str) -> None:
        """An event of audit."""
        at = f"{day}T04:00:00.000Z"
        made = derived_event(id=kit.new_id(number), service="audit", type=f"mingjian.{kind}.v1", subject=subject, time=at, data=data)
        self.put(FINDINGS, derived_bytes(made), _ms(at))


def _ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def town_of(repository: Path, seed: int = 1, *, enterprises: int = 60, years: int = 3) -> Town:
    """A town to the day of ``UNTIL``."""
    tables = calendar_tables(repository / "rulebooks", UNTIL.year - 4, UNTIL.year)
    return generate(Plan(seed=seed, enterprises=enterprises, years=years, until=UNTIL, tables=tables))


def recorded(repository: Path, town: Town) -> Memory:
    """The town's registry and facts, and the late entries that audit's detector finds in them. Everyone signs with their own key."""
    rulebooks = repository / "rulebooks"
    book = load_rulebook(rulebooks / "liyujiang")
    made = Memory(books={digest(book): book})
    keys = {one.pseudonym: one.key(town.plan.seed) for one in OFFICERS}
    genesis = kit.genesis(sample=True, time=instant(min(one.received for one in town.sent)))
    made.put(REGISTRY, kit.record(genesis, received_at=genesis["event"]["time"], offset=-1), 0)
    for person in hearing.EVERYBODY:
        for one in kit.enrolment(person):
            made.say(REGISTRY, one["event"], kit.REGISTRAR.key, genesis["event"]["time"])
    control = bootstrap(town.plan, source=kit.REGISTER, rulebooks=active_rulebooks(rulebooks, town.plan.first))
    for sent in in_order(control, town):
        key = kit.REGISTRAR.key if sent.signer == REGISTRAR else keys.get(sent.signer) or keys[f"officer:{sent.signer}"]
        if sent.signer == REGISTRAR:
            record = made.say(REGISTRY, sent.event, key, instant(sent.received), sent.channel)
            if sent.event["type"] == _CALENDAR:
                made.put(FACTS, record.value or b"", record.timestamp, b"control")
        else:
            made.say(FACTS, sent.event, key, instant(sent.received), sent.channel)
    asyncio.run(_found(made, EntryRule.of(book), genesis["event"]))
    return made


async def _found(made: Memory, rule: EntryRule | None, genesis: dict[str, Any]) -> None:
    assert rule is not None
    registry = Registry(genesis)
    for record in made.topics[REGISTRY]:
        registry.apply(record.offset, opened(record))
    assert registry.without_effect == []

    async def whole(offset: int) -> Registry:
        return registry

    store = MemoryStore()
    async with store.work() as work:
        await Detectors([rule], whole, "stack:town").handle({(FACTS, 0): made.topics[FACTS]}, work)
    for one in await store.standing():
        made.put(FINDINGS, one.value, _ms(orjson.loads(one.value)["event"]["time"]))


def findings_of(made: Memory, year: int) -> list[dict[str, Any]]:
    """The late entries found in a year, as events, in their order."""
    events = [orjson.loads(one.value or b"")["event"] for one in made.topics[FINDINGS]]
    raised = [one for one in events if one["type"] == "mingjian.finding.raised.v1"]
    return [one for one in raised if one["data"]["kind"] == "late_entry" and one["time"].startswith(str(year))]


def take(made: Memory, steps: Sequence[dict[str, Any]], day: str | None = None, keys: dict[str, SigningKey] | None = None) -> None:
    """Steps of a hearing, each received on its own day or on ``day``. ``keys``: of people who are none of the tests' own."""
    for step in steps:
        on = day or step["data"]["occurred_on"]
        data = step["data"]
        who = data.get("replied_by") or data.get("appealed_by")
        key = (keys or {}).get(who) or hearing.signer_of(step).key
        made.say(REGISTRY, step, key, f"{on}T04:00:00.000Z")


def close(made: Memory, day: str) -> None:
    """The day's end, by the system's key."""
    data = {"through": day, "time_zone": "Asia/Shanghai"}
    event = kit.event(
        "day.closed", data, subject="stack:yangli", source=kit.REGISTER, time=f"{day}T16:00:00.000Z", id=kit.new_id(f"close {day}")
    )
    made.say(REGISTRY, event, kit.key("system"), instant_of(_ms(f"{day}T16:00:01.000Z")))


def assess(made: Memory, finding: dict[str, Any], least: int, most: int, day: str = "2026-11-20") -> None:
    """An effect of a finding, as far as the report reads it."""
    data = kit.golden("finding.assessed")["data"] | {"finding": finding["id"], "matter": finding["data"].get("matter", finding["id"])}
    data |= {"least": least, "most": most, "stands_least": least, "stands_most": most}
    made.derive("finding.assessed", finding["subject"], data, day, f"assessed {finding['id']}")


def scan(made: Memory, detector: str, through: str, *, hits: int, alpha: str | None = None) -> None:
    """A detector's run."""
    data: dict[str, Any] = {
        "detector": detector,
        "version": 1,
        "first": through[:5] + "01-01",
        "through": through,
        "looked_at": 900,
        "units": 9,
        "hits": hits,
    }
    data |= {"alpha": alpha} if alpha else {}
    data |= {"cause": {"topic": REGISTRY, "partition": 0, "offset": 1, "id": kit.new_id(f"close {through}")}}
    made.derive("scan.ran", "stack:yangli", data, through, f"scan {detector} {through}")
