"""A town whose Kafka, PostgreSQL or log is lost, on real servers: the same topics, grades, lists and findings afterwards, nothing told
twice, and the log goes on under its key."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from deploy.local.errors import LocalStackError
from deploy.local.stack import EVERYONE, Stack
from schemas.topics import FACTS, FINDINGS, GRADES, LOGGED_TOPICS, PARTITIONS, REGISTRY
from services._cli.backing_up import Backup, copy_keys, missing_keys
from services._cli.errors import CliError
from services._cli.home import Home
from services._cli.sample.acts import ZONE
from services._cli.sample.load import Order
from services._cli.summary import settle
from services._cli.town import bring_town
from services.intake.cli import init_home
from tests.faults.restoring import begin, command, night_over, records, session_of, state_of
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

ORDER = Order(seed=3, enterprises=12, years=1, until=datetime(2026, 11, 20, 18, tzinfo=ZONE).isoformat())
REGIMES = ("liyujiang",)


@pytest.fixture(scope="module")
def town() -> Iterator[Stack]:
    with temporary_stack() as stack:
        init_home(stack.home, clock_mode="simulated", sample=True)
        stack.start_servers()
        stack.start_services(EVERYONE)
        bring_town(session_of(stack), ORDER)
        settle(session_of(stack), 300, lambda: None)
        # What the night finds is told as well, and nothing may be told while records are counted.
        night_over(stack)
        yield stack


def again(stack: Stack) -> None:
    stack.start_servers()
    stack.start_services(EVERYONE)
    settle(session_of(stack), 300, lambda: None)
    night_over(stack)


def counts(stack: Stack) -> dict[str, int]:
    found = records(stack.bootstrap)
    return {one.name: sum(len(some) for (name, _), some in found.items() if name == one.name) for one in LOGGED_TOPICS}


def verified(stack: Stack) -> dict[str, object]:
    told = json.loads(command(stack, "verify", "--json"))
    assert told["verified"] and told["cosigned_enough"] and told["pending"] == 0
    return told


def test_kafka_lost_whole_comes_back_equal_and_goes_on(town: Stack) -> None:
    before, held = state_of(town, REGIMES), counts(town)
    assert before.findings and before.lists and before.last_words
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
    with pytest.raises(LocalStackError, match="mingjian restore"):
        town.start_servers()

    told = json.loads(command(town, "restore", "--json"))
    assert 0 < told["compared"] < sum(held.values()) and told["compared"] + sum(told["put"].values()) == told["size"]
    assert (told["lost"], told["reset"], told["newer"]) == ({}, True, 0)
    assert {topic: one["records"] for topic, one in told["digests"].items()} == held
    nothing = json.loads(command(town, "restore", "--json"))
    assert (nothing["put"], nothing["reset"], nothing["digests"]) == ({}, False, told["digests"])

    again(town)
    assert counts(town) == held, "somebody told something twice, or something new"
    assert state_of(town, REGIMES) == before
    assert verified(town)["size"] == sum(held.values())


@pytest.mark.long
def test_a_backup_of_a_running_stack_is_restored_elsewhere_with_all_that_it_said(town: Stack, tmp_path: Path) -> None:
    before, size = state_of(town, REGIMES), sum(counts(town).values())
    backup, keys = tmp_path / "backup", tmp_path / "safe"
    told = json.loads(command(town, "backup", "--to", str(backup), "--keys-to", str(keys), "--json"))
    assert (told["leaves"], told["behind"]) == (size, 0) and told["keys_copied"] == len([one for one in keys.rglob("*") if one.is_file()])
    with pytest.raises(CliError, match="keys belong in a place of their own"):
        copy_keys(Home(town.home), backup / "keys", backup)
    secret = (town.home / "keys" / "audit" / "log.json").read_bytes()
    assert all(secret not in one.read_bytes() for one in backup.rglob("*") if one.is_file())
    assert not any(one.name in ("keys", "witness", "secrets") for one in backup.rglob("*"))

    checked = json.loads(command(town, "restore-check", str(backup), "--keys", str(keys), "--json"))
    assert checked["restorable"] and (checked["size"], checked["lost"], checked["missing_keys"]) == (size, {}, [])
    _refuses_what_is_not_whole(backup, keys)

    with temporary_stack() as other:
        command(other, "restore", "--from", str(backup))
        shutil.copytree(keys, other.home / "keys")
        again(other)
        assert state_of(other, REGIMES) == before
        assert verified(other)["size"] == size


def _refuses_what_is_not_whole(backup: Path, keys: Path) -> None:
    bundle = backup / "log" / "tile" / "entries" / "000"
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[:700] + bytes([whole[700] ^ 1]) + whole[701:])
    with pytest.raises(CliError, match=f"{bundle} is not what was written"):
        Backup.read(backup, lambda *_: None)
    bundle.write_bytes(whole)
    manifest = backup / "manifest.json"
    manifest.rename(backup / "aside")
    with pytest.raises(CliError, match=r"has no manifest\.json"):
        Backup.read(backup, lambda *_: None)
    (backup / "aside").rename(manifest)
    for name in ("intake/receipt.json", "intake/vault.key"):
        (keys / name).rename(keys / "aside")
        assert len(missing_keys(Backup.read(backup, lambda *_: None), keys)) == 1
        (keys / "aside").rename(keys / name)


@pytest.mark.long
def test_topics_lost_one_by_one_while_audit_was_away(town: Stack) -> None:
    """Emptied by Kafka's own means, deleted, written to by somebody else; and an event that was accepted after the last checkpoint."""
    before = counts(town)
    town.stop_one("audit")
    command(town, "send", given=command(town, "sign", "examples/inspection.json"))
    # Rating and publication are through with it by then.
    time.sleep(3)
    more = counts(town)
    assert more[FACTS] == before[FACTS] + 1
    partition = next(number for (topic, number), some in records(town.bootstrap).items() if topic == FINDINGS and some)
    town.stop()
    town.start_servers()
    asyncio.run(delete(town.bootstrap, FINDINGS))
    # Makes the topic again.
    town.start("kafka")
    asyncio.run(write(town.bootstrap, FINDINGS, partition, b"from nobody"))
    asyncio.run(delete(town.bootstrap, FACTS))
    asyncio.run(empty(town.bootstrap, GRADES))
    town.stop()
    refused = command(town, "restore", code=1)
    assert f"{FINDINGS} {partition}:0 on Kafka is not the record in the log, so nothing was changed" in refused
    town.start_servers()
    assert counts(town)[FACTS] == 0
    asyncio.run(delete(town.bootstrap, FINDINGS))
    town.stop()

    told = json.loads(command(town, "restore", "--json"))
    assert told["put"] == {one: before[one] for one in (FACTS, FINDINGS, GRADES)} and told["made_anew"] == [GRADES]
    assert (told["lost"][FACTS], told["again"], told["size"]) == (1, 1, sum(before.values()))
    again(town)
    now = counts(town)
    # Audit has judged the fact by now.
    assert now | {FINDINGS: 0} == more | {FINDINGS: 0}
    assert "switched" in command(town, "projection", "rebuild", "--accept-differences")
    assert verified(town)["size"] == sum(now.values())


