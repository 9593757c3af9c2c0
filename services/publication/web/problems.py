"""Errors as RFC 9457 problems, in Chinese and English."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response


class Problem(Exception):
    """``code``: a stable word; ``zh``, ``en``: what is wrong and how to mend it; ``more``: further members."""

    def __init__(self, status: int, code: str, *, zh: str, en: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en, self.headers, self.more = status, code, zh, en, headers or {}, more


def answer(problem: Problem, lang: str) -> Response:
    body = {
        "type": f"urn:mingjian:problem:{problem.code}",
        "title": problem.code.replace("-", " "),
        "status": problem.status,
        "detail": problem.zh if lang == "zh" else problem.en,
        "detail_zh": problem.zh,
        "detail_en": problem.en,
        **problem.more,
    }
    return Response(orjson.dumps(body), problem.status, media_type="application/problem+json", headers=problem.headers)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries."""
    return {status: {"content": {"application/problem+json": {}}, "description": "Problem"} for status in statuses}
