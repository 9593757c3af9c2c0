"""The live rating on a real broker: what comes out equals the pure fold, through kills of the worker and of the broker."""

from __future__ import annotations

import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import orjson
import pytest

from deploy.local.errors import LocalStackError
from schemas import topics
from schemas.rulebook import load_rulebook
from schemas.rulebook.editions import FOLDER, folder_name
from services.rating.domain.fold import Book
from tests.cases.ledger import RULEBOOKS, Ledger, book
from tests.cases.test_fhrs_bands import rated
from tests.integration.rating_live import Live, activation, event_of, events_of
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """Servers with both rulebooks activated; each test starts the worker and uses subjects of its own."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        one = Live(stack)
        for regime in ("fhrs", "liyujiang"):
            one.broadcast(activation(book(regime)))
        yield one


def premises(first: int, count: int) -> list[dict]:
    """Registrations and rated inspections of made-up premises."""
    found = []
    for number in range(first, first + count):
        ledger = Ledger("fhrs", subject=f"fhrs:{number}", activated=False)
        ledger.registered("2020-01-01")
        rated(ledger, "2024-05-01", number % 25, (number // 7) % 25, number % 30)
        found += events_of(ledger)
    return found


def town(first: int, count: int) -> list[dict]:
    """Enterprises with a warning, a fine and its later service."""
    found = []
    for number in range(first, first + count):
        ledger = Ledger(subject=f"uscc:{number:018d}", activated=False)
        ledger.opened("2018-03-01")
        ledger.scored(2025, str(60 + number % 41))
        if number % 3 == 0:
            ledger.warned("2025-06-01")
        if number % 5 == 0:
            ledger.served(ledger.fined("2025-07-01", served=None), "2025-08-01")
        found += events_of(ledger)
    return found


def evaluation() -> dict:
    data = {
        "occurred_on": "2026-01-15",
        "regime": "liyujiang",
        "period": {"first": "2025-01-01", "last": "2025-12-31"},
        "evaluation_date": "2026-01-15",
    }
    return event_of("regime:liyujiang", "evaluation.closed", data, id=str(uuid.uuid4()))


def test_facts_come_out_as_the_grades_of_the_pure_fold(live: Live) -> None:
    live.stack.start("rating")
    live.send(premises(1_000, 100))
    live.send(town(1, 60))
    live.broadcast(evaluation())
    live.raw(b"fhrs:1", b"no envelope")
    status = live.wait_worked_off()
    grades = live.grades()
    assert live.expected() == grades
    assert len(grades) >= 100 + 2 * 60
    assert {"A", "B", "C", "D", "E"} <= {orjson.loads(value)["event"]["data"]["grade"] for value in grades.values()}
    assert (1, 0) == (status["counts"]["quarantined"], status["lag"]["total"])
    assert [b"fhrs:1"] == [record.key for record in live.read(topics.QUARANTINE)]
    assert 200 == live.ready()[0]


def test_a_worker_killed_again_and_again_loses_and_changes_no_grade(live: Live) -> None:
    live.stack.start("rating")
    before = live.status()
    assert before is not None
    for round in range(3):
        live.send(premises(10_000 + 400 * round, 400))
        live.send(town(1_000 + 100 * round, 100))
        if round == 1:
            live.broadcast(evaluation())
        time.sleep(0.15 * (round + 1))
        live.stack.kill("rating")
        live.stack.start("rating")
    live.wait_worked_off()
    assert live.expected() == live.grades()


def test_a_worker_killed_in_the_middle_of_an_evaluation_goes_on_with_it_while_facts_flow(live: Live) -> None:
    """Nobody is told that it is done before it is; no grade is lost or changed, and few are told twice."""
    live.stack.start("rating")
    live.send(town(20_000, 3_000))
    live.wait_worked_off()
    before = len(live.read(topics.GRADES))
    live.broadcast(evaluation())
    seen: list[int] = []
    for round in range(3):
        live.until(partial(evaluating, most=3_000 - 800 * round))
        status = live.status()
        assert status is not None
        seen.append(status["backlog"])
        assert status["lag"]["total"] >= status["backlog"]
        live.send(town(20_000 + 700 * round, 30)[-60:] + premises(40_000 + 50 * round, 50))
        live.stack.kill("rating")
        live.stack.start("rating")
    live.wait_worked_off()
    assert any(0 < one for one in seen), seen
    grades = live.grades()
    assert live.expected() == grades
    told = len(live.read(topics.GRADES)) - before
    assert told < len({id for id, value in grades.items() if b"evaluation.closed" in value}) + 2_000


def evaluating(live: Live, *, most: int) -> bool:
    """At most so many evaluations are left."""
    status = live.status()
    return status is not None and status["backlog"] < most


def test_of_two_workers_one_is_killed_and_no_grade_is_lost_or_doubled(live: Live) -> None:
    """The partitions are shared; what the killed one had taken and not told, the other tells, under the same ids in the same bytes."""
    live.stack.start("rating")
    live.wait_worked_off()
    with live.second() as second:
        live.until(lambda _: second.ready())
        live.until(lambda one: one.ready()[0] == 200)
        live.send(premises(40_000, 300))
        live.send(town(7_000, 200))
        live.broadcast(evaluation())

        def shared() -> tuple[list[int], list[int]]:
            return (live.status() or {})["partitions"], second.status()["partitions"]

        # A partition's state is made when the first fact of it comes, and the one that gives it up names it for a moment longer.
        live.until(lambda _: sorted(chain(*shared())) == list(range(topics.PARTITIONS)))
        both = shared()
        taken, wave = second.status()["counts"]["facts"], premises(41_000, 1_200)
        sending = threading.Thread(target=live.send, args=(wave,))
        sending.start()
        # In the midst of its work: it has begun with the wave and not come to its end.
        live.until(lambda _: second.status()["counts"]["facts"] > taken + 50)
        second.process.kill()
        second.process.wait()
        sending.join()
        live.send(premises(42_000, 200))
        live.send([event for event in town(7_000, 200) if event["type"] == "mingjian.warning.issued.v1"])
    assert sorted(both[0] + both[1]) == list(range(topics.PARTITIONS)), "each partition has one worker, and each worker some"
    assert both[0] and both[1]
    status = live.wait_worked_off()
    assert status["counts"]["facts"] > 0
    grades = live.grades()
    assert live.expected() == grades
    told = {orjson.loads(value)["event"]["subject"] for value in grades.values()}
    assert {
        f"fhrs:{number}" for first, count in ((40_000, 300), (41_000, 1_200), (42_000, 200)) for number in range(first, first + count)
    } <= told


def test_a_broker_killed_under_the_worker_loses_and_changes_no_grade(live: Live) -> None:
    live.stack.start("rating")
    live.send(premises(20_000, 500))
    time.sleep(0.2)
    live.stack.kill("kafka")
    time.sleep(1.0)
    live.stack.start("kafka")
    live.stack.start("rating")
    live.send(premises(21_000, 100))
    live.wait_worked_off()
    assert live.expected() == live.grades()


def test_a_state_whose_changelogs_are_gone_is_made_again_from_the_facts(live: Live) -> None:
    """The group's positions say that all is done; the state knows better and reads the facts again."""
    live.stack.start("rating")
    live.wait_worked_off()
    live.stack.stop_one("rating")
    delete_and_make_again(live, [topics.changelog("chunks"), topics.changelog("heads")])
    live.stack.start("rating")
    live.send(premises(30_000, 200))
    live.send([event for event in town(1, 60) if event["type"] == "mingjian.enterprise.registered.v1"])
    status = live.wait_worked_off()
    assert live.expected() == live.grades()
    assert status["counts"]["records"] > 200


