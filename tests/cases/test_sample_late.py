"""The late entries that the audit service's rule finds in the sample town are exactly those that were planted.

Two readings of 五(三) ¶1 that share no code but the calendar's table: the town's own, and the audit service's."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import orjson
import pytest

from schemas.envelope import envelope_bytes
from schemas.keys import SigningKey
from schemas.rulebook import load_rulebook
from schemas.topics import FACTS, REGISTRY
from services._cli.sample.acts import ZONE, instant
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.load import active_rulebooks, in_order
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import REGISTRAR, Plan, Sent, Town, generate
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule
from services.audit.domain.registry import Registry
from services.audit.handlers import Detectors
from services.audit.ports import Finding
from services.audit.reading import opened
from tests.unit.audit.fake_work import MemoryStore

pytestmark = pytest.mark.sweep

UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)
# Ten seeds; then a town that ends in the first days of a year, and one that ends right after a Spring Festival.
CASES = [
    *((seed, UNTIL) for seed in range(1, 11)),
    (11, datetime(2025, 1, 3, 9, tzinfo=ZONE)),
    (12, datetime(2026, 2, 26, 18, tzinfo=ZONE)),
]


def town_of(repository: Path, seed: int, until: datetime, *, enterprises: int = 60) -> Town:
    tables = calendar_tables(repository / "rulebooks", until.year - 4, until.year)
    return generate(Plan(seed=seed, enterprises=enterprises, years=3, until=until, tables=tables))


KEY = SigningKey.from_seed(b"everyone in a town of the tests".ljust(32, b"."))
GENESIS = {"source": "/departments/yangli/offices/bureau", "data": {"registrar_key": KEY.public_object()}}


def record(topic: str, offset: int, sent: Sent, stamp: int) -> Record:
    """What intake makes of an entry; one key signs for everyone."""
    entry = {"received_at": instant(sent.received), "channel": sent.channel, "batch": None, "registry_offset": stamp}
    value = envelope_bytes(sent.event, KEY.signature(sent.event), entry)
    return Record(topic, 0, offset, int(sent.received.timestamp() * 1000), 0, b"key", (), value)


def found_by_audit(repository: Path, town: Town) -> dict[str, dict[str, object]]:
    """The detectors over the town in the order of its entries, as if all facts stood in one partition."""
    books = repository / "rulebooks"
    rule = EntryRule.of(load_rulebook(books / "liyujiang"))
    assert rule is not None
    registry, facts = Registry(GENESIS), []
    control = bootstrap(town.plan, source="/departments/yangli/offices/bureau", rulebooks=active_rulebooks(books, town.plan.first))
    for sent in in_order(control, town):
        if sent.signer == REGISTRAR:
            offset = registry.next_offset
            registry.apply(offset, opened(record(REGISTRY, offset, sent, max(0, offset - 1))))
        if sent.signer != REGISTRAR or sent.event["type"] == "mingjian.calendar.issued.v1":
            facts.append(record(FACTS, len(facts), sent, registry.next_offset - 1))
    assert registry.without_effect == []

    async def up_to(offset: int) -> Registry:
        return registry

    async def run() -> list[Finding]:
        store = MemoryStore()
        async with store.work() as work:
            await Detectors([rule], up_to, "stack:town").handle({(FACTS, 0): facts}, work)
        return await store.standing()

    found = [orjson.loads(one.value)["event"]["data"] for one in asyncio.run(run())]
    assert {one["kind"] for one in found} == {"late_entry"}
    return {one["event"]["id"]: one["late"] for one in found}


KINDS = {"inspection", "sampling", "case", "penalty", "document", "correction"}


def test_every_kind_and_every_way_to_day_zero_has_a_late_entry(repository: Path) -> None:
    late = town_of(repository, 1, UNTIL).planted
    assert {one["type"].split(".")[1] for one in late} >= KINDS
    assert {one["type"] for one in late} >= {"mingjian.case.opened.v1", "mingjian.case.closed.v1"}
    reasons = Counter(one["why"].partition(":")[0] for one in late)
    for why in ("ended on the next day", "the result of a sample", "a service told by itself", "correction.ordered"):
        assert reasons[why] >= 1, why
    assert {"mingjian.penalty.decided.v1", "mingjian.document.served.v1"} <= {
        one["type"] for one in late if one["why"].endswith("a decision and its service, entered late one after the other")
    }
    others = {one["type"] for seed in range(2, 6) for one in town_of(repository, seed, UNTIL).planted}
    assert "mingjian.obstruction.determined.v1" in others


@pytest.mark.parametrize(("seed", "until"), CASES)
def test_the_late_entries_found_are_exactly_those_planted(repository: Path, seed: int, until: datetime) -> None:
    town = town_of(repository, seed, until)
    found = found_by_audit(repository, town)
    planted = {one["id"]: {name: one[name] for name in next(iter(found.values()))} for one in town.planted}
    assert planted == found
    assert len(planted) > 20


def test_each_edge_of_the_calendar_has_an_entry_in_time_and_one_late(repository: Path) -> None:
    town = town_of(repository, 1, UNTIL)
    late = Counter(one["why"].partition(":")[0] for one in town.planted)
    in_time = Counter(one["why"].partition(":")[0] for one in town.lookalikes)
    for edge in ("before a festival", "deadline on a make-up day", "a make-up day within the term", "before a year's end"):
        assert late[edge] >= 2, edge
        assert in_time[edge] >= 2, edge


def test_nothing_from_the_archive_or_from_before_go_live_is_planted(repository: Path) -> None:
    town = town_of(repository, 1, UNTIL)
    words = Counter(one["why"] for one in town.lookalikes)
    assert words["from the paper archive"] > 0
    assert words["from before go-live, entered weeks later"] > 0
    assert all(date.fromisoformat(one["day_zero"]) >= town.plan.go_live for one in town.planted)


def test_an_outage_and_offline_work_are_marked_on_what_was_planted(repository: Path) -> None:
    marks = Counter()
    for seed in range(1, 11):
        for one in town_of(repository, seed, UNTIL).planted:
            marks.update(name for name in ("outage", "signed_in_time") if one[name])
    assert marks["signed_in_time"] >= 10
    assert marks["outage"] >= 1
