"""The projection on a real Kafka and PostgreSQL: nothing twice, nothing lost, nothing private, through kills and rebuilds."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.envelope import derived_bytes
from schemas.topics import FACTS, GRADES, PARTITIONS, PUBLICATIONS, QUARANTINE
from tests.integration.publication_feed import START_MS, Feed, event, grade, partition_of
from tests.integration.publication_service import Publication, begun, read, until
from tests.stack_fixtures import FreshStack, temporary_stack

SHOPS = [f"fhrs:{number}" for number in range(101, 141)]
SECRET = "officer:nobody-may-see-this"


@pytest.fixture
def publication(fresh_stack: FreshStack) -> Publication:
    """Publication on an empty stack of its own, with a genesis."""
    return begun(fresh_stack("simulated"))


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[Publication]:
    """Publication on a stack that the tests of this file share."""
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        yield begun(stack)


def rows(publication: Publication, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(publication.stack.admin_dsn, options="-c search_path=publication") as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def registered(shop: str, **more: Any) -> dict[str, Any]:
    data = {"name": f"Shop {shop}", "business_kind": "restaurant", "district": "Westminster", "regimes": ["fhrs"], "entered_by": SECRET}
    return event(shop, "enterprise.registered", data | more)


def town(feed: Feed, chance: random.Random, *, grades_each: int) -> list[dict[str, Any]]:
    """Every shop registered, then graded several times; some records stand twice, as after a crash of their writer."""
    graded = []
    for shop in SHOPS:
        one = registered(shop)
        for _ in range(chance.choice([1, 1, 2])):
            feed.fact(one)
    for turn in range(grades_each):
        for shop in SHOPS:
            cause = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            one = grade(shop, chance.choice("012345"), regime="fhrs", cause=cause, ms=START_MS + turn * 1000)
            graded.append(one)
            for _ in range(chance.choice([1, 1, 1, 2])):
                feed.grade(one, ms=START_MS + turn * 1000)
    return graded


def assert_gapless(publication: Publication, graded: list[dict[str, Any]]) -> None:
    told = rows(publication, "SELECT seq, id::text, subject FROM change ORDER BY seq")
    assert [seq for seq, _, _ in told] == list(range(1, len(graded) + 1))
    assert {id for _, id, _ in told} == {one["id"] for one in graded}
    for shop in SHOPS:
        assert [id for _, id, subject in told if subject == shop] == [one["id"] for one in graded if one["subject"] == shop]


def current(publication: Publication) -> dict[str, str]:
    items, cursor = [], None
    while True:
        page = publication.get("/api/v1/grades", params={"limit": 17} | ({"cursor": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return {one["subject"]: one["grade"] for one in items}


def last_of(graded: list[dict[str, Any]]) -> dict[str, str]:
    return {one["subject"]: one["data"]["grade"] for one in graded}


def test_numbers_stay_gapless_and_nothing_stands_twice_through_kills(publication: Publication) -> None:
    feed = Feed(publication.stack.bootstrap)
    chance = random.Random(1)
    graded = []
    for victim in ("publication", "kafka", "postgres", "publication"):
        graded += town(feed, chance, grades_each=6)
        feed.send()
        until(lambda: publication.status() if publication.status()["seq"]["head"] > 0 else None)
        publication.stack.kill(victim)
        publication.stack.start(victim)
    publication.settled(limit_s=60)
    assert_gapless(publication, graded)
    assert current(publication) == last_of(graded)
    assert rows(publication, "SELECT count(*) FROM fact") == [(len(SHOPS) * 4,)]


def test_it_waits_for_a_database_that_is_away_and_goes_on_in_the_same_process(publication: Publication) -> None:
    feed = Feed(publication.stack.bootstrap)
    chance = random.Random(3)
    graded = town(feed, chance, grades_each=2)
    feed.send()
    publication.settled()
    process = publication.stack.pid("publication")
    publication.stack.kill("postgres")
    graded += town(feed, chance, grades_each=2)
    feed.send()
    away = until(lambda: found if (found := publication.status())["state"] == "reconnecting" else None)
    assert (away["ready"], away["reason"], away["seq"]) == (False, "reconnecting", None)
    assert publication.get("/livez").status_code == 200 and publication.get("/api/v1/grades").status_code == 503
    publication.stack.start("postgres")
    publication.settled(limit_s=60)
    assert publication.stack.pid("publication") == process
    assert_gapless(publication, graded)
    assert current(publication) == last_of(graded)


def test_a_stream_that_is_cut_again_and_again_gives_each_change_once_and_in_order(publication: Publication) -> None:
    feed = Feed(publication.stack.bootstrap)
    chance = random.Random(2)
    graded = town(feed, chance, grades_each=10)
    feed.send()
    got: list[str] = []
    last = "0"
    while len(got) < len(graded):
        wanted = min(chance.randint(1, 150), len(graded) - len(got))
        found = read(f"{publication.url}/api/v1/stream?since=0", wanted, headers={"last-event-id": last})
        got += [one.data["id"] for one in found]
        assert [int(one.id) for one in found] == list(range(int(last) + 1, int(last) + 1 + len(found)))
        last = found[-1].id
        if chance.random() < 0.3:
            publication.kill()
            publication.start()
    assert len(got) == len(set(got)) and set(got) == {one["id"] for one in graded}
    assert found[0].data["type"] == "mingjian.grade.determined.v1" and found[0].data["sequence"] == found[0].id


def test_what_the_public_may_not_see_never_reaches_the_database(shared_stack: Publication) -> None:
    feed = Feed(shared_stack.stack.bootstrap)
    hidden = {
        "officers": [SECRET, SECRET],
        "entered_by": SECRET,
        "on_behalf_of": SECRET,
        "reviewed_by": SECRET,
        "note": SECRET,
        "position": {"lat": "12.3456", "lon": "98.7654", "accuracy_m": 4},
        "commitments": {"representative": "ab" * 32},
        "smuggled": SECRET,
    }
    shop = SHOPS[0]
    feed.fact(registered(shop, **hidden))
    feed.fact(event(shop, "inspection.recorded", {"occurred_on": "2026-01-15", "kind": "routine", "mode": "on_site", **hidden}))
    feed.fact(event(shop, "case.opened", {"occurred_on": "2026-01-15", "case_no": "C1", "violations": [SECRET], **hidden}))
    feed.fact(event(shop, "made.up", hidden))
    feed.fact(event("person:" + "0" * 32, "enterprise.changed", {"name": SECRET}))
    feed.registry(event("officer:somebody", "officer.enrolled", {"occurred_on": "2026-01-01", "office": SECRET}))
    feed.registry(event("officer:somebody", "role.granted", {"occurred_on": "2026-01-01", "role": "officer", "office": SECRET}))
    proposed = grade(shop, "0", regime="fhrs", cause=str(uuid.uuid4()), clauses=[SECRET])
    feed.grade(proposed | {"type": "mingjian.grade.proposed.v1"})
    feed.grade(grade(shop, "5", regime="fhrs", cause=str(uuid.uuid4()), **hidden))
    feed.finding(event(shop, "finding.raised", {"kind": "late", "about": "entry", "detail_zh": SECRET}))
    feed.send()
    shared_stack.settled()
    with psycopg.connect(shared_stack.stack.admin_dsn) as connection:
        tables = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'publication'")]
        assert "fact" in tables
        for table in tables:
            found = connection.execute(f'SELECT t::text FROM publication."{table}" t').fetchall()  # noqa: S608
            text = " ".join(row[0] for row in found)
            assert SECRET not in text and "12.3456" not in text and "ab" * 32 not in text, table
    answer = shared_stack.get(f"/api/v1/subjects/{shop}").json()
    assert [one["grade"] for one in answer["grades"]] == ["5"] and len(answer["facts"]) == 4


def test_the_reading_role_can_only_read_and_only_what_is_shown(shared_stack: Publication) -> None:
    with psycopg.connect(shared_stack.stack.dsn("mj_publication_read"), autocommit=True) as reader:
        assert reader.execute("SELECT count(*) >= 0 FROM shown_grade").fetchone() == (True,)
        for statement in ("SELECT * FROM outbox", "DELETE FROM grade", "UPDATE sequence_state SET head = 9", "CREATE TABLE x (y int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)


def test_a_story_can_not_stand_on_a_stack_that_is_no_sample(shared_stack: Publication) -> None:
    with psycopg.connect(shared_stack.stack.dsn("mj_publication")) as writer, pytest.raises(psycopg.errors.ForeignKeyViolation):
        writer.execute("INSERT INTO sample_story (weight, finding, subject, story) VALUES (1, gen_random_uuid(), 'x', '{}')")


def test_what_can_not_be_read_goes_to_quarantine_whole_and_the_rest_goes_on(shared_stack: Publication) -> None:
    feed = Feed(shared_stack.stack.bootstrap)
    broken = b'{"event": nonsense'
    feed.raw(FACTS, 3, broken)
    feed.raw(GRADES, 4, derived_bytes(grade(SHOPS[0], "5", regime="fhrs", cause=str(uuid.uuid4()), in_force_from="someday")))
    feed.grade(grade(SHOPS[0], "5", regime="fhrs", cause=str(uuid.uuid4()), status="x" * 30))
    feed.grade(grade(SHOPS[1], "4", regime="fhrs", cause=str(uuid.uuid4())))
    feed.send()
    assert shared_stack.settled()["applied"]["rejected"] == 2
    assert current(shared_stack).items() >= {SHOPS[0]: "5", SHOPS[1]: "4"}.items()
    kept = until(lambda: some if len(some := topic(shared_stack, QUARANTINE)) == 2 else None)
    found = [orjson.loads(one.value) for one in kept]
    assert {(one["topic"], one["partition"]) for one in found} == {(FACTS, 3), (GRADES, 4)}
    until(lambda: rows(shared_stack, "SELECT count(*) FROM outbox") == [(0,)] or None)


def test_real_data_wears_no_mark(shared_stack: Publication) -> None:
    feed = Feed(shared_stack.stack.bootstrap)
    feed.grade(grade(SHOPS[2], "4", regime="fhrs", cause=str(uuid.uuid4())))
    feed.send()
    shared_stack.settled()
    page, file = shared_stack.get("/api/v1/grades"), shared_stack.get("/api/v1/grades.csv?regime=fhrs")
    assert "mingjian-sample" not in page.headers and "sample" not in page.json()
    assert 'filename="grades-fhrs.csv"' in file.headers["content-disposition"]
    assert "sample" not in read(f"{shared_stack.url}/api/v1/stream?since=0", 1)[0].data


def topic(publication: Publication, name: str) -> list[Any]:
    """All records of a topic."""

    async def read_all() -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=publication.stack.bootstrap)
        await consumer.start()
        try:
            places = [TopicPartition(name, partition) for partition in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            left = sum((await consumer.end_offsets(places)).values())
            found: list[Any] = []
            while len(found) < left:
                for some in (await consumer.getmany(timeout_ms=500)).values():
                    found += some
            return found
        finally:
            await consumer.stop()

    return asyncio.run(read_all())


LETTERS = ["B", "A", "A", "E", "D", "A"]


def test_lists_are_entered_and_left_once_and_told_on_kafka(shared_stack: Publication) -> None:
    feed = Feed(shared_stack.stack.bootstrap)
    shop = "uscc:91350100M000100Y43"
    feed.fact(event(shop, "enterprise.registered", {"name": "样例大药房", "business_kind": "drug_retail", "regimes": ["liyujiang"]}))
    for at, letter in enumerate(LETTERS):
        one = grade(shop, letter, cause=f"00000000-0000-8000-8000-{at:012d}", ms=START_MS + at)
        feed.grade(one, ms=START_MS + at)
        feed.grade(one, ms=START_MS + at)
        feed.send()
        if at == 2:
            shared_stack.settled()
            shared_stack.kill()
            shared_stack.start()
    shared_stack.settled()
    told = until(lambda: found if len(found := topic(shared_stack, PUBLICATIONS)) >= 5 else None)
    kept = [(orjson.loads(one.value)["event"], one) for one in told]
    assert [(one["type"].split(".")[2], one["data"]["list"]) for one, _ in kept] == [
        ("entered", "exemplary"),
        ("left", "exemplary"),
        ("entered", "seriously_discredited"),
        ("left", "seriously_discredited"),
        ("entered", "exemplary"),
    ]
    assert all(record.key == shop.encode() and record.partition == partition_of(shop) for _, record in kept)
    assert [dict(record.headers)["ce_id"].decode() for _, record in kept] == [one["id"] for one, _ in kept]
    assert len({one["id"] for one, _ in kept}) == 5
    answer = shared_stack.get("/api/v1/lists/exemplary").json()
    assert [(one["subject"], one["grade"], one["since"]) for one in answer["items"]] == [(shop, "A", "2026-01-15")]
    assert shared_stack.get("/api/v1/lists/seriously_discredited").json()["members"] == 0


def test_a_trace_leads_from_the_grade_to_its_publication(shared_stack: Publication) -> None:
    feed = Feed(shared_stack.stack.bootstrap)
    shop, trace_id = "uscc:91430000M0001234XE", uuid.uuid4().hex
    kept, dropped = f"00-{trace_id}-{'b' * 16}-01", f"00-{uuid.uuid4().hex}-{'c' * 16}-00"
    told_twice = grade(shop, "A", cause=str(uuid.uuid4()))
    feed.grade(told_twice, trace=kept)
    feed.grade(told_twice, trace=kept)
    feed.raw(GRADES, 5, b"no grade", headers=[("traceparent", f"00-{'d' * 32}-{'e' * 16}-01".encode())])
    feed.grade(grade(shop, "B", cause=str(uuid.uuid4())), trace=dropped)
    feed.grade(grade(shop, "A", cause=str(uuid.uuid4())))
    feed.send()
    shared_stack.settled()
    log = shared_stack.stack.home / "telemetry" / "publication.jsonl"

    def lines() -> list[str]:
        # The file comes with the first export.
        return log.read_text().splitlines() if log.exists() else []

    spans = until(lambda: [one for one in map(orjson.loads, lines()) if one["kind"] == "span"] or None)
    assert [(one["name"], one["trace_id"], one["parent_id"]) for one in spans] == [("publish", trace_id, "b" * 16)]
    assert spans[0]["attributes"]["messaging.destination.name"] == GRADES
    told = until(
        lambda: found if len(found := [one for one in topic(shared_stack, PUBLICATIONS) if one.key == shop.encode()]) == 3 else None
    )
    assert [dict(one.headers).get("traceparent") for one in told] == [kept.encode(), None, None]


def test_another_genesis_stops_the_service_with_its_sentence(publication: Publication) -> None:
    with psycopg.connect(publication.stack.admin_dsn, autocommit=True) as connection:
        connection.execute("UPDATE publication.stack SET fingerprint = 'another'")
        connection.execute("UPDATE publication.partition_position SET next_offset = 0 WHERE topic = 'mingjian.registry.v1'")
    publication.stack.stop_one("publication")
    with pytest.raises(Exception, match="publication"):
        publication.stack.start_services(["publication"], limit_s=20)
