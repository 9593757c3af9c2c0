"""Looking up a leaf asks the database only what it can answer, and a database that can't answer is no fault of the service."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import psycopg
import pytest

from schemas.canonical import event_hash
from services.audit.domain.frame import Record, Stub, decode
from services.audit.domain.merkle import leaf_hash, verify_inclusion
from services.audit.web.app import Parts, create_app
from services.audit.web.leaves import Leaves
from services.audit.web.pages import Pages
from services.audit.web.session import COOKIE, Session, Sessions
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.test_appender import World

FACTS = "mingjian.facts.v1"


class Places:
    """The plan of ten leaves of one partition, ``off`` by so many; or a database that is not there."""

    def __init__(self, error: Exception | None = None, off: int = 0) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.error, self.off = error, off

    async def leaf(self, topic: str, partition: int, offset: int) -> int | None:
        self.asked.append((topic, partition, offset))
        if self.error:
            raise self.error
        return offset + self.off if partition == 0 and offset < 10 else None


class Client:
    """Asks an application without a server."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://audit") as http:
                return await http.request(method, path, **more)

        return asyncio.run(ask())


EVENT = {"id": "i", "type": "t", "subject": "s", "time": "t", "source": "/o", "data": {"note": "confidential"}}


def client(places: Places, tmp_path: Path, public_url: str | None = None) -> Client:
    world = World(kafka={(FACTS, 0): []})
    world.say((FACTS, 0), 8, 8)
    for offset, note in ((8, "confidential"), (9, "x" * 70_000)):
        value = orjson.dumps({"event": EVENT | {"data": {"note": note}}})
        world.kafka[FACTS, 0].append(Record(FACTS, 0, offset, 0, 1, None, (), value))
    world.run(world.writer())
    pages: Any = Pages(sample=True, publication_url=None, time_zone="Asia/Shanghai")
    anything: Any = None
    leaves = Leaves(places=places, read_file=world.store.files.get, log=VERIFIER, pages=pages)  # type: ignore[arg-type]
    sessions = Sessions(tmp_path, b"k" * 32, lambda: 0.0)
    files = world.store.read
    proofs: Any = SimpleNamespace(add_to=lambda app: None)
    parts = Parts(files, sessions, anything, anything, pages, anything, leaves, proofs, public_url)
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
    assert http.get("/api/v1/log/leaves/3").status_code == 200, "the entry itself says whose it is"
    for path in (f"/api/v1/log/positions/{FACTS}/0/3", f"/log/positions/{FACTS}/0/3"):
        said = http.get(path, headers={"accept": accept})
        assert (said.status_code, said.headers["retry-after"]) == (503, "2"), path


def test_a_leaf_that_is_another_records_is_not_shown_as_this_ones(tmp_path: Path) -> None:
    http = client(Places(off=1), tmp_path)
    for path in (f"/api/v1/log/positions/{FACTS}/0/3", f"/log/positions/{FACTS}/0/3"):
        assert http.get(path).status_code == 503
    assert http.get(f"/api/v1/log/positions/{FACTS}/0/3").json()["title"] == "another record"


def test_an_entry_is_given_to_whoever_names_the_hash_of_its_event(tmp_path: Path) -> None:
    http = client(Places(), tmp_path)
    right = event_hash(EVENT)
    entry = http.get(f"/api/v1/log/leaves/8/entry?event_hash={right}")
    assert entry.status_code == 200
    told = http.get("/api/v1/log/leaves/8").json()
    path = [bytes.fromhex(one) for one in told["path"]]
    assert leaf_hash(entry.content).hex() == told["leaf_hash"]
    verify_inclusion(index=8, size=told["size"], leaf=leaf_hash(entry.content), proof=path, root=bytes.fromhex(told["root"]))
    found = decode(entry.content)
    assert isinstance(found, Record) and (found.topic, found.partition, found.offset) == (FACTS, 0, 8)
    assert b"confidential" in (found.value or b"")


def test_a_stub_is_given_for_the_hash_of_the_event_that_stands_beside_the_log(tmp_path: Path) -> None:
    right = event_hash(EVENT | {"data": {"note": "x" * 70_000}})
    entry = client(Places(), tmp_path).get(f"/api/v1/log/leaves/9/entry?event_hash={right}")
    assert entry.status_code == 200 and isinstance(decode(entry.content), Stub)


@pytest.mark.parametrize(
    ("index", "query", "status"),
    [(8, "", 403), (8, f"?event_hash={'0' * 64}", 403), (0, f"?event_hash={'0' * 64}", 403), (10, "", 404), (8, "?event_hash=x", 422)],
)
def test_without_the_right_hash_nothing_of_an_entry_is_told(index: int, query: str, status: int, tmp_path: Path) -> None:
    said = client(Places(), tmp_path).get(f"/api/v1/log/leaves/{index}/entry{query}")
    assert said.status_code == status and "confidential" not in said.text


@pytest.mark.parametrize("path", ["//evil.example/log", "/log/leaves/3", "//evil.example//x?lang=zh&after=1"])
def test_no_link_of_a_page_leads_to_another_host(path: str, tmp_path: Path) -> None:
    text = client(Places(), tmp_path).get(f"http://audit{path}", headers={"accept": "text/html"}).text
    links = re.findall(r'(?:href|src|action)="([^"]*)"', text)
    assert links and all(re.match(r"[?#]|/(?!/)", one) for one in links), links
    assert any(one.startswith("?") and "lang=en" in one for one in links)


@pytest.mark.parametrize(("public", "secure"), [("https://audit.example", True), (None, False), ("http://127.0.0.1:1", False)])
def test_the_cookie_is_secure_where_the_public_address_is(public: str | None, secure: bool, tmp_path: Path) -> None:
    token = "token-of-a-test-0123456789"
    body = {"role": "auditor", "expires_at": "2099-01-01T00:00:00.000Z"}
    (tmp_path / f"{hashlib.sha256(token.encode()).hexdigest()}.json").write_bytes(orjson.dumps(body))
    entered = client(Places(), tmp_path, public).get(f"/enter?once={token}")
    assert entered.status_code == 303
    assert ("secure" in entered.headers["set-cookie"].lower()) is secure


def test_signing_out_takes_the_cookie_away_and_needs_one(tmp_path: Path) -> None:
    http = client(Places(), tmp_path)
    assert http.ask("POST", "/leave").status_code == 401
    cookie = Sessions(tmp_path, b"k" * 32, lambda: 0.0).cookie(Session("auditor", 100))
    left = http.ask("POST", "/leave", headers={"cookie": f"{COOKIE}={cookie}"})
    assert left.status_code == 303 and left.headers["location"] == "/"
    assert f'{COOKIE}=""' in left.headers["set-cookie"] and "Max-Age=0" in left.headers["set-cookie"]
