"""Errors as RFC 9457 problems, in Chinese and English. One place makes them, so that every service answers alike."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

log = logging.getLogger("mingjian.http")

MEDIA_TYPE = "application/problem+json"
LANGUAGES = ("zh", "en")
_SHOWN = 200
_EXACT = 2**53


class ProblemBody(BaseModel):
    """The members of a problem. Some carry more, such as ``snapshot`` or ``limit``."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:mingjian:problem:not-found"])
    title: str
    status: int
    detail: str = Field(description="in the asker's language")
    detail_zh: str
    detail_en: str
    field: str = Field(default="", description="JSON pointer into the body, or the name of a parameter; absent where it is about the whole")
    value: Any = Field(default=None, description="what stood there, shortened")
    reason: str = Field(default="", description="a word for what a field's value breaks")
    remedy: str = Field(default="", description="what to do, in the asker's language")
    remedy_zh: str = ""
    remedy_en: str = ""
    refusal: dict[str, Any] = Field(default={}, description="the signed refusal receipt, where there is one")


class Problem(Exception):
    """``code``: a stable word. ``zh``, ``en``: what is wrong. ``field``: JSON pointer or a parameter's name; ``value``: what stood
    there; ``remedy_*``: what to do; ``headers``: of the answer; ``more``: further members."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        zh: str,
        en: str,
        field: str | None = None,
        value: Any = None,
        remedy_zh: str | None = None,
        remedy_en: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en = status, code, zh, en
        self.field, self.value, self.remedy_zh, self.remedy_en = field, value, remedy_zh, remedy_en
        self.headers: dict[str, str] = headers or {}
        self.more = more


def body(problem: Problem, lang: str) -> dict[str, Any]:
    """The members, ``detail`` and ``remedy`` in the asker's language. Members without a value are absent."""
    chinese = lang == "zh"
    members: dict[str, Any] = {
        "type": f"urn:mingjian:problem:{problem.code}",
        "title": problem.code.replace("-", " "),
        "status": problem.status,
        "detail": problem.zh if chinese else problem.en,
        "detail_zh": problem.zh,
        "detail_en": problem.en,
        "field": problem.field,
        "value": shown(problem.value),
        "remedy": problem.remedy_zh if chinese else problem.remedy_en,
        "remedy_zh": problem.remedy_zh,
        "remedy_en": problem.remedy_en,
    }
    return {name: value for name, value in members.items() if value is not None} | problem.more


def answer(problem: Problem, lang: str) -> Response:
    """The problem as a response."""
    headers = {"cache-control": "no-store", "content-language": lang, **problem.headers}
    return Response(orjson.dumps(body(problem, lang)), problem.status, media_type=MEDIA_TYPE, headers=headers)


def shown(value: Any) -> Any:
    """A value from outside, fit for an answer: short, and nothing that JSON can't hold."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_EXACT < value < _EXACT else f"an integer of {value.bit_length()} bits"
    if isinstance(value, str):
        text = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
        return text.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list | tuple):
        return f"an array of {len(value)}"
    return f"{value!r:.80}" if isinstance(value, float) else type(value).__name__


_WORDS = {
    400: "Not readable",
    401: "No session",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not available in that form",
    409: "Something else is there already",
    410: "Can't be resumed from there",
    413: "Too large",
    415: "Not this media type",
    422: "Refused",
    429: "Too often",
    500: "A fault of the service",
    503: "Not available just now",
}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for these statuses."""
    content = {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}
    return {status: {"content": content, "description": _WORDS.get(status, "Problem")} for status in statuses}


def negotiate(wanted: str | None, accept: str) -> str:
    """The language of an answer: the link's, else the browser's best of ours, else Chinese."""
    if wanted in LANGUAGES:
        return str(wanted)
    best, weight = LANGUAGES[0], 0.0
    for part in accept[:400].split(","):
        tag, _, rest = part.strip().partition(";")
        lang = tag.strip().lower().partition("-")[0]
        quality = _quality(rest)
        if lang in LANGUAGES and quality > weight:
            best, weight = lang, quality
    return best


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def language(request: Request) -> str:
    """``?lang=zh|en``, else what the request accepts, else Chinese."""
    return negotiate(request.query_params.get("lang"), request.headers.get("accept-language", ""))


Page = Callable[[Request, Problem], Response | None]
Answer = Callable[[Request, Problem], Awaitable[Response]]


def install(app: FastAPI, *, page: Page | None = None, language: Callable[[Request], str] = language) -> Answer:
    """Answer everything that goes wrong in ``app`` as a problem. Returns the answering function, for handlers of one's own.

    ``page``: a page for people, or None where JSON is wanted."""

    async def respond(request: Request, problem: Problem) -> Response:
        made = page(request, problem) if page is not None else None
        if made is None:
            return answer(problem, language(request))
        made.headers.update(problem.headers)
        return made

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return await respond(request, error)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await respond(request, of_http(error))

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return await respond(request, of_validation(error))

    async def on_fault(request: Request, error: Exception) -> Response:
        number = secrets.token_hex(8)
        # The route, never the address: an address can hold a name.
        route = getattr(request.scope.get("route"), "path", "no route")
        log.error("a request ended in a fault", extra={"fault": number, "method": request.method, "route": route}, exc_info=error)
        zh, en = f"服务内部出错，编号 {number}。", f"A fault of the service; its number is {number}."
        return await respond(request, Problem(500, "fault", zh=zh, en=en, fault=number))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_fault)
    return respond


_HTTP = {
    400: ("not-readable", "请求无法读懂。", "The request can't be read."),
    404: ("not-found", "没有这个地址。", "There is nothing at this address."),
    405: ("method", "这个地址不接受该方法。", "This address doesn't take that method."),
}


def of_http(error: HTTPException) -> Problem:
    """What the framework refuses, in our words."""
    code, zh, en = _HTTP.get(error.status_code, ("http", "请求无法处理。", "The request can't be handled."))
    return Problem(error.status_code, code, zh=zh, en=en, headers=dict(error.headers or {}))


def of_validation(error: RequestValidationError) -> Problem:
    """The first thing that is wrong with parameters or body. The value is not repeated: it was checked by nobody yet."""
    first = error.errors()[0]
    place, *rest = first["loc"]
    if first["type"] == "json_invalid":
        return Problem(400, "not-json", zh="请求正文不是有效的 JSON。", en="The body is not valid JSON.", reason=first["type"])
    if place == "body":
        field = "".join(f"/{_pointer(part)}" for part in rest)
        zh, en = f"正文中 {field or '整体'} 的值不对。", f"{field or 'The body'}: {first['msg']}."
        return Problem(422, "body", zh=zh, en=en, field=field, reason=first["type"])
    field = str(rest[-1]) if rest else str(place)
    return Problem(422, "parameter", zh=f"{field} 的值不对。", en=f"{field}: {first['msg']}.", field=field, reason=first["type"])


def _pointer(part: Any) -> str:
    return str(part).replace("~", "~0").replace("/", "~1").encode("utf-8", "replace").decode()
