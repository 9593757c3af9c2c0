"""Scans: which detector went over what and when, with hits or none. No selective enforcement."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import Response

from services.audit.domain.findings import event_of
from services.audit.web.console.base import Auditor, Desk, Link, lang_of
from services.audit.web.console.listing import Kind

PAGE = 40


def add(app: FastAPI, desk: Desk, auditor: Auditor) -> None:
    """The route."""

    @app.get("/scans", include_in_schema=False, dependencies=[Depends(auditor)])
    async def scans(
        request: Request,
        kind: Kind = None,
        after: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    ) -> Response:
        lang, kind = lang_of(request), kind or None
        rows = await desk.reader.scans(kind=kind, after=after, limit=PAGE + 1)
        ran = [event_of(row["value"])["data"] for row in rows[:PAGE]]
        named = [dict(one) | {"name": desk.words.kind(one["detector"], lang)} for one in ran]
        by_kind = {row["kind"]: row for row in await desk.reader.detectors()}
        return desk.pages.render(
            request,
            "console/scans.html",
            detectors=[_detector(desk, name, by_kind.get(name), lang) for name in sorted({*desk.words.declared, *by_kind})],
            scans=[(day, list(some)) for day, some in groupby(named, key=lambda one: one["through"])],
            kind=kind,
            name=desk.words.kind(kind, lang) if kind else None,
            following=str(rows[PAGE - 1]["sequence"]) if len(rows) > PAGE else None,
            link=Link("/scans", lang, {"kind": kind}),
            signed_in=True,
        )


def _detector(desk: Desk, kind: str, row: Mapping[str, Any] | None, lang: str) -> dict[str, Any]:
    """What a detector says of itself, and what its runs came to. A detector that is gone has its runs all the same."""
    declared = desk.words.declared.get(kind)
    runs = dict(row) if row else {"runs": 0, "hits": 0, "looked_at": 0, "first": None, "through": None, "alpha": None}
    said = {
        "kind": kind,
        "name": desk.words.kind(kind, lang),
        "clause": declared.clause if declared else None,
        "period": declared.period if declared else None,
        "version": declared.version if declared else None,
        "proposes": declared.proposes if declared else None,
    }
    return (
        said | {name: int(runs[name] or 0) for name in ("runs", "hits", "looked_at")} | {n: runs[n] for n in ("first", "through", "alpha")}
    )
