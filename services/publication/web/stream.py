"""The live stream: one reader of the database feeds all clients; each client has a bounded buffer and at most 20 writes a second.

A client that falls behind is dropped, not waited for: it comes back with Last-Event-ID and misses nothing. Numbers are
gapless over all changes, so a filtered client is told the newest number with each heartbeat and resumes from there.

Suspensions of publication (ADR 0036) are told beside the numbers, without one: a number can't be given to what begins with a day. So
each client hears of all of them when it has caught up, and then of each that begins or ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from services.publication.adapters.postgres_reader import ChangeFilter, PostgresReader, Row, Snapshot
from services.publication.domain.rows import CORRECTED

log = logging.getLogger(__name__)

RETRY_MS = 3000
HEARTBEAT_S = 15.0
WRITE_EVERY_S = 0.05
BUFFER = 4000
PAGE = 500
SEND_LIMIT_S = 20.0
_EVERYTHING = ChangeFilter()


@dataclass(frozen=True, slots=True)
class Frame:
    """One change, ready to be written, or with ``seq`` None a suspension that began or ended. ``previous``: the grade it leads away from;
    ``anyone``: it goes to clients of any grade, for to choose by the grade would tell it."""

    seq: int | None
    subject: str
    regime: str
    grade: str | None
    previous: str | None
    text: bytes
    anyone: bool = False


def takes(wanted: ChangeFilter, frame: Frame) -> bool:
    """True where the frame passes all filters, as ``Snapshot.changes`` has it."""
    return (
        (wanted.regime is None or frame.regime == wanted.regime)
        and (wanted.subject is None or frame.subject == wanted.subject)
        and (wanted.grade is None or frame.anyone or wanted.grade in (frame.grade, frame.previous))
    )


def cloud_event(row: Row, *, sample: bool) -> dict[str, Any]:
    """A change as a CloudEvent: the derived event's public part, with CloudEvents' ``sequence`` extension; made-up data says so in
    an extension of its own, for an event outlives the page that it was taken from."""
    marks = {"sample": True} if sample else {}
    return marks | {
        "specversion": "1.0",
        "id": str(row["id"]),
        "source": "/services/rating",
        "type": row["type"],
        "subject": row["subject"],
        "time": row["time"],
        "datacontenttype": "application/json",
        "sequence": str(row["seq"]),
        "data": row["data"],
    }


def frame(row: Row, *, sample: bool = False) -> Frame:
    """A change as it goes over the wire; what held on days that are over under another name, so that nobody takes it for what holds."""
    name = b"correction" if row["type"] == CORRECTED and row["data"].get("corrected_to") else b"grade"
    text = b"id: %d\nevent: %s\ndata: %s\n\n" % (row["seq"], name, orjson.dumps(cloud_event(row, sample=sample)))
    hidden = row["suspended"] is not None
    return Frame(row["seq"], row["subject"], row["regime"], row["grade"], row["previous_grade"], text, hidden)


def suspension(row: Row) -> dict[str, Any]:
    """A grade whose publication is suspended, by the number of its change."""
    return {"subject": row["subject"], "regime": row["regime"], "sequence": str(row["seq"]), **row["suspended"]}


def suspended(row: Row) -> Frame:
    """From here on the grade isn't told; or its suspension goes on otherwise."""
    text = b"event: suspended\ndata: %s\n\n" % orjson.dumps(suspension(row))
    return Frame(None, row["subject"], row["regime"], None, None, text, True)


def resumed(subject: str, regime: str, row: Row | None, *, sample: bool = False) -> Frame:
    """The grade is told again: ``row`` is the change that gave the one that holds."""
    change = cloud_event(row, sample=sample) if row else None
    text = b"event: resumed\ndata: %s\n\n" % orjson.dumps({"subject": subject, "regime": regime, "change": change})
    return Frame(None, subject, regime, None, None, text, True)


class Wake(Protocol):
    """Something that says when the projection moved; a lost notice only costs the time until the next look."""

    async def wait(self) -> None:
        """Return when there may be news, or after a second."""


