"""The faust app: built by a function, one agent, two tables, everything declared beforehand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

import faust
from faust.types import EventT

from schemas import topics
from services.rating.adapters.kafka import headers_of
from services.rating.adapters.rows import RowTable, row_table
from services.rating.ports import Record

BATCH = 2_000
WITHIN_S = 0.04

OnBatch = Callable[[Sequence[Record]], Awaitable[None]]


@dataclass(frozen=True)
class FaustSettings:
    """``instance``: the member's lasting name in the group (the StatefulSet's ordinal)."""

    bootstrap: str
    datadir: Path
    instance: str
    version: int = topics.RATING_VERSION
    batch: int = BATCH
    within_s: float = WITHIN_S
    tls: SSLContext | None = None


def build_app(settings: FaustSettings) -> tuple[faust.App, RowTable, RowTable]:
    """``(app, chunks, heads)``. The app's id carries the version, so that a new shape of the state starts from the facts."""
    app = faust.App(
        topics.rating_app(settings.version),
        broker_credentials=faust.SSLCredentials(context=settings.tls) if settings.tls else None,
        broker=f"kafka://{settings.bootstrap}",
        datadir=str(settings.datadir),
        store="memory://",
        web_enabled=False,
        topic_partitions=topics.PARTITIONS,
        # Topics are made on purpose, never by a worker.
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance,
        consumer_max_fetch_size=4 * 1024 * 1024,
        broker_max_poll_records=settings.batch,
        broker_session_timeout=20.0,
        broker_heartbeat_interval=3.0,
        broker_request_timeout=60.0,
        broker_commit_interval=1.0,
        broker_commit_every=50_000,
        stream_buffer_maxsize=4 * settings.batch,
        stream_wait_empty=True,
        producer_acks=-1,
        value_serializer="raw",
        key_serializer="raw",
    )
    chunks = row_table(app, "chunks", topics.PARTITIONS)
    heads = row_table(app, "heads", topics.PARTITIONS)
    return app, chunks, heads


def add_agent(app: faust.App, settings: FaustSettings, on_batch: OnBatch) -> None:
    """One agent on facts, one at a time; ``on_batch`` must not raise."""
    facts = app.topic(topics.FACTS, key_serializer="raw", value_serializer="raw", key_type=bytes, value_type=bytes)

    async def rate(stream: faust.Stream) -> None:
        async for events in stream.take_events(settings.batch, within=settings.within_s):
            await on_batch([record_of(event) for event in events])

    app.agent(facts, name="rate", concurrency=1)(rate)


def record_of(event: EventT) -> Record:
    """faust's event → the record as Kafka gave it. faust keeps the timestamp as seconds; milliseconds come back exactly."""
    message = event.message
    headers = message.headers
    pairs = headers.items() if isinstance(headers, dict) else headers
    stamp = round(message.timestamp * 1000)
    return Record(message.partition, message.offset, stamp, message.key, message.value, headers_of(pairs))
