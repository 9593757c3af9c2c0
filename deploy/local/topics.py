"""Topics made on purpose: created where missing, compared where they exist, never changed.

Partition counts and settings decide what offsets mean, so an existing topic that differs stops the stack with one sentence.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest
from aiokafka.protocol.commit import OffsetFetchRequest

from deploy.local.errors import LocalStackError
from schemas.topics import TOPICS, ClockMode, Topic, topic_config

_ALREADY_EXISTS = 36
_REPLICAS = 3
_POLL_S = 0.1
# Their hashes fall on four partitions of __consumer_offsets, which has four here (kafka.settings): on every one.
_GROUPS = ("a", "b", "c", "d")
# What a restore gives a topic for as long as it lasts (services.audit.adapters.topic_settings).
_RESTORING = str(100 << 20)
_RESTORE = "a restore was cut off: run `mingjian restore` again, which goes on where it ended."
# Numbers of the Kafka protocol.
_TRANSACTIONAL_ID, _LITERAL, _ALL, _DENY = 5, 3, 2, 2


def ensure_topics(
    bootstrap: str,
    clock_mode: ClockMode,
    *,
    topics: Sequence[Topic] = TOPICS,
    own_broker: bool = False,
    limit_s: float = 60.0,
    go_on: Callable[[], bool] = lambda: True,
    restoring: bool = False,
) -> None:
    """Wait for the broker, create what is missing, compare the rest.

    ``own_broker``: the embedded one; it is also given the rule that no client may use a transactional id, and waited for
    until it knows the offsets of every group. An outside one has rules of its own and has long been up.
    ``restoring``: settings are not compared, for a restore that was cut off left other ones and goes on with them.
    ``limit_s``: seconds for all of it. ``go_on``: asked while waiting; False gives up. Raises LocalStackError when a topic
    differs, when the broker refuses, and when it doesn't answer in time.
    """
    asyncio.run(_ensure(bootstrap, clock_mode, topics, own_broker, time.monotonic() + limit_s, go_on, restoring))


async def _ensure(
    bootstrap: str,
    clock_mode: ClockMode,
    topics: Sequence[Topic],
    own_broker: bool,
    until: float,
    go_on: Callable[[], bool],
    restoring: bool,
) -> None:
    admin = await _connect(bootstrap, until, go_on)
    try:
        if own_broker:
            await _deny_transactions(admin)
        there = {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}
        missing = [topic for topic in topics if topic.name not in there]
        if missing:
            await _create(admin, missing, clock_mode)
        await _wait_for_leaders(admin, {t.name: there.get(t.name, t.partitions) for t in topics}, until)
        if own_broker:
            await _wait_for_groups(admin, until)
        if not restoring:
            await _compare(admin, [topic for topic in topics if topic not in missing], there, clock_mode)
    except KafkaError as error:
        raise LocalStackError(f"Kafka at {bootstrap} refused to make or describe topics ({error}); see its log.") from error
    finally:
        await admin.close()


async def _connect(bootstrap: str, until: float, go_on: Callable[[], bool]) -> AIOKafkaAdminClient:
    quiet = logging.getLogger("aiokafka")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)  # a broker that is still starting is no error
    try:
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="mingjian-local", request_timeout_ms=15_000)
            try:
                await admin.start()
                return admin
            except (KafkaError, OSError) as error:
                await admin.close()
                if time.monotonic() >= until or not go_on():
                    raise LocalStackError(f"Kafka at {bootstrap} does not answer; check MINGJIAN_KAFKA or logs/kafka.log.") from error
            await asyncio.sleep(_POLL_S)
    finally:
        quiet.setLevel(level)


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic], clock_mode: ClockMode) -> None:
    brokers = len((await admin.describe_cluster())["brokers"])
    # One broker survives a process's death, not a power cut; three with two in step do.
    safer = {"min.insync.replicas": "2"} if brokers >= _REPLICAS else {}
    wanted = [
        NewTopic(topic.name, topic.partitions, min(_REPLICAS, brokers), topic_configs={**safer, **topic_config(topic, clock_mode)})
        for topic in topics
    ]
    answer = await admin.create_topics(wanted, timeout_ms=15_000)
    for name, code, *detail in answer.topic_errors:
        if code not in (0, _ALREADY_EXISTS):
            raise LocalStackError(f"Kafka refused to create topic {name}: {detail[0] if detail else for_code(code).__name__}.")


async def _wait_for_leaders(admin: AIOKafkaAdminClient, partitions: Mapping[str, int], until: float) -> None:
    """Return when every partition can be written: a client that comes earlier would see errors that mean nothing."""
    while True:
        found = await admin.describe_topics()
        led = {one["topic"]: sum(p["leader"] >= 0 for p in one["partitions"]) for one in found}
        late = [name for name, count in partitions.items() if led.get(name, 0) < count]
        if not late:
            return
        if time.monotonic() >= until:
            raise LocalStackError(f"Topic {late[0]} has partitions without a leader; see logs/kafka.log.")
        await asyncio.sleep(_POLL_S)


async def _wait_for_groups(admin: AIOKafkaAdminClient, until: float) -> None:
    """Return when the broker knows every group's offsets.

    While it still loads them it answers with an error that aiokafka overlooks for a consumer with assigned partitions: it
    would be told that its group has none, and begin again from the start, or worse, at the end.
    """
    waiting = set(_GROUPS)
    while waiting:
        for group in sorted(waiting):
            try:
                coordinator = await admin.find_coordinator(group)
                answer = await admin._send_request(OffsetFetchRequest(group, None), coordinator)
            except KafkaError as error:
                if not error.retriable:
                    raise
                continue
            if answer.error_code == 0:
                waiting.discard(group)
        if waiting and time.monotonic() >= until:
            raise LocalStackError("Kafka does not say which offsets its groups have; see logs/kafka.log.")
        await asyncio.sleep(_POLL_S if waiting else 0)


async def _compare(admin: AIOKafkaAdminClient, topics: Sequence[Topic], there: dict[str, int], clock_mode: ClockMode) -> None:
    if not topics:
        return
    for topic in topics:
        if there[topic.name] != topic.partitions:
            raise LocalStackError(
                f"Topic {topic.name} has {there[topic.name]} partitions instead of {topic.partitions}; topics are never repartitioned: "
                "use the home and the version of Mingjian that belong together, or start on an empty home."
            )
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for resource in answer.to_object()["resources"]:
            found[resource["resource_name"]] = {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}
    for topic in topics:
        for key, value in topic_config(topic, clock_mode).items():
            actual = found.get(topic.name, {}).get(key)
            if actual != value:
                cut_off = found[topic.name].get("max.message.bytes") == _RESTORING
                remedy = _RESTORE if cut_off else _remedy(key, clock_mode)
                raise LocalStackError(f"Topic {topic.name} has {key}={actual} instead of {value}; {remedy}")


def _remedy(key: str, clock_mode: ClockMode) -> str:
    if key == "message.timestamp.type":
        return f"the stack was made with another clock than {clock_mode!r}, which only an empty home can take."
    return "set it back with Kafka's own tools, or start on an empty home."


async def _deny_transactions(admin: AIOKafkaAdminClient) -> None:
    """No client may use a transactional id: its markers would leave gaps in offsets. Doing it twice changes nothing."""
    request = CreateAclsRequest(_TRANSACTIONAL_ID, "*", _LITERAL, "User:*", "*", _ALL, _DENY)
    answer = await admin._send_to_controller(request)  # aiokafka has the message, not yet the method
    for code, message in answer.creation_responses:
        if code:
            raise LocalStackError(f"Kafka refused the rule against transactions: {message or for_code(code).__name__}.")
