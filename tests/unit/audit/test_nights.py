"""When the nightly run takes place: once for the newest of many days, again where it failed, never for a day that is on record."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from services.audit import nights as nights_module
from services.audit.nights import Nights

pytestmark = pytest.mark.anyio
ENDED = datetime(2026, 3, 2, tzinfo=UTC)


class World:
    """A registry, a log that grows, a table of runs, and processes that do what they are told to."""

    def __init__(self) -> None:
        self.days: list[tuple[int, str]] = []
        self.leaves, self.now, self.down = 0, 0.0, False
        self.runs: list[tuple[int, str]] = []
        self.fails: list[str] = []
        self.row: dict[str, Any] | None = None
        self.nights = Nights(lambda: self.days, lambda: self.leaves, self.latest, {}, lambda: self.now)
        self.nights._process = self.process  # type: ignore[method-assign]

    async def latest(self) -> dict[str, Any] | None:
        if self.down:
            raise psycopg.OperationalError("no route to host")
        return self.row

    async def process(self, closing: tuple[int, str]) -> str | None:
        self.runs.append(closing)
        if self.fails:
            return self.fails.pop()
        offset, day = closing
        self.row = {"registry_offset": offset, "day": day, "ended_at": ENDED, "events": 1, "differences": 0, "copies_missing": 0}
        return None

    async def passes(self, seconds: float, *, busy: bool = False) -> None:
        """The loop looks twice a second; ``busy``: something comes into the log each time."""
        for _ in range(int(seconds * 2)):
            self.now += 0.5
            self.leaves += busy
            for _ in range(4):
                await asyncio.sleep(0)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> Any:
    one = World()
    slept = asyncio.sleep

    async def sleep(seconds: float) -> None:
        until = one.now + seconds
        while one.now < until:
            await slept(0)

    monkeypatch.setattr(nights_module.asyncio, "sleep", lambda seconds: sleep(seconds) if seconds else slept(0))
    task = asyncio.create_task(one.nights.run())
    yield one
    task.cancel()


async def test_many_days_make_one_run_for_the_newest_once_it_is_quiet(world: World) -> None:
    for number in range(40):
        world.days.append((number, f"day {number}"))
        await world.passes(0.5, busy=True)
    assert world.runs == []
    assert world.nights.state()["due"] == "day 39"
    await world.passes(10)
    assert world.runs == [(39, "day 39")]
    assert world.nights.state()["due"] is None
    world.days.append((40, "day 40"))
    await world.passes(10)
    assert world.runs == [(39, "day 39"), (40, "day 40")]


async def test_where_facts_never_stop_it_takes_place_all_the_same(world: World) -> None:
    world.days.append((1, "day 1"))
    await world.passes(550, busy=True)
    assert world.runs == []
    await world.passes(100, busy=True)
    assert world.runs == [(1, "day 1")]


async def test_a_day_on_record_is_not_run_for_after_a_start(world: World) -> None:
    world.row = {"registry_offset": 7, "day": "day 7", "ended_at": ENDED, "events": 1, "differences": 0, "copies_missing": 0}
    world.days.append((7, "day 7"))
    await world.passes(30)
    assert world.runs == []
    assert world.nights.state()["last"]["day"] == "day 7"


async def test_one_that_fails_is_tried_again_later(world: World) -> None:
    world.fails = ["Kafka does not answer"]
    world.days.append((1, "day 1"))
    await world.passes(20)
    assert world.runs == [(1, "day 1")]
    assert world.nights.state()["failed"] == "Kafka does not answer"
    await world.passes(80)
    assert world.runs == [(1, "day 1"), (1, "day 1")]
    assert world.nights.state()["failed"] is None


async def test_while_postgresql_is_away_it_waits(world: World) -> None:
    world.down = True
    world.days.append((1, "day 1"))
    await world.passes(20)
    assert world.runs == []
    assert "PostgreSQL" in world.nights.state()["failed"]
    world.down = False
    await world.passes(10)
    assert world.runs == [(1, "day 1")]


BEGIN = """import sys, time
print('{"done": 3, "of": 9}', flush=True)
"""


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("sys.exit(0)", None),
        ("""print('{"failed": "no rulebooks"}'); sys.exit(2)""", "no rulebooks"),
        ("sys.exit(1)", "it ended without a word"),
        ("print('no JSON'); sys.exit(0)", "what it said can't be read"),
    ],
)
async def test_what_the_process_says_is_heard(rest: str, why: str | None) -> None:
    nights = Nights(list, lambda: 0, World().latest, {}, lambda: 0.0, _command=(sys.executable, "-c", BEGIN + rest))
    assert await nights._process((1, "day 1")) == why
    assert nights.progress == (3, 9)


async def test_the_process_ends_when_nobody_waits_for_it_any_more() -> None:
    waiting = 'import os; print(\'{"done": %d, "of": 1}\' % os.getpid(), flush=True); time.sleep(600)'
    nights = Nights(list, lambda: 0, World().latest, {}, lambda: 0.0, _command=(sys.executable, "-c", BEGIN + waiting))
    task = asyncio.create_task(nights._process((1, "day 1")))
    while nights.progress[1] != 1:
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(nights.progress[0], 0)
