"""Intake's HTTP side. Everything it needs is in ``Parts``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI, Query, Request
from starlette.responses import JSONResponse, Response

from schemas.envelope import Submission
from services._bus.health import Readiness, describe_at_root
from services._bus.problems import Problem, answer, body, described, install, language
from services._bus.telemetry import RECORDS, Telemetry, traceparent
from services.intake.answers import Answer
from services.intake.answers import Request as Asked
from services.intake.domain.authority import CHANNELS
from services.intake.domain.faults import Fault, Refused, fault
from services.intake.domain.reading import read_body
from services.intake.handlers import Desk
from services.intake.ports import Name, StoreUnavailable
from services.intake.web.bodies import BATCH_BYTES, MOST, SINGLE_BYTES, batch_of, instants, read_limited
from services.intake.web.limits import Limits
from services.intake.web.shapes import Results, SignedReceipt, State, Stored
from services.intake.web.status import Status

CHANNEL = "Mingjian-Channel"
SIMULATED_AT = "Mingjian-Simulated-At"
_JSON = "application/json"
_NO_STORE = {"cache-control": "no-store"}
_WORDS = {
    400: "Not JSON, or JSON without a canonical form",
    401: "The key is unknown, or the signature is not its",
    403: "The key was revoked, or this is not the key's business",
    404: "Unknown",
    409: "The id stands for another event",
    413: "Too large",
    415: "Not JSON by its content type",
    422: "Refused for good, with field, value, reason and remedy",
    429: "Too many requests without a good signature; wait",
    500: "A fault of the service; nothing was kept",
    503: "Not kept; send the same bytes again after a while",
}

_BATCH = {
    "type": "object",
    "required": ["events"],
    "additionalProperties": False,
    "properties": {
        "events": {"type": "array", "minItems": 1, "maxItems": MOST, "items": {"$ref": "#/components/schemas/Submission"}},
        "batch": {"type": "string", "maxLength": 80, "description": "a name that every entry of this batch carries"},
        "channels": {
            "type": "array",
            "items": {"enum": [*CHANNELS, None]},
            "description": "an event's own channel, for batches that came in by several ways; null: the header's",
        },
        "simulated_at": {
            "type": "array",
            "items": {"type": "string"},
            "description": "simulated stacks only: an instant for each event",
        },
    },
}

# Read by hand, like the body: another word is refused in the rules' own words, with a remedy and, for a good signature, a refusal.
_HEADERS = [
    {
        "name": CHANNEL,
        "in": "header",
        "required": False,
        "schema": {"type": "string", "enum": list(CHANNELS)},
        "description": "by which way the events come in; absent: the first channel that the key was registered for",
    },
    {
        "name": SIMULATED_AT,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "simulated stacks only: the instant of this request",
    },
]


@dataclass(frozen=True)
class Parts:
    """What the addresses are made of."""

    desk: Desk
    status: Status
    limits: Limits
    simulated: bool
    telemetry: Telemetry
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None


def create_app(parts: Parts) -> FastAPI:
    """The application."""
    app = FastAPI(
        title="Mingjian intake",
        version="1",
        description="Where signed events enter the register. Send the same bytes again until there is a receipt.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=parts.lifespan,
    )
    install(app)

    @app.exception_handler(Refused)
    async def _refused(request: Request, error: Refused) -> Response:
        return answer(problem_of(error.fault), language(request))

    _events(app, parts)
    _receipts(app, parts)
    describe_at_root(app)
    _health(app, parts)
    _describe(app)
    return app


def problem_of(one: Fault, **more: Any) -> Problem:
    """A fault as a problem."""
    return Problem(
        one.status,
        one.code,
        zh=one.zh,
        en=one.en,
        field=one.field,
        value=one.value,
        remedy_zh=one.remedy_zh,
        remedy_en=one.remedy_en,
        **more,
    )


def location(name: Name) -> str:
    """Where the receipt of an event is, or will be."""
    return "/api/v1/receipts?" + urlencode({"source": name[0], "id": name[1]})


def _problem(one: Answer) -> Problem:
    assert one.fault is not None
    more: dict[str, Any] = {"refusal": orjson.loads(one.refusal)} if one.refusal else {}
    headers = {"retry-after": str(one.retry_after)} if one.retry_after else None
    return problem_of(one.fault, headers=headers, **more)


def _json(value: Any, status: int, headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(value), status, headers, media_type=_JSON)


def _single(one: Answer, lang: str) -> Response:
    if one.status == 201:
        return _json(one.receipt, 201, _NO_STORE)
    if one.status == 202:
        assert one.name is not None
        where = location(one.name)
        return _json({"location": where}, 202, {**_NO_STORE, "location": where, "retry-after": str(one.retry_after or 1)})
    return answer(_problem(one), lang)


def _result(one: Answer, lang: str) -> dict[str, Any]:
    if one.status == 201:
        return {"status": 201, "receipt": one.receipt, "again": one.again}
    if one.status == 202:
        assert one.name is not None
        return {"status": 202, "location": location(one.name), "again": one.again, "retry_after": one.retry_after or 1}
    problem = _problem(one)
    found: dict[str, Any] = {"status": one.status, "problem": body(problem, lang)}
    if one.retry_after:
        found["retry_after"] = one.retry_after
    if one.refusal:
        found["refusal"] = orjson.loads(one.refusal)
    return found


def _events(app: FastAPI, parts: Parts) -> None:
    refused = _problems(400, 401, 403, 409, 413, 415, 422, 429, 500, 503)
    stored = {202: {"model": Stored, "description": "Stored; the receipt is still to come, at `Location`"}}

    @app.post(
        "/api/v1/events",
        tags=["events"],
        status_code=201,
        response_model=SignedReceipt,
        responses={**stored, **refused},
        openapi_extra=_body("#/components/schemas/Submission"),
    )
    async def post_event(request: Request) -> Response:
        """Enter one signed event. 201 with the receipt once it was read back from Kafka."""
        channel, at = request.headers.get(CHANNEL), request.headers.get(SIMULATED_AT)
        try:
            asked = instants([at], simulated=parts.simulated, where=SIMULATED_AT)
            value = read_body(await read_limited(request, SINGLE_BYTES))
        except Refused as refused:
            return _single(parts.limits.refuse(_address(request), refused), language(request))
        with parts.telemetry.request("POST /api/v1/events", request.headers, {RECORDS: 1}):
            found = await parts.desk.take([value], Asked(channel, None, traceparent()), asked)
        [held] = parts.limits.held(_address(request), found)
        return _single(held, language(request))

    @app.post(
        "/api/v1/events:batch",
        tags=["events"],
        response_model=Results,
        responses={status: refused[status] for status in (400, 413, 415, 422, 429)},
        openapi_extra=_body("#/components/schemas/Batch"),
    )
    async def post_batch(request: Request) -> Response:
        """Enter 1 to 1,000 signed events, in their order, each answered on its own. Those that have to wait say how long, and
        `Retry-After` is the longest of them."""
        lang = language(request)
        channel, at = request.headers.get(CHANNEL), request.headers.get(SIMULATED_AT)
        try:
            batch = batch_of(read_body(await read_limited(request, BATCH_BYTES)))
            asked = instants([one or at for one in batch.asked], simulated=parts.simulated, where="/simulated_at")
        except Refused as refused:
            return _single(parts.limits.refuse(_address(request), refused), lang)
        with parts.telemetry.request("POST /api/v1/events:batch", request.headers, {RECORDS: len(batch.events)}):
            found = await parts.desk.take(batch.events, Asked(channel, batch.name, traceparent(), batch.channels), asked)
        held = parts.limits.held(_address(request), found)
        results = orjson.dumps({"results": [_result(one, lang) for one in held]})
        later = max((one.retry_after or 0 for one in held), default=0)
        headers = {**_NO_STORE, "retry-after": str(later)} if later else _NO_STORE
        return Response(results, media_type=_JSON, headers=headers)


def _receipts(app: FastAPI, parts: Parts) -> None:
    found = {202: {"model": Stored, "description": "Stored; the receipt is still to come"}}
    problems = _problems(404, 422, 503)

    @app.get("/api/v1/receipts", tags=["events"], response_model=SignedReceipt, responses={**found, **problems})
    async def receipt(
        request: Request,
        source: Annotated[str, Query(max_length=120, pattern=r"^/[a-z0-9/-]+$", description="the event's source")],
        id: Annotated[str, Query(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="the event's id")],
    ) -> Response:
        """The receipt of an event that was entered."""
        try:
            one = await parts.desk.receipt((source, id))
        except StoreUnavailable:
            raise problem_of(fault("store-unavailable"), headers={"retry-after": "2"}) from None
        if one is None:
            raise problem_of(fault("receipt-unknown"))
        if one.status == 201:
            return _json(one.receipt, 200, _NO_STORE)
        return _single(one, language(request))


def _health(app: FastAPI, parts: Parts) -> None:
    @app.get("/livez", tags=["health"], response_model=Readiness)
    async def livez() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"ready": True, "reasons": []})

    @app.get("/readyz", tags=["health"], response_model=Readiness, responses={503: {"model": Readiness, "description": "Not ready"}})
    async def readyz() -> JSONResponse:
        """Events are stored, sent and read back: judged by lag and by what waits."""
        reasons = parts.status.reasons()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @app.get("/status", tags=["health"], response_model=State)
    async def state() -> JSONResponse:
        """Positions, lag, what waits, and intake's own time."""
        return JSONResponse(parts.status.state(), headers=_NO_STORE)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for these statuses, in intake's words."""
    return {status: {**one, "description": _WORDS[int(status)]} for status, one in described(*statuses).items()}


def _body(reference: str) -> dict[str, Any]:
    return {"parameters": _HEADERS, "requestBody": {"required": True, "content": {_JSON: {"schema": {"$ref": reference}}}}}


def _describe(app: FastAPI) -> None:
    """Bodies are read by our own strict reader, so the description gets their schemas by hand."""
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            whole = generated()
            submission = Submission.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = whole.setdefault("components", {}).setdefault("schemas", {})
            for name, one in submission.pop("$defs", {}).items():
                schemas.setdefault(name, one)
            schemas["Submission"] = submission
            schemas["Batch"] = _BATCH
            app.openapi_schema = whole
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
