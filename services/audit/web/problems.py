"""Errors as RFC 9457 problems, in Chinese and English."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response


class ProblemBody(BaseModel):
    """The members of every problem that this service answers with."""

    type: str = Field(examples=["urn:mingjian:problem:session-missing"])
    title: str
    status: int
    detail: str
    detail_zh: str
    detail_en: str


class Problem(Exception):
    """``code``: a stable word; ``zh``, ``en``: what is wrong and how to mend it."""

    def __init__(self, status: int, code: str, *, zh: str, en: str) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en = status, code, zh, en


def answer(problem: Problem, lang: str) -> Response:
    """The problem as a response, its ``detail`` in the asker's language."""
    body: dict[str, Any] = {
        "type": f"urn:mingjian:problem:{problem.code}",
        "title": problem.code.replace("-", " "),
        "status": problem.status,
        "detail": problem.zh if lang == "zh" else problem.en,
        "detail_zh": problem.zh,
        "detail_en": problem.en,
    }
    return Response(orjson.dumps(body), problem.status, media_type="application/problem+json", headers={"Cache-Control": "no-store"})


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for these statuses."""
    words = {400: "Malformed", 401: "No session", 403: "Role not sufficient", 404: "Not found", 405: "Method not allowed", 422: "Invalid"}
    schema = ProblemBody.model_json_schema()
    return {
        one: {"description": words.get(one, "Problem"), "content": {"application/problem+json": {"schema": schema}}} for one in statuses
    }
