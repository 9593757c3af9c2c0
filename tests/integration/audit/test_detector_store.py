"""The detectors' suite on PostgreSQL, and the plan's compare-and-swap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest

from deploy.local.stack import Stack
from services.audit.adapters.detector_store import PostgresDetectorStore
from services.audit.adapters.finding_reader import FindingReader
from services.audit.adapters.places import PlaceReader
from services.audit.adapters.plan import PostgresPlan
from services.audit.adapters.read_pool import ReadPool
from services.audit.ports import Finding, LogDamaged, Span, Superseded
from services.audit.wiring import migrate
from tests.unit.audit.clock_suite import CLOCKS
from tests.unit.audit.detector_suite import SUITE
from tests.unit.audit.service_suite import SERVICES
from tests.unit.audit.signature_suite import SIGNATURES

pytestmark = pytest.mark.stack
_TABLES = "log_plan, log_position, detector_position, calendar, subject_regimes, open_verdict, decision, service, finding, seen"


_VALUE = b'{"event":{"data":{}}}'


class Store(PostgresDetectorStore):
    """With what the suite looks at."""

    async def _findings(self, where: str) -> list[Finding]:
        rows = await self.connection.execute(
            "SELECT id, kind, about, office, subject, regime, event_id, record_key, value, traceparent, matter, retracted FROM finding"  # noqa: S608 (constants)
            f" WHERE {where} ORDER BY sequence"
        )
        return [Finding(*row) for row in await rows.fetchall()]

    async def standing(self) -> list[Finding]:
        return await self._findings("NOT superseded")

    async def everything(self) -> list[Finding]:
        return await self._findings("true")


@pytest.fixture
def dsn(servers: Stack) -> Iterator[str]:
    """Audit's own schema, empty."""
    address = servers.dsn("mj_audit").strip()
    migrate(address)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {_TABLES}")
        connection.execute("UPDATE log_head SET epoch = 0, planned = 0, signed = 0")
    yield address


@pytest.mark.parametrize("case", SUITE + SERVICES + SIGNATURES + CLOCKS, ids=lambda one: one.__name__)
def test_detectors(case: Callable[[Any], Awaitable[None]], dsn: str) -> None:
    async def run() -> None:
        store = Store(dsn)
        await store.open()
        try:
            await case(store)
        finally:
            await store.close()

    asyncio.run(run())


def test_a_second_process_cannot_move_the_detectors(dsn: str) -> None:
    async def run() -> None:
        one, other = PostgresDetectorStore(dsn), PostgresDetectorStore(dsn)
        await one.open()
        await other.open()
        async with one.work() as work:
            await work.move({("mingjian.facts.v1", 0): 5}, {})
        with pytest.raises(Superseded):
            async with other.work() as work:
                await work.put_regimes({"s": ("r",)})
                await work.move({("mingjian.facts.v1", 0): 7}, {})
        async with other.work() as work:
            assert await work.regimes_of(["s"]) == {}, "nothing of the refused step stays"
        await one.close()
        await other.close()

    asyncio.run(run())


def test_migrating_twice_changes_nothing(dsn: str) -> None:
    migrate(dsn)


def test_pages_of_findings_go_on_where_they_stopped(dsn: str) -> None:
    def finding(number: int) -> Finding:
        return Finding(f"id{number}", "late_entry", "entry", "/o", "s", "r", f"e{number}", b"k", _VALUE)

    async def run() -> None:
        store, pool = PostgresDetectorStore(dsn), ReadPool(dsn)
        reader = FindingReader(pool)
        await store.open()
        await pool.open()
        async with store.work() as work:
            for number in range(5):
                assert await work.add(finding(number), supersedes=False)
            assert not await work.add(finding(3), supersedes=False)
        filters: dict[str, Any] = {"office": None, "kind": None, "about": None, "superseded": False}
        first = await reader.page(after=0, limit=3, **filters)
        rest = await reader.page(after=first[-1]["sequence"], limit=3, **filters)
        assert len(first + rest) == 5 and len({one["sequence"] for one in first + rest}) == 5
        assert await reader.page(after=0, limit=3, **(filters | {"office": "/other"})) == []
        assert await reader.counts() == {"late_entry": 5}
        unsent = await store.unsent((), 10)
        async with store.work() as work:
            await work.read_back([(unsent[0][1], _VALUE), (unsent[1][1], b"another's bytes under our id")])
        assert [one[1] for one in await store.unsent((), 10)] == [one[1] for one in unsent[1:]]
        assert [one[1] for one in await store.unsent({unsent[2][1]}, 10)] == [unsent[1][1], *(one[1] for one in unsent[3:])]
        await store.close()
        await pool.close()

    asyncio.run(run())


