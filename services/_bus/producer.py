"""The way to Kafka: idempotent, acknowledged by all in-sync replicas, with a time limit.

Invariants
1. Rows of one call are written in the order given, per partition; nothing of a later call stands before them, unless a call failed.
2. After a failure nothing more of it is sent: the old connection is torn down before another one is made, so that a row which
   was given up never turns up long after rows that were sent later. What was on the wire already may still arrive.
3. No offset is reported. Kafka answers a row that it already has with success and without an offset, so what stands where is
   known only by reading.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.topics import MAX_MESSAGE_BYTES
from services._bus.kafka import Connection, Unavailable

log = logging.getLogger("mingjian.bus.producer")

# As large as the smallest limit that a topic has: Kafka's limit is on a batch.
BATCH_BYTES = MAX_MESSAGE_BYTES
STOP_LIMIT_S = 5.0
_TEAR_DOWN_LIMIT_S = 2.0
# What a record costs besides its key, value and headers: the batch's header and the record's own lengths.
_ROW_OVERHEAD, _HEADER_OVERHEAD = 100, 10


class TooLarge(ValueError):
    """A row is larger than Kafka takes. Trying again changes nothing; no row of the call was sent."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write. ``partition`` None: the key's (murmur2). ``timestamp_ms`` (epoch) counts where the topic takes CreateTime."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    timestamp_ms: int | None = None

    def size(self) -> int:
        """An upper bound of its bytes on the wire."""
        headers = sum(len(name) + len(value) + _HEADER_OVERHEAD for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers + _ROW_OVERHEAD


class Producer:
    """Connects when it is started or first used, and again after a failure. For one event loop; calls may overlap.

    ``limit_s``: how long a call may take, connecting included. ``row_bytes``: the largest row that the topics take."""

    def __init__(
        self,
        connection: Connection,
        *,
        client_id: str,
        linger_ms: int = 5,
        limit_s: float = 30.0,
        row_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._connection, self._client_id, self._linger_ms, self._limit_s = connection, client_id, linger_ms, limit_s
        self._row_bytes = row_bytes
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._calls: set[asyncio.Timeout] = set()
        self._stopped = False

    async def start(self) -> None:
        """Connect. Raises ``Unavailable``."""
        self._stopped = False
        try:
            async with asyncio.timeout(self._limit_s):
                await self._open()
        except TimeoutError:
            raise Unavailable("Kafka can't be reached in time") from None

    async def stop(self) -> None:
        """Disconnect, after at most a few seconds for what is under way."""
        self._stopped = True
        producer, self._producer = self._producer, None
        if producer is not None:
            await _tear_down(producer, flush_s=STOP_LIMIT_S)
        self._end_calls()

    async def send(self, rows: Sequence[Outgoing]) -> None:
        """Return once every row is acknowledged. Raises ``Unavailable`` (some may have been written all the same: send the same
        rows again) or ``TooLarge``."""
        for row in rows:
            if row.size() > self._row_bytes:
                raise TooLarge(f"a row for {row.topic} has up to {row.size()} bytes, Kafka takes {self._row_bytes}")
        producer: AIOKafkaProducer | None = None
        waiting: list[asyncio.Future] = []
        try:
            # Idempotent batches never expire on their own, so the wait has a limit here.
            async with asyncio.timeout(self._limit_s) as call:
                self._calls.add(call)
                producer = await self._open()
                for row in rows:
                    waiting.append(
                        await producer.send(
                            row.topic,
                            row.value,
                            key=row.key,
                            partition=row.partition,
                            timestamp_ms=row.timestamp_ms,
                            headers=list(row.headers),
                        )
                    )
                await asyncio.gather(*waiting)
        except (KafkaError, TimeoutError) as error:
            self._calls.discard(call)
            await self._give_up(producer)
            if isinstance(error, MessageSizeTooLargeError):
                raise TooLarge("Kafka refuses a row for its size") from error
            raise Unavailable(type(error).__name__) from error
        finally:
            self._calls.discard(call)
            # Nobody waits for them any more; without this each would complain that nobody asked for its exception.
            for one in waiting:
                one.cancel()

    async def _open(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._connecting:
            if self._producer is not None:
                return self._producer
            if self._stopped:
                raise Unavailable("the producer is stopped")
            producer = AIOKafkaProducer(
                **self._connection.arguments(),
                client_id=self._client_id,
                enable_idempotence=True,
                acks="all",
                linger_ms=self._linger_ms,
                max_batch_size=BATCH_BYTES,
                max_request_size=max(self._row_bytes, 4 * BATCH_BYTES),
            )
            try:
                await producer.start()
            except BaseException as error:
                await _tear_down(producer, flush_s=0.0)
                if isinstance(error, KafkaError):
                    raise Unavailable(type(error).__name__) from error
                raise
            self._producer = producer
            return producer

    async def _give_up(self, producer: AIOKafkaProducer | None) -> None:
        """The call failed: this producer's sequence numbers may no longer fit the broker's, and what it holds must not go out later."""
        if producer is None or producer is not self._producer:
            return
        # Held while the old one goes, so that a call that overlaps waits and then connects anew.
        async with self._connecting:
            if self._producer is producer:
                self._producer = None
                await _tear_down(producer, flush_s=0.0)
                self._end_calls()

    def _end_calls(self) -> None:
        """Calls that overlap wait on a connection that is no more: their time is up."""
        now = asyncio.get_running_loop().time()
        for call in self._calls:
            if not call.expired():
                call.reschedule(now)


async def _tear_down(producer: AIOKafkaProducer, *, flush_s: float) -> None:
    """Stop a producer within a bound. Its own ``stop`` waits until everything is written, which may be for ever."""
    if flush_s:
        try:
            async with asyncio.timeout(flush_s):
                await producer.flush()
        except (KafkaError, TimeoutError) as error:
            log.warning("what was under way when the producer stopped was given up: %s", type(error).__name__)
    # Reaches into aiokafka: its sender must end before anything else is written, and there is no public way to say so.
    task = producer._sender.sender_task
    if task is not None and not task.done():
        task.cancel()
    producer._closed = True
    try:
        async with asyncio.timeout(_TEAR_DOWN_LIMIT_S):
            await producer.client.close()
    except (KafkaError, TimeoutError) as error:
        log.warning("a connection to Kafka did not close: %s", type(error).__name__)
    if task is None:
        return
    # Requests under way fail as their connection is closed; one that doesn't is cancelled with the sender.
    await asyncio.wait([task], timeout=_TEAR_DOWN_LIMIT_S)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_TEAR_DOWN_LIMIT_S)
    if task.done() and not task.cancelled():
        task.exception()
    producer._message_accumulator.fail_all(KafkaError("the producer was given up"))
