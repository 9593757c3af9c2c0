"""The application round a database of the test's own: faults are answered like everything else, and no client holds a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
from fastapi import FastAPI

from schemas.rulebook import load_all
from services.publication.adapters.neighbours import Neighbours
from services.publication.adapters.postgres_reader import State
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web.answering import Tags
from services.publication.web.app import Parts, create_app
from services.publication.web.pages import Pages
from services.publication.web.portal import Portal
from services.publication.web.stream import Hub
from services.publication.wiring import REPOSITORY, edition


class Faulty:
    """A reader with a fault that nobody foresaw."""

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        raise RuntimeError("a fault")
        yield


class OneRegime:
    """A reader of one large regime that counts the connections in use."""

    def __init__(self) -> None:
        self.held = 0

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[OneRegime]:
        """Take a connection until the block ends."""
        self.held += 1
        try:
            yield self
        finally:
            self.held -= 1

    async def state(self) -> State:
        return State(head=1, floor=0, revision=1)

    async def regimes(self) -> list[str]:
        return ["fhrs"]

    async def whole_regime(self, regime: str) -> bytes:
        return b"".join(b"fhrs:%06d,5,graded,2026-01-15\n" % at for at in range(50_000))


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    yield


def app_over(reader: Any) -> FastAPI:
    parts = Parts(
        reader=reader,
        portal=Portal(Vocabulary(()), audit_url=None),
        neighbours=Neighbours(audit_public=None, audit_inside=None, rating_url=None, clock=lambda: 0.0),
        hub=Hub(reader, None, limit=1, per_address=1),  # type: ignore[arg-type]
        town=None,
        now_ms=lambda: 0,
        today=lambda zone: date(2026, 1, 15),
        edition="1",
        ready=lambda: (True, "ready"),
        status=dict,
        lifespan=nothing,
    )
    return create_app(parts)


def ask(reader: Any, path: str, *, method: str = "GET", **more: Any) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app_over(reader), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://publication.example") as client:
            return await client.request(method, path, **more)

    return asyncio.run(asked())


def test_a_fault_of_the_api_can_be_read_from_any_site() -> None:
    answer = ask(Faulty(), "/api/v1/grades", headers={"origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["access-control-allow-origin"] == "*" and answer.headers["x-content-type-options"] == "nosniff"


def test_a_fault_of_a_page_keeps_the_strict_policy() -> None:
    answer = ask(Faulty(), "/lists")
    assert answer.status_code == 500 and answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")


def test_a_tag_is_of_one_stack_one_build_one_edition_and_one_revision() -> None:
    state = State(head=1, floor=0, revision=1, build="b", fingerprint="f")
    others = [replace(state, suspended="x"), replace(state, build="c"), replace(state, fingerprint="g"), replace(state, sample=True)]
    made = [Tags("1").of(one, "grades", one.revision) for one in (state, *others)]
    made += [Tags("2").of(state, "grades", state.revision), Tags("1").of(state, "grades", 2), Tags("1").of(state, "lists", state.revision)]
    assert len(set(made)) == len(made) and made[0] == Tags("1").of(state, "grades", state.revision)


class Counted:
    """A snapshot of which it is counted how often counts are asked for."""

    def __init__(self) -> None:
        self.asked = 0

    async def counts(self) -> list[Any]:
        self.asked += 1
        return [self.asked]


def test_counts_are_taken_anew_when_a_suspension_begins_though_nothing_was_written() -> None:
    pages = Pages(None, None, None, lambda: 0, lambda: False, None)  # type: ignore[arg-type]
    snapshot, state = Counted(), State(head=1, floor=0, revision=1)

    async def counted() -> list[Any]:
        return [await pages._counts(snapshot, one) for one in (state, state, replace(state, suspended="x"), replace(state, suspended="x"))]  # type: ignore[arg-type]

    assert asyncio.run(counted()) == [[1], [1], [2], [2]]


def test_an_edition_follows_from_the_rulebooks_and_is_the_same_twice() -> None:
    books = load_all(REPOSITORY / "rulebooks")
    assert edition(books.values()) == edition(books.values())
    assert len({edition(list(books.values())[:count]) for count in range(len(books) + 1)}) == len(books) + 1


def test_a_csv_holds_no_connection_while_it_goes_out() -> None:
    """However slowly the client reads: at the first byte the connection is back already."""
    reader = OneRegime()
    held: list[int] = []
    scope = {"type": "http", "method": "GET", "path": "/api/v1/grades.csv", "query_string": b"regime=fhrs", "headers": []}

    async def send(message: Any) -> None:
        held.append(reader.held)
        await asyncio.sleep(0)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(app_over(reader)(scope | {"scheme": "http", "server": ("publication.example", 80)}, receive, send))
    assert set(held) == {0}
    lines = ask(reader, "/api/v1/grades.csv?regime=fhrs").text.splitlines()
    assert lines[0] == "subject,grade,status,in_force_from" and len(lines) == 50_001 and lines[1] == "fhrs:000000,5,graded,2026-01-15"
