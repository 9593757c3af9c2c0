"""Over HTTP: what each answer carries besides its status."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services._bus import telemetry
from services.intake import handlers
from services.intake.web.app import Parts, create_app
from services.intake.web.limits import Limits
from services.intake.web.shapes import Results
from services.intake.web.status import Status
from tests import toolkit as kit
from tests.unit.intake.fakes import Whole, a_desk

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds in these tests."""
    monkeypatch.setattr(handlers, "ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(handlers, "STORED_WITHIN_S", 0.5)


@asynccontextmanager
async def web(tmp_path: Any, burst: int = 2_000) -> AsyncIterator[tuple[Whole, httpx.AsyncClient]]:
    async with a_desk() as whole:
        status = Status(
            reader=whole.reader,
            keeper=whole.keeper,
            sender=whole.sender,
            clock=whole.clock,
            wall=lambda: whole.wall[0],
            recovered=lambda: whole.desk.recovered,
        )
        told = telemetry.setup("intake", env={"OTEL_SDK_DISABLED": "true"}, home=tmp_path)
        limits = Limits(lambda: 0.0, burst=burst, per_second=0.5)
        app = create_app(Parts(desk=whole.desk, status=status, limits=limits, simulated=False, telemetry=told))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake") as client:
            yield whole, client
        told.shutdown()


def inspected(**more: Any) -> dict[str, Any]:
    return kit.signed(kit.event("inspection.recorded", kit.inspection(day="2027-01-05", **more)), kit.OFFICER)


async def test_each_result_that_has_to_wait_says_how_long_and_the_header_says_the_longest(tmp_path: Any) -> None:
    async with web(tmp_path) as (whole, client):
        whole.broker.down = True
        answer = await client.post("/api/v1/events:batch", json={"events": [inspected(), inspected(kind="x"), 7]})
        results = Results.model_validate(answer.json()).results
        assert [(202, 1), (422, None), (422, None)] == [(one.status, one.retry_after) for one in results]
        assert "1" == answer.headers["retry-after"]
        whole.store.down = True
        answer = await client.post("/api/v1/events:batch", json={"events": [inspected(), 7]})
        assert [(503, 2), (422, None)] == [(one["status"], one.get("retry_after")) for one in answer.json()["results"]]
        assert "2" == answer.headers["retry-after"]
        whole.store.down = whole.broker.down = False
        answer = await client.post("/api/v1/events:batch", json={"events": [7]})
        assert "retry-after" not in answer.headers


async def test_before_the_start_is_over_every_event_is_told_to_come_again(tmp_path: Any) -> None:
    async with web(tmp_path) as (whole, client):
        whole.desk.recovered = False
        one = await client.post("/api/v1/events", json=inspected())
        assert (503, "1", "urn:mingjian:problem:not-ready") == (one.status_code, one.headers["retry-after"], one.json()["type"])
        many = await client.post("/api/v1/events:batch", json={"events": [inspected(), 7]})
        assert ([503, 503], "1") == ([result["status"] for result in many.json()["results"]], many.headers["retry-after"])
        asked = await client.get("/api/v1/receipts", params={"source": kit.OFFICE, "id": kit.new_id()})
        assert (503, "1") == (asked.status_code, asked.headers["retry-after"])
        assert 503 == (await client.get("/readyz")).status_code


async def test_an_address_that_guesses_is_held_up_and_its_neighbour_with_a_key_is_not(tmp_path: Any) -> None:
    async with web(tmp_path, burst=4) as (_, client):
        foreign = kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.key("nobody"))
        assert [401, 422] == [(await client.post("/api/v1/events", json=one)).status_code for one in (foreign, 7)]
        assert 400 == (await client.post("/api/v1/events", content=b"{", headers=kit.headers())).status_code
        assert 415 == (await client.post("/api/v1/events", content=b"{}", headers={"content-type": "text/plain"})).status_code
        for one in (b"{", b"7"):
            late = await client.post("/api/v1/events", content=one, headers=kit.headers())
            assert (429, "2") == (late.status_code, late.headers["retry-after"])
        assert 201 == (await client.post("/api/v1/events", json=inspected())).status_code
        proven = await client.post("/api/v1/events", json=inspected(kind="surprise"))
        assert 422 == proven.status_code and "refusal" in proven.json()
        batch = await client.post("/api/v1/events:batch", json={"events": [inspected(), foreign]})
        assert [201, 429] == [one["status"] for one in batch.json()["results"]]
        assert "2" == batch.headers["retry-after"]


async def test_one_event_that_has_no_canonical_form_is_answered_in_its_place(tmp_path: Any) -> None:
    async with web(tmp_path) as (_, client):
        good = json.dumps(inspected()).encode()
        body = b'{"events": [%s, {"event": {"a": [{"a": 1, "a": 2}]}, "signature": 1}, %s]}' % (good, good)
        results = (await client.post("/api/v1/events:batch", content=body, headers=kit.headers())).json()["results"]
        assert [201, 400, 201] == [one["status"] for one in results]
        assert ("urn:mingjian:problem:duplicate-key", "/event/a/0") == (results[1]["problem"]["type"], results[1]["problem"]["field"])
