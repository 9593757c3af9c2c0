"""Looking up a leaf asks the database only what it can answer, and a database that can't answer is no fault of the service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from services.audit.web.app import Parts, create_app
from services.audit.web.leaves import Leaves
from services.audit.web.pages import Pages
from services.audit.web.session import Sessions
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.test_appender import World

FACTS = "mingjian.facts.v1"


class Places:
    """The plan of ten leaves of one partition; or a database that is not there."""

    def __init__(self, error: Exception | None = None, known: int = 10) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.error, self.known = error, known

    async def leaf(self, topic: str, partition: int, offset: int) -> int | None:
        self.asked.append((topic, partition, offset))
        if self.error:
            raise self.error
        return offset if partition == 0 and offset < self.known else None

    async def place(self, index: int) -> tuple[str, int, int] | None:
        self.asked.append((index,))
        if self.error:
            raise self.error
        return (FACTS, 0, index) if index < self.known else None


class Client:
    """Asks an application without a server."""

    def __init__(self, app: Any, cookies: dict[str, str] | None = None) -> None:
        self._app, self._cookies = app, cookies

    def get(self, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://audit", cookies=self._cookies) as http:
                return await http.get(path, **more)

        return asyncio.run(ask())


def client(places: Places, tmp_path: Path) -> Client:
    world = World(kafka={(FACTS, 0): []})
    world.say((FACTS, 0), 10, 8)
    world.run(world.writer())
    pages: Any = Pages(sample=True, publication_url=None, time_zone="Asia/Shanghai")
    anything: Any = None
    leaves = Leaves(places=places, read_file=world.store.files.get, log=VERIFIER, pages=pages)  # type: ignore[arg-type]
    sessions = Sessions(tmp_path, b"k" * 32, lambda: 0.0)
    parts = Parts(tmp_path, sessions, anything, anything, pages, anything, leaves)
    return Client(create_app(parts))


def test_what_the_checkpoint_does_not_cover_is_not_asked_of_the_database(tmp_path: Path) -> None:
    places = Places()
    http = client(places, tmp_path)
    for path in ("leaves/10", f"leaves/{2**53 - 1}", f"positions/{FACTS}/0/10", f"positions/{FACTS}/0/{2**53 - 1}"):
        assert http.get(f"/api/v1/log/{path}").status_code == 404
    assert places.asked == []
    assert http.get("/api/v1/log/leaves/9").json()["offset"] == 9
    assert http.get(f"/api/v1/log/positions/{FACTS}/0/9").json()["index"] == 9


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("error", [psycopg.OperationalError("gone"), psycopg.errors.TooManyConnections("53300"), psycopg.InterfaceError()])
def test_a_database_that_can_not_answer_is_told_as_such(error: Exception, accept: str, tmp_path: Path) -> None:
    http = client(Places(error), tmp_path)
    for path in ("/api/v1/log/leaves/3", f"/api/v1/log/positions/{FACTS}/0/3", "/log/leaves/3"):
        said = http.get(path, headers={"accept": accept})
        assert (said.status_code, said.headers["retry-after"]) == (503, "2"), path


def test_a_leaf_whose_place_the_database_lost_is_no_fault_either(tmp_path: Path) -> None:
    said = client(Places(known=5), tmp_path).get("/api/v1/log/leaves/7")
    assert (said.status_code, said.json()["title"]) == (503, "no place")
