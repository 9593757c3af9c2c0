"""Kafka read through once, from the first offset to given ends, and what it says of its topics: for ``verify``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import OffsetOutOfRangeError

from schemas.topics import MAX_MESSAGE_BYTES
from services._bus.kafka import Connection
from services.audit.adapters.kafka import record_of
from services.audit.domain.frame import Record
from services.audit.ports import Place

_BATCH = 5_000


async def bounds(connection: Connection, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
    """First offset kept and next offset to come, per partition. Raises ``KafkaError``."""
    partitions = [TopicPartition(*place) for place in places]
    consumer = AIOKafkaConsumer(**connection.arguments(), enable_auto_commit=False)
    await consumer.start()
    try:
        firsts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        return {(one.topic, one.partition): (firsts[one], ends[one]) for one in partitions}
    finally:
        await consumer.stop()


async def partitions(connection: Connection, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions Kafka has of each topic, 0 where it has no such topic. Raises ``KafkaError``."""
    consumer = AIOKafkaConsumer(**connection.arguments(), enable_auto_commit=False)
    await consumer.start()
    try:
        cluster = await consumer._client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
    finally:
        await consumer.stop()


async def settings(connection: Connection, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """The settings of each topic, as Kafka has them; a topic whose settings may not be read is missing. Raises ``KafkaError``."""
    admin = AIOKafkaAdminClient(**connection.arguments())
    await admin.start()
    try:
        found: dict[str, dict[str, str]] = {}
        for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, one) for one in topics]):
            for resource in [one for one in answer.to_object()["resources"] if not one["error_code"]]:
                found[resource["resource_name"]] = {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}
        return found
    finally:
        await admin.close()


async def read_through(connection: Connection, ends: Mapping[Place, tuple[int, int]]) -> AsyncGenerator[list[Record], None]:
    """Records of each partition in order, from the first offset of its pair to the second (excluded), in batches.

    A partition whose records were deleted meanwhile just ends; the caller sees what is missing. Raises ``KafkaError``."""
    left = {TopicPartition(*place): end for place, (first, end) in ends.items() if first < end}
    if not left:
        return
    consumer = AIOKafkaConsumer(
        **connection.arguments(),
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=8 * MAX_MESSAGE_BYTES,
        check_crcs=True,
    )
    await consumer.start()
    try:
        consumer.assign(list(left))
        for one in left:
            consumer.seek(one, ends[one.topic, one.partition][0])
        while left:
            try:
                found = await consumer.getmany(*left, timeout_ms=1_000, max_records=_BATCH)
            except OffsetOutOfRangeError:
                return
            for place, records in found.items():
                yield [record_of(one) for one in records if one.offset < left[place]]
            for place in list(left):
                # The position moves over what is no record (a transaction's marker), the last record alone would not.
                if await consumer.position(place) >= left[place]:
                    del left[place]
                    consumer.pause(place)
    finally:
        await consumer.stop()
