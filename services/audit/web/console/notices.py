"""How the hearing on a finding is begun: the commands, and the notice filled in, to download. Nothing here enters anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from starlette.responses import Response

from services._bus.problems import Problem
from services.audit.domain.findings import event_of
from services.audit.domain.notices import (
    Decided,
    NoNotice,
    Notice,
    check_may_begin,
    day_of_notice,
    heard_by_finding,
    notice,
    office_of,
    proposes_hearing,
)
from services.audit.web.console.base import Auditor, Desk, Id, to, wanted_finding
from services.audit.web.console.hearings import Board

Who = Annotated[str | None, Query(max_length=120)]


@dataclass(frozen=True)
class Begin:
    """How one officer or office is notified. ``write``, ``send``: commands; ``href``: of the notice filled in."""

    who: str
    write: str
    send: str
    href: str


async def how_to_begin(desk: Desk, board: Board, row: Mapping[str, Any], lang: str) -> dict[str, Any] | None:
    """For the page of a finding that stands, leads to a hearing and of which nobody was notified; else None."""
    data, matter = event_of(row["value"])["data"], row["about_matter"]
    heard = heard_by_finding(data)
    if desk.state_of(matter, row["retracted"]) != "open" or not proposes_hearing(data) or not heard:
        return None
    made = await _made(desk, board, row, heard[0])
    return {
        "each": [_begin(row["id"], who, lang, alone=len(heard) == 1) for who in heard],
        "basis": made.basis[0 if lang == "zh" else 1],
        "hearing": f"mingjian hearing {row['id']}",
        "open": [f"data.{one}" for one in made.open],
    }


def _begin(finding: str, who: str, lang: str, *, alone: bool) -> Begin:
    file, auditor = _file(who, alone=alone), "审计员代号" if lang == "zh" else "AUDITOR"
    chosen = "" if alone else f" --officer {who}"
    return Begin(
        who,
        f"mingjian notice {finding}{chosen} --to {file}",
        f"mingjian sign {file} --officer {auditor} | mingjian send",
        f"{to(f'/findings/{finding}/notice', lang)}&who={who}",
    )


def _file(who: str, *, alone: bool) -> str:
    """The same name in the commands and for the download."""
    return "notice.json" if alone else f"notice-{who.rpartition(':')[2].rpartition('/')[2]}.json"


async def _made(desk: Desk, board: Board, row: Mapping[str, Any], who: str) -> Notice:
    """The notice to ``who`` as it would be served today. Raises ``NoNotice``."""
    event, matter = event_of(row["value"]), row["about_matter"]
    served = day_of_notice(desk.today(), desk.closed_through())
    check_may_begin(matter, who, board.part(matter, who), served, retracted=row["retracted"])
    term = board.reply_term(row["regime"], served, await desk.reader.calendar())
    return notice(event, matter, who, term, Decided(served))


def add(app: FastAPI, desk: Desk, board: Board, auditor: Auditor) -> None:
    """The route."""

    @app.get("/findings/{id}/notice", include_in_schema=False, dependencies=[Depends(auditor)])
    async def filled_in(id: Id, who: Who = None) -> Response:
        row = await wanted_finding(desk, id)
        if row["superseded"]:
            history = await desk.reader.of_matter(row["about_matter"])
            row = await wanted_finding(desk, next((one["id"] for one in history if not one["superseded"]), id))
        data = event_of(row["value"])["data"]
        may = dict.fromkeys([*heard_by_finding(data), *office_of(data)])
        chosen = who if who is not None else next(iter(may), None)
        if chosen is None or chosen not in may:
            zh = "这一发现不涉及该人员或部门。发现的页面列出可告知的对象。"
            en = "The finding does not concern that officer or office. The finding's page lists who can be notified."
            raise Problem(404, "nobody-concerned", zh=zh, en=en)
        try:
            made = await _made(desk, board, row, chosen)
        except NoNotice as refused:
            raise Problem(409, "no-notice", zh=f"{refused.zh}。", en=f"{refused.en}.") from None
        body = json.dumps(made.event, ensure_ascii=False, indent=2) + "\n"
        named = f'attachment; filename="{_file(chosen, alone=[chosen] == [*heard_by_finding(data)])}"'
        return Response(body, media_type="application/json", headers={"Content-Disposition": named, "Cache-Control": "no-store"})
