"""Kafka lost whole and rebuilt from the log, on real servers: the same topics, grades, lists and findings, and nothing told twice."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from deploy.local.stack import EVERYONE, Stack
from schemas.topics import FACTS, FINDINGS, GRADES, LOGGED_TOPICS, PARTITIONS
from services._cli.sample.acts import ZONE
from services._cli.sample.load import Order
from services._cli.summary import settle
from services._cli.town import bring_town
from services.intake.cli import init_home
from tests.faults.restoring import begin, command, records, session_of, state_of
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

ORDER = Order(seed=3, enterprises=14, years=1, until=datetime(2026, 11, 20, 18, tzinfo=ZONE).isoformat())


@pytest.fixture(scope="module")
def town() -> Iterator[Stack]:
    with temporary_stack() as stack:
        init_home(stack.home, clock_mode="simulated", sample=True)
        stack.start_servers()
        stack.start_services(EVERYONE)
        bring_town(session_of(stack), ORDER)
        settle(session_of(stack), 300, lambda: None)
        yield stack


def again(stack: Stack) -> None:
    stack.start_servers()
    stack.start_services(EVERYONE)
    settle(session_of(stack), 300, lambda: None)


def counts(stack: Stack) -> dict[str, int]:
    found = records(stack.bootstrap)
    return {one.name: sum(len(some) for (name, _), some in found.items() if name == one.name) for one in LOGGED_TOPICS}


def test_kafka_lost_whole_comes_back_equal_and_goes_on(town: Stack) -> None:
    before, held = state_of(town, ("liyujiang",)), counts(town)
    town.stop()
    shutil.rmtree(town.home / "kafka")

    half = begin(town, "restore")
    assert half.stderr is not None
    for line in half.stderr:
        if line.startswith("putting records back"):
            half.send_signal(signal.SIGKILL)
            break
    assert half.wait(60) == -signal.SIGKILL
    # Half of it is there, and nobody may start on that.
    with pytest.raises(Exception, match="mingjian restore"):
        town.start_servers()

    told = json.loads(command(town, "restore", "--json"))
    assert 0 < told["compared"] < sum(held.values()) and told["compared"] + sum(told["put"].values()) == told["size"]
    assert (told["lost"], told["reset"], told["newer"]) == ({}, True, 0)
    assert {topic: one["records"] for topic, one in told["digests"].items()} == held
    again_told = json.loads(command(town, "restore", "--json"))
    assert (again_told["put"], again_told["reset"], again_told["digests"]) == ({}, False, told["digests"])

    again(town)
    assert counts(town) == held, "somebody told something twice, or something new"
    assert state_of(town, ("liyujiang",)) == before

    verified = json.loads(command(town, "verify", "--json"))
    assert verified["verified"] and verified["cosigned_enough"] and verified["size"] == sum(held.values())
    command(town, "send", given=command(town, "sign", "examples/inspection.json"))
    settle(session_of(town), 300, lambda: None)
    more = counts(town)
    assert more["mingjian.facts.v1"] > held["mingjian.facts.v1"]
    verified = json.loads(command(town, "verify", "--json"))
    assert verified["verified"] and verified["size"] == sum(more.values())
    assert verified["seen_before"] == sum(held.values()), "the log goes on under the checkpoint that was seen before"


def test_topics_lost_one_by_one_come_back_and_what_is_not_the_log_s_stays(town: Stack) -> None:
    """Emptied with Kafka's own means, deleted, and written to by somebody else."""
    before, held = state_of(town, ("liyujiang",)), counts(town)
    town.stop()
    town.start_servers()
    asyncio.run(empty(town.bootstrap, GRADES))
    asyncio.run(delete(town.bootstrap, FACTS))
    town.stop()
    told = json.loads(command(town, "restore", "--json"))
    assert told["put"] == {FACTS: held[FACTS], GRADES: held[GRADES]} and told["made_anew"] == [GRADES]
    again(town)
    assert counts(town) == held and state_of(town, ("liyujiang",)) == before

    partition = next(number for (topic, number), some in records(town.bootstrap).items() if topic == FINDINGS and some)
    town.stop()
    town.start_servers()
    asyncio.run(delete(town.bootstrap, FINDINGS))
    town.start_servers()
    asyncio.run(write(town.bootstrap, FINDINGS, partition, b"from nobody"))
    town.stop()
    refused = command(town, "restore", code=1)
    assert f"{FINDINGS} {partition}:0 on Kafka is not the record in the log, so nothing was changed" in refused


def test_what_no_checkpoint_covers_is_named_and_what_was_accepted_is_sent_again(town: Stack) -> None:
    """Audit is away while an event is accepted, rated and published; then Kafka is lost."""
    # What the test before left where no record of the log is.
    command(town, "restore", code=1)
    town.start_servers()
    asyncio.run(delete(town.bootstrap, FINDINGS))
    town.stop()
    command(town, "restore")
    again(town)
    before = counts(town)
    town.stop_one("audit")
    command(town, "send", given=command(town, "sign", "examples/inspection.json"))
    # Rating and publication are through with it by then.
    time.sleep(3)
    more = counts(town)
    assert more[FACTS] == before[FACTS] + 1
    town.stop()
    shutil.rmtree(town.home / "kafka")
    told = json.loads(command(town, "restore", "--json"))
    assert (told["lost"][FACTS], told["again"], told["size"]) == (1, 1, sum(before.values()))
    again(town)
    now = counts(town)
    # Audit has judged the fact by now.
    assert now | {FINDINGS: 0} == more | {FINDINGS: 0}
    assert "switched" in command(town, "projection", "rebuild", "--accept-differences")
    verified = json.loads(command(town, "verify", "--json"))
    assert verified["verified"] and verified["cosigned_enough"] and verified["size"] == sum(now.values())


async def empty(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, number): RecordsToDelete(before_offset=-1) for number in range(PARTITIONS)})
    finally:
        await admin.close()


async def delete(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        while topic in await admin.list_topics():
            await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def write(bootstrap: str, topic: str, partition: int, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=partition)
    finally:
        await producer.stop()
