"""A rebuild beside the running service: same numbers, nothing told twice, no switch to something else unasked."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from schemas.topics import FACTS, PUBLICATIONS, QUARANTINE
from tests.integration.publication_feed import START_MS, Feed, event, grade
from tests.integration.publication_service import Publication, begun, read
from tests.integration.test_publication_projection import topic
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack

SHOPS = [f"fhrs:{number}" for number in range(501, 521)]
PHARMACY = "uscc:91350100M000100Y43"


@pytest.fixture(scope="module")
def built() -> Iterator[Publication]:
    """A town with lists, and a record in quarantine."""
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        made = begun(stack)
        feed = Feed(stack.bootstrap)
        for shop in SHOPS:
            feed.fact(event(shop, "enterprise.registered", {"name": f"Shop {shop}", "business_kind": "restaurant", "regimes": ["fhrs"]}))
        feed.raw(FACTS, 3, b"nonsense")
        feed.send()
        tell(made, random.Random(1), 10)
        for at, letter in enumerate("AEA"):
            feed.grade(grade(PHARMACY, letter, cause=str(uuid.UUID(int=at)), ms=START_MS + at), ms=START_MS + at)
        feed.send()
        made.settled()
        yield made


def tell(publication: Publication, chance: random.Random, rounds: int) -> None:
    """Each shop graded ``rounds`` times."""
    feed = Feed(publication.stack.bootstrap)
    for _ in range(rounds):
        for shop in SHOPS:
            feed.grade(grade(shop, chance.choice("012345"), regime="fhrs", cause=str(uuid.UUID(int=chance.getrandbits(128), version=4))))
    feed.send()


def rebuild(publication: Publication, *more: str) -> subprocess.CompletedProcess[str]:
    """``mingjian projection rebuild``."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
    env |= {"MINGJIAN_PORT_BASE": str(publication.stack.ports.base)}
    command = [sys.executable, "-m", "services._cli.main", "--home", str(publication.stack.home), "projection", "rebuild", *more]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def rows(publication: Publication, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(publication.stack.admin_dsn, options="-c search_path=publication", autocommit=True) as connection:
        cursor = connection.execute(query, values or None)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def numbers(publication: Publication) -> dict[str, int]:
    return dict(rows(publication, "SELECT id::text, seq FROM change"))


def test_under_traffic_every_change_keeps_its_number_and_nothing_is_told_twice(built: Publication) -> None:
    before, pid, old_tag = numbers(built), built.stack.pid("publication"), built.get("/api/v1/grades").headers["etag"]
    (build,) = rows(built, "SELECT build::text FROM sequence_state")[0]
    traffic = threading.Thread(target=tell, args=(built, random.Random(2), 40))
    traffic.start()
    done = rebuild(built)
    traffic.join()
    assert done.returncode == 0, done.stderr
    tell(built, random.Random(3), 2)
    built.settled()
    after = numbers(built)
    assert {id: after[id] for id in before} == before
    assert sorted(after.values()) == list(range(1, len(SHOPS) * 52 + 3 + 1)) and built.status()["seq"]["head"] == len(after)
    assert built.stack.pid("publication") == pid
    assert rows(built, "SELECT build::text FROM sequence_state") != [(build,)]
    assert built.get("/api/v1/grades", headers={"if-none-match": old_tag}).status_code == 200
    assert [one.id for one in read(f"{built.url}/api/v1/stream?since=150", 60)] == [str(seq) for seq in range(151, 211)]
    assert len(topic(built, PUBLICATIONS)) == 5 and len(topic(built, QUARANTINE)) == 1
    assert rows(built, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'publication\\_%'") == []


def test_a_build_that_differs_takes_no_place_unless_it_is_accepted(built: Publication) -> None:
    rows(built, "UPDATE grade SET grade = 'X' WHERE subject = %s", SHOPS[0])
    refused = rebuild(built)
    assert refused.returncode == 1 and "grade: 1 rows only in the old build, 1 only in the new one" in refused.stderr
    assert built.get(f"/api/v1/grades?q={SHOPS[0].partition(':')[2]}").json()["items"][0]["grade"] == "X"
    accepted = rebuild(built, "--accept-differences")
    assert accepted.returncode == 0, accepted.stderr
    assert built.get(f"/api/v1/grades?q={SHOPS[0].partition(':')[2]}").json()["items"][0]["grade"] in "012345"


def test_what_the_old_build_never_had_is_numbered_after_everything_that_it_had(built: Publication) -> None:
    """Two changes that an older version could not read."""
    lost = rows(built, "SELECT id::text, seq FROM change WHERE subject = %s ORDER BY seq LIMIT 2", PHARMACY)
    rows(built, "DELETE FROM change WHERE id = ANY(%s::uuid[])", [id for id, _ in lost])
    before, head = numbers(built), built.status()["seq"]["head"]
    done = rebuild(built, "--accept-differences")
    assert done.returncode == 0, done.stderr
    after = numbers(built)
    assert {id: after[id] for id in before} == before
    assert [after[id] for id, _ in lost] == [head + 1, head + 2]
    tell(built, random.Random(4), 1)
    assert built.settled()["seq"]["head"] == head + 2 + len(SHOPS)
    assert [one.id for one in read(f"{built.url}/api/v1/stream?since={head}", 3)] == [str(head + one) for one in (1, 2, 3)]