def test_a_subject_with_thousands_of_facts_goes_on_after_a_kill(live: Live) -> None:
    live.stack.start("rating")
    ledger = Ledger(subject="uscc:900000000000000001", activated=False)
    ledger.opened("2008-01-01")
    for number in range(3_000):
        ledger.inspected(f"{2010 + number // 250}-{1 + number // 20 % 12:02d}-{1 + number % 28:02d}", found=("GSP-01",))
    events = events_of(ledger)
    live.send(events[:2_000])
    live.stack.kill("rating")
    live.stack.start("rating")
    live.send(events[2_000:])
    live.wait_worked_off()
    assert live.expected() == live.grades()
    rows = [one for one in live.read(topics.changelog("chunks")) if (one.key or b"").startswith(ledger.subject.encode())]
    assert max(len(one.value) for one in rows) < 60_000


def test_an_activated_rulebook_that_is_not_loaded_is_refused_in_the_open_and_made_up_for(live: Live, tmp_path: Path) -> None:
    live.stack.start("rating")
    live.wait_worked_off()
    live.stack.stop_one("rating")
    changed = tmp_path / "rulebooks"
    shutil.copytree(RULEBOOKS, changed)
    scores = changed / "liyujiang" / "scores.yaml"
    scores.write_text(re.sub(r"value: 98\b", "value: 97", scores.read_text()))
    assert book("liyujiang").sha256 != Book.of(load_rulebook(changed / "liyujiang")).sha256
    live.stack._extra_env["MINGJIAN_RULEBOOKS"] = str(changed)
    try:
        live.stack.begin(["rating"])
        live.until(refuses_liyujiang)
        with pytest.raises(LocalStackError, match="liyujiang"):
            live.stack.wait_ready(["rating"], limit_s=1)
        live.send(town(5_000, 50))
        live.wait_worked_off()
        live.until(refuses_liyujiang)
        status = live.status()
        assert status is not None
        (refused,) = status["refused"]
        assert (book("liyujiang").sha256, "liyujiang") == (refused["activated"]["sha256"], refused["regime"])
        assert not any(b"uscc:000000000000005" in value for value in live.grades().values())
        # The edition that was activated, filed beside the changed one, which nobody has activated yet.
        kept = changed / "liyujiang" / FOLDER / folder_name(book("liyujiang").rulebook)
        shutil.copytree(RULEBOOKS / "liyujiang", kept)
        live.stack.wait_ready(["rating"])
        live.wait_worked_off()
        assert live.expected() == live.grades()
    finally:
        live.stack._extra_env.pop("MINGJIAN_RULEBOOKS")
        live.stack.stop_one("rating")


def refuses_liyujiang(live: Live) -> bool:
    """Not ready, and the reason names the regime."""
    code, body = live.ready()
    return code == 503 and body is not None and "liyujiang" in " ".join(body["reasons"])


def delete_and_make_again(live: Live, names: list[str]) -> None:
    """Delete topics and let the stack make them again."""
    import asyncio

    from aiokafka.admin import AIOKafkaAdminClient

    from deploy.local.topics import ensure_topics

    async def delete() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=live.stack.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics(names)
            async with asyncio.timeout(60):
                while set(names) & set(await admin.list_topics()):
                    await asyncio.sleep(0.2)
        finally:
            await admin.close()

    asyncio.run(delete())
    ensure_topics(live.stack.bootstrap, "wall")
