"""Chains on a real broker: what shops tell crosses partitions and workers, and live rating, replay and file driver agree, through kills.

The worker is killed while shops tell, while chains are told, and between the two; what stands on Kafka afterwards are the chain's grades
as the pure fold gives them from the facts as they stand there, by id and byte.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
import pytest

from schemas import topics
from schemas.envelope import derived_bytes
from services.audit.grades_check import check_grades
from services.audit.regrading import Source as AuditSource
from services.rating import bulk
from services.rating.domain.digest import digest_of, final_line, step_line, told_line
from services.rating.domain.emit import TYPE as DETERMINED
from services.rating.domain.fold import history, merged
from services.rating.domain.parts.chronicle import Chronicle
from services.rating.domain.parts.entries import TYPE as PART_GRADED
from services.rating.domain.parts.entries import entry_of
from services.rating.outcome import Question
from services.rating.replaying import Source, look, replay
from tests.cases.chain import REGIME, SCORES, shop_id
from tests.cases.ledger import Ledger, book
from tests.integration.rating_live import Live, activation, event_of, events_of
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
CHAINS = ("uscc:91440300MA5CHA1N44", "uscc:91440300MA5CHA2N4R", "uscc:91440300MA5CHA3N4F")
SHOPS = 10


class Chains(Live):
    """What the chains are, by Kafka and by the pure fold."""

    def told(self) -> tuple[dict[str, bytes], list[dict]]:
        """The chains' grade events by id, and in the order in which they stand."""
        found: dict[str, bytes] = {}
        order = []
        for record in self.read(topics.GRADES):
            event = orjson.loads(record.value)["event"]
            if event["subject"] in CHAINS:
                assert event["subject"].encode() == record.key
                if event["id"] not in found:
                    order.append(event)
                assert found.setdefault(event["id"], record.value) == record.value, "the same id with other bytes"
        return found, order

    def worked_out(self) -> dict[str, bytes]:
        """The same by the fold of the facts as they stand on Kafka."""
        one = book(REGIME)
        chains = {name: Chronicle(name, one) for name in CHAINS}
        for partition, (subjects, controls) in self._facts().items():
            for subject, facts in subjects.items():
                for told in history(subject, partition, merged(facts, controls), controls, {REGIME: one}):
                    if told.event["type"] == PART_GRADED:
                        chains[told.event["subject"]].add(entry_of(told.event))
        return {event["id"]: derived_bytes(event) for one in chains.values() for _, event in one.settle()}

    def wait_agreed(self, limit_s: float = 90.0) -> None:
        end = time.monotonic() + limit_s
        self.wait_worked_off(alone=False)
        wanted = self.worked_out()
        while (found := self.told()[0]) != wanted:
            assert time.monotonic() < end, (len(found), len(wanted), found.keys() - wanted.keys(), self.status())
            time.sleep(1.0)

    def standing(self) -> dict[str, str]:
        """The newest grade or status of each chain."""
        last = {event["subject"]: event["data"] for event in self.told()[1] if event["type"] == DETERMINED}
        return {name: data["grade"] or data["status"] for name, data in last.items()}


@pytest.fixture(scope="module")
def live() -> Iterator[Chains]:
    with temporary_stack() as stack:
        stack.start_servers("wall")
        one = Chains(stack)
        one.broadcast(activation(book(REGIME)))
        yield one


def shops(chain: int) -> Iterator[Ledger]:
    for number in range(SHOPS):
        ledger = Ledger(REGIME, subject=shop_id(chain * SHOPS + number), activated=False)
        ledger.opened("2015-03-01")
        ledger.joined(CHAINS[chain], "2015-03-01")
        yield ledger


def founded(chain: int) -> list[dict]:
    ledger = Ledger(REGIME, subject=CHAINS[chain], activated=False)
    ledger.registered("2015-01-01", business_kind="drug_chain")
    return events_of(ledger)


def scored(chain: int, grades: str, year: int) -> list[dict]:
    found = []
    for number, grade in enumerate(grades):
        ledger = Ledger(REGIME, subject=shop_id(chain * SHOPS + number), activated=False)
        ledger.offset = year
        ledger.scored(year, SCORES[grade], maximum="10")
        found += events_of(ledger)
    return found


def evaluation(year: int) -> dict:
    on = f"{year + 1}-01-15"
    data = {"occurred_on": on, "regime": REGIME, "period": {"first": f"{year}-01-01", "last": f"{year}-12-31"}, "evaluation_date": on}
    return event_of(f"regime:{REGIME}", "evaluation.closed", data, id=str(uuid.uuid5(uuid.NAMESPACE_URL, on)))


