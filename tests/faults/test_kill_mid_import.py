"""Every service and both servers killed with SIGKILL while a town is entered and a published file is imported, each started
again at once: what the public sees, what audit found and what the log holds equal an undisturbed run."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import CHECKOUT, Stack
from schemas.topics import LOGGED_TOPICS
from services._cli.home import Home
from services._cli.importing import FORMATS, Report, import_rows, importer_key, read_rows
from services._cli.looking import all_findings
from services._cli.sample.acts import ZONE
from services._cli.sample.load import Order, control_events, in_order, keys, load, make_town
from services._cli.session import Session
from services._cli.summary import settle
from services._cli.voice import Voice
from services.intake.cli import init_home
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

ORDER = Order(seed=3, enterprises=14, years=1, until=datetime(2026, 11, 20, 18, tzinfo=ZONE).isoformat())
ROWS = 400
# Events a request: many small ones, so that each kill falls between two receipts.
SIZE = 20
RULEBOOKS = CHECKOUT / "rulebooks"
VICTIMS = ("intake", "rating", "publication", "audit", "kafka", "postgres")


@dataclass(frozen=True)
class Seen:
    """What a run came to, for comparing."""

    town: str
    fhrs: str
    lists: dict[str, list[str]]
    findings: list[tuple[object, ...]]
    receipts: int


@contextmanager
def running() -> Iterator[tuple[Stack, Session]]:
    with temporary_stack() as stack:
        init_home(stack.home, clock_mode="simulated", sample=True)
        stack.start_servers()
        stack.start_services()
        yield stack, Session(Home(stack.home), replace(Voice.of_terminal(), lang="en"), stack.ports)


@contextmanager
def kills(stack: Stack, total: int, names: tuple[str, ...]) -> Iterator[Callable[[int], None]]:
    """At equal distances through the work, kill one after the other and start it again, while the sender goes on sending."""
    due = {total * (number + 1) // (len(names) + 1): name for number, name in enumerate(names)}
    struck: list[Future[None]] = []
    over = threading.Event()

    def supervise() -> None:
        # As Stack.run does: whoever ended because its server was gone is started again, whether anyone waits for it or not.
        while not over.wait(0.5):
            stack.tick()

    def strike(name: str) -> None:
        stack.kill(name)
        stack.start(name)
        if name in ("kafka", "postgres"):
            # Whoever could not go on without its server has ended, and the supervisor starts it again.
            stack.wait_ready(("intake", "rating", "publication", "audit"), limit_s=300)

    def moved(done: int) -> None:
        struck.extend(others.submit(strike, due.pop(mark)) for mark in [mark for mark in due if mark <= done])

    with ThreadPoolExecutor(2) as others:
        supervising = others.submit(supervise)
        try:
            yield moved
            for one in struck:
                one.result()
        finally:
            over.set()
        supervising.result()
    assert len(struck) == len(names)


def run(stack: Stack, session: Session, rows: list[object], victims: tuple[str, ...]) -> Seen:
    town = make_town(ORDER, RULEBOOKS)
    sent = in_order(control_events(town, session.home, RULEBOOKS), town)
    with kills(stack, len(sent), victims) as moved:
        load(sent, keys(town, session.home), session.intake(), moved, size=SIZE)
    report = Report("rows", rows=len(rows))
    receipts: list[object] = []
    intake = session.intake()
    key = importer_key(session.home, intake, FORMATS["fhrs"], sorted({row.office for row in rows}))
    total = sum(len(row.events) for row in rows)
    with kills(stack, total, victims) as moved:
        import_rows(rows, key, intake, report, moved=moved, kept=receipts.append, size=SIZE)
    assert report.accepted == len(rows) and not report.refused
    settle(session, 300, lambda: None)
    with session.http("publication") as http:
        lists = {one["name"]: members(http, one["name"]) for one in http.get("/api/v1/lists").json()["items"]}
        csv = {regime: http.get("/api/v1/grades.csv", params={"regime": regime}).text for regime in ("liyujiang", "fhrs")}
    late = [
        (one["event"]["data"]["event"]["id"], *one["event"]["data"]["late"].values()) for one in all_findings(session, kind="late_entry")
    ]
    assert sorted(one[0] for one in late) == sorted(one["id"] for one in town.planted)
    return Seen(csv["liyujiang"], csv["fhrs"], lists, sorted(late), len(receipts))


def members(http: httpx.Client, name: str) -> list[str]:
    return [one["subject"] for one in http.get(f"/api/v1/lists/{name}", params={"limit": 500}).json()["items"]]


def rows_of(shared: Path) -> list[object]:
    rows, _ = read_rows(shared / "data" / "fhrs_westminster.csv", FORMATS["fhrs"])
    return list(islice(rows, 0, len(rows), max(1, len(rows) // ROWS)))[:ROWS]


def records(stack: Stack) -> int:
    """Records on Kafka: the sum of every partition's end."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    async def ends() -> int:
        consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap)
        await consumer.start()
        try:
            places = [TopicPartition(topic.name, number) for topic in LOGGED_TOPICS for number in range(topic.partitions)]
            return sum((await consumer.end_offsets(places)).values())
        finally:
            await consumer.stop()

    import asyncio

    return asyncio.run(ends())


def verified(stack: Stack) -> dict[str, object]:
    command = [sys.executable, "-m", "services._cli.main", "--home", str(stack.home), "verify", "--kafka", stack.bootstrap, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_kills_change_nothing_that_anyone_sees(shared: Path) -> None:
    rows = rows_of(shared)
    with running() as (stack, session):
        undisturbed = run(stack, session, rows, ())
    with running() as (stack, session):
        disturbed = run(stack, session, rows, VICTIMS)
        told = verified(stack)
        assert told["verified"] is True
        assert told["size"] == records(stack), "the leaves are the records of every partition, without a gap"
    assert disturbed == undisturbed
