"""Reading server-sent events, and going on after a cut where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from services._cli.delivery import problem_words
from services._cli.errors import CliError

_SILENCE_S = 45.0
_LONGEST_PAUSE_S = 10.0


@dataclass(frozen=True)
class Message:
    """One event of the stream. ``id`` is the gapless number, of an event without one that of the event before it."""

    id: str
    event: str
    data: dict[str, Any]


def messages(lines: Iterable[str]) -> Iterator[Message | str]:
    """Lines of an event stream → messages; a bare ``id:`` (a heartbeat's) comes as text."""
    fields: dict[str, list[str]] = {}
    last = ""
    for line in lines:
        if not line:
            last = fields.get("id", [last])[-1]
            if "data" in fields:
                yield Message(last, fields.get("event", ["message"])[-1], json.loads("\n".join(fields["data"])))
            elif "id" in fields:
                yield last
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))


def follow(http: httpx.Client, params: dict[str, str], said: Callable[[str], None]) -> Iterator[Message]:
    """Changes for ever, each once. A cut is waited out. Raises ``CliError`` where the position is gone or the request is wrong."""
    last: str | None = None
    pause = 1.0
    while True:
        headers = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
        try:
            with http.stream(
                "GET", "/api/v1/stream", params=params, headers=headers, timeout=httpx.Timeout(10.0, read=_SILENCE_S)
            ) as answer:
                if answer.status_code >= 500 or answer.status_code == 429:
                    raise httpx.TransportError(f"status {answer.status_code}")
                if answer.status_code >= 400:
                    answer.read()
                    raise CliError(problem_words(answer.json()))
                pause = 1.0
                for one in messages(answer.iter_lines()):
                    last = (one if isinstance(one, str) else one.id) or last
                    if isinstance(one, Message):
                        yield one
        except httpx.TransportError as error:
            said(f"the stream was cut ({type(error).__name__}); going on in {pause:.0f} s")
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
