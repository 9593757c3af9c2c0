"""The published files of the log as they stand: checkpoint, tiles, entry bundles (C2SP tlog-tiles, "Serving").

A full tile never changes: it may be kept for ever. A partial one has its width in its name and never changes either, but it goes once
the full one is there, so it is kept for a short while. The checkpoint is asked for again each time; an ``ETag`` makes that cheap.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from services._bus.problems import Problem, described
from services.audit.domain.tiles import bundle_path, is_tile_path
from services.audit.proving import ReadFile
from services.audit.web.session import Session

FOR_EVER = "public, max-age=31536000, immutable"
SHORTLY = "public, max-age=60"
EACH_TIME = "no-cache"
# Bundles hold what is not public: no shared cache may have them.
OWN_FOR_EVER = "private, max-age=31536000, immutable"
OWN_SHORTLY = "private, max-age=60"
_TEXT = "text/plain; charset=utf-8"
_OCTETS = "application/octet-stream"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENTRIES = bundle_path(0).rsplit("/", 1)[0] + "/"


def add_files(app: FastAPI, read_file: ReadFile, auditor: Callable[..., Session]) -> None:
    """The routes. ``auditor``: a dependency that lets auditors through."""

    async def file(request: Request, path: str, media: str, caching: str) -> Response:
        data = await asyncio.to_thread(read_file, path)
        if data is None:
            raise Problem(404, "not-found", zh="日志中没有这个文件。", en="The log has no such file.")
        etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        headers = {"Cache-Control": caching, "ETag": etag, "Access-Control-Allow-Origin": "*"}
        if _matches(request.headers.get("if-none-match", ""), etag):
            return Response(None, 304, headers=headers)
        return Response(data, media_type=media, headers=headers)

    text: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}, 304: {"description": "As it was"}}
    octets: dict[int | str, dict[str, Any]] = {200: {"content": {_OCTETS: {}}}, 304: {"description": "As it was"}}

    @app.get("/checkpoint", tags=["log"], response_class=Response, responses=text | described(404))
    async def checkpoint(request: Request) -> Response:
        """The signed checkpoint (C2SP tlog-checkpoint)."""
        return await file(request, "checkpoint", _TEXT, EACH_TIME)

    secret, theirs = [Depends(auditor)], octets | described(401, 403, 404, 422)

    @app.get("/tile/entries/{path:path}", tags=["log"], response_class=Response, responses=theirs, dependencies=secret)
    async def entries(request: Request, path: str) -> Response:
        """An entry bundle (C2SP tlog-tiles). Entries are whole records, findings among them: for auditors."""
        return await file(request, _tile(f"{_ENTRIES}{path}"), _OCTETS, OWN_SHORTLY if _partial(path) else OWN_FOR_EVER)

    @app.get("/oversize/{beginning}/{name}", tags=["log"], response_class=Response, responses=theirs, dependencies=secret)
    async def oversize(request: Request, beginning: str, name: str) -> Response:
        """The frame of a record too long for an entry, by its SHA-256: a whole record, so for auditors."""
        if not _SHA256.fullmatch(name) or beginning != name[:2]:
            raise Problem(404, "not-found", zh="没有这样的路径。", en="No file of a log has this path.")
        return await file(request, f"oversize/{beginning}/{name}", _OCTETS, OWN_FOR_EVER)

    @app.get("/tile/{path:path}", tags=["log"], response_class=Response, responses=octets | described(404, 422))
    async def tile(request: Request, path: str) -> Response:
        """A tile of hashes (C2SP tlog-tiles): `{L}/{N}[.p/{W}]`."""
        return await file(request, _tile(f"tile/{path}"), _OCTETS, SHORTLY if _partial(path) else FOR_EVER)


def _partial(path: str) -> bool:
    return ".p/" in path


def _tile(path: str) -> str:
    """The path, which no other file of the machine has. Raises ``Problem`` 404."""
    if not is_tile_path(path):
        raise Problem(404, "not-found", zh="没有这样的瓦片路径。", en="No tile has this path.")
    return path


def _matches(given: str, etag: str) -> bool:
    named = [one.strip().removeprefix("W/") for one in given[:2_000].split(",")]
    return etag in named or "*" in named
