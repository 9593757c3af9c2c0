"""Findings with filters: those that did most first, or the newest."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import Response

from services._bus.problems import Problem
from services.audit.adapters.console_reader import After, Wanted
from services.audit.domain.findings import event_of
from services.audit.web.console.base import STATES, Auditor, Desk, Link, State, lang_of, to
from services.audit.web.console.words import ABOUT, pick

# So many findings are a page below 30 KB.
PAGE = 20
OFFICES = 12
Office = Annotated[str | None, Query(max_length=120, pattern=r"^[a-z0-9/-]*$")]
Kind = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]*$")]
About = Annotated[Literal["entry", "office", "pattern", "operation", ""] | None, Query()]
Officer = Annotated[str | None, Query(max_length=120, pattern=r"^(officer:[A-Za-z0-9._:-]+)?$")]
Subject = Annotated[str | None, Query(max_length=120, pattern=r"^([a-z]{2,10}:[A-Za-z0-9._:-]+)?$")]
Wish = Annotated[State | Literal[""] | None, Query()]
Sort = Annotated[Literal["gravest", "newest"], Query()]
Cursor = Annotated[str | None, Query(max_length=80, pattern=r"^[A-Za-z0-9_-]*$")]


def cursor(row: Mapping[str, Any]) -> str:
    """Where a page ends."""
    ends = [-1 if row[name] is None else row[name] for name in ("most", "least")]
    text = ".".join(map(str, [*ends, row["sequence"]]))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def after(text: str) -> After:
    """A page's cursor. Raises ``Problem`` 422."""
    try:
        most, least, sequence = map(int, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split("."))
        if not (-1 <= most < 2**31 and -1 <= least < 2**31 and 0 <= sequence < 2**63):
            raise ValueError("no place that a page can end at")
    except (ValueError, binascii.Error, UnicodeDecodeError):
        zh, en = "游标无效：请用上一页给出的链接。", "The cursor is not ours: follow a page's link to the next one."
        raise Problem(422, "cursor", zh=zh, en=en, field="after") from None
    return After(most, least, sequence)


def by_state(wanted: Wanted, state: str | None, standings: Mapping[str, State]) -> Wanted:
    """The filter for a state; without one, all that stand. A cleared matter counts as one only where it is asked for by its state."""
    if state in ("hearing", "confirmed", "cleared"):
        return replace(wanted, within=[matter for matter, one in standings.items() if one == state])
    if state == "open":
        return replace(wanted, without=list(standings))
    if state == "retracted":
        return replace(wanted, retracted=True)
    return replace(wanted, without=[matter for matter, one in standings.items() if one == "cleared"])


class Listed:
    """A finding as the list shows it."""

    def __init__(self, row: Mapping[str, Any], desk: Desk, lang: str) -> None:
        event = event_of(row["value"])
        self.data: Mapping[str, Any] = event["data"]
        self.id: str = event["id"]
        self.href = to(f"/findings/{self.id}", lang)
        self.kind = desk.words.kind(self.data["kind"], lang)
        self.entry = desk.words.event(self.data.get("event_type"), lang)
        self.late: Mapping[str, Any] | None = self.data.get("late")
        self.office: str | None = row["office"]
        self.subject: str | None = row["subject"]
        self.least, self.most = row["least"], row["most"]
        self.state = desk.state_of(row["about_matter"], row["retracted"])
        self.state_name = pick(STATES, self.state, lang)
        self.detail: str = self.data["detail_zh" if lang == "zh" else "detail_en"]
        self.outages = desk.outages(row["regime"], dict(self.data))

    @property
    def days(self) -> tuple[str, str, str]:
        """Day 0, deadline, day of entry. Only where ``late`` is given."""
        assert self.late is not None
        return self.late["day_zero"], self.late["deadline"], self.late["entered_on"]

    @property
    def share(self) -> float:
        """The term's share of the days from day 0 to the entry, in per cent, so that both parts can be seen."""
        first, deadline, entered = map(date.fromisoformat, self.days)
        return min(96.0, max(4.0, round(100 * (deadline - first).days / (entered - first).days, 1)))


async def gravest_late(desk: Desk) -> dict[str, Any] | None:
    """Of the late entries the one that made most days wrong."""
    wanted = by_state(Wanted(kind="late_entry"), None, desk.standings())
    return next(iter(await desk.reader.page(wanted, gravest=True, after=None, limit=1)), None)


def add(app: FastAPI, desk: Desk, auditor: Auditor) -> None:
    """The route."""

    @app.get("/findings", include_in_schema=False, dependencies=[Depends(auditor)])
    async def findings(
        request: Request,
        kind: Kind = None,
        about: About = None,
        office: Office = None,
        officer: Officer = None,
        subject: Subject = None,
        state: Wish = None,
        sort: Sort = "gravest",
        after_: Annotated[str | None, Query(alias="after", max_length=80, pattern=r"^[A-Za-z0-9_-]*$")] = None,
    ) -> Response:
        lang = lang_of(request)
        chosen = {"kind": kind, "about": about, "office": office, "officer": officer, "subject": subject, "state": state}
        given = {name: value or None for name, value in chosen.items()}
        standings = desk.standings()
        wanted = by_state(
            Wanted(**{name: given[name] for name in ("kind", "about", "office", "officer", "subject")}), given["state"], standings
        )
        rows = await desk.reader.page(wanted, gravest=sort == "gravest", after=after(after_) if after_ else None, limit=PAGE + 1)
        kinds = await desk.reader.counts(
            by_state(replace(wanted, kind=None, about=None, within=None, without=None, retracted=False), given["state"], standings)
        )
        following = cursor(rows[PAGE - 1]) if len(rows) > PAGE else None
        link = Link("/findings", lang, given | {"sort": None if sort == "gravest" else sort})
        names = [(name, pick(ABOUT, name, lang)) for name in ABOUT if any(one == name for _, one, _ in kinds)]
        return desk.pages.render(
            request,
            "console/findings.html",
            findings=[Listed(row, desk, lang) for row in rows[:PAGE]],
            kinds=[(name, desk.words.kind(name, lang), of, count) for name, of, count in kinds],
            abouts=names,
            offices=await desk.reader.offices(replace(wanted, office=None), OFFICES),
            states=[(name, pick(STATES, name, lang)) for name in get_args(State)],
            chosen=given,
            filtered=any(given.values()),
            sort=sort,
            link=link,
            following=following,
            signed_in=True,
        )
