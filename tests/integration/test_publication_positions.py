"""Positions that are no longer kept, and readers that don't read: on a stack that keeps few changes to be resumed from."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.integration.publication_feed import Feed, grade
from tests.integration.publication_service import Publication, begun, read
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack

KEEP = 5
TOLD = 12
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def short_memory() -> Iterator[Publication]:
    """A dozen changes, of which the last five can be resumed over."""
    with temporary_stack(extra_env={"MINGJIAN_STREAM_KEEP": str(KEEP)}) as stack:
        stack.start_servers("simulated")
        made = begun(stack)
        tell(made, *(f"fhrs:{number}" for number in range(3001, 3001 + TOLD)))
        yield made


def tell(publication: Publication, *shops: str) -> None:
    """One change for each shop, applied."""
    feed = Feed(publication.stack.bootstrap)
    for shop in shops:
        feed.grade(grade(shop, "5", regime="fhrs", cause=str(uuid.uuid4())))
    feed.send()
    publication.settled()


def test_a_position_no_longer_kept_is_gone_and_the_answer_says_where_to_start(short_memory: Publication) -> None:
    floor, head = TOLD - KEEP, TOLD
    answer = short_memory.get(f"/api/v1/stream?since={floor - 1}")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (410, "urn:mingjian:problem:position-gone")
    assert (problem["snapshot"], problem["floor"], problem["head"]) == ("/api/v1/grades", floor, head)
    assert answer.headers["access-control-allow-origin"] == "*"
    for words in (problem["detail_zh"], problem["detail_en"]):
        assert "/api/v1/grades" in words and str(floor - 1) in words and str(head) in words
    resumed = short_memory.get("/api/v1/stream?since=0", headers={"last-event-id": str(floor - 1)})
    assert resumed.status_code == 410, "the number last seen wins over the address"
    assert [one.id for one in read(f"{short_memory.url}/api/v1/stream?since={floor}", KEEP)] == [
        str(seq) for seq in range(floor + 1, head + 1)
    ]
    assert len(short_memory.get(problem["snapshot"]).json()["items"]) == TOLD


def test_a_dashboard_that_is_too_late_goes_on_from_the_snapshot(short_memory: Publication, chromium: str) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    head = short_memory.status()["seq"]["head"]
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(EXAMPLES))) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/dashboard.html?api={short_memory.url}&since=0")
        expect(page.locator("#state")).to_contain_text("connected", timeout=15_000)
        tell(short_memory, "fhrs:3901")
        expect(page.locator("#rows tr")).to_have_count(1, timeout=15_000)
        expect(page.locator("#rows tr")).to_contain_text("fhrs:3901")
        browser.close()
        server.shutdown()
    assert short_memory.status()["seq"]["head"] == head + 1


def test_readers_of_csv_that_do_not_read_hold_nobody_up(short_memory: Publication) -> None:
    """More of them than the service has connections to the database, each with more to read than any buffer holds."""
    with psycopg.connect(short_memory.stack.admin_dsn, options="-c search_path=publication") as connection:
        connection.execute(
            "INSERT INTO grade (regime, subject, seq, grade, status, in_force_from, known_ms) "
            "SELECT 'large', 'fhrs:' || n, 1, '5', 'graded', '2026-01-15', 0 FROM generate_series(1000000, 1300000) n"
        )
    host, port = short_memory.url.removeprefix("http://").split(":")
    with ExitStack() as open_ones:
        for _ in range(10):
            deaf = open_ones.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((host, int(port)))
            deaf.sendall(b"GET /api/v1/grades.csv?regime=large HTTP/1.1\r\nHost: x\r\n\r\n")
            assert deaf.recv(64).startswith(b"HTTP/1.1 200")
        assert short_memory.get("/api/v1/grades?limit=1").status_code == 200 and short_memory.get("/lists").status_code == 200
