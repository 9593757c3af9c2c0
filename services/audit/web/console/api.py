"""The same for programs: findings with what they did, one finding with its effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel
from starlette.responses import Response

from services._bus.problems import described
from services.audit.adapters.console_reader import Wanted
from services.audit.domain.consequence import as_it_stands
from services.audit.domain.findings import event_of
from services.audit.web.console.base import Auditor, Desk, Id, State, wanted_finding
from services.audit.web.console.hearings import Board
from services.audit.web.console.listing import About, Kind, Office, Officer, Subject, Wish, after, by_state, cursor
from services.audit.web.shapes import FindingItem


class GraveFinding(FindingItem):
    """``least``, ``most``: days with a wrong grade shown, null where no effect was worked out (yet); ``state``: of its matter."""

    state: State
    least: int | None
    most: int | None


class GravePage(BaseModel):
    """A page; ``next`` is null on the last one."""

    findings: list[GraveFinding]
    next: str | None


class FindingWhole(FindingItem):
    """``effects``: the events ``finding.assessed`` that stand of its matter, for each whose grades they are about and each regime one,
    those on the entry's subject first; ``consequences``: of each, in their order, what the rules would have as the hearing stands since:
    nothing where that cleared."""

    state: State
    effects: list[dict[str, Any]]
    consequences: list[dict[str, Any]]


def add(app: FastAPI, desk: Desk, board: Board, auditor: Auditor) -> None:
    """The routes."""
    inward = [Depends(auditor)]

    def item(row: Mapping[str, Any]) -> dict[str, Any]:
        event = event_of(row["value"])
        beside = {name: row[name] for name in ("subject", "regime", "superseded")}
        state = desk.state_of(row["about_matter"], row["retracted"])
        cleared = {"cleared": state == "cleared", "state": state}
        return beside | {"outages": desk.outages(row["regime"], event["data"]), "event": event} | cleared

    @app.get(
        "/api/v1/findings/gravest",
        tags=["findings"],
        response_model=GravePage,
        responses=described(401, 403, 422, 503),
        dependencies=inward,
    )
    async def gravest(
        kind: Kind = None,
        about: About = None,
        office: Office = None,
        officer: Officer = None,
        subject: Subject = None,
        state: Wish = None,
        after_: Annotated[str | None, Query(alias="after", max_length=80, pattern=r"^[A-Za-z0-9_-]*$")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> Response:
        """Findings that stand, those with most days of a wrong grade first. `next` is the cursor of the following page."""
        named = Wanted(kind=kind or None, about=about or None, office=office or None, officer=officer or None, subject=subject or None)
        wanted = by_state(named, state or None, desk.standings())
        rows = await desk.reader.page(wanted, gravest=True, after=after(after_) if after_ else None, limit=limit + 1)
        found = [item(row) | {"least": row["least"], "most": row["most"]} for row in rows[:limit]]
        return _json({"findings": found, "next": cursor(rows[limit - 1]) if len(rows) > limit else None})

    @app.get(
        "/api/v1/findings/{id}",
        tags=["findings"],
        response_model=FindingWhole,
        responses=described(401, 403, 404, 422, 503),
        dependencies=inward,
    )
    async def one(id: Id) -> Response:
        """A finding, whether it stands or not, with the newest effects of its matter."""
        row = await wanted_finding(desk, id)
        effects = [event_of(each["value"]) for each in await desk.reader.effects(row["about_matter"])]
        word = board.word(row["about_matter"])
        consequences = [as_it_stands(each["data"]["consequence"], word) for each in effects]
        return _json(item(row) | {"effects": effects, "consequences": consequences})


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})
