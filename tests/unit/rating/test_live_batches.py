"""The live driver over batches with holes: what faust forgot to hand on, before a batch or in the middle of one, is read again
before anything behind it is worked off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services._bus.telemetry import Telemetry
from services.rating.adapters.live import Live
from services.rating.handlers import Rater
from services.rating.ports import Message, Record, Row
from tests.unit.rating.test_rater import BOOKS, log_of

LOG = log_of((0, 1))


@dataclass
class Rows:
    """A table's rows as a recovery left them."""

    generation: int = 1
    partitions: dict[int, dict[bytes, bytes]] = field(default_factory=dict)


@dataclass
class Table:
    rows: Rows = field(default_factory=Rows)


@dataclass
class Kafka:
    """Takes what is written; gives facts again, exactly those asked for."""

    messages: list[Message] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    read_again: list[int] = field(default_factory=list)

    async def write(self, rows: Sequence[Row], messages: Sequence[Message]) -> None:
        await asyncio.sleep(0)
        self.rows += rows
        self.messages += messages

    async def read(self, partition: int, *, first: int, last: int) -> AsyncIterator[Sequence[Record]]:
        assert 0 <= first <= last < len(LOG)
        self.read_again += range(first, last + 1)
        for start in range(first, last + 1, 7):
            await asyncio.sleep(0)
            yield LOG[start : min(start + 7, last + 1)]


def run(batches: Sequence[Sequence[int]]) -> tuple[list[bytes], Live, Kafka]:
    """The values told, in order, each once."""
    kafka = Kafka()

    def leave(code: int) -> None:
        raise AssertionError(f"left with {code}")

    live = Live(Rater(BOOKS), chunks=Table(), heads=Table(), sink=kafka, facts=kafka, leave=leave, telemetry=Telemetry.silent())

    async def feed() -> None:
        for offsets in batches:
            await live.batch([LOG[offset] for offset in offsets])
            await live.work_off([3])
        await live.catch_up(3, len(LOG))
        while await live.work_off([3]):
            pass

    asyncio.run(feed())
    return list(dict.fromkeys(one.value for one in kafka.messages)), live, kafka


WHOLE, _, _ = run([range(len(LOG))])


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_records_that_were_not_handed_on_lose_no_grade(data: st.DataObject) -> None:
    """Any holes, in any batches, with any records handed on again."""
    given_on = data.draw(st.lists(st.integers(0, len(LOG) - 1), min_size=1, max_size=len(LOG)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(LOG)), max_size=4)))
    edges = [0, *(cut for cut in cuts if cut < len(given_on)), len(given_on)]
    told, live, _ = run([given_on[low:high] for low, high in zip(edges, edges[1:], strict=False)])
    assert sorted(told) == sorted(WHOLE)
    assert live.durable == {3: len(LOG)}


def test_a_hole_in_the_middle_of_a_batch_is_read_before_what_stands_behind_it() -> None:
    handed_on = [*range(0, 8), *range(15, len(LOG))]
    told, _, kafka = run([handed_on])
    assert kafka.read_again == list(range(8, 15))
    assert told == WHOLE
