"""Facts and grades lie in different topics, so either may come first: whatever the order, the same is kept back (R18, ADR 0036)."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from deploy.local.stack import Stack
from schemas.envelope import derived_bytes
from schemas.topics import FACTS, GRADES, REGISTRY
from services.publication.adapters.kafka import quarantined
from services.publication.adapters.postgres_builds import NEXT, PostgresBuilds
from services.publication.adapters.postgres_store import PostgresStore
from services.publication.handlers import Projector
from tests.integration.publication_feed import OFFICE, START_MS, event, genesis, partition_of, value
from tests.integration.test_publication_stays import CHAIN, SHOP, at, named, penalty, rests, stay

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Record:
    """As Kafka gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes
    key: bytes = b""
    headers: tuple[tuple[str, bytes], ...] = ()


def life() -> dict[tuple[str, int], list[Record]]:
    """By partition: an act with two entries, three stays of it (one retracted, one lifted twice), and grades of two subjects on it."""
    found: dict[tuple[str, int], list[Record]] = defaultdict(list)

    def put(topic: str, partition: int, content: bytes, ms: int) -> None:
        place = (topic, partition)
        found[place].append(Record(topic, partition, len(found[place]), ms, content))

    def fact(one: dict[str, Any], ms: int) -> None:
        put(FACTS, partition_of(one["subject"]), value(one, ms=ms), ms)

    def told(one: dict[str, Any], ms: int) -> None:
        put(GRADES, partition_of(one["subject"]), derived_bytes(one), ms)

    def lifting(number: int, of: int, day: str) -> dict[str, Any]:
        data = {"occurred_on": "2026-01-04", "document_no": "复1", "authority": "样例法院", "act": {"source": OFFICE, "id": named(101)}}
        return event(SHOP, "stay.lifted", data | {"stay": named(of), "from_day": day}, id=named(number))

    # In the order of offsets; the second entry of the act comes after its stay, and so does one that the grade rests on.
    fact(penalty(SHOP, 101), at(2))
    fact(stay(SHOP, 103, 101, "2026-01-10", "2026-01-20"), at(3))
    fact(penalty(SHOP, 102), at(4))
    fact(stay(SHOP, 104, 102, "2026-01-15"), at(5))
    fact(stay(SHOP, 105, 102, "2026-01-01"), at(6))
    entry = {"occurred_on": "2026-01-06", "entry": {"source": OFFICE, "id": named(105)}, "ground": "other", "origin": "self_reported"}
    fact(event(SHOP, "entry.retracted", entry | {"reason": "x"}), at(7))
    fact(lifting(106, 104, "2026-01-28"), at(8))
    fact(lifting(107, 104, "2026-01-25"), at(9))
    # And another act, whose only stay was taken back.
    other = {"occurred_on": "2026-01-02", "document_no": "罚另1号", "acts": []}
    fact(event(SHOP, "penalty.decided", other, id=named(110)), at(9))
    fact(stay(SHOP, 111, 110, "2026-01-01"), at(9))
    fact(event(SHOP, "entry.retracted", entry | {"entry": {"source": OFFICE, "id": named(111)}, "reason": "x"}), at(9))
    told(rests(SHOP, "E", [(101, 0)], 2, at(2)), at(2))
    told(rests(SHOP, "D", [(102, 2)], 3, at(4)), at(4))
    told(rests(SHOP, "B", [(110, 8)], 4, at(9)), at(9))
    whole = rests(CHAIN, "D", [(102, 2)], 5, at(9))
    whole["data"]["decisive_events"][0]["partition"] = partition_of(SHOP)
    told(whole, at(9))
    return found


def mixed(chance: random.Random) -> Iterator[list[Record]]:
    """The records in batches of any size, in any order that keeps each partition's."""
    waiting = {place: list(some) for place, some in life().items()}
    while waiting:
        batch = []
        for _ in range(chance.randint(1, 4)):
            if waiting:
                place = chance.choice(sorted(waiting))
                batch.append(waiting[place].pop(0))
                if not waiting[place]:
                    del waiting[place]
        yield batch


async def kept_back(dsn: str, batches: Sequence[list[Record]], *, again: bool) -> list[tuple[Any, ...]]:
    """What a new build keeps back in the end, by change. ``again``: it is started anew after each batch, and hears each batch twice."""
    await PostgresBuilds(dsn).begin()
    store = PostgresStore(dsn, schema=NEXT)
    await store.acquire()
    try:
        projector = Projector(store, rules=lambda regime: (), zone=lambda regime: ZoneInfo("Asia/Shanghai"), quarantine=quarantined)
        await projector.load()
        first = Record(REGISTRY, 0, 0, START_MS, value(genesis(), ms=START_MS))
        await projector.apply([first])  # type: ignore[list-item]
        for batch in batches:
            await projector.apply(batch)  # type: ignore[arg-type]
            if again:
                await projector.load()
                await projector.apply(batch)  # type: ignore[arg-type]
    finally:
        await store.close()
    with psycopg.connect(dsn, options=f"-c search_path={NEXT}") as connection:
        return connection.execute(
            "SELECT change.id::text, suspension.subject, since::text, until::text, from_ms, to_ms, stay_offset FROM suspension "
            "JOIN change USING (seq) ORDER BY 1, 5"
        ).fetchall()


@pytest.fixture(scope="module")
def found(servers: Stack) -> Iterator[list[list[tuple[Any, ...]]]]:
    """What is kept back after twelve orders of arrival. The last build stays until the tests of this file are over."""
    dsn = servers.dsn("mj_publication")
    yield [asyncio.run(kept_back(dsn, list(mixed(random.Random(seed))), again=seed % 3 == 0)) for seed in range(12)]
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {NEXT} CASCADE")


def test_whichever_comes_first_the_same_is_kept_back(found: list[list[tuple[Any, ...]]]) -> None:
    assert all(one == found[0] for one in found)
    day = {at(number, hours=0): number for number in range(1, 31)}
    days = [(subject, day[first], day[end], by) for _, subject, _, _, first, end, by in found[0]]
    # From the 10th by the first stay, from the 15th by the one that lasts longer, to the day before the earlier lifting.
    by_change = [(10, 15, 1), (15, 25, 3)]
    assert sorted(days) == sorted((subject, *one) for subject in (SHOP, SHOP, CHAIN) for one in by_change)
    assert {one[2] for one in found[0]} == {"2026-01-10"} and {one[3] for one in found[0]} == {"2026-01-20", "2026-01-24"}


FIRST, AFTER = at(10, hours=0), at(25, hours=0)


@pytest.mark.parametrize(("instant", "running"), [(FIRST - 1, 0), (FIRST, 3), (AFTER - 1, 3), (AFTER, 0)])
def test_on_a_wall_clock_it_is_the_service_s_own_that_counts(servers: Stack, found: object, instant: int, running: int) -> None:
    """Nothing is written at midnight."""
    with psycopg.connect(servers.dsn("mj_publication"), options=f"-c search_path={NEXT}") as connection:
        connection.execute("SELECT set_config('mingjian.now_ms', %s, true)", (str(instant),))
        assert connection.execute("SELECT count(*) FROM running").fetchone() == (running,)
        hidden = connection.execute("SELECT count(*) FROM shown_change WHERE status = 'publication_suspended' AND grade IS NULL").fetchone()
        assert hidden == (running,)
