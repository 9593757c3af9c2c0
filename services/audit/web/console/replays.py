"""Replays of an interval on demand, with how far they are, and the nightly runs on record."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, Path, Request
from starlette.responses import RedirectResponse, Response

from schemas.topics import PARTITIONS
from services._bus.problems import Problem
from services.audit.asked_replays import Busy, Replays
from services.audit.domain.interval import Interval
from services.audit.web.console.base import Auditor, Desk, lang_of

NIGHTS = 14
_MOST_BYTES = 4_000
_REFRESH_S = 2


def wanted(body: bytes, zone: ZoneInfo) -> tuple[date, date, Interval, list[int]]:
    """A form's fields: first and last day, and partitions. Raises ``Problem`` 422."""
    try:
        given = parse_qs(body.decode("ascii"), max_num_fields=PARTITIONS + 4)
        first, last = (date.fromisoformat(given[name][0]) for name in ("first", "last"))
        start, end = (int(datetime.combine(day, time(), zone).timestamp() * 1000) for day in (first, last + timedelta(days=1)))
    except (ValueError, KeyError, IndexError, OverflowError):
        zh, en = "请给出起止两日，如 2026-01-01。", "Give a first and a last day, such as 2026-01-01."
        raise Problem(422, "days", zh=zh, en=en, field="first") from None
    if last < first:
        raise Problem(422, "days", zh="最后一日早于第一日。请调换。", en="The last day is before the first. Swap them.", field="last")
    try:
        partitions = sorted({int(one) for one in given.get("partition", ())}) or list(range(PARTITIONS))
        if not all(0 <= one < PARTITIONS for one in partitions):
            raise ValueError("no such partition")
    except ValueError:
        zh, en = f"分区是 0 至 {PARTITIONS - 1}。", f"Partitions are 0 to {PARTITIONS - 1}."
        raise Problem(422, "partition", zh=zh, en=en, field="partition") from None
    return first, last, Interval(start, end), partitions


def add(app: FastAPI, desk: Desk, replays: Replays, auditor: Auditor) -> None:
    """The routes."""
    zone = ZoneInfo(desk.time_zone)

    @app.get("/replay", include_in_schema=False, dependencies=[Depends(auditor)])
    async def page(request: Request) -> Response:
        last = desk.closed_through()
        return desk.pages.render(
            request,
            "console/replay.html",
            nights=await desk.reader.runs(NIGHTS),
            asked=list(reversed(replays.kept)),
            partitions=range(PARTITIONS),
            last=last,
            first=last - timedelta(days=365) if last else None,
            signed_in=True,
        )

    @app.post("/replay", include_in_schema=False, dependencies=[Depends(auditor)])
    async def start(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                raise Problem(413, "too-long", zh="表单过长。", en="The form is too long.")
        first, last, interval, partitions = wanted(body, zone)
        try:
            asked = replays.start(first, last, interval, partitions)
        except Busy:
            zh, en = "已有一次重算在进行。请等它结束。", "A replay is going on. Wait until it has ended."
            raise Problem(409, "replay-busy", zh=zh, en=en) from None
        return RedirectResponse(f"/replay/{asked.number}?lang={lang_of(request)}", 303, headers={"Cache-Control": "no-store"})

    @app.get("/replay/{number}", include_in_schema=False, dependencies=[Depends(auditor)])
    async def one(request: Request, number: Annotated[int, Path(ge=1, le=10**9)]) -> Response:
        asked = replays.one(number)
        if asked is None:
            zh = "没有这次重算：只保留服务启动以来最近的几次。"
            en = "There is no such replay: only the newest since the service started are kept."
            raise Problem(404, "no-replay", zh=zh, en=en)
        response = desk.pages.render(request, "console/replay_one.html", asked=asked, signed_in=True)
        if asked.running:
            response.headers["Refresh"] = str(_REFRESH_S)
        return response
