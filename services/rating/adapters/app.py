"""The faust app: built by a function, one agent, two tables, everything declared beforehand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

import faust

from schemas import topics
from services.rating.adapters.rows import RowTable, row_table
from services.rating.adapters.runs import RUN, RunTransport, Untouched
from services.rating.ports import Record

# Records in a batch at most: what is worked off, and made durable, at once.
BATCH = 2_000
WITHIN_S = 0.02

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
        stream_buffer_maxsize=4 * settings.batch // RUN,
        stream_wait_empty=True,
        producer_acks=-1,
        value_serializer="raw",
        key_serializer="raw",
    )
    app.transport = RunTransport(app.conf.broker_consumer, app)
    chunks = row_table(app, "chunks", topics.PARTITIONS)
    heads = row_table(app, "heads", topics.PARTITIONS)
    return app, chunks, heads


def add_agent(app: faust.App, settings: FaustSettings, on_batch: OnBatch) -> None:
    """One agent on facts, one at a time; ``on_batch`` must not raise."""
    facts = app.topic(topics.FACTS, schema=Untouched(key_serializer="raw", value_serializer="raw", allow_empty=True))

    async def rate(stream: faust.Stream) -> None:
        async for events in stream.take_events(settings.batch // RUN, within=settings.within_s):
            await on_batch([record for event in events for record in event.value])

    app.agent(facts, name="rate", concurrency=1)(rate)
