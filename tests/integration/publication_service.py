"""Runs publication as a child process on a stack of the tests, kills it, and reads its stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from deploy.local.stack import Stack
from tests.integration.publication_feed import Feed, genesis

Found = TypeVar("Found")


@dataclass
class Publication:
    """The service on a stack; ``get`` answers, ``kill`` is SIGKILL, ``start`` waits until it is ready."""

    stack: Stack

    @property
    def url(self) -> str:
        """Its address."""
        return self.stack.ports.url("publication")

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return httpx.get(self.url + path, timeout=10, **more)

    def status(self) -> dict[str, Any]:
        """``/status``."""
        return self.get("/status").json()

    def settled(self, *, limit_s: float = 30) -> dict[str, Any]:
        """Wait until what Kafka has now is applied; the status then. What the service says of its lag may be a moment old."""
        ends = Feed(self.stack.bootstrap).ends()

        def applied() -> dict[str, Any] | None:
            found = self.status()
            there = all(found["positions"].get(topic, {}).get(str(number), 0) >= end for (topic, number), end in ends.items())
            return found if there and found["lag"]["total"] == 0 and found["ready"] else None

        return until(applied, limit_s=limit_s)

    def kill(self) -> None:
        """SIGKILL."""
        self.stack.kill("publication")

    def start(self) -> None:
        """Start, and wait until ready."""
        self.stack.start("publication")


def begun(stack: Stack, **more: Any) -> Publication:
    """Publication on a stack whose servers run, with a genesis (``more``: its terms)."""
    feed = Feed(stack.bootstrap)
    feed.registry(genesis(**more))
    feed.send()
    made = Publication(stack)
    made.start()
    return made


def until(look: Callable[[], Found | None], *, limit_s: float = 30) -> Found:
    """What ``look`` gives once it gives something."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            found = look()
        except (httpx.HTTPError, json.JSONDecodeError):
            found = None
        if found is not None:
            return found
        time.sleep(0.05)
    raise TimeoutError("it did not come to pass")


@dataclass
class Event:
    """A server-sent event."""

    id: str
    event: str
    data: Any


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Parse a stream as the HTML standard says; an id without data only moves the last id (yielded with event "")."""
    id, name, data = "", "", []
    for line in lines:
        if line == "":
            if data or id:
                yield Event(id, name if data else "", json.loads("\n".join(data)) if data else None)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            id = value
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)


@contextmanager
def reading(url: str, *, timeout: float = 10, **more: Any) -> Iterator[Iterator[Event]]:
    """A connection to the stream."""
    with httpx.Client(timeout=timeout) as client, client.stream("GET", url, **more) as answer:
        assert answer.status_code == 200, answer.read()
        yield events(answer.iter_lines())


def read(url: str, count: int, **more: Any) -> list[Event]:
    """The next ``count`` changes."""
    found: list[Event] = []
    with reading(url, **more) as stream:
        for one in stream:
            if one.event == "grade":
                found.append(one)
            if len(found) == count:
                return found
    return found
