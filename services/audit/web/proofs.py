"""Proofs by an event's name, and that one tree is a prefix of another.

What a proof tells, and to whom
A path of hashes tells no content. That there is a leaf for a name tells that the event exists. The id of a signed fact is the
device's to draw, so who names it has the event or its receipt: their proofs are for anyone. The id of a derived event can be worked out
from its cause, a finding about an officer's entry among them: those proofs are for auditors and for who names the event's hash; to
others such an event is one that does not exist.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.responses import JSONResponse, Response

from schemas.topics import FACTS, REGISTRY
from services._bus.problems import Problem, described
from services.audit.adapters.places import PlaceReader
from services.audit.domain.frame import head_of
from services.audit.domain.note import VerifierKey
from services.audit.proving import NotPublished, ProvedLeaf, ReadFile, event_hash_of, event_of, prove_prefix, whole_record
from services.audit.reading import name_of
from services.audit.web.leaves import OPEN, EventHash, Leaves
from services.audit.web.session import COOKIE, Sessions
from services.audit.web.shapes import EventProof, PendingProof, PrefixProof

OPEN_TOPICS = (REGISTRY, FACTS)
# Who asks for what nobody has waits until that is certain; more of them than this are told to ask again.
_WAITING = 64
_RETRY_S = "1"
_FILE = "text/plain; charset=utf-8"

Source = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^/[ -~]*$")]
Id = Annotated[str, Query(min_length=1, max_length=100, pattern=r"^[ -~]+$")]
Size = Annotated[int, Query(ge=0, le=2**53 - 1)]
Reached = Callable[[], Awaitable[bool]]
"""Waits until every record that Kafka has now is planned; False where that takes too long."""


class Proofs:
    """``reached``: see there. The rest as in ``Leaves``."""

    def __init__(
        self, *, leaves: Leaves, places: PlaceReader, read_file: ReadFile, log: VerifierKey, sessions: Sessions, reached: Reached
    ) -> None:
        self._leaves, self._places, self._read, self._log = leaves, places, read_file, log
        self._sessions, self._reached = sessions, reached
        self._waiting = 0

    async def _found(self, source: str, id: str, event_hash: str | None, auditor: bool) -> ProvedLeaf | None:
        """The proved leaf; None while no checkpoint covers it. Raises ``Problem`` 404 for what the asker has no event of."""
        copy = await self._places.first_copy(name_of(source, id))
        everyone = auditor or (copy is not None and copy.topic in OPEN_TOPICS)
        if copy is None or not (everyone or event_hash):
            raise _unknown()
        try:
            leaf = await self._leaves.proved(copy.leaf)
        except Problem:
            if everyone:
                return None
            raise _unknown() from None
        event = await asyncio.to_thread(event_of, leaf, self._read)
        place = leaf.record.topic, leaf.record.partition, leaf.record.offset
        if place != (copy.topic, copy.partition, copy.offset) or event is None or (event["source"], event["id"]) != (source, id):
            # The plan in the database is an old copy, or another log's: the entry itself says whose it is.
            zh, en = "数据库所指的叶子是另一条记录的。", "The leaf that the database names is another record's."
            raise Problem(503, "another-record", zh=zh, en=en, headers={"retry-after": "60"})
        if not everyone and not await self._named(leaf, event_hash):
            raise _unknown()
        return leaf

    async def _named(self, leaf: ProvedLeaf, event_hash: str | None) -> bool:
        known = await asyncio.to_thread(event_hash_of, leaf, self._read)
        return event_hash is not None and known is not None and hmac.compare_digest(known, event_hash)

    async def event(self, source: str, id: str, event_hash: str | None, auditor: bool) -> ProvedLeaf | None:
        """The proof of an event's first copy. None while it is on its way: planned and not yet under a checkpoint, or perhaps on Kafka
        and not yet read. Raises ``Problem`` 404 where Kafka did not have it when this was asked."""
        try:
            return await self._found(source, id, event_hash, auditor)
        except Problem as problem:
            if problem.status != 404:
                raise
        if self._waiting >= _WAITING:
            return None
        self._waiting += 1
        try:
            certain = await self._reached()
        finally:
            self._waiting -= 1
        try:
            return await self._found(source, id, event_hash, auditor)
        except Problem as problem:
            if problem.status == 404 and not certain:
                return None
            raise

    async def with_head(self, leaf: ProvedLeaf, event_hash: str | None, auditor: bool) -> ProvedLeaf:
        """The proof with the frame's head as its ``extra``, for who may have the entry: with the envelope it gives the entry again."""
        if not auditor and not await self._named(leaf, event_hash):
            return leaf
        record = await asyncio.to_thread(whole_record, leaf, self._read)
        return replace(leaf, proof=replace(leaf.proof, extra=head_of(record))) if record is not None else leaf

    def state(self, leaf: ProvedLeaf, source: str, id: str) -> dict[str, Any]:
        """The answer's members."""
        return {"status": "proved", "source": source, "id": id, **self._leaves.state(leaf), "file": leaf.proof.data.decode()}

    async def prefix(self, first: int, second: int) -> dict[str, Any]:
        """The members of a consistency proof. Raises ``Problem`` 404, 422."""
        if first > second:
            zh, en = "first 不得大于 second。", "`first` is at most `second`."
            raise Problem(422, "sizes", zh=zh, en=en, field="first")
        for attempt in (1, 2):
            try:
                found = await asyncio.to_thread(prove_prefix, first, second, self._read, self._log)
            except NotPublished:
                if attempt == 2:
                    break
                continue
            roots = {"first_root": found.first_root.hex(), "second_root": found.second_root.hex()}
            path = [one.hex() for one in found.path]
            return {"first": first, "second": second, **roots, "path": path, "checkpoint": found.checkpoint.decode()}
        raise Problem(404, "no-tree", zh="检查点还没有这么多叶子。", en="No checkpoint has so many leaves yet.", field="second")

    def add_to(self, app: FastAPI) -> None:
        """The routes."""
        file: dict[int | str, dict[str, Any]] = {
            200: {"content": {"text/plain": {}, "application/json": {"schema": EventProof.model_json_schema()}}},
            202: {"model": PendingProof, "description": "On its way; ask again after `Retry-After`"},
        }

        @app.get("/api/v1/proofs", tags=["log"], response_class=Response, responses=file | described(404, 422, 503))
        async def event_proof(request: Request, source: Source, id: Id, event_hash: EventHash = None) -> Response:
            """The proof that an event is in the log: as a file (C2SP tlog-proof), or as JSON where `Accept` asks for it. Of an event's
            copies the first one is proved. For who names the event's hash the file's `extra` holds the leaf's head, so that it checks
            with the envelope alone. Derived events (source `/services/…`) need the hash, or an auditor's session."""
            session = self._sessions.read(request.cookies.get(COOKIE))
            auditor = session is not None and session.role == "auditor"
            leaf = await self.event(source, id, event_hash, auditor)
            if leaf is None:
                return JSONResponse({"status": "pending", "source": source, "id": id}, 202, headers=OPEN | {"Retry-After": _RETRY_S})
            leaf = await self.with_head(leaf, event_hash, auditor)
            headers = OPEN | {"Vary": "Accept"}
            if _wants_json(request.headers.get("accept", "")):
                return JSONResponse(self.state(leaf, source, id), headers=headers)
            return Response(leaf.proof.data, media_type=_FILE, headers=headers)

        @app.get("/api/v1/proofs/consistency", tags=["log"], response_model=PrefixProof, responses=described(404, 422))
        async def consistency_proof(first: Size, second: Size) -> Response:
            """That the tree of `first` leaves is a prefix of that of `second` (RFC 9162 §2.1.4), for any two sizes up to the latest
            checkpoint's. Hashes are hex."""
            return JSONResponse(await self.prefix(first, second), headers=OPEN)


def _wants_json(accept: str) -> bool:
    """JSON is named, and the file is not named before it."""
    named = [part.split(";")[0].strip().lower() for part in accept[:400].split(",")]
    known = [one for one in named if one in ("application/json", "text/plain", "*/*")]
    return bool(known) and known[0] == "application/json"


def _unknown() -> Problem:
    zh, en = "日志中没有这个事件，或者它不公开。", "The log has no such event, or it is not public."
    return Problem(404, "event-unknown", zh=zh, en=en)
