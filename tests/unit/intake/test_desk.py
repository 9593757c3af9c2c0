"""What the desk answers while the database, the broker or the start itself is in the way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from schemas.topics import FACTS, PARTITIONS, REFUSALS, REGISTRY
from services.intake import handlers
from services.intake.domain.reading import read_body
from services.intake.web.bodies import batch_of
from tests import toolkit as kit
from tests.unit.intake.fakes import MemoryStore, a_desk, at, enrolled_broker, put_together, running

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds in these tests."""
    monkeypatch.setattr(handlers, "ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(handlers, "STORED_WITHIN_S", 0.5)


def inspected(**more: Any) -> dict[str, Any]:
    return kit.signed(kit.event("inspection.recorded", kit.inspection(day="2027-01-05", **more), time=at_noon()), kit.OFFICER)


def at_noon() -> str:
    return "2027-02-28T04:00:00.000Z"


def statuses(answers: list[handlers.Answer]) -> list[int]:
    return [one.status for one in answers]


# The database.


async def test_a_day_that_could_not_be_closed_is_closed_at_the_next_call_under_the_same_id() -> None:
    async with a_desk() as whole:
        whole.store.down = True
        whole.desk.close_days()
        await whole.until(lambda: not whole.keeper.queued)
        await asyncio.sleep(0.01)
        assert [] == whole.types()
        whole.store.down = False
        whole.desk.close_days()
        await whole.until(lambda: whole.types() == ["day.closed"])
        whole.desk.close_days()
        assert [201] == statuses(await whole.take(inspected()))
        assert ["day.closed", "inspection.recorded"] == whole.types()


async def test_a_fact_never_stands_before_the_end_of_the_day_that_could_not_be_stored() -> None:
    async with a_desk() as whole:
        whole.store.down = True
        taken = [asyncio.create_task(whole.take(inspected())) for _ in range(3)]
        assert [503] * 3 == [status for one in taken for status in statuses(await one)]
        whole.store.down = False
        assert [201] == statuses(await whole.take(inspected()))
        assert ["day.closed", "inspection.recorded"] == whole.types()


async def test_what_was_stored_although_storing_failed_arrives_without_a_restart() -> None:
    async with a_desk() as whole:
        whole.store.deaf = True
        one = inspected()
        assert [503] == statuses(await whole.take(one))
        whole.store.deaf = False
        await whole.until(lambda: whole.broker.values(FACTS, None) and len(whole.store.firsts) > 16)
        [again] = await whole.take(one)
        assert (201, True) == (again.status, again.again)
        stands = [value for value in whole.broker.values(FACTS) if one["event"]["id"].encode() in value]
        assert 1 == len(stands)
        closed = [place for place in range(PARTITIONS) if b"day.closed" in b"".join(whole.broker.values(FACTS, place))]
        assert list(range(PARTITIONS)) == closed


async def test_a_row_that_nobody_handed_over_is_sent_when_its_event_or_its_receipt_is_asked_for() -> None:
    for ask in (True, False):
        async with a_desk() as whole:
            assert [201] == statuses(await whole.take(inspected()))
            one = inspected()
            other = put_together(whole.store, whole.broker)
            other.desk.recovered = True
            await other.reader.start()
            reading, keeping = asyncio.create_task(other.reader.run()), asyncio.create_task(other.keeper.run())
            # Stored by another hand, which died before it could send.
            await other.reader.catch_up([(REGISTRY, 0)], limit_s=5)
            assert [202] == statuses(await other.take(one))
            reading.cancel(), keeping.cancel()
            if ask:
                [answer] = await whole.take(one)
            else:
                answer = await whole.desk.receipt((one["event"]["source"], one["event"]["id"]))  # type: ignore[assignment]
            assert answer.status in (201, 202)
            await whole.until(lambda: any(one["event"]["id"].encode() in value for value in whole.broker.values(FACTS)))  # noqa: B023


async def test_a_refusal_that_was_stored_although_storing_failed_reaches_its_topic() -> None:
    async with a_desk() as whole:
        bad = inspected(kind="surprise")
        whole.store.deaf = True
        assert [503] == statuses(await whole.take(bad))
        whole.store.deaf = False
        await whole.until(lambda: whole.broker.values(REFUSALS))
        [answer] = await whole.take(bad)
        assert [answer.refusal] == whole.broker.values(REFUSALS)


async def test_the_same_event_twice_in_one_request_is_kept_once_and_both_get_the_receipt() -> None:
    async with a_desk() as whole:
        one, other = inspected(), inspected()
        found = await whole.take(one, other, one)
        assert [201, 201, 201] == statuses(found)
        assert found[0].receipt == found[2].receipt and found[2].again


async def test_an_answer_comes_in_time_although_nothing_is_being_stored() -> None:
    whole = put_together(MemoryStore(), enrolled_broker())
    await whole.reader.start()
    reading = asyncio.create_task(whole.reader.run())
    await whole.reader.catch_up([(REGISTRY, 0)], limit_s=5)
    whole.desk.recovered = True
    async with asyncio.timeout(3):
        [answer] = await whole.take(inspected())
    assert (503, 2) == (answer.status, answer.retry_after)
    reading.cancel()


# The start.


async def test_until_the_start_is_over_nothing_is_judged_and_nothing_is_kept() -> None:
    whole = put_together(MemoryStore(), enrolled_broker())
    revoking = {"occurred_on": "2027-01-05", "key_id": kit.OFFICER.key.key_id, "reason": "lost"}
    await whole.reader.start()
    reading = asyncio.create_task(whole.reader.run())
    await whole.reader.catch_up([(REGISTRY, 0)], limit_s=5)
    for one in (inspected(), inspected(kind="surprise"), 7):
        [answer] = await whole.take(one)
        assert (503, "not-ready") == (answer.status, answer.fault and answer.fault.code)
        assert answer.retry_after
    assert {} == whole.store.rows and {} == whole.store.refusals
    unknown = await whole.desk.receipt((kit.OFFICE, kit.new_id()))
    assert unknown is not None and (503, "not-ready") == (unknown.status, unknown.fault and unknown.fault.code)
    reading.cancel()
    # What was still to be read is what decides.
    broker = enrolled_broker()
    gone = kit.by_registrar("key.revoked", kit.OFFICER.pseudonym, revoking, time="2027-01-05T00:00:00.000Z")
    broker.put(REGISTRY, 0, b"k", kit.record(gone, received_at="2027-01-05T00:00:00.000Z"))
    async with running(put_together(MemoryStore(), broker)) as ready:
        assert [403] == statuses(await ready.take(inspected()))
        assert await ready.desk.receipt((kit.OFFICE, kit.new_id())) is None


# Time.


async def test_junk_moves_no_clock_and_closes_no_day() -> None:
    async with a_desk(clock_mode="simulated") as whole:
        before = whole.clock.last
        good = kit.signed(kit.event("inspection.recorded", kit.inspection(day="2026-01-05"), time="2026-01-06T00:00:00.000Z"), kit.OFFICER)
        unsigned = {**good, "signature": {**good["signature"], "key_id": "0" * 32}}
        for junk in (7, unsigned, {}):
            assert await whole.take(junk) and await whole.take(junk, asked="2026-09-01T00:00:00.000Z")
        assert (before, False, False) == (whole.clock.last, whole.clock.by_itself, whole.store.by_itself)
        assert [] == whole.types()
        assert [201] == statuses(await whole.take(good, asked="2026-02-01T00:00:00.000Z"))
        assert ("2026-02-01T00:00:00.000Z", False) == (at(whole.clock.last), whole.clock.by_itself)
        assert ["day.closed", "inspection.recorded"] == whole.types()


async def test_a_simulated_clock_goes_on_by_itself_only_when_that_is_kept() -> None:
    async with a_desk(clock_mode="simulated") as whole:
        whole.store.down = True
        assert [503] == statuses(await whole.take(inspected()))
        assert not whole.clock.by_itself
        whole.store.down = False
        assert [201] == statuses(await whole.take(inspected()))
        assert whole.clock.by_itself and whole.store.by_itself


async def test_what_is_refused_says_when_it_came() -> None:
    async with a_desk() as whole:
        [answer] = await whole.take(inspected(kind="surprise"))
        assert answer.refusal is not None
        assert kit.NOW == json.loads(answer.refusal)["refusal"]["received_at"]


async def test_no_text_that_was_sent_keeps_other_refusals_from_being_kept() -> None:
    async with a_desk() as whole:
        one = inspected()["event"]
        nul = kit.signed({**one, "source": "/departments/\0/offices/x", "id": "\0"}, kit.OFFICER)
        found = await whole.take(nul, inspected(kind="surprise"), inspected())
        assert [422, 422, 201] == statuses(found)
        refusals = [json.loads(answer.refusal or b"null") for answer in found[:2]]
        assert ["", kit.OFFICE] == [refusal["refusal"]["source"] for refusal in refusals]
        assert refusals[0]["refusal"]["event_hash"] == kit.hash_of(nul)


async def test_an_event_without_a_canonical_form_is_answered_on_its_own() -> None:
    async with a_desk() as whole:
        body = b'{"events": [%s, {"event": {"data": 1.5}}, %s]}' % (json.dumps(inspected()).encode(), json.dumps(inspected()).encode())
        found = await whole.take(*batch_of(read_body(body)).events)
        assert [201, 400, 201] == statuses(found)
        assert found[1].fault is not None and ("float", "/event/data") == (found[1].fault.code, found[1].fault.field)
