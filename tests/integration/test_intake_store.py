"""The store's promises, on PostgreSQL and on the store in memory that the other tests rely on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from deploy.local.stack import Stack
from schemas.topics import FACTS, PARTITIONS, REGISTRY
from services.intake.adapters.migrations import migrate
from services.intake.adapters.postgres import PostgresStore
from services.intake.domain.standing import Known
from services.intake.ports import FirstCopy, NotStorable, Position, RefusalRow, Row, Sealed, Store, StoreUnavailable
from tests import toolkit as kit
from tests.unit.intake.fakes import MemoryStore

pytestmark = [pytest.mark.stack, pytest.mark.anyio]
TABLES = "fact, submission, first_copy, control_copy, partition_position, refusal, vault.private_value"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def dsn(servers: Stack) -> str:
    """Intake's own database role, its schema made."""
    found = servers.dsn("mj_intake")
    migrate(found)
    return found


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """An empty store."""
    if request.param == "memory":
        yield MemoryStore()
        return
    dsn = request.getfixturevalue("dsn")
    with psycopg.connect(dsn) as connection:
        connection.execute(f"TRUNCATE {TABLES}")
    made = PostgresStore(dsn)
    await made.open()
    yield made
    await made.close()


def row(name: str, *, copies: int = 0, private: bool = False, content: str = "") -> Row:
    sealed = (Sealed("name", "k", b"n" * 12, b"box"),) if private else ()
    key = (kit.OFFICE, kit.new_id(name))
    topic = REGISTRY if copies else FACTS
    return Row(key, (content or name).encode().ljust(32)[:32], topic, "fhrs:1", "t", name.encode(), 7, None, sealed, tuple(range(copies)))


def first(one: Row, offset: int = 0) -> FirstCopy:
    return FirstCopy(one.name, one.event_hash, one.topic, 0, offset, one.received_ms, 9)


async def test_an_event_that_comes_twice_in_one_group_is_kept_once(store: Store) -> None:
    for number, make in enumerate((lambda name: row(name, private=True), lambda name: row(name, copies=PARTITIONS))):
        one, other = make(f"twice {number}"), make(f"other {number}")
        kept = await store.keep([one, other, one, replace(other, event_hash=b"x" * 32)])
        assert [True, True, False, False] == [found.seq is not None for found in kept]
        assert [one.event_hash, other.event_hash, one.event_hash, other.event_hash] == [found.event_hash for found in kept]


async def test_the_order_of_storing_is_the_order_given(store: Store) -> None:
    rows = [row(f"order {number}") for number in (3, 1, 2)]
    kept = await store.keep(rows)
    seqs = [one.seq for one in kept if one.seq is not None]
    assert 3 == len(seqs) and seqs == sorted(seqs)
    assert [one.name for one in rows] == [one.name for _, one in await store.unread(after=0, limit=9)]
    assert [rows[2].name] == [one.name for _, one in await store.unread(after=seqs[1], limit=9)]


async def test_unread_rows_come_with_the_copies_that_are_missing(store: Store) -> None:
    plain, broadcast = row("plain"), row("broadcast", copies=PARTITIONS)
    await store.keep([plain, broadcast])
    await store.copied([(broadcast.name, 0), (broadcast.name, 5)])
    missing = tuple(place for place in range(PARTITIONS) if place not in (0, 5))
    assert [(), missing] == [one.copies for _, one in await store.unread(after=0, limit=9)]
    assert [missing] == [one.copies for one in await store.unsent_copies()]
    await store.note([first(broadcast)], {(FACTS, 0): Position(1, 9)})
    assert [plain.name] == [one.name for _, one in await store.unread(after=0, limit=9)]
    assert [missing] == [one.copies for one in await store.unsent_copies()]


async def test_what_stands_on_kafka_alone_is_not_stored_again(store: Store) -> None:
    one = row("on kafka")
    await store.note([first(one)], {(FACTS, 0): Position(1, 9)})
    [kept] = await store.keep([replace(one, event_hash=b"y" * 32)])
    assert (None, one.event_hash) == (kept.seq, kept.event_hash)
    assert (None, first(one)) == await store.find(one.name)


async def test_facts_are_known_when_they_are_kept_and_when_they_were_read_back(store: Store) -> None:
    kept, read, plain = row("kept"), row("read back"), row("plain")
    ones = [Known(*one.name, "fhrs:1", final) for one, final in ((kept, "fhrs 2026"), (read, "fhrs 2026"))]
    await store.keep([replace(kept, known=ones[0]), plain])
    await store.note([replace(first(read), known=ones[1]), replace(first(kept), known=ones[0])], {(FACTS, 0): Position(1, 9)})
    asked = [("fhrs:1", one.name[1]) for one in (kept, read, plain)] + [("fhrs:2", kept.name[1]), ("fhrs:1", "no id"), ("\0", kept.name[1])]
    assert set(ones) == set(await store.standing(asked, []))
    assert set(ones) == set(await store.standing([], [("fhrs:1", "fhrs 2026"), ("fhrs:1", "fhrs 2025"), ("fhrs:2", "fhrs 2026")]))
    assert [] == await store.standing([], [])


async def test_what_can_t_be_an_id_is_unknown(store: Store) -> None:
    for name in (("", ""), ("/departments/\0/offices/x", kit.new_id()), (kit.OFFICE, "no id")):
        assert (None, None) == await store.find(name)


async def test_values_that_can_t_be_stored_are_no_absence_of_the_server(store: Store) -> None:
    with pytest.raises(NotStorable):
        await store.keep([replace(row("nul"), key="fhrs:\0")])
    assert [] == await store.unread(after=0, limit=9)


async def test_a_refusal_that_can_t_be_stored_is_no_absence_of_the_server(store: Store) -> None:
    with pytest.raises(NotStorable):
        await store.refuse([RefusalRow("k", b"h" * 32, "reason", "\0", b"value", 7)])


async def test_a_refusal_is_said_once_and_unsent_until_it_was_sent(store: Store) -> None:
    one = RefusalRow("k", b"h" * 32, "reason", kit.OFFICE, b"value", 7)
    again = replace(one, value=b"other")
    assert [(b"value", True), (b"value", False)] == await store.refuse([one, again])
    assert [one] == await store.unsent_refusals(9)
    await store.refusals_sent([one])
    assert [] == await store.unsent_refusals(9)


async def test_nothing_is_kept_when_looking_up_what_was_there_fails(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statement after the insertion breaks: then nothing of the group may stand."""
    made = PostgresStore(dsn)
    await made.open()
    known, new = row("known before"), row("new with it")
    await made.keep([known])

    async def broken(*_: object) -> Callable[[], None]:
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(made, "_there", broken)
    with pytest.raises(StoreUnavailable):
        await made.keep([known, new])
    assert (None, None) == await made.find(new.name)
    await made.close()