@dataclass(eq=False)
class Client:
    """A connected reader: its filter, its buffer, and whether it was dropped."""

    wanted: ChangeFilter
    address: str
    at: int
    buffer: deque[Frame] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: bool = False


class TooMany(Exception):
    """No place for another client; ``everyone`` tells the service's limit from the address's own."""

    def __init__(self, *, everyone: bool) -> None:
        super().__init__("too many streams")
        self.everyone = everyone


class Hub:
    """Knows every client and the last number it has passed on."""

    def __init__(self, reader: PostgresReader, wake: Wake, *, limit: int, per_address: int, buffer: int = BUFFER) -> None:
        self._reader = reader
        self._wake = wake
        self._limit, self._per_address, self._buffer = limit, per_address, buffer
        self._clients: set[Client] = set()
        self._places: Counter[str] = Counter()
        self._taken = 0
        self.head = 0
        self.suspended: dict[tuple[str, str], Row] = {}
        self.ever_suspended = False
        self.started = False
        self.closed = asyncio.Event()

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return self._taken

    async def run(self) -> None:
        """Pass new changes on until cancelled. Trouble with the database is waited out: clients just hear nothing meanwhile."""
        while True:
            try:
                if not self.started:
                    async with self._reader.snapshot() as snapshot:
                        self.head = (await snapshot.state()).head
                        self.suspended = _by_grade(await snapshot.suspensions())
                        self.ever_suspended = await snapshot.ever_suspended()
                    self.started = True
                while await self._pass_on() == PAGE:
                    await asyncio.sleep(0)
            except Exception as error:
                log.warning("stream: reading changes failed, trying again: %s", type(error).__name__)
                await asyncio.sleep(0.5)
            await self._wake.wait()

    async def _pass_on(self) -> int:
        async with self._reader.snapshot() as snapshot:
            state = await snapshot.state()
            rows, _ = await snapshot.changes(self.head, state.head, _EVERYTHING, limit=PAGE)
            now = _by_grade(await snapshot.suspensions())
            moved = await self._moved(snapshot, now, sample=state.sample)
        self.suspended = now
        self.ever_suspended = self.ever_suspended or bool(now)
        if rows or moved:
            self._offer([*(frame(row, sample=state.sample) for row in rows), *moved])
        return len(rows)

    async def _moved(self, snapshot: Snapshot, now: Mapping[tuple[str, str], Row], *, sample: bool) -> list[Frame]:
        """What began to be suspended, or goes on otherwise, and what is told again."""
        begun = [suspended(row) for of, row in now.items() if self.suspended.get(of) != row]
        over = [of for of in self.suspended if of not in now]
        return begun + [resumed(*of, await snapshot.holding(*of), sample=sample) for of in over]

    def suspensions(self, wanted: ChangeFilter) -> bytes:
        """All that is suspended now and passes the filters, of whatever grade; what isn't among it is told."""
        mine = [suspension(row) for row in self.suspended.values() if takes(wanted, suspended(row))]
        return b"event: suspensions\ndata: %s\n\n" % orjson.dumps({"items": mine})

    def _offer(self, frames: list[Frame]) -> None:
        # No await in here: a client that joins sees either all of these from the database or all of them from its buffer.
        self.head = max([self.head, *(one.seq for one in frames if one.seq is not None)])
        for client in self._clients:
            # A client that replayed past the hub has its first frames already.
            fresh = [one for one in frames if (one.seq is None or one.seq > client.at) and takes(client.wanted, one)]
            if not fresh:
                continue
            client.buffer.extend(fresh)
            if len(client.buffer) > self._buffer:
                client.dropped = True
                client.buffer.clear()
            client.news.set()

    def reserve(self, address: str) -> None:
        """Take a place. Raises ``TooMany``."""
        if self._taken >= self._limit:
            raise TooMany(everyone=True)
        if self._places[address] >= self._per_address:
            raise TooMany(everyone=False)
        self._taken += 1
        self._places[address] += 1

    def release(self, address: str) -> None:
        """Give the place back."""
        self._taken -= 1
        self._places[address] -= 1
        if self._places[address] <= 0:
            del self._places[address]

    def join(self, client: Client) -> None:
        """Feed the client from now on; only when it has read up to ``head``."""
        self._clients.add(client)

    def leave(self, client: Client) -> None:
        """Feed it no more."""
        self._clients.discard(client)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.closed.set()
        for client in self._clients:
            client.news.set()