def test_few_connections_serve_however_many_who_look(dsn: str) -> None:
    """Two at once; two more wait; whoever comes then is refused at once, and whoever waits too long afterwards."""

    async def run() -> None:
        pool = ReadPool(dsn, most=2, waiting=2, wait_s=0.5)
        await pool.open()

        async def ask(hold_s: float) -> str:
            try:
                async with pool.connection() as connection:
                    await connection.execute("SELECT pg_sleep(%s)", (hold_s,))
            except psycopg.OperationalError as error:
                return type(error).__name__
            return "answered"

        # Both connections stand once two questions, each longer than anybody waits, are answered side by side.
        while await asyncio.gather(ask(0.8), ask(0.8)) != ["answered"] * 2:
            await asyncio.sleep(0.1)
        said = await asyncio.gather(*(ask(1.5) for _ in range(8)))
        assert sorted(said) == ["PoolTimeout"] * 2 + ["TooManyRequests"] * 4 + ["answered"] * 2
        with pytest.raises(psycopg.Error):
            async with pool.connection() as connection:
                await connection.execute("DELETE FROM finding")
        await pool.close()

    asyncio.run(run())


def test_places_are_looked_up_by_the_last_span_that_begins_before(dsn: str) -> None:
    async def run() -> None:
        plan = PostgresPlan(dsn)
        head = plan.take_over()
        plan.commit(head.epoch, 0, [span(0, 3, 0), span(3, 2, 0, 1), span(5, 2, 7)])
        plan.close()
        pool = ReadPool(dsn)
        await pool.open()
        places = PlaceReader(pool)
        assert [await places.leaf("t", 0, offset) for offset in (0, 2, 3, 6, 7, 8, 9, 2**53)] == [0, 2, None, None, 5, 6, None, None]
        await pool.close()

    asyncio.run(run())


def span(first: int, count: int, offset: int, partition: int = 0) -> Span:
    return Span(first, count, "t", partition, offset)


def test_the_plan_appends_all_or_nothing(dsn: str) -> None:
    plan = PostgresPlan(dsn)
    head = plan.take_over()
    plan.commit(head.epoch, 0, [span(0, 3, 0), span(3, 2, 0, 1)])
    assert plan.positions() == {("t", 0): 3, ("t", 1): 2}
    with pytest.raises(LogDamaged):
        plan.commit(head.epoch, 5, [span(5, 1, 3), span(6, 2, 0, 1)])
    assert plan.positions() == {("t", 0): 3, ("t", 1): 2}
    plan.commit(head.epoch, 5, [span(5, 1, 3)])
    assert plan.spans(3, 10) == [span(3, 2, 0, 1), span(5, 1, 3)]
    with pytest.raises(LogDamaged):
        plan.spans(4, 10)
    plan.close()


def test_only_the_newest_writer_commits_and_publishes(dsn: str) -> None:
    paused, other = PostgresPlan(dsn), PostgresPlan(dsn)
    old = paused.take_over()
    paused.commit(old.epoch, 0, [span(0, 1, 0)])
    new = other.take_over()
    assert (new.epoch, new.planned, new.signed) == (old.epoch + 1, 1, 0)
    done: list[str] = []
    with pytest.raises(Superseded):
        paused.commit(old.epoch, 1, [span(1, 1, 1)])
    with pytest.raises(Superseded):
        paused.publish(old.epoch, 1, lambda: done.append("paused"))
    other.publish(new.epoch, 1, lambda: done.append("other"))
    assert done == ["other"]
    with pytest.raises(Superseded):
        other.commit(new.epoch, 0, [span(1, 1, 1)])
    assert other.take_over().signed == 1
    paused.close()
    other.close()


def test_a_failed_publication_is_not_noted(dsn: str) -> None:
    plan = PostgresPlan(dsn)
    head = plan.take_over()
    plan.commit(head.epoch, 0, [span(0, 1, 0)])

    def fail() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        plan.publish(head.epoch, 1, fail)
    assert plan.take_over().signed == 0
    plan.close()
