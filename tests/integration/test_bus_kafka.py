"""The shared way to Kafka and back on a real broker: order, limits, deaths of the broker, and what it no longer has."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from deploy.local.stack import Stack
from schemas.topics import DUTIES, FINDINGS, MAX_MESSAGE_BYTES, PARTS, PUBLICATIONS, REFUSALS
from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection, RecordsGone, Unavailable
from services._bus.producer import Outgoing, Producer, TooLarge
from tests.stack_fixtures import temporary_stack


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A broker of this module's own, to kill and to pause."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        yield stack


@asynccontextmanager
async def running(thing):
    await thing.start()
    try:
        yield thing
    finally:
        await thing.stop()


def producer(stack: Stack, **arguments: object) -> Producer:
    return Producer(Connection.of(stack.bootstrap), client_id="test", **arguments)


def consumer(stack: Stack, **arguments: object) -> PositionedConsumer:
    return PositionedConsumer(Connection.of(stack.bootstrap), client_id="test", **arguments)


def rows(topic: str, partition: int, *numbers: int) -> list[Outgoing]:
    return [Outgoing(topic, b"k", b"%d" % number, partition=partition) for number in numbers]


async def end_of(stack: Stack, topic: str, partition: int) -> int:
    async with running(consumer(stack)) as reader:
        return (await reader._ask(await reader._open(), [(topic, partition)], beginning=False))[topic, partition]


async def values(reader: PositionedConsumer, count: int, limit_s: float = 20.0) -> list[bytes]:
    """At least ``count`` values, and what else comes within a moment."""
    found: list[bytes] = []
    async with asyncio.timeout(limit_s):
        while len(found) < count:
            try:
                found += [one.value for one in await reader.poll()]
            except Unavailable:
                await asyncio.sleep(0.2)
        while True:
            try:
                return found + [one.value for one in await reader.poll()]
            except Unavailable:
                await asyncio.sleep(0.2)


async def again(out: Producer, sent: list[Outgoing], limit_s: float = 60.0) -> None:
    """Send these rows until they are taken, as callers do: what was on the wire may have arrived, too, so they may stand twice."""
    async with asyncio.timeout(limit_s):
        while True:
            try:
                return await out.send(sent)
            except Unavailable:
                await asyncio.sleep(0.2)


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())


def test_rows_come_back_as_they_were_sent_in_their_order(servers: Stack) -> None:
    async def work() -> None:
        first = await end_of(servers, PARTS, 2)
        sent = [
            Outgoing(PARTS, b"k%d" % n, b"v%d" % n, (("ce_id", b"%d" % n), ("traceparent", b"t")), 2, 1_700_000_000_000 + n)
            for n in range(3_000)
        ]
        async with running(producer(servers)) as out:
            await out.send(sent)
        async with running(consumer(servers, max_records=700)) as reader:
            await reader.assign({(PARTS, 2): first})
            found = []
            while len(found) < 3_000:
                some = await reader.poll()
                assert len(some) <= 700
                found += some
            assert reader.ends() == {(PARTS, 2): first + 3_000} == await reader.fetch_ends()
        assert [one.offset for one in found] == list(range(first, first + 3_000))
        assert [(one.key, one.value, tuple(one.headers)) for one in found] == [(one.key, one.value, one.headers) for one in sent]

    run(work)


def test_the_key_decides_the_partition_where_none_is_named(servers: Stack) -> None:
    """murmur2, as every client of Kafka does it: ``k`` of 12 partitions."""

    async def work() -> None:
        async with running(producer(servers)) as out, running(consumer(servers)) as reader:
            places = {(REFUSALS, number): await end_of(servers, REFUSALS, number) for number in range(12)}
            await reader.assign(places)
            await out.send([Outgoing(REFUSALS, b"21", b"v"), Outgoing(REFUSALS, b"foobar", b"v"), Outgoing(REFUSALS, b"21", b"v")])
            found = []
            while len(found) < 3:
                found += await reader.poll()
        # Kafka's own test vectors: murmur2("21") = -973932308, murmur2("foobar") = -790332482.
        expected = {b"21": (-973932308 & 0x7FFFFFFF) % 12, b"foobar": (-790332482 & 0x7FFFFFFF) % 12}
        assert {one.key: one.partition for one in found} == expected

    run(work)


def test_a_row_too_large_is_refused_before_any_is_sent(servers: Stack) -> None:
    async def work() -> None:
        before = await end_of(servers, PARTS, 3)
        async with running(producer(servers)) as out:
            with pytest.raises(TooLarge):
                await out.send([*rows(PARTS, 3, 1), Outgoing(PARTS, b"k", b"x" * MAX_MESSAGE_BYTES, partition=3)])
            assert await end_of(servers, PARTS, 3) == before
            await out.send([Outgoing(PARTS, b"k", b"x" * (MAX_MESSAGE_BYTES - 300), (("h", b"v"),), 3)])
        assert await end_of(servers, PARTS, 3) == before + 1

    run(work)


def test_a_row_that_the_broker_finds_too_large_is_no_passing_trouble(servers: Stack) -> None:
    async def work() -> None:
        async with running(producer(servers, row_bytes=2 * MAX_MESSAGE_BYTES)) as out:
            with pytest.raises(TooLarge):
                await out.send([Outgoing(PARTS, b"k", b"x" * (MAX_MESSAGE_BYTES + 1), partition=3)])
            await out.send(rows(PARTS, 3, 1))

    run(work)


def test_nothing_listening_is_unavailable_within_the_limit() -> None:
    async def work() -> None:
        nowhere = Connection.of("127.0.0.1:9")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await Producer(nowhere, client_id="test", limit_s=2.0).start()
        with pytest.raises(Unavailable):
            await Producer(nowhere, client_id="test", limit_s=2.0).send(rows(PARTS, 0, 1))
        with pytest.raises(Unavailable):
            await PositionedConsumer(nowhere, client_id="test", limit_s=2.0).start()
        assert time.monotonic() - began < 20

    run(work)


def test_what_was_stopped_stays_stopped(servers: Stack) -> None:
    async def work() -> None:
        out, reader = producer(servers), consumer(servers)
        for one in (out, reader):
            await one.start()
            await one.stop()
            await one.stop()
        with pytest.raises(Unavailable):
            await out.send(rows(PARTS, 0, 1))
        with pytest.raises(Unavailable):
            await reader.poll()

    run(work)


def test_a_position_that_kafka_does_not_have_is_never_replaced(own_stack: Stack) -> None:
    async def work() -> None:
        async with running(producer(own_stack)) as out:
            await out.send(rows(PUBLICATIONS, 4, *range(20)))
        end = await end_of(own_stack, PUBLICATIONS, 4)
        async with running(consumer(own_stack)) as reader:
            with pytest.raises(RecordsGone):
                await reader.assign({(PUBLICATIONS, 4): end + 1})
            await reader.assign({(PUBLICATIONS, 4): end})
            assert await reader.poll() == []
            admin = AIOKafkaAdminClient(bootstrap_servers=own_stack.bootstrap)
            await admin.start()
            # Kafka lets nobody delete from a topic of cleanup.policy=delete but by this request: an operator's slip.
            await admin.delete_records({TopicPartition(PUBLICATIONS, 4): RecordsToDelete(before_offset=10)})
            await admin.close()
            with pytest.raises(RecordsGone):
                await reader.assign({(PUBLICATIONS, 4): 9})
            with pytest.raises(RecordsGone):
                [one async for one in reader.read_span(PUBLICATIONS, 4, 9, 12)]
            await reader.assign({(PUBLICATIONS, 4): 10})
            assert [b"%d" % number for number in range(10, 20)] == await values(reader, 10)

    run(work)


def test_records_deleted_under_a_reader_are_noticed(own_stack: Stack) -> None:
    async def work() -> None:
        async with running(producer(own_stack)) as out, running(consumer(own_stack)) as reader:
            await out.send(rows(PUBLICATIONS, 5, *range(10)))
            await reader.assign({(PUBLICATIONS, 5): 0})
            reader._consumer.pause(TopicPartition(PUBLICATIONS, 5))
            admin = AIOKafkaAdminClient(bootstrap_servers=own_stack.bootstrap)
            await admin.start()
            await admin.delete_records({TopicPartition(PUBLICATIONS, 5): RecordsToDelete(before_offset=10)})
            await admin.close()
            reader._consumer.resume(TopicPartition(PUBLICATIONS, 5))
            with pytest.raises(RecordsGone):
                while True:
                    assert await reader.poll() == []

    run(work)


def test_a_span_is_read_exactly_and_the_live_position_stays(servers: Stack) -> None:
    async def work() -> None:
        async with running(producer(servers)) as out, running(consumer(servers, max_records=30)) as reader:
            first = await end_of(servers, DUTIES, 1)
            await out.send(rows(DUTIES, 1, *range(100)))
            await reader.assign({(DUTIES, 1): first + 90})
            spans = [some async for some in reader.read_span(DUTIES, 1, first + 7, first + 77)]
            assert [one.offset - first for some in spans for one in some] == list(range(7, 78))
            assert max(map(len, spans)) <= 30
            with pytest.raises(RecordsGone):
                [one async for one in reader.read_span(DUTIES, 1, first + 95, first + 100)]
            assert [b"%d" % number for number in range(90, 100)] == await values(reader, 10)

    run(work)


def test_paused_partitions_are_left_alone_until_the_next_assignment(servers: Stack) -> None:
    async def work() -> None:
        async with running(producer(servers)) as out, running(consumer(servers)) as reader:
            positions = {(DUTIES, number): await end_of(servers, DUTIES, number) for number in (2, 3)}
            await reader.assign(positions)
            reader.pause([(DUTIES, 2)])
            await out.send([*rows(DUTIES, 2, 2), *rows(DUTIES, 3, 3)])
            assert [b"3"] == await values(reader, 1)
            assert await reader.poll() == []
            await reader.assign(positions)
            assert [b"2", b"3"] == sorted(await values(reader, 2))

    run(work)


def test_a_reader_goes_on_after_the_brokers_death_without_a_hole_or_a_double(own_stack: Stack) -> None:
    async def work() -> None:
        async with running(consumer(own_stack)) as reader, running(producer(own_stack)) as out:
            await out.send(rows(FINDINGS, 6, *range(50)))
            await reader.assign({(FINDINGS, 6): 0})
            found = await values(reader, 50)
            await asyncio.to_thread(own_stack.kill, "kafka")
            with pytest.raises(Unavailable):
                await reader.fetch_ends()
            await asyncio.to_thread(own_stack.start, "kafka")
            async with asyncio.timeout(30):
                while True:
                    try:
                        await out.send(rows(FINDINGS, 6, *range(50, 100)))
                        break
                    except Unavailable:
                        await asyncio.sleep(0.2)
            found += await values(reader, 50)
            assert [b"%d" % number for number in range(100)] == list(dict.fromkeys(found))
            assert reader.ends()[FINDINGS, 6] == len(found)

    own = consumer
    globals()["consumer"] = lambda stack: own(stack, limit_s=5.0)
    try:
        run(work)
    finally:
        globals()["consumer"] = own


def test_asking_for_the_ends_while_a_lost_connection_is_made_anew_loses_no_position(servers: Stack) -> None:
    async def work() -> None:
        async with running(producer(servers)) as out, running(consumer(servers)) as reader:
            first = await end_of(servers, DUTIES, 7)
            await out.send(rows(DUTIES, 7, *range(10)))
            await reader.assign({(DUTIES, 7): first})
            assert len(await values(reader, 10)) == 10
            await out.send(rows(DUTIES, 7, *range(10, 20)))
            await reader._drop()
            assert {(DUTIES, 7): first + 20} == await reader.fetch_ends()
            assert [b"%d" % number for number in range(10, 20)] == await values(reader, 10)

    run(work)


def test_a_row_given_up_while_the_broker_was_dead_never_turns_up_behind_later_ones(own_stack: Stack) -> None:
    """aiokafka would keep it for ever and write it when the broker is back, long after rows that came later."""

    async def work() -> None:
        async with running(producer(own_stack, limit_s=10.0)) as out:
            await out.send(rows(FINDINGS, 7, 1))
            await asyncio.to_thread(own_stack.kill, "kafka")
            began = time.monotonic()
            with pytest.raises(Unavailable):
                await out.send(rows(FINDINGS, 7, 2))
            assert time.monotonic() - began < 30
            with pytest.raises(Unavailable):
                await out.send(rows(FINDINGS, 7, 3))
            await asyncio.to_thread(own_stack.start, "kafka")
            await again(out, rows(FINDINGS, 7, 4))
            await asyncio.sleep(3)
            await again(out, rows(FINDINGS, 7, 5))
            async with running(consumer(own_stack)) as reader:
                await reader.assign({(FINDINGS, 7): 0})
                assert [b"1", b"4", b"5"] == list(dict.fromkeys(await values(reader, 3)))

    run(work)


def paused(stack: Stack) -> int:
    """Stop the broker without ending it, and return its pid once no thread of it runs any more: on a busy machine that takes a while."""
    broker = psutil.Process(stack.pid("kafka"))
    broker.suspend()
    end = time.monotonic() + 10
    while broker.status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < end, broker.status()
        time.sleep(0.01)
    return broker.pid


def test_a_paused_broker_is_unavailable_in_time_and_nothing_is_lost_when_it_wakes(own_stack: Stack) -> None:
    async def work() -> None:
        async with running(producer(own_stack, limit_s=10.0)) as out:
            await out.send(rows(FINDINGS, 8, 1))
            pid = paused(own_stack)
            try:
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    await out.send(rows(FINDINGS, 8, 2))
                stopping = producer(own_stack, limit_s=2.0)
                with pytest.raises(Unavailable):
                    await stopping.start()
                await stopping.stop()
                assert time.monotonic() - began < 45
            finally:
                os.kill(pid, signal.SIGCONT)
            await again(out, rows(FINDINGS, 8, 2, 3))
            async with running(consumer(own_stack)) as reader:
                await reader.assign({(FINDINGS, 8): 0})
                assert [b"1", b"2", b"3"] == list(dict.fromkeys(await values(reader, 3)))

    run(work)


def test_stopping_while_the_broker_is_away_takes_seconds_and_not_for_ever(own_stack: Stack) -> None:
    async def work() -> None:
        out, reader = producer(own_stack, limit_s=60.0), consumer(own_stack)
        await out.start()
        await reader.start()
        await reader.assign({(FINDINGS, 9): 0})
        paused(own_stack)
        try:
            waiting = asyncio.create_task(out.send(rows(FINDINGS, 9, 1)))
            await asyncio.sleep(0.2)
            began = time.monotonic()
            await out.stop()
            await reader.stop()
            assert time.monotonic() - began < 30
            with pytest.raises(Unavailable):
                await waiting
        finally:
            os.kill(own_stack.pid("kafka"), signal.SIGCONT)

    run(work)


def test_calls_that_overlap_are_each_answered(servers: Stack) -> None:
    async def work() -> None:
        first = await end_of(servers, DUTIES, 5)
        async with running(producer(servers)) as out, running(consumer(servers)) as reader:
            await asyncio.gather(*(out.send(rows(DUTIES, 5, *range(number * 100, number * 100 + 100))) for number in range(10)))
            await reader.assign({(DUTIES, 5): first})
            found = [int(one) for one in await values(reader, 1_000)]
        assert sorted(found) == list(range(1_000))
        for number in range(10):
            own = [one for one in found if one // 100 == number]
            assert own == sorted(own)

    run(work)
