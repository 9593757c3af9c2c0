"""HTML of the audit service: Chinese first, English beside it. The language is part of the link."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services._bus.problems import Problem, language
from services.audit.web.session import Session

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_WEEKDAYS = "一二三四五六日"


def _day(text: str, lang: str) -> str:
    day = date.fromisoformat(text)
    if lang == "zh":
        return f"{day.year}年{day.month}月{day.day}日 周{_WEEKDAYS[day.weekday()]}"
    return f"{day.isoformat()} ({day.strftime('%a')})"


class Pages:
    """Renders the templates. ``publication_url``: where the portal is, for the link back. ``sample``: a made-up town's stack."""

    def __init__(self, *, sample: bool, publication_url: str | None) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._common = {"sample": sample, "publication_url": publication_url, "day": _day}

    def _render(self, request: Request, template: str, status: int = 200, **more: Any) -> HTMLResponse:
        lang = language(request)
        other = request.url.include_query_params(lang="en" if lang == "zh" else "zh")
        text = self._environment.get_template(template).render(
            **self._common, lang=lang, other_language=f"{other.path}?{other.query}", path=request.url.path, **more
        )
        return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})

    def log(self, request: Request, state: dict[str, Any], session: Session | None) -> HTMLResponse:
        """The log's state, for anyone."""
        topics: dict[str, dict[str, int]] = {}
        for one in state["partitions"]:
            row = topics.setdefault(one["topic"], {"records": 0, "partitions": 0, "lag": 0})
            row["records"] += one["next_offset"]
            row["partitions"] += 1
            row["lag"] += one["lag"] or 0
        return self._render(request, "log.html", state=state, topics=topics, signed_in=session is not None)

    def findings(self, request: Request, findings: list[dict[str, Any]], counts: dict[str, int], following: str | None) -> HTMLResponse:
        """Findings, for auditors."""
        return self._render(request, "findings.html", findings=findings, counts=counts, following=following)

    def leaf(self, request: Request, leaf: dict[str, Any]) -> HTMLResponse:
        """A leaf and its path, for anyone."""
        return self._render(request, "leaf.html", leaf=leaf)

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """An error as a page."""
        return self._render(request, "problem.html", problem.status, problem=problem)
