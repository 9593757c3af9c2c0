"""What is stored goes out, with every copy, wherever the row comes from: from memory, from the table, at a start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from schemas.topics import FACTS, PARTITIONS, REGISTRY
from services.intake import sending
from services.intake.keeping import Keeper
from services.intake.ports import Row
from services.intake.sending import Sender
from tests.unit.intake.fakes import MemoryBroker, MemoryStore, Rows

pytestmark = pytest.mark.anyio


@dataclass
class Line:
    """Store, sender and broker, with nothing that reads back."""

    store: MemoryStore
    broker: MemoryBroker
    sender: Sender

    async def keep(self, *rows: Row, say: bool = True) -> None:
        kept = await self.store.keep(rows)
        if say:
            self.sender.stored([(one.seq, row) for row, one in zip(rows, kept, strict=True) if one.seq is not None])

    def copies(self) -> int:
        return sum(self.store.copies.values())

    def registry(self) -> list[bytes]:
        return self.broker.values(REGISTRY)

    def facts(self) -> list[bytes]:
        return [one.value for place, log in self.broker.logs.items() if place[0] == FACTS for one in log if one.key != b"control"]


@asynccontextmanager
async def a_line(store: MemoryStore | None = None, resend_after_s: float = 10.0, **more: Any) -> AsyncIterator[Line]:
    store, broker = store or MemoryStore(), MemoryBroker()
    clock = asyncio.get_running_loop().time
    sender = Sender(store, broker, monotonic=clock, caught_up=lambda: True, resend_after_s=resend_after_s)
    await sender.recover()
    running = asyncio.create_task(sender.run())
    yield Line(store, broker, sender)
    assert not running.done()
    running.cancel()


async def until(wanted: Any) -> None:
    async with asyncio.timeout(5):
        while not wanted():
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little memory that a few rows don't fit, and pages of three."""
    monkeypatch.setattr(sending, "IN_MEMORY", 5)
    monkeypatch.setattr(sending, "TOGETHER", 3)


async def test_a_broadcast_that_did_not_fit_into_memory_goes_out_with_all_its_copies() -> None:
    rows = Rows()
    async with a_line() as line:
        line.broker.down = True
        for _ in range(7):
            await line.keep(rows.row())
        broadcast = rows.row(copies=PARTITIONS)
        await line.keep(broadcast)
        last = rows.row()
        await line.keep(last)
        line.broker.down = False
        await until(lambda: line.copies() == PARTITIONS and last.value in line.facts())
        assert [broadcast.value] == line.registry()
        for place in range(PARTITIONS):
            assert 1 == line.broker.values(FACTS, place).count(broadcast.value)
        assert sorted(row.value for row in rows.made if not row.copies) == sorted(line.facts())


async def test_after_a_start_a_broadcast_behind_many_rows_goes_out_with_all_its_copies() -> None:
    rows, store = Rows(), MemoryStore()
    await store.keep([rows.row() for _ in range(7)])
    broadcast = rows.row(copies=PARTITIONS)
    await store.keep([broadcast])
    async with a_line(store) as line:
        await until(lambda: line.copies() == PARTITIONS)
        assert [broadcast.value] == line.registry()
        assert 7 == len(line.facts())


async def test_what_was_sent_and_never_read_back_goes_out_again_and_the_copies_that_are_missing_with_it() -> None:
    rows = Rows()
    async with a_line(resend_after_s=0.05) as line:
        broadcast = rows.row(copies=PARTITIONS)
        await line.keep(broadcast)
        await until(lambda: line.copies() == PARTITIONS)
        line.store.copies[broadcast.name, 3] = False
        await until(lambda: len(line.registry()) > 1 and line.copies() == PARTITIONS)
        assert len(line.broker.values(FACTS, 4)) == 1 and len(line.broker.values(FACTS, 3)) > 1
        line.sender.read_back(broadcast.name)


async def test_after_a_doubt_everything_that_nobody_handed_over_goes_out_and_nothing_twice() -> None:
    rows = Rows()
    async with a_line() as line:
        await line.keep(rows.row(), rows.row())
        line.broker.down = True
        hidden = [rows.row() for _ in range(7)] + [rows.row(copies=PARTITIONS)]
        await line.keep(*hidden, say=False)
        line.sender.doubt()
        for _ in range(3):
            await line.keep(rows.row())
        line.broker.down = False
        await until(lambda: len(line.facts()) == 12 and line.copies() == PARTITIONS)
        await asyncio.sleep(0.02)
        assert sorted(row.value for row in rows.made if not row.copies) == sorted(line.facts())
        assert 1 == len(line.registry())


async def test_a_doubt_while_rows_come_from_the_table_loses_none() -> None:
    rows = Rows()
    async with a_line() as line:
        line.broker.down = True
        for _ in range(8):
            await line.keep(rows.row())
        await line.keep(*(rows.row() for _ in range(4)), say=False)
        line.sender.doubt()
        await line.keep(rows.row())
        await asyncio.sleep(0.02)
        line.broker.down = False
        await until(lambda: len(set(line.facts())) == 13)


async def test_a_transaction_that_ends_after_the_first_look_is_found_by_the_second() -> None:
    rows = Rows()
    async with a_line(resend_after_s=0.05) as line:
        line.sender.doubt()
        await asyncio.sleep(0.02)
        late = rows.row()
        await line.keep(late, say=False)
        await until(lambda: late.value in line.facts())
        line.sender.read_back(late.name)


async def test_one_row_that_can_t_be_stored_keeps_no_other_out() -> None:
    rows = Rows()
    async with a_line() as line:
        keeper = Keeper(line.store, line.sender)
        offered = [rows.row() for _ in range(4)] + [rows.row(subject="fhrs:\0")] + [rows.row() for _ in range(3)]
        futures = [keeper.offer(row) for row in offered]
        running = asyncio.create_task(keeper.run())
        await asyncio.wait(futures)
        assert [4] == [place for place, one in enumerate(futures) if one.exception()]
        assert [row.name for row in offered if "\0" not in row.key] == [row.name for _, row in sorted(line.store.rows.items())]
        running.cancel()
