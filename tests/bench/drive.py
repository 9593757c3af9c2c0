"""The phases that put load on intake and watch it arrive. Each returns figures; none judges them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from tests.bench.client import Answer, Connection, Listener
from tests.bench.load import Prepared
from tests.bench.report import Latency, Rate, percentile

PATIENCE_S = 180.0
TAKEN = (200, 201, 202)


class Refused(RuntimeError):
    """Intake refused what the bench sent: the figures would mean nothing."""


def _check(answer: Answer) -> None:
    if answer.status not in TAKEN:
        raise Refused(f"intake answered {answer.status}: {answer.body[:400].decode(errors='replace')}")


def _check_batch(answer: Answer) -> None:
    if answer.status not in (*TAKEN, 207):
        raise Refused(f"intake answered {answer.status}: {answer.body[:400].decode(errors='replace')}")
    bad = [one for one in orjson.loads(answer.body)["results"] if one["status"] not in TAKEN]
    if bad:
        raise Refused(f"intake refused {len(bad)} of a batch; the first: {str(bad[0])[:400]}")


async def post_batches(url: str, bodies: Sequence[bytes], *, connections: int) -> float:
    """Send every batch, ``connections`` at a time; seconds until the last was answered. Raises ``Refused``."""
    waiting = list(reversed(bodies))

    async def work() -> None:
        connection = Connection(url)
        while waiting:
            _check_batch(await connection.post("/api/v1/events:batch", waiting.pop()))
        connection.close()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.perf_counter() - start


async def post_singly(url: str, prepared: Sequence[Prepared], *, connections: int) -> Rate:
    """Send one event a request, ``connections`` at a time, the next as soon as the last is answered. Raises ``Refused``."""
    waiting = list(reversed(prepared))

    async def work() -> None:
        connection = Connection(url)
        while waiting:
            _check(await connection.post("/api/v1/events", waiting.pop().body))
        connection.close()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return Rate(f"intake, singly on {connections} connections", len(prepared), time.perf_counter() - start)


@dataclass(frozen=True)
class Published:
    """``accepted_s``: until intake had answered everything; ``published_s``: until the last change was on the stream."""

    events: int
    accepted_s: float
    published_s: float


async def publish(
    intake: str, publication: str, bodies: Sequence[bytes], *, events: int, subjects: set[str], connections: int
) -> Published:
    """Send batches and wait until each subject's change has come over the stream. Raises ``Refused`` and ``TimeoutError``."""
    arrived = asyncio.Event()
    listener = Listener(publication, "/api/v1/stream")
    listener.on_change = lambda: arrived.set() if len(listener.seen) >= len(subjects) and subjects <= listener.seen.keys() else None
    reading = asyncio.create_task(listener.run())
    try:
        await _connected(listener, reading)
        start = time.perf_counter()
        accepted = await post_batches(intake, bodies, connections=connections)
        async with asyncio.timeout(PATIENCE_S):
            await arrived.wait()
        last = max(listener.seen[subject] for subject in subjects)
        return Published(events, accepted, last - start)
    finally:
        reading.cancel()


async def _connected(listener: Listener, reading: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(listener.connected.wait())
    await asyncio.wait({waiting, reading}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
    if reading.done():
        waiting.cancel()
        reading.result()
    if not listener.connected.is_set():
        raise TimeoutError("the stream did not open within 30 s")


async def latency(intake: str, publication: str, prepared: Sequence[Prepared], *, per_second: float, connections: int) -> Latency:
    """Post at fixed instants, whatever the answers do, and measure from each instant to the change on the stream.

    Counted from the instant a post was due, so that a queue in front of a slow service counts as delay.
    """
    listener = Listener(publication, "/api/v1/stream")
    reading = asyncio.create_task(listener.run())
    due: dict[str, float] = {}
    queue: asyncio.Queue[Prepared | None] = asyncio.Queue()

    async def work() -> None:
        connection = Connection(intake)
        while one := await queue.get():
            _check(await connection.post("/api/v1/events", one.body))
        connection.close()

    try:
        await _connected(listener, reading)
        workers = [asyncio.create_task(work()) for _ in range(connections)]
        start = time.perf_counter()
        for number, one in enumerate(prepared):
            at = start + number / per_second
            if (pause := at - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            due[one.subject] = at
            queue.put_nowait(one)
        for _ in workers:
            queue.put_nowait(None)
        await asyncio.gather(*workers)
        sent = len(prepared) / (time.perf_counter() - start)
        until = time.perf_counter() + 20
        while len(listener.seen.keys() & due.keys()) < len(due) and time.perf_counter() < until:
            await asyncio.sleep(0.05)
        delays = sorted(1000 * (listener.seen[subject] - at) for subject, at in due.items() if subject in listener.seen)
        return Latency(
            per_second,
            sent,
            len(delays),
            len(due) - len(delays),
            percentile(delays, 0.50),
            percentile(delays, 0.99),
            delays[-1] if delays else 0.0,
        )
    finally:
        reading.cancel()
