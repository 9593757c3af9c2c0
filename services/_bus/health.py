"""What every service answers to those who look after it: ``/livez``, ``/readyz``, and the page of its interface."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Readiness(BaseModel):
    """``reasons``: why the service is not ready; empty where it is."""

    ready: bool
    reasons: list[str]


def describe_at_root(app: FastAPI) -> None:
    """Give the OpenAPI page at ``/openapi.json`` too, where tools look for it."""

    async def page(_: Request) -> Response:
        return JSONResponse(app.openapi())

    app.add_route("/openapi.json", page, include_in_schema=False)
