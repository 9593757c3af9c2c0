"""What the console asks of PostgreSQL: order by gravity, filters, pages that go on where they stopped, scans added up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import pytest

from deploy.local.stack import Stack
from schemas.envelope import derived_bytes
from services.audit.adapters.console_reader import After, ConsoleReader, Wanted
from services.audit.adapters.detector_store import PostgresDetectorStore
from services.audit.adapters.read_pool import ReadPool
from services.audit.ports import Finding
from services.audit.wiring import migrate
from tests.effects import ASSESSED, SCAN, assessed, scanned
from tests.unit.audit.test_console import LATE

pytestmark = pytest.mark.stack
RAISED = "mingjian.finding.raised.v1"


@pytest.fixture
def dsn(servers: Stack) -> Iterator[str]:
    """Audit's own schema, without findings."""
    address = servers.dsn("mj_audit").strip()
    migrate(address)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("TRUNCATE finding")
    yield address


def id_of(number: int) -> str:
    return f"018f0000-0000-7000-8000-{number:012x}"


def late(number: int, **data: Any) -> dict[str, Any]:
    """A late entry of its own matter."""
    event: dict[str, Any] = orjson.loads(orjson.dumps(LATE)) | {"id": id_of(number)}
    event["data"] |= {"matter": id_of(1000 + number)} | data
    return event


def kept(event: dict[str, Any], number: int = 0) -> Finding:
    """As the detectors and the night keep it."""
    data, of_scan = event["data"], event["type"] == SCAN
    return Finding(
        id=event["id"],
        kind=data["detector"] if of_scan else data["kind"],
        about="scan" if of_scan else "effect" if event["type"] == ASSESSED else data["about"],
        office=None if of_scan else event["subject"].removeprefix("office:"),
        subject=data.get("subject_of"),
        regime=data.get("regime"),
        event_id=None if of_scan else data["event"]["id"],
        key=b"k",
        value=derived_bytes(event),
        matter=data.get("matter"),
        retracted=bool(data.get("retracted")),
        type=event["type"],
    )


def asked(dsn: str, events: list[dict[str, Any]], ask: Any) -> Any:
    """What ``ask`` gets of a reader once these are on record."""

    async def run() -> Any:
        store = PostgresDetectorStore(dsn)
        await store.open()
        async with store.work() as work:
            await work.add_all([kept(one) for one in events])
        await store.close()
        pool = ReadPool(dsn)
        await pool.open()
        try:
            return await ask(ConsoleReader(pool))
        finally:
            await pool.close()

    return asyncio.run(run())


def test_the_gravest_come_first_page_by_page_each_once(dsn: str) -> None:
    """By the most days, then the least, then the newest; without an effect last."""
    days = {1: (9, 9), 2: (40, 0), 3: (40, 12), 4: (9, 9), 7: (0, 0)}
    events = [late(number) for number in range(1, 8)]
    effects = [assessed(events[number - 1], days=max(most, 1), least=least) for number, (most, least) in days.items() if most]
    none = assessed(events[6], days=1, least=0)
    none["data"] |= {"most": 0, "least": 0}

    async def ask(reader: ConsoleReader) -> list[tuple[str, int | None]]:
        found: list[tuple[str, int | None]] = []
        after: After | None = None
        while rows := await reader.page(Wanted(kind="late_entry"), gravest=True, after=after, limit=2):
            found += [(row["id"], row["most"]) for row in rows]
            last = rows[-1]
            after = After(*(-1 if last[name] is None else last[name] for name in ("most", "least")), last["sequence"])
        return found

    found = asked(dsn, [*events, *effects, none], ask)
    order = [(3, 40), (2, 40), (4, 9), (1, 9), (7, 0), (6, None), (5, None)]
    assert found == [(id_of(number), most) for number, most in order]


def test_filters_ask_for_office_subject_officer_matter_and_what_was_retracted(dsn: str) -> None:
    events = [
        late(1, concerns=["officer:a", "officer:b"]),
        late(2, subject_of="uscc:91990000YL0000012A"),
        late(3, retracted=True),
        late(4) | {"subject": "office:/departments/other/offices/one"},
    ]

    async def ask(reader: ConsoleReader) -> list[set[str]]:
        wishes = [
            Wanted(),
            Wanted(officer="officer:b"),
            Wanted(subject="uscc:91990000YL0000012A"),
            Wanted(retracted=True),
            Wanted(office="/departments/other/offices/one"),
            Wanted(within=[id_of(1001)]),
            Wanted(without=[id_of(1001)]),
            Wanted(within=[]),
        ]
        return [{row["id"] for row in await reader.page(one, gravest=False, after=None, limit=9)} for one in wishes]

    expected = [{1, 2, 4}, {1}, {2}, {3}, {4}, {1}, {2, 4}, set()]
    assert asked(dsn, events, ask) == [set(map(id_of, numbers)) for numbers in expected]


def test_a_newer_effect_takes_the_earlier_s_place(dsn: str) -> None:
    first = assessed(late(1), days=40, least=40)
    second = assessed(late(1), days=3, least=3) | {"id": id_of(9)}

    async def ask(reader: ConsoleReader) -> tuple[Any, Any]:
        (row,) = await reader.page(Wanted(), gravest=True, after=None, limit=9)
        return row["most"], [one["id"] for one in await reader.effects(id_of(1001))]

    assert asked(dsn, [late(1), first, second], ask) == (3, [id_of(9)])


def test_an_effect_on_a_chain_stands_beside_the_one_on_the_shop(dsn: str) -> None:
    """The shop's own comes first; the list tells the most days of both."""
    own, chain = assessed(late(1), days=3, least=3), assessed(late(1), days=40, least=0) | {"id": id_of(9)}
    chain["data"] |= {"affected": "uscc:91440300MA5CHA1N44"}
    newer = chain | {"id": id_of(10), "data": chain["data"] | {"least": 7}}

    async def ask(reader: ConsoleReader) -> tuple[Any, Any]:
        (row,) = await reader.page(Wanted(), gravest=True, after=None, limit=9)
        return (row["least"], row["most"]), [one["id"] for one in await reader.effects(id_of(1001))]

    assert asked(dsn, [late(1), own, chain, newer], ask) == ((7, 40), [own["id"], id_of(10)])


def test_scans_are_added_up_by_detector(dsn: str) -> None:
    scans = [scanned(1, hits=0), scanned(2, hits=4, alpha="0.05")]

    async def ask(reader: ConsoleReader) -> Any:
        (row,) = await reader.detectors()
        return row["runs"], int(row["hits"]), row["through"], row["alpha"]

    assert asked(dsn, scans, ask) == (2, 4, "2026-01-02", "0.05")
