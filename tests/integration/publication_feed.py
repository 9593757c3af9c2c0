"""Records for publication's tests, made through the contract and written straight to Kafka: publication trusts what intake
and rating have already checked, so signatures are left out here.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from schemas.envelope import derived_bytes, derived_event, envelope_bytes
from schemas.ids import derived_id
from schemas.times import instant
from schemas.topics import FACTS, FINDINGS, GRADES, PARTITIONS, PARTS, REGISTRY

OFFICE = "/departments/drug/offices/workstation"
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_PARTITIONER = DefaultPartitioner()
_ALL = list(range(PARTITIONS))
SHA = "0" * 64


def partition_of(key: str) -> int:
    """Where a key's records go: the same murmur2 as every producer of the product."""
    return _PARTITIONER(key.encode(), _ALL, _ALL)


def event(
    subject: str, kind: str, data: dict[str, Any], *, id: str | None = None, source: str = OFFICE, ms: int = START_MS
) -> dict[str, Any]:
    """A CloudEvent of the contract."""
    return {
        "specversion": "1.0",
        "id": id or str(uuid.uuid4()),
        "source": source,
        "type": f"mingjian.{kind}.v1",
        "subject": subject,
        "time": instant(ms),
        "datacontenttype": "application/json",
        "data": data,
    }


def value(one: dict[str, Any], *, ms: int) -> bytes:
    """The envelope of a signed fact."""
    entry = {"received_at": instant(ms), "channel": "desk", "batch": None, "registry_offset": 0}
    return envelope_bytes(one, {"key_id": "0" * 32, "alg": "Ed25519", "value": "x"}, entry)


def genesis(*, sample: bool = False, time_zone: str = "Asia/Shanghai") -> dict[str, Any]:
    """The registry's first event."""
    key = {"key_id": "0" * 32, "alg": "Ed25519", "public_key": "x"}
    data = {
        "occurred_on": "2026-01-01",
        "clock_mode": "simulated" if sample else "wall",
        "time_zone": time_zone,
        "registrar": "officer:registrar",
        "registrar_key": key,
        "receipt_key": key,
        "system_key": key,
        "log_origin": "log.example",
        "log_vkey": "x",
        "partitions": PARTITIONS,
        "sample": sample,
    }
    return event("stack:test", "genesis", data)


def grade(
    subject: str, letter: str | None, *, regime: str = "liyujiang", status: str = "graded", cause: str, ms: int = START_MS, **more: Any
) -> dict[str, Any]:
    """A ``grade.determined`` event; equal causes give equal ids."""
    data = {
        "regime": regime,
        "grade": letter,
        "status": status,
        "in_force_from": "2026-01-15",
        "previous_grade": None,
        "previous_status": None,
        "moment": "immediate",
        "period_last": None,
        "clauses": ["三(二)3(2)"],
        "reasons": [],
        "decisive_events": [],
        "readings": [],
        "rulebook": {"regime": regime, "version": "2026.1", "sha256": SHA},
        "cause": {"topic": FACTS, "partition": partition_of(subject), "offset": 0, "id": cause},
        **more,
    }
    identity = derived_id(cause=cause, kind="grade.determined", subject=subject, regime=regime)
    return derived_event(id=identity, service="rating", type="mingjian.grade.determined.v1", subject=subject, time=instant(ms), data=data)


@dataclass
class Outgoing:
    """A record to write."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    ms: int
    headers: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class Feed:
    """Collects records; ``send`` writes them and gives back their offsets, in order."""

    bootstrap: str
    waiting: list[Outgoing] = field(default_factory=list)

    def registry(self, one: dict[str, Any], *, ms: int = START_MS) -> None:
        """A control event."""
        self.waiting.append(Outgoing(REGISTRY, 0, one["subject"].encode(), value(one, ms=ms), ms))

    def fact(self, one: dict[str, Any], *, ms: int = START_MS) -> None:
        """A fact about a subject."""
        self.waiting.append(Outgoing(FACTS, partition_of(one["subject"]), one["subject"].encode(), value(one, ms=ms), ms))

    def grade(self, one: dict[str, Any], *, ms: int = START_MS, trace: str | None = None) -> None:
        """A grade."""
        headers = [("traceparent", trace.encode())] if trace else []
        self.waiting.append(Outgoing(GRADES, partition_of(one["subject"]), one["subject"].encode(), derived_bytes(one), ms, headers))

    def finding(self, one: dict[str, Any], *, ms: int = START_MS) -> None:
        """A finding."""
        self.waiting.append(Outgoing(FINDINGS, partition_of(one["subject"]), one["subject"].encode(), derived_bytes(one), ms))

    def raw(self, topic: str, partition: int, content: bytes, *, ms: int = START_MS, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Bytes that may be anything."""
        self.waiting.append(Outgoing(topic, partition, b"raw", content, ms, list(headers)))

    def ends(self) -> dict[tuple[str, int], int]:
        """Next offset of every partition that publication reads on any stack."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, _ends(self.bootstrap)).result()

    def send(self) -> list[int]:
        """Write what is waiting."""
        rows, self.waiting = self.waiting, []
        # In a thread of its own: a browser test has a loop running in this one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, _send(self.bootstrap, rows)).result()


async def _ends(bootstrap: str) -> dict[tuple[str, int], int]:
    places = [
        TopicPartition(REGISTRY, 0),
        *(TopicPartition(topic, number) for topic in (FACTS, PARTS, GRADES) for number in range(PARTITIONS)),
    ]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        return {(place.topic, place.partition): end for place, end in (await consumer.end_offsets(places)).items()}
    finally:
        await consumer.stop()


async def _send(bootstrap: str, rows: Sequence[Outgoing]) -> list[int]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=5, max_request_size=2**20)
    await producer.start()
    try:
        futures = [
            await producer.send(row.topic, row.value, key=row.key, partition=row.partition, timestamp_ms=row.ms, headers=row.headers)
            for row in rows
        ]
        return [(await one).offset for one in futures]
    finally:
        await producer.stop()
