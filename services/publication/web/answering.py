"""What every answer of the API wears: a tag that names all it follows from, and the mark of made-up data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from services._bus.problems import Problem
from services.publication.adapters.postgres_reader import State

_CACHE = "public, max-age=0, must-revalidate"
ETAGGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not changed since the given ETag."}}


@dataclass(frozen=True)
class Tags:
    """``edition``: the code and the rulebooks that word the answers; ``norms``: what is forbidden today. A tag names everything that an
    answer follows from."""

    edition: str
    norms: Callable[[], str] = str

    def of(self, state: State, *parts: object) -> str:
        """A weak tag (the same content may go out compressed)."""
        whole = (self.edition, self.norms(), state.fingerprint, state.build, state.sample, state.suspended, *parts)
        return f'W/"{hashlib.sha256(repr(whole).encode()).hexdigest()[:20]}"'


def matches(request: Request, tag: str) -> bool:
    """True where the client already has this content."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag in {part.strip() for part in given[:2000].split(",")}


def headers(state: State, tag: str) -> dict[str, str]:
    """Of an answer that is asked for again each time."""
    return {"etag": tag, "cache-control": _CACHE, **mark(state)}


def mark(state: State) -> dict[str, str]:
    """Made-up data says so wherever it goes: in the header, and in the answer itself, which is kept without its headers."""
    return {"mingjian-sample": "true"} if state.sample else {}


def unchanged(state: State, tag: str) -> Response:
    """304."""
    return Response(status_code=304, headers=headers(state, tag))


def json_bytes(value: Mapping[str, Any], state: State) -> bytes:
    """The object as it goes out."""
    return orjson.dumps({"sample": True, **value} if state.sample else value)


def json_answer(value: Mapping[str, Any], state: State, tag: str) -> Response:
    """The object with its tag."""
    return Response(json_bytes(value, state), media_type="application/json", headers=headers(state, tag))


def no_subject(id: str) -> Problem:
    """What to answer about a subject that nothing was published about."""
    return Problem(404, "no-subject", zh=f"没有公布过 {id}。", en=f"Nothing has been published about {id}.")
