"""The HTTP side: log files, the log's state, findings for auditors. Reads only; everything it needs is in ``Parts``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import psycopg
from fastapi import Cookie, Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from services._bus.health import Readiness, describe_at_root
from services._bus.problems import Problem, described, install, language
from services.audit.adapters.finding_reader import FindingReader
from services.audit.proving import ReadFile
from services.audit.web.console.app import Console
from services.audit.web.console.base import OutagesOf
from services.audit.web.files import add_files
from services.audit.web.leaves import Leaves
from services.audit.web.pages import Pages
from services.audit.web.proofs import Proofs
from services.audit.web.session import COOKIE, LIFETIME_S, Session, Sessions, cursor_of, subject_cursor
from services.audit.web.shapes import FindingPage, LogState
from services.audit.web.status import Status

STATIC = Path(__file__).resolve().parent.parent / "static"
CONTENT_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
Office = Annotated[str | None, Query(max_length=120, pattern=r"^[a-z0-9/-]+$")]
Kind = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+$")]


@dataclass(frozen=True)
class Parts:
    """What the addresses are made of. ``read_file`` reads a file of the log by its path.

    ``public_url``: under which browsers reach this service; None: as they say. ``console``: pages of auditors."""

    read_file: ReadFile
    sessions: Sessions
    status: Status
    findings: FindingReader
    pages: Pages
    outages: OutagesOf
    leaves: Leaves
    proofs: Proofs
    public_url: str | None = None
    console: Console | None = None
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None


def _signed_in(request: Request, cookie: Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)] = None) -> Session:
    session = request.app.state.parts.sessions.read(cookie)
    if session is None:
        raise Problem(
            401,
            "session-missing",
            zh="此地址需要登录：用命令行取得的一次性地址进入（mingjian enter 给出）。",
            en="This address needs a session: come in by a one-time address from the command line (`mingjian enter` gives one).",
        )
    return session


def _auditor(session: Annotated[Session, Depends(_signed_in)]) -> Session:
    if session.role != "auditor":
        raise Problem(403, "role", zh="此地址只对审计员开放。", en="This address is for the role auditor.")
    return session


def create_app(parts: Parts) -> FastAPI:
    """The application."""
    app = FastAPI(
        title="Mingjian audit",
        version="1",
        description="The audit log of the register: checkpoint, tiles, state, and findings for auditors. Everything here is read only.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=parts.lifespan,
    )
    app.state.parts = parts
    respond = install(app, page=lambda request, problem: parts.pages.problem(request, problem) if _a_person(request) else None)

    async def on_database(request: Request, error: Exception) -> Response:
        zh, en = "数据库暂时无法应答，请稍后再试。", "The database can't answer just now; ask again in a moment."
        return await respond(request, Problem(503, "database", zh=zh, en=en, headers={"retry-after": "2"}))

    # Too many at once, too long a question, or none there: each passes. What else psycopg raises is a fault of ours.
    for passing in (psycopg.OperationalError, psycopg.InterfaceError):
        app.add_exception_handler(passing, on_database)
    describe_at_root(app)
    _health(app, parts)
    add_files(app, parts.read_file, _auditor)
    parts.leaves.add_to(app)
    parts.proofs.add_to(app)
    _findings(app, parts)
    _pages(app, parts)
    if parts.console is not None:
        parts.console.add_to(app, _auditor)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.middleware("http")
    async def _headers(request: Request, call_next: Callable[[Request], Any]) -> Response:
        response: Response = await call_next(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        return response

    return app


def _a_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _health(app: FastAPI, parts: Parts) -> None:
    @app.get("/livez", tags=["health"], response_model=Readiness)
    async def livez() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"ready": True, "reasons": []})

    @app.get("/readyz", tags=["health"], response_model=Readiness, responses={503: {"model": Readiness, "description": "Not ready"}})
    async def readyz() -> JSONResponse:
        """The log takes records and keeps up: judged by lag and by progress."""
        reasons = parts.status.reasons()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @app.get("/status", tags=["health"], response_model=LogState)
    @app.get("/api/v1/log", tags=["log"], response_model=LogState)
    async def state() -> JSONResponse:
        """Size, root and age of the checkpoint; position and lag of every partition."""
        return JSONResponse(await asyncio.to_thread(parts.status.state), headers={"Cache-Control": "no-store"})


def _findings(app: FastAPI, parts: Parts) -> None:
    @app.get("/api/v1/findings", tags=["findings"], response_model=FindingPage, responses=described(401, 403, 422, 503))
    async def findings(
        session: Annotated[Session, Depends(_auditor)],
        office: Office = None,
        kind: Kind = None,
        about: Annotated[str | None, Query(pattern=r"^(entry|operation)$")] = None,
        superseded: bool = False,
        after: Annotated[str | None, Query(max_length=40, pattern=r"^[A-Za-z0-9_-]+$")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> Response:
        """Findings in the order in which they were raised. `next` is the cursor of the following page."""
        try:
            start = subject_cursor(after) if after else 0
        except ValueError:
            raise Problem(422, "cursor", zh="游标无效：请用上一页的 next。", en="The cursor is not ours: use a page's `next`.") from None
        rows = await parts.findings.page(after=start, limit=limit + 1, office=office, kind=kind, about=about, superseded=superseded)
        more = len(rows) > limit
        body = {
            "findings": [finding_json(row, parts) for row in rows[:limit]],
            "next": cursor_of(rows[limit - 1]["sequence"]) if more else None,
        }
        return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})


def finding_json(row: dict[str, Any], parts: Parts) -> dict[str, Any]:
    """A finding as the API shows it: the event, and what stands beside it."""
    event = orjson.loads(bytes(row["value"]))["event"]
    beside = {name: row[name] for name in ("subject", "regime", "superseded")}
    matter = event["data"].get("matter") or event["id"]
    cleared = parts.console is not None and parts.console.board.word(matter).cleared
    return {**beside, "outages": parts.outages(row["regime"], event["data"]), "cleared": cleared, "event": event}


def _pages(app: FastAPI, parts: Parts) -> None:
    @app.get("/enter", tags=["session"], status_code=303, response_class=RedirectResponse, responses=described(403, 422))
    async def enter(request: Request, once: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
        """Turn a one-time address into a session."""
        session = await asyncio.to_thread(parts.sessions.enter, once)
        if session is None:
            raise Problem(
                403,
                "once",
                zh="此一次性地址无效、已用过或已过期。请用命令行 mingjian enter 再取一个。",
                en="This one-time address is unknown, used or too old. `mingjian enter` prints another one.",
            )
        response = RedirectResponse("/findings", 303, headers={"Cache-Control": "no-store"})
        # Behind a gateway that ends TLS the request itself comes in plain: the public address says what the browser sees.
        secure = parts.public_url.startswith("https:") if parts.public_url else request.url.scheme == "https"
        response.set_cookie(COOKIE, parts.sessions.cookie(session), max_age=LIFETIME_S, httponly=True, samesite="strict", secure=secure)
        return response

    @app.post("/leave", tags=["session"], status_code=303, response_class=RedirectResponse, responses=described(401))
    async def leave(session: Annotated[Session, Depends(_signed_in)]) -> Response:
        """End the session of this browser. Another site can't: its requests come without the cookie."""
        response = RedirectResponse("/", 303, headers={"Cache-Control": "no-store"})
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    @app.get("/", include_in_schema=False)
    async def start(request: Request) -> Response:
        state = await asyncio.to_thread(parts.status.state)
        session = parts.sessions.read(request.cookies.get(COOKIE))
        auditing = session is not None and session.role == "auditor" and parts.console is not None
        gravest = await parts.console.gravest(language(request)) if auditing and parts.console else None
        return parts.pages.log(request, state, session, gravest)