def test_chains_come_out_of_their_shops_through_kills(live: Chains) -> None:
    live.stack.start("rating")
    for chain in range(3):
        live.send(founded(chain) + [event for ledger in shops(chain) for event in events_of(ledger)])
    time.sleep(0.3)
    live.stack.kill("rating")
    live.stack.start("rating")
    for chain, grades in enumerate(("AAAAAAAABB", "AAAAAAABBB", "AAAAAAAACC")):
        live.send(scored(chain, grades, 2024))
    live.broadcast(evaluation(2024))
    live.until(lambda one: (status := one.status()) and status["parts"]["waiting"], limit_s=60)
    live.stack.kill("rating")
    live.stack.start("rating")
    live.wait_agreed()
    assert dict(zip(CHAINS, "ABC", strict=True)) == live.standing()
    # What the worker was about to tell, and had told, is told again under the same ids or not at all.
    for wait_s in (1.0, 2.5, 4.0):
        live.send([event_of(shop_id(9), "part.left", {"occurred_on": "2025-06-01", "parent": CHAINS[0]}, id=str(uuid.uuid4()))])
        live.send([event_of(shop_id(9), "part.joined", {"occurred_on": "2025-07-01", "parent": CHAINS[0]}, id=str(uuid.uuid4()))])
        time.sleep(wait_s)
        live.stack.kill("rating")
        live.stack.start("rating")
    live.wait_agreed()
    before = live.told()[0]
    live.stack.stop_one("rating")
    live.stack.start("rating")
    live.send(scored(0, "D", 2020))
    live.wait_agreed()
    assert before == live.told()[0]


@contextmanager
def second(live: Chains) -> Iterator[tuple[subprocess.Popen, str]]:
    """A further worker of the group, and its address; killed at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = live.stack.service_env("rating") | {"MINGJIAN_PORT": str(port), "MINGJIAN_INSTANCE": "rating-second"}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.rating.worker"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def partitions(url: str) -> set[int]:
    try:
        with urllib.request.urlopen(f"{url}/status", timeout=5) as answer:
            return set(json.load(answer)["partitions"])
    except OSError:
        return set()


def test_shops_at_one_worker_and_their_chain_at_another_through_a_kill_of_either(live: Chains) -> None:
    live.stack.start("rating")
    with second(live) as (process, url):
        live.until(lambda one: partitions(url) and partitions(one.stack.ports.url("rating")), limit_s=120)
        for chain, grades in enumerate(("DDDDAAAAAA", "AAAAAAAAAA", "BBBBBBBBBC")):
            live.send(scored(chain, grades, 2025))
        live.broadcast(evaluation(2025))
        live.wait_agreed(120)
        assert dict(zip(CHAINS, "DAB", strict=True)) == live.standing()
        live.send([event_of(shop_id(18), "part.left", {"occurred_on": "2026-02-01", "parent": CHAINS[1]}, id=str(uuid.uuid4()))])
        live.send([event_of(shop_id(19), "part.left", {"occurred_on": "2026-02-01", "parent": CHAINS[1]}, id=str(uuid.uuid4()))])
        time.sleep(1.5)
        process.kill()
        live.wait_agreed(180)
    live.stack.kill("rating")
    with second(live):
        live.send([event_of(shop_id(18), "part.joined", {"occurred_on": "2026-03-01", "parent": CHAINS[0]}, id=str(uuid.uuid4()))])
        time.sleep(1.0)
    live.stack.start("rating")
    live.wait_agreed(180)


def test_all_three_drivers_agree(live: Chains) -> None:
    live.stack.start("rating")
    live.wait_agreed()
    assert dict(zip(CHAINS, "DAB", strict=True)) == live.standing()
    source = Source(live.stack.bootstrap)
    spans, newest = asyncio.run(look(source))
    books = {REGIME: book(REGIME)}

    def replayed(sequence: bool) -> object:
        asked = Question(books, newest, sequence=sequence)
        return replay(source, spans, asked, known_at=None, cores=2, progress=lambda done, total: None)

    found = replayed(False)
    records = live.read(topics.GRADES)
    events: dict[str, dict] = {}
    for record in records:
        event = orjson.loads(record.value)["event"]
        events.setdefault(event["id"], event)
    last = {one["subject"]: one for one in events.values() if one["type"] == DETERMINED}
    assert digest_of(line for one in last.values() if (line := told_line(one))) == found.digest  # type: ignore[attr-defined]
    today = datetime.fromtimestamp(newest / 1000, UTC).date()
    facts = [record.value for record in live.read(topics.FACTS)]
    folded = bulk.fold_lines(facts, books[REGIME])
    from_file = [line for name, one in bulk.rate(folded, books[REGIME], as_of=today) if (line := final_line(name, REGIME, one))]
    assert digest_of(from_file) == found.digest  # type: ignore[attr-defined]
    of_chains = [line for line in replayed(True).outcome.lines if orjson.loads(line)[0] in CHAINS]  # type: ignore[attr-defined]
    places = {name: iter(range(1_000)) for name in CHAINS}
    assert sorted(of_chains) == sorted(step_line(event, next(places[event["subject"]])) for event in live.told()[1])


def test_audit_finds_nothing_after_kills_and_workers_that_came_and_went(live: Chains) -> None:
    found = check_grades(AuditSource(live.stack.bootstrap), {REGIME: book(REGIME)}, cores=2, progress=lambda done, total: None)
    assert found.faults == []
    assert found.compared == sum(len(live.read(topic)) for topic in (topics.GRADES, topics.PARTS, topics.DUTIES)) > 50