class EventStream(Response):
    """The response: replay from the database up to the hub's head, then what the hub passes on."""

    media_type = "text/event-stream"

    def __init__(
        self,
        hub: Hub,
        reader: PostgresReader,
        client: Client,
        *,
        headers: Mapping[str, str],
        done: Callable[[], None],
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        # As Starlette's own streaming response does: no body, so no length.
        self.status_code = 200
        self.background = None
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no", **headers})
        self._hub, self._reader, self._client, self._done = hub, reader, client, done
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve until the client goes, falls behind, or the service stops."""
        gone = asyncio.create_task(_until_gone(receive))
        work = asyncio.create_task(self._serve(send))
        closed = asyncio.create_task(self._hub.closed.wait())
        try:
            await asyncio.wait({gone, work, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(self._client)
            for task in (gone, work, closed):
                task.cancel()
            results = await asyncio.gather(gone, work, closed, return_exceptions=True)
            self._done()
        if isinstance(results[1], Exception) and not isinstance(results[1], (TimeoutError, OSError)):
            log.warning("stream: client dropped at %d: %s", self._client.at, type(results[1]).__name__)
        if not gone.done() or gone.cancelled():
            await _finish(send)

    async def _serve(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await self._write(send, b"retry: %d\n\n" % RETRY_MS)
        await self._replay(send)
        while not self._client.dropped:
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await self._client.news.wait()
            except TimeoutError:
                # No await from here to the number: with changes still in the buffer it would tell of what was never sent.
                if self._client.buffer or self._client.dropped:
                    continue
                self._client.at = max(self._client.at, self._hub.head)
                await self._write(send, _beat(self._client.at))
                continue
            self._client.news.clear()
            frames = list(self._client.buffer)
            self._client.buffer.clear()
            if frames:
                self._client.at = max([self._client.at, *(one.seq for one in frames if one.seq is not None)])
                await self._write(send, b"".join(one.text for one in frames))

    async def _replay(self, send: Send) -> None:
        """Up to the hub's head, page by page; after each the client is told how far it is, also where nothing passed its filter."""
        while self._client.at < self._hub.head:
            async with self._reader.snapshot() as snapshot:
                state = await snapshot.state()
                rows, reached = await snapshot.changes(self._client.at, state.head, self._client.wanted, limit=PAGE)
            if reached == self._client.at:
                await asyncio.sleep(WRITE_EVERY_S)
                continue
            self._client.at = reached
            told = [frame(row, sample=state.sample).text for row in rows]
            if not rows or rows[-1]["seq"] < reached:
                told.append(_beat(reached))
            await self._write(send, b"".join(told))
        self._hub.join(self._client)
        if self._hub.ever_suspended:
            await self._write(send, self._hub.suspensions(self._client.wanted))

    async def _write(self, send: Send, body: bytes) -> None:
        # Not wait_for: it can swallow the cancelling of a stream whose client went just now, which would then never end.
        async with asyncio.timeout(SEND_LIMIT_S):
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(WRITE_EVERY_S)


def _by_grade(rows: Sequence[Row]) -> dict[tuple[str, str], Row]:
    return {(row["subject"], row["regime"]): row for row in rows}


def _beat(seq: int) -> bytes:
    """A comment and the number that the client has reached: it keeps the connection and moves the last id."""
    return b": beat\nid: %d\n\n" % seq


async def _until_gone(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


async def _finish(send: Send) -> None:
    try:
        await asyncio.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}), 1.0)
    except (TimeoutError, OSError, RuntimeError) as error:
        log.info("stream: the client was gone already: %s", type(error).__name__)
