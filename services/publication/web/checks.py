"""What every request must keep to before a question is asked: known parameters, each once, and well-formed subject ids."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Annotated

from fastapi import Path, Query, Request

from schemas.ids import ENTERPRISE_SCHEMES, SubjectError, check_subject, scheme_of
from services._bus.problems import Problem
from services.publication.domain.cursor import BadCursor, decode

TIMES = ("as_of", "known_at")


def only_known(request: Request) -> None:
    """Refuse unknown and repeated query parameters: a filter that was misspelt must never widen an answer."""
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    as_of_now(request, known)
    seen: set[str] = set()
    for name in (pair[0] for pair in request.query_params.multi_items()):
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise Problem(
                422,
                "unknown-parameter",
                zh=f"没有名为 {name[:40]} 的参数；可用的参数：{listed}。",
                en=f"There is no parameter {name[:40]}; known: {listed}.",
                field=name[:80],
            )
        if name in seen:
            raise Problem(
                422, "repeated-parameter", zh=f"参数 {name[:40]} 只能给一次。", en=f"Give the parameter {name[:40]} once.", field=name[:80]
            )
        seen.add(name)


def as_of_now(request: Request, known: Collection[str] = ()) -> None:
    """Refuse the two times where an answer is as of now, so that they are never ignored. ``known``: parameters that are taken."""
    for name in TIMES:
        if name in request.query_params and name not in known:
            raise Problem(
                422,
                "as-of-now-only",
                zh=f"这里给出的是现在已知、现在有效的内容，不能按 {name} 查询。",
                en=f"What is answered here is as of now, as known now; it can't be asked by {name}.",
                field=name,
                remedy_zh="请去掉该参数；按日期和时刻查询，请用 /api/v1/subjects/{id}/grades、/api/v1/grades 或 /api/v1/lists/{name}。",
                remedy_en="Leave it out. /api/v1/subjects/{id}/grades, /api/v1/grades and /api/v1/lists/{name} are asked by both times.",
            )


SubjectId = Annotated[
    str,
    Path(
        description="`uscc:…`, `fhrs:…` or `camis:…`",
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        examples=["uscc:91350100M000100Y43"],
        openapi_examples={"credit code": {"value": "uscc:91350100M000100Y43"}},
    ),
]


def subject_id(value: str) -> str:
    """A well-formed subject id of an enterprise. Raises ``Problem`` 422 that says what to mend."""
    try:
        subject = check_subject(value)
    except SubjectError as error:
        zh = {
            "subject-scheme": "主体编号以 uscc:、fhrs: 或 camis: 开头。",
            "subject-form": "冒号后的号码格式不对。",
            "subject-check-digit": "末位校验码不符（GB 32100-2015），请核对号码。",
        }[error.code]
        raise Problem(422, error.code, zh=zh, en=f"{error}.", field="id") from None
    if scheme_of(subject) not in ENTERPRISE_SCHEMES:
        raise Problem(422, "subject-scheme", zh="这里只公布企业。", en="Only enterprises are published here.", field="id")
    return subject


Regime = Annotated[str, Query(pattern=r"^[a-z][a-z0-9-]{1,40}$", description="regime, by the name of its rulebook")]
Grade = Annotated[str, Query(pattern=r"^[0-9A-Za-z][0-9A-Za-z+-]{0,9}$", description="grade in the regime's own letters or figures")]
Status = Annotated[str, Query(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
District = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[
    str, Query(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", description="name, pinyin, initials, address, number")
]
ChangedSince = Annotated[
    str,
    Query(pattern=r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?Z$", description="instant, UTC"),
]
Cursor = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,600}$", description="`next` of the page before, with the same filters")]
HistoryCursor = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,600}$", description="`history_next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=500, description="rows on a page")]


def cursor_key(cursor: str | None, filters: dict[str, str], length: int, *, field: str = "cursor") -> list[str] | None:
    """The key in a cursor. Raises ``Problem`` 422."""
    if cursor is None:
        return None
    try:
        return decode(cursor, filters, length)
    except BadCursor as error:
        raise Problem(422, "cursor", zh="页码标记无效，或属于另一组筛选条件；请从第一页重新开始。", en=f"{error}.", field=field) from None


def history_key(cursor: str | None, subject: str) -> int | None:
    """The number in a cursor of a subject's history. Raises ``Problem`` 422."""
    key = cursor_key(cursor, {"history": subject}, 1, field="history_cursor")
    if key is None:
        return None
    if not (key[0].isascii() and key[0].isdigit() and int(key[0]) < 2**63):
        raise _not_a_cursor("history_cursor")
    return int(key[0])


def _not_a_cursor(field: str) -> Problem:
    return Problem(422, "cursor", zh="页码标记无效。", en="Not a cursor of this service.", field=field)


def timeline_key(cursor: str | None, subject: str) -> tuple[date, int] | None:
    """(shown_on, offset) in a cursor of a subject's timeline. Raises ``Problem`` 422."""
    key = cursor_key(cursor, {"subject": subject}, 2)
    if key is None:
        return None
    try:
        day, offset = date.fromisoformat(key[0]), int(key[1])
        if not 0 <= offset < 2**63:
            raise ValueError("offset")
    except ValueError:
        raise _not_a_cursor("cursor") from None
    return day, offset
