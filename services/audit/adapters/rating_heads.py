"""How far rating is, from the changelogs of its tables: see ``schemas.heads``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from schemas.heads import CURSOR, HEAD, PARTS, PENDING, REFUSED, UNTOLD
from schemas.topics import PARTITIONS, changelog
from services._bus.kafka import Connection
from services.audit.adapters import replay_reader
from services.audit.domain.differences import Worked

_VERSION = re.compile(re.escape(changelog("heads", 0)).replace("v0", "v([0-9]+)"))

Rows = Mapping[bytes, bytes]


async def heads(connection: Connection) -> tuple[dict[int, Worked], bool]:
    """How far the newest version of rating is in each partition of facts, and whether more than one version ever worked here.

    Raises ``KafkaError``."""
    names = await _changelogs(connection)
    told = []
    for version in sorted(names, reverse=True):
        rows = await _rows(connection, names[version])
        if any(rows.values()):
            told.append({partition: worked(found) for partition, found in rows.items()})
    return (told[0] if told else {}), len(told) > 1


def worked(rows: Rows) -> Worked:
    """The rows of a partition."""
    head = orjson.loads(rows[HEAD])[0] if HEAD in rows else -1
    controls = [int(key.removeprefix(PENDING)) for key in rows if key.startswith(PENDING)]
    pending = {offset: rows.get(CURSOR + b"%d" % offset, b"").decode() for offset in controls}
    order: Any = orjson.loads(rows[PARTS])[0] if PARTS in rows else None
    refused = {key.removeprefix(REFUSED).decode(): int(value) for key, value in rows.items() if key.startswith(REFUSED)}
    untold = {}
    for key, value in rows.items():
        if key.startswith(UNTOLD):
            regime, _, subject = key.removeprefix(UNTOLD).decode().partition("#")
            untold[regime, subject] = int(value)
    return Worked(head, pending, tuple(order) if order else None, refused, untold)


async def _changelogs(connection: Connection) -> dict[int, str]:
    consumer = AIOKafkaConsumer(**connection.arguments(), enable_auto_commit=False)
    await consumer.start()
    try:
        return {int(found[1]): name for name in await consumer.topics() if (found := _VERSION.fullmatch(name))}
    finally:
        await consumer.stop()


async def _rows(connection: Connection, topic: str) -> dict[int, dict[bytes, bytes]]:
    found: dict[int, dict[bytes, bytes]] = {partition: {} for partition in range(PARTITIONS)}
    ends = await replay_reader.bounds(connection, [(topic, partition) for partition in found])
    async for records in replay_reader.read_through(connection, ends):
        for one in records:
            if one.key is None:
                continue
            if one.value is None:
                found[one.partition].pop(one.key, None)
            else:
                found[one.partition][one.key] = one.value
    return found
