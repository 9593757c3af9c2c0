"""Where a record stands in the log: its leaf, and the proof that leads to the checkpoint. For anyone: hashes tell no content."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import JSONResponse, Response

from schemas.topics import LOGGED_TOPICS
from services._bus.problems import Problem, described
from services.audit.adapters.places import PlaceReader
from services.audit.domain.note import VerifierKey
from services.audit.proving import NotPublished, ProvedLeaf, event_hash_of, prove, published_size
from services.audit.web.pages import Pages
from services.audit.web.shapes import LeafState

OPEN = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
_MOST = 2**53 - 1

Index = Annotated[int, Path(ge=0, le=_MOST, description="the leaf's index")]
Topic = Annotated[str, Path(max_length=80, pattern=r"^mingjian\.[a-z]+\.v[0-9]+$")]
Partition = Annotated[int, Path(ge=0, le=1023)]
Offset = Annotated[int, Path(ge=0, le=_MOST)]
EventHash = Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$", description="hex SHA-256 of the event's canonical bytes")]


class Leaves:
    """``read_file`` reads a file of the log by its path."""

    def __init__(self, *, places: PlaceReader, read_file: Callable[[str], bytes | None], log: VerifierKey, pages: Pages) -> None:
        self._places, self._read, self._log, self._pages = places, read_file, log, pages

    async def find(self, topic: str, partition: int, offset: int) -> int:
        """Raises ``Problem`` 404."""
        known = {one.name for one in LOGGED_TOPICS}
        # No partition has more records than the log has leaves: what lies beyond is not asked of the database.
        there = topic in known and offset < await asyncio.to_thread(published_size, self._read, self._log)
        index = await self._places.leaf(topic, partition, offset) if there else None
        if index is None:
            raise Problem(404, "no-leaf", zh="日志中还没有这条记录。", en="This record is not in the log, or not yet.")
        return index

    async def proved(self, index: int) -> ProvedLeaf:
        """Raises ``Problem`` 404 where no checkpoint covers the leaf."""
        for attempt in (1, 2):
            try:
                return await asyncio.to_thread(prove, index, self._read, self._log)
            except NotPublished:
                # A checkpoint may be published between two of the files that were read: then the next look sees both.
                if attempt == 2:
                    break
        raise Problem(404, "no-leaf", zh="检查点还没有覆盖这片叶子。", en="No checkpoint covers this leaf yet.")

    async def at(self, topic: str, partition: int, offset: int) -> ProvedLeaf:
        """The leaf of a record. Raises ``Problem`` 404; 503 where the database names a leaf that is another record's."""
        leaf = await self.proved(await self.find(topic, partition, offset))
        if _place(leaf) != (topic, partition, offset):
            # The plan in the database is an old copy, or another log's: the entry itself says whose it is.
            zh, en = "数据库所指的叶子是另一条记录的。", "The leaf that the database names is another record's."
            raise Problem(503, "another-record", zh=zh, en=en, headers={"retry-after": "60"})
        return leaf

    async def entry(self, index: int, event_hash: str | None) -> bytes:
        """The leaf's entry for whoever names the hash of its event: who holds a receipt, or the event. Raises ``Problem``."""
        leaf = await self.proved(index)
        known = await asyncio.to_thread(event_hash_of, leaf, self._read)
        if event_hash is None or known is None or not hmac.compare_digest(known, event_hash):
            raise Problem(
                403,
                "event-hash",
                zh="条目可能含有不公开的内容：请给出其中事件的哈希（回执中的 event_hash）。",
                en="An entry may hold what is not public: name the hash of its event, the receipt's event_hash.",
                field="event_hash",
            )
        return leaf.entry

    def state(self, leaf: ProvedLeaf) -> dict[str, Any]:
        """The answer's members. The place is what the entry itself says."""
        topic, partition, offset = _place(leaf)
        path = [one.hex() for one in leaf.proof.path]
        found = {"index": leaf.index, "topic": topic, "partition": partition, "offset": offset, "leaf_hash": leaf.hash.hex()}
        return found | {"size": leaf.size, "root": leaf.root.hex(), "path": path, "proof": f"/api/v1/log/leaves/{leaf.index}/proof"}

    def add_to(self, app: FastAPI) -> None:
        """The routes."""
        wrong = described(404, 422, 503)

        @app.get("/api/v1/log/positions/{topic}/{partition}/{offset}", tags=["log"], response_model=LeafState, responses=wrong)
        async def position(topic: Topic, partition: Partition, offset: Offset) -> Response:
            """The leaf of a record, with its path to the latest checkpoint's root."""
            return JSONResponse(self.state(await self.at(topic, partition, offset)), headers=OPEN)

        @app.get("/api/v1/log/leaves/{index}", tags=["log"], response_model=LeafState, responses=wrong)
        async def leaf(index: Index) -> Response:
            """A leaf: which record it is, and its path to the latest checkpoint's root."""
            return JSONResponse(self.state(await self.proved(index)), headers=OPEN)

        text: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}

        @app.get("/api/v1/log/leaves/{index}/proof", tags=["log"], response_class=Response, responses=text | wrong)
        async def proof(index: Index) -> Response:
            """The proof as a file (C2SP tlog-proof) that checks without this server."""
            found = await self.proved(index)
            return Response(found.proof.data, media_type="text/plain; charset=utf-8", headers=OPEN)

        octets: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}

        @app.get("/api/v1/log/leaves/{index}/entry", tags=["log"], response_class=Response, responses=octets | described(403, 404, 422))
        async def entry(index: Index, event_hash: EventHash = None) -> Response:
            """The leaf's entry, byte for byte what `leaf_hash` is of, for whoever names the hash of its event: a receipt's
            holder checks with it that the event is in the log."""
            return Response(await self.entry(index, event_hash), media_type="application/octet-stream", headers=OPEN)

        @app.get("/log/leaves/{index}", include_in_schema=False)
        async def leaf_page(request: Request, index: Index) -> Response:
            return self._pages.leaf(request, self.state(await self.proved(index)))

        @app.get("/log/positions/{topic}/{partition}/{offset}", include_in_schema=False)
        async def position_page(request: Request, topic: Topic, partition: Partition, offset: Offset) -> Response:
            return self._pages.leaf(request, self.state(await self.at(topic, partition, offset)))


def _place(leaf: ProvedLeaf) -> tuple[str, int, int]:
    return leaf.record.topic, leaf.record.partition, leaf.record.offset
