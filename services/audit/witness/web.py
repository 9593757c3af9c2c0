"""The addresses of a witness: tlog-witness's two, and what those who look after it ask."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from services._bus.health import Readiness, describe_at_root
from services.audit.witness.domain.judging import Refused
from services.audit.witness.domain.request import MAX_BODY_BYTES
from services.audit.witness.handlers import Witness
from services.audit.witness.ports import StateLost
from services.audit.witness.state import name_of

log = logging.getLogger("mingjian.witness")

SIZE = "text/x.tlog.size"
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {}}},
    400: {"description": "Not a request of this protocol"},
    403: {"description": "The log did not sign the checkpoint"},
    404: {"description": "No log of that origin is followed"},
    409: {"description": "Not what the witness has", "content": {SIZE: {}}},
    422: {"description": "The proof does not lead to the checkpoint"},
    500: {"description": "The witness could not keep it, or lost what it kept"},
}


class FollowedLog(BaseModel):
    """``cosigned_at``: seconds since 1970; null before the first. ``lost``: why nothing is cosigned for it; null where all is well."""

    origin: str
    vkey: str
    size: int | None
    root: str | None
    cosigned_at: int | None
    lost: str | None


class WitnessState(BaseModel):
    """Who it is and how far it has followed."""

    name: str
    vkey: str
    logs: list[FollowedLog]


def create_app(witness: Witness) -> FastAPI:
    """The application."""
    app = FastAPI(
        title="Mingjian witness",
        version="1",
        description="Cosigns what provably continues the logs that it follows (C2SP tlog-witness).",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    describe_at_root(app)
    _protocol(app, witness)

    @app.get("/livez", tags=["health"], response_model=Readiness)
    async def livez() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"ready": True, "reasons": []})

    @app.get("/readyz", tags=["health"], response_model=Readiness, responses={503: {"model": Readiness, "description": "Not ready"}})
    async def readyz() -> JSONResponse:
        """What it keeps of every log is whole."""
        found = await asyncio.to_thread(state_of, witness)
        reasons = [one.lost for one in found.logs if one.lost]
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @app.get("/status", tags=["health"], response_model=WitnessState)
    async def status() -> WitnessState:
        """Its key and, for each log, the checkpoint cosigned last."""
        return await asyncio.to_thread(state_of, witness)

    return app


def state_of(witness: Witness) -> WitnessState:
    """As it stands on the disk now."""
    logs = []
    for origin, vkey in witness.logs.items():
        try:
            kept = witness.kept(origin)
        except StateLost as error:
            logs.append(FollowedLog(origin=origin, vkey=vkey.text, size=None, root=None, cosigned_at=None, lost=str(error)))
            continue
        root = base64.b64encode(kept.latest.root).decode()
        logs.append(FollowedLog(origin=origin, vkey=vkey.text, size=kept.latest.size, root=root, cosigned_at=kept.seconds, lost=None))
    return WitnessState(name=witness.key.name, vkey=witness.key.text, logs=logs)


async def _body(request: Request) -> bytes:
    """At most a byte more than is taken: whoever sends without end is answered, not read."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > MAX_BODY_BYTES:
            break
    return data


def _protocol(app: FastAPI, witness: Witness) -> None:
    @app.post("/add-checkpoint", tags=["witness"], response_class=PlainTextResponse, responses=_TEXT)
    async def add_checkpoint(request: Request) -> Response:
        """Cosign a checkpoint that continues the one cosigned before: `old N`, the proof's hashes, a blank line, the checkpoint."""
        body = await _body(request)
        try:
            line = await asyncio.to_thread(witness.add_checkpoint, body)
        except Refused as refused:
            if refused.size is None:
                return PlainTextResponse(f"{refused.words}\n", refused.status)
            # The media type alone, as the protocol has it: Starlette would add a charset.
            return Response(f"{refused.size}\n", refused.status, headers={"content-type": SIZE})
        except (StateLost, OSError) as error:
            log.critical("not cosigned: %s", error)
            return PlainTextResponse("the witness can't keep it just now\n", 500)
        return Response(line, media_type="text/plain; charset=utf-8")

    @app.get(
        "/{log_name}/checkpoint", tags=["witness"], response_class=PlainTextResponse, responses={one: _TEXT[one] for one in (200, 404, 500)}
    )
    async def latest(log_name: str) -> Response:
        """The checkpoint cosigned last, of the log whose origin has this SHA-256 in hex."""
        origin = next((one for one in witness.logs if name_of(one) == log_name), None)
        if origin is None:
            return PlainTextResponse("no such log is followed\n", 404)
        try:
            note = (await asyncio.to_thread(witness.kept, origin)).note
        except StateLost as error:
            return PlainTextResponse(f"{error}\n", 500)
        if note is None:
            return PlainTextResponse("nothing was cosigned for it yet\n", 404)
        headers = {"cache-control": "no-cache", "access-control-allow-origin": "*"}
        return Response(note, media_type="text/plain; charset=utf-8", headers=headers)
