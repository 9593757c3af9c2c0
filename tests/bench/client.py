"""A small HTTP/1.1 client over asyncio's streams: the load shares the machine with what is measured, so it must cost little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson

LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Status code and body."""

    status: int
    body: bytes


class Connection:
    """One connection that stays open. Not for several tasks at once."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes) -> Answer:
        """Send JSON and read the whole answer."""
        reader, writer = await self._open()
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        status, headers = await _head(reader)
        if "chunked" in headers.get("transfer-encoding", ""):
            content = b"".join([part async for part in _chunks(reader)])
        else:
            content = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "") == "close":
            self.close()
        return Answer(status, content)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=LIMIT)
        return self._reader, self._writer

    def close(self) -> None:
        """Close it; the next request opens it again."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:] if line)
    return int(lines[0].split(" ")[1]), {name.strip().lower(): value.strip().lower() for name, _, value in fields}


async def _chunks(reader: asyncio.StreamReader):
    while size := int((await reader.readline()).split(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()


@dataclass
class Listener:
    """Reads the stream of changes and remembers when each subject was seen. ``seen``: subject → ``time.perf_counter()``."""

    base: str
    path: str
    seen: dict[str, float] = field(default_factory=dict)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    on_change: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Read until cancelled. Raises ``RuntimeError`` when the answer is no stream."""
        parts = urlsplit(self.base)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=LIMIT)
        try:
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: {parts.hostname}\r\nAccept: text/event-stream\r\n\r\n".encode())
            await writer.drain()
            status, headers = await _head(reader)
            if status != 200 or "text/event-stream" not in headers.get("content-type", ""):
                raise RuntimeError(f"the stream answered {status}")
            self.connected.set()
            rest = b""
            async for part in _chunks(reader):
                at = time.perf_counter()
                *whole, rest = (rest + part).split(b"\n\n")
                for message in whole:
                    self._take(message, at)
        finally:
            writer.close()

    def _take(self, message: bytes, at: float) -> None:
        if b"event: susp" in message or b"event: resumed" in message:
            return
        for line in message.split(b"\n"):
            if line.startswith(b"data: "):
                self.seen.setdefault(orjson.loads(line[6:])["subject"], at)
                self.on_change()
