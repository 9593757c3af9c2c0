"""HTML of the audit service: Chinese first, English beside it. The language is part of the link."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services._bus.problems import Problem, language
from services.audit.domain.dates import WEEKDAYS_ZH
from services.audit.web.session import Session

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
KINDS = {
    "zh": {
        "late_entry": "逾期录入",
        "late_entry_retracted": "逾期录入（已撤回）",
        "oversize_record": "记录过大",
        "unreadable_fact": "无法读取的记录",
        "unsigned_fact": "无有效签名的记录",
        "clock_step_back": "时间倒退",
        "clocks_apart": "时钟不一致",
        "changed_copy": "同一编号，不同内容",
        "evaluation_unannounced": "评定未经公告",
        "grade_differs": "等级与事实不符",
        "grade_invented": "无事实依据的等级",
        "grade_missing": "缺少的等级",
        "grade_out_of_order": "等级次序有误",
        "duty_differs": "期限与事实不符",
        "duty_invented": "无事实依据的期限",
        "duty_missing": "缺少的期限",
        "duty_out_of_order": "期限次序有误",
        "part_differs": "成员告知与事实不符",
        "part_invented": "无事实依据的成员告知",
        "part_missing": "缺少的成员告知",
        "grade_differences_more": "其余差异",
        "control_copy_missing": "缺少控制记录副本",
    },
    "en": {
        "late_entry": "Late entry",
        "late_entry_retracted": "Late entry, retracted",
        "oversize_record": "Oversize record",
        "unreadable_fact": "Unreadable record",
        "unsigned_fact": "Record without a valid signature",
        "clock_step_back": "Time went back",
        "clocks_apart": "Clocks apart",
        "changed_copy": "One id, two contents",
        "evaluation_unannounced": "Evaluation not announced",
        "grade_differs": "Grade differs from the facts",
        "grade_invented": "Grade without facts",
        "grade_missing": "Grade missing",
        "grade_out_of_order": "Grade in a wrong order",
        "duty_differs": "Duty differs from the facts",
        "duty_invented": "Duty without facts",
        "duty_missing": "Duty missing",
        "duty_out_of_order": "Duty in a wrong order",
        "part_differs": "Word of a part differs from the facts",
        "part_invented": "Word of a part without facts",
        "part_missing": "Word of a part missing",
        "grade_differences_more": "Further differences",
        "control_copy_missing": "Copy of a control event missing",
    },
}


def _day(text: str, lang: str) -> str:
    day = date.fromisoformat(text)
    if lang == "zh":
        return f"{day.year}年{day.month}月{day.day}日 周{WEEKDAYS_ZH[day.weekday()]}"
    return f"{day.isoformat()} ({day.strftime('%a')})"


def _moment(text: str, lang: str, zone: ZoneInfo) -> str:
    local = datetime.fromisoformat(text).astimezone(zone)
    return f"{_day(local.date().isoformat(), lang)} {local:%H:%M}"


class Pages:
    """Renders the templates. ``publication_url``: where the portal is, for the link back. ``sample``: a made-up town's stack.

    ``time_zone``: the stack's, in which instants are told."""

    def __init__(self, *, sample: bool, publication_url: str | None, time_zone: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        zone = ZoneInfo(time_zone)
        moment = lambda text, lang: _moment(text, lang, zone)  # noqa: E731
        self._common = {"sample": sample, "publication_url": publication_url, "day": _day, "moment": moment}

    def render(self, request: Request, template: str, status: int = 200, **more: Any) -> HTMLResponse:
        """A template in the language that the request asks for. ``more``: its values; ``signed_in`` shows what a session may open."""
        lang = language(request)
        # Without the path: whatever stands in the address bar (``//other.example/``) stays where it is and leads nowhere else.
        other = request.url.include_query_params(lang="en" if lang == "zh" else "zh")
        text = self._environment.get_template(template).render(
            **self._common, lang=lang, other_language=f"?{other.query}", path=request.url.path, **{"signed_in": False, **more}
        )
        return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})

    def log(self, request: Request, state: dict[str, Any], session: Session | None, gravest: Any = None) -> HTMLResponse:
        """The log's state, for anyone; for an auditor also what is gravest (``Listed`` of the console)."""
        topics: dict[str, dict[str, int]] = {}
        for one in state["partitions"]:
            row = topics.setdefault(one["topic"], {"records": 0, "partitions": 0, "lag": 0})
            row["records"] += one["next_offset"]
            row["partitions"] += 1
            row["lag"] += one["lag"] or 0
        return self.render(
            request,
            "log.html",
            state=state,
            topics=topics,
            signed_in=session is not None,
            auditor=session is not None and session.role == "auditor",
            gravest=gravest,
        )

    def leaf(self, request: Request, leaf: dict[str, Any]) -> HTMLResponse:
        """A leaf and its path, for anyone."""
        return self.render(request, "leaf.html", leaf=leaf)

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """An error as a page: its first sentence says what, the rest how to mend it."""
        zh = language(request) == "zh"
        what, stop, remedy = (problem.zh if zh else problem.en).replace("`", "").partition("。" if zh else ". ")
        return self.render(request, "problem.html", problem.status, problem=problem, what=what + stop.strip(), remedy=remedy)
