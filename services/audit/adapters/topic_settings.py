"""What a restore asks of Kafka about topics as such: their settings for a while, themselves anew, a group forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DeleteGroupsRequest

from services._bus.kafka import Connection, Unavailable

STAMP = "message.timestamp.type"
CREATE_TIME = "CreateTime"
_LIMIT_S, _PAUSE_S = 60.0, 0.2
# Kafka says that settings hold a moment before its partitions go by them.
_SETTLED_S = 1.0
_OF_TOPIC = 1
_NO_SUCH_TOPIC, _ALREADY_EXISTS, _NO_SUCH_GROUP = 3, 36, 69
_LONG_MAX = str(2**63 - 1)
# The largest batch of a request that a broker takes by default.
_LARGEST = str(100 << 20)

OPEN = {
    STAMP: CREATE_TIME,
    "max.message.bytes": _LARGEST,
    "message.timestamp.before.max.ms": _LONG_MAX,
    "message.timestamp.after.max.ms": _LONG_MAX,
}
"""What a topic needs to take what it once held: the records' own times, however old, and records that were compressed once."""


class TopicSettings:
    """``start`` first, ``stop`` at the end. Every method raises ``Unavailable`` where Kafka refuses or doesn't answer."""

    def __init__(self, connection: Connection) -> None:
        self._admin = AIOKafkaAdminClient(**connection.arguments(), client_id="mingjian-restore", request_timeout_ms=15_000)

    async def start(self) -> None:
        """Connect."""
        await _said(self._admin.start())

    async def stop(self) -> None:
        """Disconnect."""
        await self._admin.close()

    async def of(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        """The settings that each topic has of its own."""
        found: dict[str, dict[str, str]] = {}
        for answer in await _said(self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, one) for one in topics])):
            for resource in answer.to_object()["resources"]:
                entries = resource["config_entries"]
                found[resource["resource_name"]] = {
                    entry["config_names"]: entry["config_value"] for entry in entries if entry.get("config_source", _OF_TOPIC) == _OF_TOPIC
                }
        return found

    async def put(self, settings: Mapping[str, Mapping[str, str]]) -> None:
        """Give each topic exactly these settings of its own, and wait until they hold."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, configs=dict(one)) for name, one in settings.items()]
        for answer in await _said(self._admin.alter_configs(resources)):
            for code, words, _, name in answer.resources:
                if code:
                    raise Unavailable(f"Kafka refused the settings of {name}: {words or for_code(code).__name__}")
        wanted = {name: dict(one) for name, one in settings.items()}
        await self._until(lambda: self._hold(wanted), "the settings of topics do not take effect")
        await asyncio.sleep(_SETTLED_S)

    async def _hold(self, wanted: dict[str, dict[str, str]]) -> bool:
        return await self.of(list(wanted)) == wanted

    async def make_anew(self, topics: Sequence[str]) -> None:
        """Delete the topics and make them again, empty, with as many partitions and copies and the same settings."""
        settings = await self.of(topics)
        there = {one["topic"]: one for one in await _said(self._admin.describe_topics(list(topics)))}
        wanted = [
            NewTopic(name, len(there[name]["partitions"]), len(there[name]["partitions"][0]["replicas"]), topic_configs=settings[name])
            for name in topics
        ]
        for name, code, *_ in (await _said(self._admin.delete_topics(list(topics)))).topic_error_codes:
            if code not in (0, _NO_SUCH_TOPIC):
                raise Unavailable(f"Kafka refused to delete {name}: {for_code(code).__name__}")
        for one in wanted:
            await self._until(lambda: self._created(one), f"{one.name} can't be made again")  # noqa: B023 (waited for at once)
        await self._until(lambda: self._led(wanted), "a topic that was made again has partitions without a leader")

    async def _created(self, topic: NewTopic) -> bool:
        for name, code, *detail in (await _said(self._admin.create_topics([topic]))).topic_errors:
            if code == _ALREADY_EXISTS:
                return False
            if code:
                raise Unavailable(f"Kafka refused to make {name}: {detail[0] if detail else for_code(code).__name__}")
        return True

    async def _led(self, topics: Sequence[NewTopic]) -> bool:
        there = {one["topic"]: one["partitions"] for one in await _said(self._admin.describe_topics([one.name for one in topics]))}
        return all(sum(each["leader"] >= 0 for each in there.get(one.name, ())) == one.num_partitions for one in topics)

    async def names(self) -> set[str]:
        """Every topic that Kafka has."""
        return set(await _said(self._admin.list_topics()))

    async def groups(self) -> set[str]:
        """Every consumer group that Kafka knows."""
        return {one[0] for one in await _said(self._admin.list_consumer_groups())}

    async def forget(self, group: str) -> None:
        """Drop a group's positions. A member that was not seen off counts for its session's length; it is waited for."""

        async def gone() -> bool:
            coordinator = await self._admin.find_coordinator(group)
            answer = await self._admin._send_request(DeleteGroupsRequest([group]), coordinator)
            return all(code in (0, _NO_SUCH_GROUP) for _, code in answer.results)

        await self._until(gone, f"the group {group} still has members: stop the services first")

    async def _until(self, holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        until = asyncio.get_running_loop().time() + _LIMIT_S
        while not await _said(holds()):
            if asyncio.get_running_loop().time() > until:
                raise Unavailable(otherwise)
            await asyncio.sleep(_PAUSE_S)


async def _said(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except (KafkaError, OSError, TimeoutError) as error:
        if isinstance(error, Unavailable):
            raise
        raise Unavailable(f"{type(error).__name__}: {error}") from error
