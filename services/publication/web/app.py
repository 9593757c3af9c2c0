"""The application: API, pages, static files, probes, errors. Everything it needs comes as an argument."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from fastapi import FastAPI
from psycopg_pool import PoolTimeout
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from services._bus.health import describe_at_root
from services._bus.problems import Problem, install
from services.publication.adapters.neighbours import Neighbours
from services.publication.adapters.postgres_reader import PostgresReader
from services.publication.adapters.sample_town import SampleTown
from services.publication.web import api_routes, probes
from services.publication.web.answering import Tags
from services.publication.web.known_routes import Times
from services.publication.web.middleware import Headers, Heads
from services.publication.web.pages import Pages
from services.publication.web.portal import Asset, Portal
from services.publication.web.sample_routes import SampleButton
from services.publication.web.stream import Hub
from services.publication.web.words import N_

log = logging.getLogger(__name__)

_DESCRIPTION = """Grades, lists and their reasons, free to read from any site without a key. Answers are as of now, as known now,
unless they are asked `as_of` a civil day and as `known_at` an instant: on a subject, its grades and their history, on the page of
grades and on a list. An answer to a `known_at` in the past never changes: what is entered later shows from its own instant on only.
While a stay of an act runs, by the stack's clock, no answer tells a grade that rests on the act, of whatever day and instant: `grade` is
null, `status` is `publication_suspended` and `suspended` says since when, until when and by which event. Afterwards it is told again.
A day or an instant that is still to come is answered 422, with the last one that can be asked. Where nothing was known yet,
`unanswered` says why. Unknown and repeated query parameters are answered 422 too, so that a misspelt filter never widens an answer."""


_TITLES = {
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not allowed"),
    422: N_("Not understood"),
    429: N_("Too often"),
}
_UNAVAILABLE = N_("Not available just now")


@dataclass(frozen=True)
class Parts:
    """What the application is put together from.

    ``edition``: of code and rulebooks; ``ready``: whether to serve, and why; ``status``: what ``/status`` tells."""

    reader: PostgresReader
    portal: Portal
    neighbours: Neighbours
    hub: Hub
    town: SampleTown | None
    now_ms: Callable[[], int]
    today: Callable[[str], date]
    edition: str
    ready: Callable[[], tuple[bool, str]]
    status: Callable[[], dict[str, Any]]
    lifespan: Callable[[], Any]


class _Application(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        """The headers go round everything, so that the answer to a fault carries them too."""
        return Headers(Heads(super().build_middleware_stack()))


def create_app(parts: Parts) -> FastAPI:
    """The ASGI application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with parts.lifespan():
            yield

    app = _Application(
        title="Mingjian publication",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    times = Times(parts.reader, parts.portal.vocabulary, Tags(parts.edition, parts.portal.vocabulary.norms.mark), parts.now_ms)
    app.include_router(api_routes.router(times, parts.hub))
    describe_at_root(app)
    app.include_router(probes.router(parts.reader, parts.hub, parts.ready, parts.status))
    town = parts.town
    button = (lambda: town.inhabited) if town else (lambda: False)
    pages = Pages(parts.reader, parts.portal, parts.neighbours, parts.now_ms, button=button, times=times)
    routes = pages.routes() + _static(parts.portal)
    if town:
        routes.append(SampleButton(town, parts.portal, parts.today).route())
    app.router.routes.extend(routes)
    _errors(app, parts)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    return app


def _static(portal: Portal) -> list[Route]:
    def route(asset: Asset) -> Route:
        async def serve(_: Request) -> Response:
            return Response(asset.body, media_type=asset.media_type, headers={"cache-control": "public, max-age=31536000, immutable"})

        return Route(asset.href, serve)

    async def favicon(_: Request) -> Response:
        icon = portal.assets["mark.svg"]
        return Response(icon.body, media_type=icon.media_type, headers={"cache-control": "public, max-age=86400"})

    return [*map(route, portal.assets.values()), Route("/favicon.ico", favicon)]


def _errors(app: FastAPI, parts: Parts) -> None:
    def page(request: Request, problem: Problem) -> Response | None:
        """JSON for the API and for scripts, a page for people."""
        if request.url.path.startswith("/api/") or "application/json" in request.headers.get("accept", ""):
            return None
        lang = parts.portal.language(request)
        heading = parts.portal.translate(lang)(_TITLES.get(problem.status, _UNAVAILABLE))
        detail = problem.zh if lang == "zh" else problem.en
        return parts.portal.render(request, "error.html", None, status=problem.status, code=problem.status, title=heading, detail=detail)

    respond = install(app, page=page, language=parts.portal.language)

    async def on_database(request: Request, error: Exception) -> Response:
        log.warning("database: %s", type(error).__name__)
        zh, en = "数据库暂时无法回答，请稍后再试。", "The database can't answer just now; try again in a moment."
        return await respond(request, Problem(503, "database", zh=zh, en=en, headers={"retry-after": "2"}))

    app.add_exception_handler(psycopg.Error, on_database)
    app.add_exception_handler(PoolTimeout, on_database)
