"""A sample town as audit has it: registry, facts of a few partitions, and the late entries that the detectors found in them."""

from __future__ import annotations

import asyncio
import uuid
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from schemas.envelope import envelope_bytes
from schemas.events import CATALOGUE
from schemas.keys import SigningKey
from schemas.rulebook import load_rulebook
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services._cli.sample.acts import ZONE, instant
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.load import active_rulebooks, approved, in_order
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import Plan, Sent, Town
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule
from services.audit.domain.registry import Registry
from services.audit.handlers import Detectors
from services.audit.reading import opened
from services.intake.domain.days import day_closed_event
from tests.unit.audit.fake_work import MemoryStore

REPOSITORY = Path(__file__).resolve().parents[3]
UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)
KEY = SigningKey.from_seed(b"everyone in a town of the tests".ljust(32, b"."))
GENESIS = {"subject": "stack:town", "data": {"registrar_key": KEY.public_object()}}


@lru_cache(maxsize=2)
def town_of(seed: int, enterprises: int, years: int = 3) -> Town:
    """With what its approver signs."""
    tables = calendar_tables(REPOSITORY / "rulebooks", UNTIL.year - 4, UNTIL.year)
    return approved(Plan(seed=seed, enterprises=enterprises, years=years, until=UNTIL, tables=tables), REPOSITORY / "rulebooks")


def _record(topic: str, partition: int, offset: int, sent: Sent, stamp: int) -> Record:
    entry = {"received_at": instant(sent.received), "channel": sent.channel, "batch": None, "registry_offset": stamp}
    value = envelope_bytes(sent.event, KEY.signature(sent.event), entry)
    return Record(topic, partition, offset, int(sent.received.timestamp() * 1000), 1, b"key", (), value)


def _closing(sent: Sequence[Sent]) -> Iterator[Sent]:
    """With the close of the days before each, as intake writes it with the next record."""
    closed = None
    for one in sent:
        through = one.received.astimezone(ZONE).date() - timedelta(days=1)
        if closed is not None and through > closed:
            event = day_closed_event(through, "Asia/Shanghai", subject="stack:town", source="/departments/yangli/offices/bureau")
            made = {"specversion": "1.0", "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"close {through}")), **event}
            yield Sent(made | {"time": instant(one.received)}, "registrar", "desk", one.received)
        closed = max(closed or through, through)
        yield one


class TownSource:
    """``assessing.Source`` over it. ``partitions``: of facts."""

    def __init__(self, town: Town, partitions: int = 2) -> None:
        books = REPOSITORY / "rulebooks"
        control = bootstrap(town.plan, source="/departments/yangli/offices/bureau", rulebooks=active_rulebooks(books, town.plan.first))
        self._registry: list[Record] = []
        self._facts: list[list[Record]] = [[] for _ in range(partitions)]
        folded = Registry(GENESIS)
        for sent in _closing(in_order(control, town)):
            route = CATALOGUE[sent.event["type"]].route
            if route != "facts":
                offset = len(self._registry)
                self._registry.append(_record(REGISTRY, 0, offset, sent, max(0, offset - 1)))
                folded.apply(offset, opened(self._registry[-1]))
            stamp = len(self._registry) - 1
            here = range(partitions) if route == "broadcast" else [zlib.crc32(sent.event["subject"].encode()) % partitions]
            for number in here if route != "registry" else ():
                self._facts[number].append(_record(FACTS, number, len(self._facts[number]), sent, stamp))
        rule = EntryRule.of(load_rulebook(books / "liyujiang"))
        assert rule is not None

        async def up_to(offset: int) -> Registry:
            return folded

        async def run() -> list[bytes]:
            store = MemoryStore()
            async with store.work() as work:
                await Detectors([rule], up_to, "stack:town").handle({(FACTS, n): some for n, some in enumerate(self._facts)}, work)
            return [one.value for one in await store.standing()]

        found = asyncio.run(run())
        self._findings = [Record(FINDINGS, 0, number, 0, 1, b"office", (), value) for number, value in enumerate(found)]

    def findings(self) -> Sequence[Record]:
        return self._findings

    def registry(self) -> Sequence[Record]:
        return self._registry

    def facts(self, partition: int) -> Iterator[Sequence[Record]]:
        yield self._facts[partition]