@pytest.mark.long
def test_log_and_database_lost_one_after_the_other_are_made_again(town: Stack) -> None:
    before, size = state_of(town, REGIMES), sum(counts(town).values())
    assert verified(town)["size"] == size
    note = (town.home / "log" / "checkpoint").read_bytes().split(b"\n")[:3]
    town.stop()
    shutil.rmtree(town.home / "log")
    assert "has no checkpoint" in command(town, "restore", code=1)
    told = json.loads(command(town, "restore", "--log-again", "--json"))
    assert (told["size"], told["put"], told["cut"]) == (size, {}, 0)
    assert (town.home / "log" / "checkpoint").read_bytes().split(b"\n")[:3] == note
    shutil.rmtree(town.home / "postgres")
    shutil.rmtree(town.home / "secrets")
    told = json.loads(command(town, "restore", "--json"))
    assert (told["planned"], told["put"], told["reset"]) == (size, {}, False)
    again(town)
    after = state_of(town, REGIMES)
    assert (after.grades, after.lists, after.replayed) == (before.grades, before.lists, before.replayed)
    assert after.topics[FACTS] == before.topics[FACTS] and after.topics[REGISTRY] == before.topics[REGISTRY]
    assert after.last_words == before.last_words
    assert {one["event"]["id"] for one in after.findings} == {one["event"]["id"] for one in before.findings}
    # Findings and changes of lists stand twice, under the same ids: who told them has forgotten it.
    assert verified(town)["seen_before"] == size


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
