"""Checkpoints in two steps: what happens between signing and publishing, and the loop that does both while records come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from services.audit import worker
from services.audit.appender import CHECKPOINT, Appender, Prepared
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.verify import Verification
from services.audit.ports import LogDamaged, Span, Superseded
from services.audit.witnessing import Witnesses
from services.audit.worker import LogLoop
from tests.unit.audit.fakes import KEY, VERIFIER, Crash, Fuse, record
from tests.unit.audit.test_appender import World
from tests.unit.audit.witness.test_asking import Growing, Town, away, hangs, names

A = ("a", 0)


def size(world: World) -> int:
    """Leaves under the published checkpoint, whose every file is there and right."""
    point, _ = open_checkpoint(world.store.read(CHECKPOINT) or b"", VERIFIER)
    check = Verification(point, world.store.read)
    for _ in check.tree():
        pass
    assert check.faults == []
    return point.size


@pytest.mark.parametrize("more", [1, 100, 256, 700])
def test_what_is_appended_while_witnesses_are_asked_takes_nothing_from_the_checkpoint(more: int) -> None:
    log = Growing()
    prepared = log.prepare(250)
    log.world.say(A, more)
    log.writer.append(log.world.news(1_000))
    log.writer.publish(prepared)
    assert size(log.world) == 250
    assert {"tile/0/000.p/250", "tile/entries/000.p/250"} <= set(log.world.store.files), "readers of this checkpoint ask for these"
    log.writer.checkpoint()
    assert size(log.world) == 250 + more
    assert not [name for name in log.world.store.files if name.startswith("tile/0/000.p/")] or 250 + more < 256


def test_none_is_published_below_one_that_was() -> None:
    log = Growing()
    older = log.prepare(5)
    log.writer.publish(log.prepare(5))
    with pytest.raises(LogDamaged, match="came after"):
        log.writer.publish(older)
    assert size(log.world) == 10


def test_a_writer_that_slept_while_witnesses_were_asked_publishes_nothing() -> None:
    log = Growing()
    prepared = log.prepare(5)
    other = log.world.writer()
    other.checkpoint()
    with pytest.raises(Superseded):
        log.writer.publish(prepared)
    assert size(log.world) == 5


def test_a_checkpoint_that_was_taken_away_comes_back_with_its_cosignatures() -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one",))
        asking = town.asking(log.world, 1)
        prepared = log.prepare(5)
        log.writer.publish(prepared, (await asking.ask(prepared.note)).lines)
        whole = log.world.store.read(CHECKPOINT)
        log.world.store.files[CHECKPOINT] = prepared.note
        assert log.writer.checkpoint()
        assert log.world.store.read(CHECKPOINT) == whole
        del log.world.store.files[CHECKPOINT]
        assert log.writer.checkpoint()
        assert log.world.store.read(CHECKPOINT) == whole
        assert not log.writer.checkpoint()

    asyncio.run(run())


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "happened anyway"])
def test_a_crash_at_every_step_with_records_between_signing_and_publishing(lost: bool) -> None:
    """Witnesses have cosigned what was never published: the next writer's checkpoints continue it all the same."""

    async def story(world: World, asking: Witnesses) -> None:
        writer = world.writer()
        for count in (90, 200, 5):
            world.say(A, count)
            writer.append(world.news(150))
            prepared = writer.prepare()
            assert prepared is not None
            came = await asking.ask(prepared.note)
            while batch := world.news(150):
                writer.append(batch)
            writer.publish(prepared, came.lines)

    async def run() -> None:
        whole = World()
        await story(whole, Town(("one",)).asking(whole, 1))
        for at in range(1, whole.fuse.steps + 1):
            world, town = World(fuse=Fuse(at, lost)), Town(("one",))
            with pytest.raises(Crash):
                await story(world, town.asking(world, 1, limit_s=5.0))
            again = world.writer()
            asking = town.asking(world, 1, limit_s=5.0)
            world.say(A, 300)
            world.run(again)
            prepared = again.published
            came = await asking.ask(prepared.note)
            assert [one.standing for one in asking.watched] == ["cosigned"], f"step {at}"
            again.publish(prepared, came.lines)
            world.verify()

    asyncio.run(run())


# --- the loop -----------------------------------------------------------------------------------------------------------


