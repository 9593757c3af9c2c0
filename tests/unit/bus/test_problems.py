"""Problems: the same members from every service, in the asker's language, and nothing that breaks an answer."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import httpx
import orjson
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel
from starlette.responses import HTMLResponse

from services._bus.problems import Problem, ProblemBody, answer, body, described, install, negotiate, shown

REFUSED = Problem(
    422, "date-ahead", zh="日期在将来。", en="The date is ahead.", field="/data/occurred_on", value="2999-01-01",
    remedy_zh="改正日期。", remedy_en="Correct the date.", limit=3,
)  # fmt: skip


class Sent(BaseModel):
    count: int


def made_app(**arguments: object) -> FastAPI:
    app = FastAPI()
    install(app, **arguments)

    @app.get("/number")
    async def number(n: Annotated[int, Query()]) -> dict[str, int]:
        return {"n": n}

    @app.post("/sent")
    async def sent(one: Sent) -> dict[str, int]:
        return {"n": one.count}

    @app.get("/refused")
    async def refused() -> None:
        raise REFUSED

    @app.get("/fault/{name}")
    async def fault(name: str) -> None:
        raise ValueError(f"the secret of {name}")

    return app


def ask(app: FastAPI, method: str, path: str, **arguments: object) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(asked())


def test_a_problem_speaks_the_askers_language_and_keeps_both() -> None:
    zh, en = body(REFUSED, "zh"), body(REFUSED, "en")
    assert (zh["detail"], zh["remedy"]) == ("日期在将来。", "改正日期。")
    assert (en["detail"], en["remedy"]) == ("The date is ahead.", "Correct the date.")
    assert zh | {"detail": "", "remedy": ""} == en | {"detail": "", "remedy": ""}
    assert en["type"] == "urn:mingjian:problem:date-ahead" and en["limit"] == 3


def test_members_without_a_value_are_absent() -> None:
    assert set(body(Problem(404, "not-found", zh="无", en="None"), "en")) == {"type", "title", "status", "detail", "detail_zh", "detail_en"}


def test_a_body_fits_the_model_that_openapi_shows() -> None:
    assert ProblemBody.model_validate(body(REFUSED, "en")).field == "/data/occurred_on"
    assert described(404)[404]["content"]["application/problem+json"]["schema"] == ProblemBody.model_json_schema()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        (2**53, "an integer of 54 bits"),
        (10**400, "an integer of 1329 bits"),
        (True, True),
        (1.5, "1.5"),
        (float("nan"), "nan"),
        ("x" * 300, "x" * 200 + "…"),
        ("a\ud800b", "a?b"),
        ({"a": 1}, "an object of 1"),
        ([1, 2], "an array of 2"),
        (b"x", "bytes"),
    ],
)
def test_whatever_stood_there_can_be_shown(value: object, expected: object) -> None:
    assert expected == shown(value)
    assert orjson.loads(answer(Problem(422, "x", zh="", en="", value=value), "en").body)["value"] == expected


@pytest.mark.parametrize(
    ("method", "path", "arguments", "status", "kind", "field"),
    [
        ("GET", "/number?n=x", {}, 422, "parameter", "n"),
        ("GET", "/number", {}, 422, "parameter", "n"),
        ("POST", "/sent", {"json": {"count": "x"}}, 422, "body", "/count"),
        ("POST", "/sent", {"json": {}}, 422, "body", "/count"),
        ("POST", "/sent", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, "not-json", None),
        ("GET", "/nowhere", {}, 404, "not-found", None),
        ("DELETE", "/number", {}, 405, "method", None),
        ("GET", "/refused", {}, 422, "date-ahead", "/data/occurred_on"),
    ],
)
def test_everything_refused_is_a_problem(
    method: str, path: str, arguments: dict[str, object], status: int, kind: str, field: str | None
) -> None:
    found = ask(made_app(), method, path, **arguments)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")
    assert found.json()["type"] == f"urn:mingjian:problem:{kind}"
    assert found.json().get("field") == field
    assert found.headers["cache-control"] == "no-store"


def test_a_405_says_what_is_allowed() -> None:
    assert "GET" in (ask(made_app(), "DELETE", "/number")).headers["allow"]


def test_a_fault_gives_a_number_that_the_log_has_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="mingjian.http"):
        found = ask(made_app(), "GET", "/fault/Zhang")
    assert (found.status_code, found.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in found.text and "Zhang" not in found.text
    (line,) = [one for one in caplog.records if one.name == "mingjian.http"]
    assert line.fault == found.json()["fault"]
    assert line.route == "/fault/{name}" and "Zhang" not in line.getMessage()


def test_people_get_a_page_where_there_is_one_and_programs_json() -> None:
    def page(request: object, problem: Problem) -> HTMLResponse | None:
        return HTMLResponse(problem.en, problem.status) if "text/html" in request.headers.get("accept", "") else None

    person = ask(made_app(page=page), "GET", "/refused", headers={"accept": "text/html"})
    assert (person.status_code, person.text) == (422, "The date is ahead.")
    assert (ask(made_app(page=page), "GET", "/refused")).json()["status"] == 422


@pytest.mark.parametrize(
    ("wanted", "accept", "expected"),
    [
        (None, "", "zh"),
        ("en", "zh", "en"),
        ("fr", "en", "en"),
        (None, "en-GB,en;q=0.8,zh;q=0.9", "en"),
        (None, "zh;q=0.2,en;q=0.9", "en"),
        (None, "fr,de", "zh"),
        (None, "en;q=oops", "zh"),
        (None, "en;q=0", "zh"),
    ],
)
def test_the_language_is_the_links_then_the_browsers_then_chinese(wanted: str | None, accept: str, expected: str) -> None:
    assert expected == negotiate(wanted, accept)
