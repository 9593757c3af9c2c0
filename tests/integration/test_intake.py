"""Intake on a real broker and a real database: what a receipt stands for, through retries, kills and lost tables."""

from __future__ import annotations

import time
from collections.abc import Iterator

import orjson
import psycopg
import pytest

from schemas.canonical import canonical_bytes, event_hash
from schemas.keys import unb64
from schemas.receipts import verify_signed
from schemas.topics import FACTS, PARTITIONS, REFUSALS, REGISTRY
from tests.integration.intake_desk import Desk, event, signed
from tests.stack_fixtures import FreshStack, temporary_stack

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with temporary_stack() as stack:
        stack.start_servers("wall")
        yield Desk.of(stack)


def until(wanted: object, limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not wanted():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


def test_a_receipt_is_signed_and_says_where_the_event_stands(desk: Desk) -> None:
    made = desk.inspection()
    answer = desk.post(made)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    key = desk.receipt_key()
    assert verify_signed(told, "receipt", key["alg"], unb64(key["public_key"]))
    receipt = told["receipt"]
    assert (receipt["source"], receipt["id"], receipt["event_hash"]) == (
        made["event"]["source"],
        made["event"]["id"],
        event_hash(made["event"]),
    )
    [record] = [one for one in desk.records(FACTS) if (one.partition, one.offset) == (receipt["partition"], receipt["offset"])]
    assert orjson.loads(record.value)["event"] == made["event"]
    assert record.value == canonical_bytes(orjson.loads(record.value)), "what stands on Kafka is canonical"
    assert dict(record.headers)["ce_id"].decode() == made["event"]["id"]
    assert record.key.decode() == "fhrs:1"


def test_the_same_event_again_gets_the_same_bytes_and_adds_nothing(desk: Desk) -> None:
    made = desk.inspection("fhrs:2")
    first = desk.post(made)
    before = len(desk.facts())
    again = desk.post(made)
    asked = desk.receipt(made)
    batch = desk.batch([made, made])
    assert first.content == again.content == asked.content
    assert [one["receipt"] for one in batch] == [first.json()] * 2
    assert [one["again"] for one in batch] == [True, True]
    assert (again.status_code, asked.status_code) == (201, 200)
    assert len(desk.facts()) == before


def test_an_id_stands_for_one_event(desk: Desk) -> None:
    made = desk.inspection("fhrs:3", points=5)
    assert desk.post(made).status_code == 201
    other = {**made["event"], "data": {**made["event"]["data"], "kind": "complaint"}}
    answer = desk.post(signed(other, desk.key))
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"].endswith("id-conflict")
    key = desk.receipt_key()
    assert verify_signed(problem["refusal"], "refusal", key["alg"], unb64(key["public_key"]))
    assert len([one for one in desk.facts() if one["event"]["id"] == made["event"]["id"]]) == 1


def test_each_event_of_a_batch_is_answered_on_its_own_and_in_order(desk: Desk) -> None:
    good = [desk.inspection(f"fhrs:{number}") for number in range(10, 15)]
    bad = desk.inspection("fhrs:15", occurred_on="2999-01-01")
    results = desk.batch([*good[:2], bad, *good[2:]], batch="back room")
    assert [one["status"] for one in results] == [201, 201, 422, 201, 201, 201]
    assert [one["receipt"]["receipt"]["id"] for one in results if "receipt" in one] == [one["event"]["id"] for one in good]
    entries = {one["event"]["id"]: one["entry"] for one in desk.facts()}
    assert {entries[one["event"]["id"]]["batch"] for one in good} == {"back room"}
    assert "refusal" in results[2]


def test_the_events_of_a_batch_come_in_by_their_own_channels(desk: Desk) -> None:
    made = [desk.inspection("fhrs:5", points=points) for points in (0, 5, 10)]
    results = desk.batch(made, channels=["field", None, "pigeon"])
    assert [one["status"] for one in results] == [201, 201, 422]
    assert results[2]["problem"]["type"].endswith("channel-unknown")
    by_id = {one["event"]["id"]: one["entry"]["channel"] for one in desk.facts()}
    assert [by_id.get(one["event"]["id"]) for one in made] == ["field", "desk", None]
    short = desk.http("POST", "/api/v1/events:batch", json={"events": made, "channels": ["field"]})
    assert (short.status_code, short.json()["type"].rpartition(":")[2]) == (422, "batch-channels")


def test_registry_events_of_one_batch_hold_for_those_after_them(desk: Desk) -> None:
    newcomer = Desk(desk.stack, desk.genesis, desk.registrar)
    office = "/departments/food/offices/other"
    said = [
        desk.by_registrar("officer.enrolled", "officer:newcomer", {"occurred_on": "2020-01-01", "office": office}),
        desk.by_registrar(
            "key.registered",
            "officer:newcomer",
            {"occurred_on": "2020-01-01", "key": newcomer.key.public_object(), "channels": ["field"]},
        ),
        desk.by_registrar(
            "role.granted",
            "officer:newcomer",
            {"occurred_on": "2020-01-01", "role": "officer", "office": office, "schemes": ["fhrs"], "regimes": []},
        ),
        signed(
            event(
                "inspection.recorded",
                "fhrs:77",
                {"occurred_on": "2026-01-05", "kind": "routine", "mode": "on_site", "officers": ["officer:newcomer"]},
                source=office,
            ),
            newcomer.key,
        ),
    ]
    assert [one["status"] for one in desk.batch(said)] == [201] * 4


def test_a_revoked_key_enters_nothing_more_but_keeps_its_receipts(desk: Desk) -> None:
    loser = Desk(desk.stack, desk.genesis, desk.registrar)
    desk_key = {"occurred_on": "2020-01-01", "key": loser.key.public_object(), "channels": ["field"]}
    assert desk.post(desk.by_registrar("key.registered", "officer:tester", desk_key)).status_code == 201
    entered = loser.inspection("fhrs:20")
    receipt = desk.post(entered)
    assert receipt.status_code == 201
    revoked = {"occurred_on": "2026-01-05", "key_id": loser.key.key_id, "reason": "lost"}
    assert desk.post(desk.by_registrar("key.revoked", "officer:tester", revoked)).status_code == 201
    refused = desk.post(loser.inspection("fhrs:20"))
    assert refused.status_code == 403 and "refusal" in refused.json()
    assert desk.post(entered).content == receipt.content


def test_a_sum_that_is_wrong_is_sent_back_to_a_person_and_taken_with_a_mark_from_a_feed(desk: Desk) -> None:
    feed = Desk(desk.stack, desk.genesis, desk.registrar)
    registered = {"occurred_on": "2020-01-01", "key": feed.key.public_object(), "channels": ["desk", "feed"]}
    assert desk.post(desk.by_registrar("key.registered", "officer:tester", registered)).status_code == 201
    data = {
        "occurred_on": "2026-01-05",
        "regime": "liyujiang",
        "year": 2025,
        "maximum": "100",
        "deductions": [{"item": "A1", "points": "5"}],
        "total": "96",
        "final": False,
        "standard": "样例评分标准",
    }
    made = signed(event("score.recorded", "fhrs:50", data), feed.key)
    refused = desk.post(made, **{"mingjian-channel": "desk"})
    assert refused.status_code == 422 and refused.json()["type"].endswith("sum-wrong") and "refusal" in refused.json()
    assert desk.post(made, **{"mingjian-channel": "feed"}).status_code == 201
    [entry] = [one["entry"] for one in desk.facts() if one["event"]["id"] == made["event"]["id"]]
    assert (entry["channel"], entry["marks"]) == ("feed", ["sum-wrong"])


def test_a_refusal_is_said_once_and_stands_on_its_topic(desk: Desk) -> None:
    bad = desk.inspection("fhrs:30", occurred_on="2999-01-01")
    first, again = desk.post(bad).json()["refusal"], desk.post(bad).json()["refusal"]
    assert first == again
    digest = event_hash(bad["event"])

    def there() -> list[bytes]:
        return [one.value for one in desk.records(REFUSALS) if orjson.loads(one.value)["refusal"]["event_hash"] == digest]

    until(there)
    assert there() == [canonical_bytes(first)]


def test_private_values_reach_the_vault_and_nothing_else(desk: Desk) -> None:
    from schemas.commitments import commit
    from schemas.keys import b64

    salt = bytes(range(16))
    data = {"commitments": {"inspected_person": commit("inspected_person", "样例 人名", salt)}}
    made = desk.inspection("fhrs:40", **data)
    made["private"] = {"inspected_person": {"value": "样例 人名", "salt": b64(salt)}}
    assert desk.post(made).status_code == 201
    assert not any("样例 人名".encode() in one.value for one in desk.records())
    with psycopg.connect(desk.stack.dsn("mj_intake")) as connection:
        rows = connection.execute("SELECT field, box FROM vault.private_value WHERE id = %s", (made["event"]["id"],)).fetchall()
    assert [row[0] for row in rows] == ["inspected_person"]
    assert "样例 人名".encode() not in bytes(rows[0][1])


CONTROL = [
    (
        "calendar.issued",
        "stack:calendar",
        {"occurred_on": "2026-01-01", "country": "GB", "year": 2026, "days_off": ["2026-12-25"], "make_up_days": [], "document": "样例"},
    ),
    (
        "measures.adopted",
        "office:/departments/yangli/offices/retail-workstation",
        {"occurred_on": "2026-01-01", "regime": "liyujiang", "clause": "四(二)2", "in_force_from": "2026-02-01", "withdrawn": False},
    ),
]


@pytest.mark.parametrize(("name", "subject", "data"), CONTROL, ids=[one[0] for one in CONTROL])
def test_control_events_stand_once_in_the_registry_and_in_every_partition(desk: Desk, name: str, subject: str, data: dict) -> None:
    made = desk.by_registrar(name, subject, data)
    receipt = desk.post(made).json()["receipt"]
    assert receipt["topic"] == REGISTRY

    def copies() -> list[object]:
        return [one for one in desk.records() if one.value and made["event"]["id"].encode() in one.value]

    until(lambda: len(copies()) == PARTITIONS + 1)
    found = copies()
    assert len({one.value for one in found}) == 1
    assert sorted(one.partition for one in found if one.topic == FACTS) == list(range(PARTITIONS))
    assert {one.key for one in found if one.topic == FACTS} == {b"control"}


def test_what_was_kept_while_kafka_was_away_arrives_later_under_its_first_receipt(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    desk = Desk.of(stack)
    stack.kill("kafka")
    made = [desk.inspection(f"fhrs:{number}") for number in range(1, 6)]
    answers = [desk.post_once(one) for one in made]
    assert {one.status_code for one in answers} == {202}
    assert all(one.headers["location"].startswith("/api/v1/receipts?") and one.headers["retry-after"] for one in answers)
    assert desk.receipt(made[0]).status_code == 202
    stack.kill("intake")
    stack.start("kafka")
    stack.start("intake")
    until(lambda: all(desk.receipt(one).status_code == 200 for one in made), 60)
    receipts = [desk.receipt(one).content for one in made]
    assert [desk.post(one).content for one in made] == receipts
    assert sorted(one["event"]["id"] for one in desk.facts()) == sorted(one["event"]["id"] for one in made)


def test_what_hangs_on_a_registry_event_that_is_on_its_way_is_put_off_and_not_refused(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    desk = Desk.of(stack)
    newcomer = Desk(desk.stack, desk.genesis, desk.registrar)
    enrolment = newcomer.enrolment("officer:newcomer")
    stack.kill("kafka")
    assert [one["status"] for one in desk.batch_once(enrolment)] == [202, 503, 503]
    assert [one["status"] for one in desk.batch_once(enrolment)] == [202, 503, 503]
    assert newcomer.post_once(newcomer.inspection()).status_code == 503
    stack.start("kafka")
    until(lambda: desk.batch_once(enrolment)[0]["status"] == 201, 60)
    stack.stop_one("postgres")
    third = newcomer.enrolment("officer:another")
    assert [one["status"] for one in desk.batch_once(third)] == [503, 503, 503]
    stack.start("postgres")
    assert [one["status"] for one in desk.batch(enrolment)] == [201, 201, 201]
    assert newcomer.post(newcomer.inspection(officers=["officer:newcomer"])).status_code == 201


def test_without_its_database_intake_says_try_again_and_goes_on_afterwards(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    desk = Desk.of(stack)
    stack.stop_one("postgres")
    made = desk.inspection()
    answer = desk.post_once(made)
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1
    stack.start("postgres")
    assert desk.post(made).status_code == 201
    assert len(desk.facts()) == 1


def test_lost_tables_are_built_again_from_kafka_with_the_same_receipts(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    desk = Desk.of(stack)
    made = [desk.inspection(f"fhrs:{number}") for number in range(1, 21)]
    receipts = [one["receipt"] for one in desk.batch(made)]
    stack.stop_one("intake")
    with psycopg.connect(stack.dsn("mj_intake")) as connection:
        connection.execute("TRUNCATE submission, first_copy, control_copy, partition_position, refusal")
    stack.start("intake")
    assert [desk.receipt(one).json() for one in made] == receipts
    before = len(desk.facts())
    assert [one["receipt"] for one in desk.batch(made)] == receipts
    assert len(desk.facts()) == before


def test_a_half_sent_broadcast_is_completed_at_the_start(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    desk = Desk.of(stack)
    data = {"occurred_on": "2026-01-01", "country": "GB", "year": 2026, "days_off": [], "make_up_days": [], "document": "样例"}
    made = desk.by_registrar("calendar.issued", "stack:calendar", data)
    assert desk.post(made).status_code == 201

    def unsent() -> object:
        with psycopg.connect(stack.dsn("mj_intake")) as connection:
            return connection.execute("SELECT count(*) FROM control_copy WHERE NOT sent").fetchone()

    # The receipt stands for the record in the registry: the copies may still be on their way when it comes.
    until(lambda: unsent() == (0,))
    stack.kill("intake")
    with psycopg.connect(stack.dsn("mj_intake")) as connection:
        connection.execute("UPDATE control_copy SET sent = false WHERE partition IN (3, 7)")
    stack.start("intake")

    def copies() -> list[int]:
        return sorted(one.partition for one in desk.records(FACTS) if made["event"]["id"].encode() in one.value)

    until(lambda: len(copies()) == PARTITIONS + 2)
    assert copies() == sorted([*range(PARTITIONS), 3, 7]), "the same bytes again: consumers drop doubles by id and partition"


def test_killed_in_the_middle_of_batches_intake_enters_each_event_once(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    desk = Desk.of(stack)
    made = [desk.inspection(f"fhrs:{number}") for number in range(1, 401)]
    receipts: dict[str, object] = {}
    for start in range(0, 400, 50):
        part = made[start : start + 50]
        if start in (100, 200, 300):
            stack.kill("intake")
            stack.start("intake")
        while missing := [one for one in part if one["event"]["id"] not in receipts]:
            for one, result in zip(missing, desk.batch(missing), strict=True):
                if result["status"] == 201:
                    receipts[one["event"]["id"]] = result["receipt"]
    assert {one["event"]["id"]: desk.receipt(one).json() for one in made} == receipts
    firsts: dict[str, tuple[int, int]] = {}
    for record in desk.records(FACTS):
        if record.key != b"control":
            firsts.setdefault(dict(record.headers)["ce_id"].decode(), (record.partition, record.offset))
    assert {id: (one["receipt"]["partition"], one["receipt"]["offset"]) for id, one in receipts.items()} == firsts


def test_a_simulated_clock_follows_the_requests_and_never_goes_back(fresh_stack: FreshStack) -> None:
    stack = fresh_stack("simulated")
    desk = Desk.of(stack, "simulated")
    desk.enrol(at="2024-03-01T00:00:00.000Z", day="2020-01-01")

    def entered(subject: str, at: str) -> str:
        made = signed(
            event(
                "inspection.recorded",
                subject,
                {"occurred_on": "2024-02-01", "kind": "routine", "mode": "on_site", "officers": ["officer:tester"]},
                at_ms=1_709_000_000_000,
            ),
            desk.key,
        )
        answer = desk.post(made, **{"mingjian-simulated-at": at})
        assert answer.status_code == 201, answer.text
        return answer.json()["receipt"]["received_at"]

    assert entered("fhrs:1", "2024-03-05T01:00:00.000Z") == "2024-03-05T01:00:00.000Z"
    assert entered("fhrs:2", "2024-03-04T01:00:00.000Z") == "2024-03-05T01:00:00.000Z"
    stack.kill("intake")
    stack.start("intake")
    assert entered("fhrs:3", "2024-03-04T01:00:00.000Z") == "2024-03-05T01:00:00.000Z"
    assert entered("fhrs:4", "2024-03-09T01:00:00.000Z") == "2024-03-09T01:00:00.000Z"
    closings = [one for one in desk.records(REGISTRY) if dict(one.headers)["ce_type"] == b"mingjian.day.closed.v1"]
    # By id: what intake had not seen acknowledged when it was killed it sends again, with the same bytes.
    closed = list({dict(one.headers)["ce_id"]: orjson.loads(one.value)["event"]["data"]["through"] for one in closings}.values())
    assert closed[-2:] == ["2024-03-04", "2024-03-08"]
    for partition in range(PARTITIONS):
        here = {
            dict(one.headers)["ce_id"]: dict(one.headers)["ce_type"].decode() for one in desk.records(FACTS) if one.partition == partition
        }
        types = list(here.values())
        assert types.count("mingjian.day.closed.v1") == len(closed), "each day is closed in each partition"
        assert types[0] == "mingjian.day.closed.v1", "before the first fact after it"