class Stream:
    """Kafka as far as the loop knows it: ``rate`` records a second, each remembered with its time."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.first = 0
        self.sent: list[float] = []

    async def start(self, positions: dict[tuple[str, int], int]) -> None:
        self.first = positions.get(A, 0)

    async def ends(self) -> dict[tuple[str, int], int]:
        return {A: self.first + len(self.sent)}

    async def read_spans(self, spans: list[Span]) -> list[list[Any]]:
        return [[record(one.topic, one.partition, one.first_offset + number) for number in range(one.count)] for one in spans]

    async def batches(self) -> AsyncIterator[dict[tuple[str, int], list[Any]]]:
        while True:
            await asyncio.sleep(0.01)
            count = max(1, self.rate // 100) if self.rate else 0
            first = self.first + len(self.sent)
            self.sent += [time.monotonic()] * count
            yield {A: [record(*A, first + number) for number in range(count)]} if count else {}


def loop_of(log: Growing, asking: Witnesses, stream: Stream) -> LogLoop:
    """A process that starts."""
    log.writer = Appender(plan=log.world.plan, store=log.world.store, key=KEY)
    telemetry = SimpleNamespace(now_ns=lambda: 0, spans=lambda *_, **__: None)
    clocks = {"monotonic": time.monotonic, "wall": time.time}
    return LogLoop(
        appender=log.writer, plan=log.world.plan, records=stream, findings=None, stack="s", telemetry=telemetry, witnesses=asking, **clocks
    )


@contextmanager
def every(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(worker, "CHECKPOINT_EVERY_S", seconds)
        yield


async def run_for(loop: LogLoop, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await loop.run()


def delays(log: Growing, stream: Stream, published: list[tuple[float, int]]) -> list[float]:
    """Seconds from each record to the checkpoint that covers it."""
    found, at = [], 0
    for number, sent in enumerate(stream.sent[: published[-1][1]]):
        while published[at][1] <= number:
            at += 1
        found.append(published[at][0] - sent)
    return sorted(found)


def watch(log: Growing) -> list[tuple[float, int]]:
    published: list[tuple[float, int]] = []
    publish = log.writer.publish

    def noted(prepared: Prepared, lines: Any = ()) -> None:
        publish(prepared, lines)
        published.append((time.monotonic(), prepared.size))

    log.writer.publish = noted  # type: ignore[method-assign]
    return published


def test_a_witness_that_hangs_stalls_neither_records_nor_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        log, town, stream = Growing(), Town(("one", "two"), {"http://two": hangs}), Stream(500)
        asking = town.asking(log.world, 2, limit_s=0.3)
        loop = loop_of(log, asking, stream)
        published = watch(log)
        sizes: list[int] = []

        async def look() -> None:
            # While the first question is open and nothing is published, records go on becoming leaves.
            for _ in range(25):
                await asyncio.sleep(0.01)
                sizes.append(loop.progress.size)

        with every(0.2, monkeypatch):
            looking = asyncio.create_task(look())
            await run_for(loop, 2.0)
        await looking
        assert sizes[-1] > sizes[3] + 20
        assert len(published) >= 6
        assert delays(log, stream, published)[-1] < 0.2 + 0.3 + 0.3, "a checkpoint, the limit once, and some for the machine"
        assert delays(log, stream, published[3:])[len(stream.sent) // 2] < 0.4
        assert names(asking, log.world.store.read(CHECKPOINT) or b"") == ["one"]
        assert size(log.world) > 500
        await asking.close()

    asyncio.run(run())


def test_below_the_quorum_the_policy_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(missing: Any) -> tuple[int, LogLoop, Growing, Town, Witnesses, Stream]:
        log, town, stream = Growing(), Town(("one", "two")), Stream(100)
        town.instead["http://two"] = away
        asking = town.asking(log.world, 2, missing)
        loop = loop_of(log, asking, stream)
        with every(0.1, monkeypatch):
            await run_for(loop, 0.8)
        return size(log.world), loop, log, town, asking, stream

    async def both() -> None:
        went_on, loop, *_ = await run("publish")
        assert went_on > 20 and loop.progress.held_since is None
        stood, loop, log, town, asking, _ = await run("wait")
        assert stood == 0 and loop.progress.held_since is not None
        town.instead.clear()
        with every(0.1, monkeypatch):
            await run_for(loop_of(log, asking, Stream(0)), 0.6)
        assert size(log.world) == log.writer.size > 20
        assert names(asking, log.world.store.read(CHECKPOINT) or b"") == ["one", "two"]

    asyncio.run(both())


def test_a_quiet_log_gets_the_cosignature_when_the_witness_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one",), {"http://one": away})
        asking = town.asking(log.world, 1)
        log.world.say(A, 5)
        log.writer.append(log.world.news(10))
        with every(0.05, monkeypatch):
            await run_for(loop_of(log, asking, Stream(0)), 0.3)
            assert (size(log.world), names(asking, log.world.store.read(CHECKPOINT) or b"")) == (5, [])
            town.instead.clear()
            loop = loop_of(log, asking, Stream(0))
            published = watch(log)
            await run_for(loop, 0.4)
        assert names(asking, log.world.store.read(CHECKPOINT) or b"") == ["one"]
        assert len(published) == 1, "and then it is left alone"

    asyncio.run(run())


def test_without_witnesses_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        log, town = Growing(), Town(())
        with every(0.05, monkeypatch):
            await run_for(loop_of(log, town.asking(log.world, 0), Stream(100)), 0.5)
        assert size(log.world) > 10
        assert town.asked == []

    asyncio.run(run())
