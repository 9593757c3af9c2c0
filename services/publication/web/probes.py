"""``/livez``, ``/readyz`` and ``/status``: for supervisors, the other services and people who look after the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, ConfigDict

from services._bus.health import Readiness
from services.publication.adapters.postgres_reader import PostgresReader
from services.publication.web.stream import Hub

_NO_STORE = {"cache-control": "no-store"}


class Sequence(BaseModel):
    """Numbers of the stream: the newest, the oldest from which it can be resumed, and the revision of the tables."""

    head: int
    floor: int
    revision: int


class State(BaseModel):
    """Lag by topic, positions, counts, and the clients of the stream; more by what the projection is doing."""

    model_config = ConfigDict(extra="allow")

    service: str
    ready: bool
    reason: str
    lag: dict[str, int]
    seq: Sequence | None
    streams: int


def router(reader: PostgresReader, hub: Hub, ready: Callable[[], tuple[bool, str]], status: Callable[[], dict[str, Any]]) -> APIRouter:
    """The three routes. ``ready``: the projection's answer and its reason in a word; ``status``: what it tells of itself."""
    routes = APIRouter(tags=["health"])

    @routes.get("/livez", response_model=Readiness)
    async def livez() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"ready": True, "reasons": []}, headers=_NO_STORE)

    @routes.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness, "description": "Not ready"}})
    async def readyz() -> JSONResponse:
        """Grades are projected and the database answers."""
        able, reason = ready()
        if able:
            try:
                async with reader.snapshot() as snapshot:
                    await snapshot.state()
            except (psycopg.Error, PoolTimeout) as error:
                able, reason = False, f"database: {type(error).__name__}"
        return JSONResponse({"ready": able, "reasons": [] if able else [reason]}, 200 if able else 503, headers=_NO_STORE)

    @routes.get("/status", response_model=State)
    async def state() -> JSONResponse:
        """Lag, positions, counts and the clients of the stream."""
        able, reason = ready()
        told: dict[str, Any] = {"service": "publication", "ready": able, "reason": reason, **status(), "streams": hub.clients}
        try:
            async with reader.snapshot() as snapshot:
                found = await snapshot.state()
                told["seq"] = {"head": found.head, "floor": found.floor, "revision": found.revision}
        except (psycopg.Error, PoolTimeout) as error:
            told |= {"seq": None, "trouble": f"database: {type(error).__name__}"}
        return JSONResponse(told, headers=_NO_STORE)

    return routes
