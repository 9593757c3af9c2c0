"""What intake finds on its own topics and did not write: kept whole in quarantine before its place counts as read."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import orjson
import pytest

from schemas.topics import FACTS, QUARANTINE, REGISTRY
from tests import toolkit as kit
from tests.unit.intake.fakes import Whole, a_desk, put_together, running

pytestmark = pytest.mark.anyio


def inspected() -> dict[str, Any]:
    return kit.signed(kit.event("inspection.recorded", kit.inspection("2027-01-05")), kit.OFFICER)


def without(*path: str) -> bytes:
    whole = orjson.loads(kit.record(inspected()))
    place = whole
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return orjson.dumps(whole)


UNREADABLE: list[tuple[str, bytes | None]] = [
    ("no value", None),
    ("no JSON", b"\xff"),
    ("no envelope", b"[]"),
    ("no id", without("event", "id")),
    ("no entry time", without("entry", "received_at")),
    ("an id that is none", orjson.dumps({**orjson.loads(kit.record(inspected())), "event": {**inspected()["event"], "id": "x"}})),
]


def apart(whole: Whole) -> list[dict[str, Any]]:
    return [json.loads(value) for value in whole.broker.values(QUARANTINE)]


@pytest.mark.parametrize("topic", [FACTS, REGISTRY])
@pytest.mark.parametrize("value", [one for _, one in UNREADABLE], ids=[name for name, _ in UNREADABLE])
async def test_what_can_t_be_read_is_kept_whole_and_once(value: bytes | None, topic: str) -> None:
    async with a_desk() as whole:
        whole.broker.put(topic, 0, b"k", value)
        await whole.until(lambda: apart(whole))
        [found] = apart(whole)
        assert (topic, 0, "intake") == (found["topic"], found["partition"], found["service"])
        assert value == (base64.b64decode(found["value"]) if found["value"] is not None else None)
        assert "20" not in found["reason"], "the reason repeats nothing"
        assert 201 == (await whole.take(inspected()))[0].status
        await asyncio.sleep(0.02)
    # A start reads the registry from its beginning; what is in quarantine already stays there once.
    async with running(put_together(whole.store, whole.broker)) as again:
        assert 201 == (await again.take(inspected()))[0].status
        assert 1 == len(apart(again))


async def test_without_kafka_its_place_does_not_count_as_read() -> None:
    async with a_desk() as whole:
        before = await whole.store.positions()
        whole.broker.down = True
        whole.broker.put(FACTS, 5, b"k", b"[]")
        await asyncio.sleep(0.05)
        assert before == await whole.store.positions()
        whole.broker.down = False
        await whole.until(lambda: apart(whole))
        await asyncio.sleep(0.02)
        assert 1 == (await whole.store.positions())[FACTS, 5].next_offset
