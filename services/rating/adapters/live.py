"""The live driver: batches from faust through the rater to Kafka, and only then acknowledged.

faust acknowledges a batch when the agent asks for the next one, whatever happened in between: an exception that left the
agent would lose the batch. So nothing leaves it. What Kafka doesn't take is tried again a few times; then the process is left
at once, without the graceful stop that would commit.

faust also drops records at a rebalance (fetched, not yet handed on, then forgotten by a seek), so a batch may have holes before
it and within it. The state's offset tells: what is missing before a record is read again first, and ``catch_up`` reads what no
batch follows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from schemas import topics
from services._bus.kafka import Unavailable
from services._bus.telemetry import Telemetry, at, sampled
from services.rating.adapters.rows import RowTable
from services.rating.backlog import SLICE
from services.rating.domain.fold import Book
from services.rating.handlers import Rater
from services.rating.partition import PartitionState
from services.rating.ports import Facts, Record, Sink, Told
from services.rating.rebuild import TOLD, Rebuild, last_cause
from services.rating.work import Work

log = logging.getLogger("mingjian.rating")

ATTEMPTS = 5
TURNS = 8
EXIT_UNAVAILABLE, EXIT_FAULT = 75, 70


class Live:
    """``leave`` ends the process at once with an exit code; ``sleep`` waits so many seconds. ``told``: what versions before this one told;
    without it nothing is taken for told."""

    def __init__(
        self,
        rater: Rater,
        *,
        chunks: RowTable,
        heads: RowTable,
        sink: Sink,
        facts: Facts,
        told: Told | None = None,
        leave: Callable[[int], None],
        telemetry: Telemetry,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.rater = rater
        self._chunks, self._heads = chunks, heads
        self._sink, self._facts, self._told = sink, facts, told
        self._leave, self._sleep = leave, sleep
        self._telemetry = telemetry
        self._generation = (0, 0)
        self._lock = asyncio.Lock()
        # Batches that wait for a slice to end.
        self._waiting = 0
        self.making_up = False
        self.durable: dict[int, int] = {}
        """By partition: everything below this offset is worked off, and a head that says so is on Kafka."""

    async def batch(self, records: Sequence[Record]) -> None:
        """Work off a batch; returns only when all that it brought is durable."""
        began = self._telemetry.now_ns()
        with self._or_leave("a batch"):
            self._waiting += 1
            async with self._lock:
                self._waiting -= 1
                await self._partitions(records)
            kept = [one for one in records if sampled(one.headers)]
            self._telemetry.spans("rate", [(one.headers, at(topics.FACTS, one.partition, one.offset)) for one in kept], began_ns=began)

    @contextmanager
    def _or_leave(self, what: str) -> Iterator[None]:
        """Nothing but a cancellation gets out of the block: whatever else ends it ends the process."""
        try:
            yield
        except asyncio.CancelledError:
            raise
        except Unavailable as error:
            log.critical("Kafka doesn't take what was rated (%s); leaving, so that nothing is acknowledged", error)
            self._leave(EXIT_UNAVAILABLE)
        except BaseException:
            log.critical("%s can't be worked off; leaving, so that nothing is acknowledged", what, exc_info=True)
            self._leave(EXIT_FAULT)

    async def _partitions(self, records: Sequence[Record]) -> None:
        """All partitions at once: their writes then share requests, and a batch waits for Kafka twice, not twice a partition."""
        ordered = sorted(records, key=lambda one: (one.partition, one.offset))
        groups = [(partition, list(group)) for partition, group in groupby(ordered, lambda one: one.partition)]
        await _all(self._partition(partition, group) for partition, group in groups)

    async def _partition(self, partition: int, records: list[Record]) -> None:
        state = await self.state(partition)
        for run in _runs(records):
            if run[0].offset > state.offset + 1:
                await self._read_again(state, run[0].offset)
            await self._work(state, run)

    async def _read_again(self, state: PartitionState, end: int) -> None:
        """Work off what stands from the state's offset on, below ``end``."""
        log.warning("facts/%d: offsets %d to %d were not handed on; reading them", state.partition, state.offset + 1, end - 1)
        async for missing in self._facts.read(state.partition, first=state.offset + 1, last=end - 1):
            await self._work(state, missing)

    async def _work(self, state: PartitionState, records: Sequence[Record]) -> None:
        before = state.offset
        await self._write_all(state, self.rater.work(state, records))
        if state.offset > before:
            # After everything else: a head that is durable says that all below it is.
            await self._write(Work(rows=[state.head_row()]))
        self.durable[state.partition] = state.offset + 1
        await self._write_all(state, self.rater.retelling.finish(state))

    async def state(self, partition: int) -> PartitionState:
        """A partition's state, made from the recovered rows when it is first asked for after a recovery."""
        generation = (self._chunks.rows.generation, self._heads.rows.generation)
        if generation != self._generation:
            self.rater.states.clear()
            self.durable.clear()
            self._generation = generation
        state = self.rater.states.get(partition)
        if state is None:
            chunks = self._chunks.rows.partitions.get(partition, {})
            heads = self._heads.rows.partitions.get(partition, {})
            state = await self._begun(PartitionState.load(partition, chunks.items(), heads.items()))
            self.rater.states[partition] = state
            await self._write_all(state, self.rater.make_up(state))
            self.durable[partition] = state.offset + 1
        return state

    async def _begun(self, state: PartitionState) -> PartitionState:
        """The state with what had been told before this version began, if it has not come past that: then from the first fact on."""
        if self._told is None or state.rebuilt == (-1, -1):
            return state
        partition = state.partition
        ends = await self._told.ends(partition, TOLD)
        if state.rebuilt is None:
            last = -1
            # Rows without that one were written before there was such a thing: by the version that told what is told.
            if state.offset < 0:
                async for records in self._told.read_told(topics.GRADES, partition, ends[topics.GRADES]):
                    last = max(last, last_cause(records))
            # Without a grade there may be other words, which may not be said twice either.
            told = last >= 0 or (state.offset < 0 and any(ends.values()))
            await self._write(Work(rows=[state.rebuilt_row(last, ends[topics.GRADES] if told else -1)]))
            if not told:
                return state
        assert state.rebuilt is not None
        log.warning("facts/%d is made again; what was told for causes up to offset %d is told already", partition, state.rebuilt[0])
        again = PartitionState(partition, rebuilt=state.rebuilt, rebuild=Rebuild(*state.rebuilt))
        assert again.rebuild is not None
        for topic in TOLD:
            await self._reread(again.rebuild, topic, partition, ends[topic])
        for number in range(topics.PARTITIONS):
            # What parts told lies where their parents do.
            end = (await self._told.ends(number, (topics.PARTS,)))[topics.PARTS]
            await self._reread(again.rebuild, topics.PARTS, number, end)
        return again

    async def _reread(self, rebuild: Rebuild, topic: str, partition: int, end: int) -> None:
        assert self._told is not None
        async for records in self._told.read_told(topic, partition, end):
            for one in records:
                rebuild.read(topic, one)

    async def catch_up(self, partition: int, end: int) -> None:
        """Work off what stands below ``end`` and was never handed on. Leaves the process where ``batch`` would."""
        with self._or_leave("what was not handed on"):
            async with self._lock:
                state = await self.state(partition)
                if state.offset + 1 < end:
                    await self._read_again(state, end)

    async def work_off(self, own: Collection[int]) -> bool:
        """A slice of what controls left in these partitions, all at once; False where nothing is left. Batches take turns with it."""
        with self._or_leave("what a control event left"):
            async with self._lock:
                states = [await self.state(partition) for partition in sorted(own)]
                open_ones = [state for state in states if state.agenda]
                turn = asyncio.Lock()
                await _all(self._slice(state, turn) for state in open_ones)
                return any(state.agenda for state in open_ones)
        return False

    async def _slice(self, state: PartitionState, turn: asyncio.Lock) -> None:
        """One partition works out at a time, and its writes go while the next one does."""
        works = self.rater.backlog.slice(state, SLICE, lambda: self._waiting > 0)
        while True:
            async with turn:
                while (work := next(works, None)) is not None and not work:
                    await _breath()
            if work is None:
                break
            await self._write_all(state, [work])
        await self._write_all(state, self.rater.retelling.finish(state))

    async def reload(self, books: dict[str, Book]) -> None:
        """Take other rulebooks and make up for what was refused without them."""
        with self._or_leave("what was refused without a rulebook"):
            async with self._lock:
                self.making_up = True
                self.rater.books.update(books)
                for state in list(self.rater.states.values()):
                    await self._write_all(state, self.rater.make_up(state))
                self.making_up = False

    async def _write_all(self, state: PartitionState, works: Iterable[Work]) -> None:
        for work in works:
            await self._write(work if state.rebuild is None else state.rebuild.unsent(work))

    async def _write(self, work: Work) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._sink.write(work.rows, work.messages)
                return
            except Unavailable as error:
                if attempt == ATTEMPTS:
                    raise
                log.warning("Kafka didn't take %d rows and %d messages: %s; attempt %d", len(work.rows), len(work.messages), error, attempt)
                await self._sleep(min(2.0**attempt, 15.0))


async def _breath() -> None:
    """Some turns of the loop for everybody else."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at once, each to its end; then the first error."""
    for error in await asyncio.gather(*works, return_exceptions=True):
        if error is not None:
            raise error


def _runs(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Records of one partition, sorted by offset, cut where an offset is missing; further copies of an offset don't count."""
    run = [records[0]]
    for record in records[1:]:
        if record.offset > run[-1].offset + 1:
            yield run
            run = []
        run.append(record)
    yield run
