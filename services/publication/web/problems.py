"""Errors as RFC 9457 problems, in Chinese and English."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response


class ProblemBody(BaseModel):
    """The members of every problem; some carry more, such as ``field`` or ``snapshot``."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:mingjian:problem:not-yet-available"])
    title: str
    status: int
    detail: str = Field(description="in the asker's language")
    detail_zh: str
    detail_en: str


class Problem(Exception):
    """``code``: a stable word; ``zh``, ``en``: what is wrong and how to mend it; ``more``: further members."""

    def __init__(self, status: int, code: str, *, zh: str, en: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en, self.headers, self.more = status, code, zh, en, headers or {}, more


def answer(problem: Problem, lang: str) -> Response:
    """The problem as a response, its ``detail`` in the asker's language."""
    body = {
        "type": f"urn:mingjian:problem:{problem.code}",
        "title": problem.code.replace("-", " "),
        "status": problem.status,
        "detail": problem.zh if lang == "zh" else problem.en,
        "detail_zh": problem.zh,
        "detail_en": problem.en,
        **problem.more,
    }
    headers = {"cache-control": "no-store", **problem.headers}
    return Response(orjson.dumps(body), problem.status, media_type="application/problem+json", headers=headers)


_WORDS = {404: "Not found", 410: "Can't be resumed from there", 422: "Refused", 429: "Too often", 503: "Not available just now"}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for these statuses."""
    content = {"application/problem+json": {"schema": ProblemBody.model_json_schema()}}
    return {status: {"content": content, "description": _WORDS[status]} for status in statuses}
