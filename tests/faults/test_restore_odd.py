"""Records that no service wrote, produced straight to Kafka on a wall clock: each becomes a leaf, stops nobody, and comes back."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import zlib
from collections import Counter
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import ConsumerRecord, TopicPartition

from deploy.local.stack import EVERYONE, Stack
from schemas.topics import FACTS, QUARANTINE
from services._cli.looking import all_findings
from services._cli.opening import open_register
from services._cli.registry import say, today
from services._cli.session import rulebooks_folder
from services._cli.summary import settle
from services.audit.adapters.batches import encode
from services.audit.domain.frame import Record
from services.intake.cli import init_home
from tests.faults.restoring import command, records, session_of, topic_digests
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

NO_UTF8 = "\udcff\udcfe\udc80"
PACKED = b"0" * (3 << 20)
ODD = [
    (FACTS, 5, (), b"\xff" * (200 << 10)),
    (FACTS, 5, ((NO_UTF8, b"\xff"), ("ce_id", None)), b"{}"),
    (FACTS, 5, (("", None),) * 65_536, b"x"),
    (FACTS, 5, (), None),
    (QUARANTINE, 2, (("n" * 65_536, b""),), b"x" * (180 << 10)),
]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with temporary_stack() as one:
        init_home(one.home, clock_mode="wall", sample=False)
        one.start_servers()
        one.start_services(EVERYONE)
        open_register(session_of(one), rulebooks_folder())
        settle(session_of(one), 300, lambda: None)
        yield one


async def produce(bootstrap: str) -> None:
    """The odd records as their bytes, and one that was larger than any limit before it was packed."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        for topic in (FACTS, QUARANTINE):
            client.add_topic(topic)
        await client.force_metadata_update()
        for topic, partition, headers, value in ODD:
            one = Record(topic, partition, 0, time.time_ns() // 1_000_000, 0, b"odd", headers, value)
            data = encode([one], producer=(-1, -1), sequence=-1)
            leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
            answer = await client.send(leader, ProduceRequest(None, -1, 30_000, [(topic, [(partition, data)])]))
            assert answer.topics[0][1][0][1] == 0
    finally:
        await client.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type="gzip", max_request_size=8 << 20)
    await producer.start()
    try:
        await producer.send_and_wait(FACTS, PACKED, key=b"packed", partition=5)
    finally:
        await producer.stop()


def broadcast(stack: Stack, year: int) -> None:
    """A control event, which is copied into every partition of facts."""
    session = session_of(stack)
    data = {"country": "CN", "year": year, "days_off": [f"{year}-01-01"], "make_up_days": [], "document": "d"}
    say(
        session.home,
        session.intake(),
        f"calendar-{year}",
        [("calendar.issued", "stack:calendar", {"occurred_on": today(session.home)} | data)],
    )


def odd(found: list[ConsumerRecord]) -> list[tuple[object, ...]]:
    return [(one.key, tuple(one.headers), one.value and zlib.crc32(one.value)) for one in found if one.key in (b"odd", b"packed")]


def faults(stack: Stack) -> Counter[str]:
    told = json.loads(command(stack, "verify", "--json", code=1))
    assert all(one["where"].startswith(f"{FACTS} 5:") for one in told["faults"]), told["faults"]
    return Counter(one["code"] for one in told["faults"])


def test_odd_records_become_leaves_stop_nobody_and_come_back(stack: Stack) -> None:
    asyncio.run(produce(stack.bootstrap))
    settle(session_of(stack), 300, lambda: None)
    # The log goes on behind them, and so does everybody else.
    broadcast(stack, 2030)
    settle(session_of(stack), 300, lambda: None)
    held = records(stack.bootstrap)
    assert odd(held[FACTS, 5]) == [
        *((b"odd", headers, value and zlib.crc32(value)) for topic, _, headers, value in ODD if topic == FACTS),
        (b"packed", (), zlib.crc32(PACKED)),
    ]
    kinds = Counter(one["event"]["data"]["kind"] for one in all_findings(session_of(stack)))
    assert kinds["oversize_record"] >= 4
    # Nobody signed what stands on facts: that verify says so is right, before as after.
    said = faults(stack)
    assert set(said) == {"signature"} and said["signature"] == 5
    digests = topic_digests(stack.bootstrap)

    stack.stop()
    shutil.rmtree(stack.home / "kafka")
    told = json.loads(command(stack, "restore", "--json"))
    assert sum(told["put"].values()) == told["size"] == sum(map(len, held.values()))
    stack.start_servers()
    stack.start_services(EVERYONE)
    settle(session_of(stack), 300, lambda: None)
    assert topic_digests(stack.bootstrap) == digests, "the same times, too, on a topic that again stamps what comes"
    assert faults(stack) == said
    again = records(stack.bootstrap)
    broadcast(stack, 2031)
    settle(session_of(stack), 300, lambda: None)
    assert records(stack.bootstrap, (FACTS,))[FACTS, 5][-1].timestamp_type == 1
    assert faults(stack) == said
    assert {one.timestamp_type for one in again[FACTS, 5]} == {0} and {one.timestamp_type for one in held[FACTS, 5]} == {1}
