"""Load → decide → keep → answer: what happens to what is posted.

Invariants
1. A receipt is signed only for a first copy that was read back from Kafka; the same id always gets the same bytes.
2. Nothing is answered with 201, 202 or 409 that PostgreSQL doesn't hold.
3. What was entered once stays entered: a retry gets its receipt even when its key was revoked in between.
4. A day is closed in every partition before the first fact that is received after it.
5. Time passes by what is admitted: what is refused moves no clock and closes no day.
6. Nothing is judged before the registry and what was sent before the start have been read back.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Protocol

from schemas import topics
from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import envelope_bytes, lookup
from schemas.events.base import EventType
from schemas.receipts import Receipt, Refusal, sign_receipt, sign_refusal
from schemas.times import instant
from services._bus.kafka import Unavailable
from services.intake.answers import Answer, Keys, Request, Ticket, Turned
from services.intake.domain import hearings
from services.intake.domain.clock import Clock, InTheFuture
from services.intake.domain.days import closing, day_closed_event
from services.intake.domain.faults import fault
from services.intake.domain.judging import Admitted, Denied, judge
from services.intake.domain.standing import Facts, asks, known
from services.intake.keeping import Full, Keeper
from services.intake.known_facts import KnownFacts
from services.intake.ports import FirstCopy, Kept, Name, NotStorable, RefusalRow, Row, Sealed, Store, StoreUnavailable
from services.intake.reading_back import ReadBack
from services.intake.waiting import Waiting

ANSWER_WITHIN_S = 2.0
# How long storing may take before the client is sent away: a busy disk is no reason to send everything again.
STORED_WITHIN_S = 10.0
_CATCH_UP_S = 2.0
_BREATHE = 16
_AUTHORITY = frozenset({401, 403})
_ABOUT_REGISTRY = frozenset({"officer-not-enrolled", "role-not-held", "key-not-of-subject"}) | hearings.HANGING


class Sender(Protocol):
    """Who sends what is stored, and knows what is on its way."""

    def refused(self, rows: Sequence[RefusalRow]) -> None:
        """Refusals that are stored now."""

    def registry_unread(self) -> bool:
        """Whether something is stored for the registry that was not read back."""

    def doubt(self, stored: Kept | None = None, name: Name | None = None) -> None:
        """This row is stored, and nothing was read back; it may be that nobody handed it over."""

    def doubt_refusals(self) -> None:
        """Refusals may be stored of which nobody will hear otherwise."""


class Desk:
    """One for a process. ``wall``: epoch milliseconds; ``monotonic``: seconds; ``seal`` encrypts private values.

    ``recovered`` is set once everything that stood on Kafka at the start has been read, and the loops run."""

    def __init__(
        self,
        *,
        store: Store,
        keeper: Keeper,
        reader: ReadBack,
        waiting: Waiting,
        clock: Clock,
        keys: Keys,
        office: str,
        wall: Callable[[], int],
        monotonic: Callable[[], float],
        seal: Callable[[Name, Any], tuple[Sealed, ...]],
        sender: Sender,
    ) -> None:
        self.recovered = False
        self._store, self._keeper, self._reader, self._waiting = store, keeper, reader, waiting
        self._clock, self._keys, self._office = clock, keys, office
        self._wall, self._monotonic, self._seal, self._sender = wall, monotonic, seal, sender
        # The last day that was offered to be closed, and what became of it.
        self._closing: tuple[date, asyncio.Future[Kept]] | None = None
        self._kept_by_itself = False
        self._known = KnownFacts(store)

    async def take(self, values: Sequence[Any], request: Request, asked: Sequence[int | None]) -> list[Answer]:
        """Judge, keep and send each; answers in the same order. ``asked``: the simulated instant of each, epoch milliseconds."""
        if not self.recovered:
            return [_not_ready()] * len(values)
        found: list[Ticket | Turned | Answer] = []
        patient = True
        standing = await self._known.of([_event(value) for value in values])
        for number, (value, moment) in enumerate(zip(values, asked, strict=True)):
            if number % _BREATHE == _BREATHE - 1:
                await asyncio.sleep(0)
            if standing is None and asks(_event(value)):
                one: Ticket | Turned | Answer = Answer(503, fault=fault("store-unavailable"), retry_after=2)
            else:
                one = await self._one(value, request.channel_of(number), moment, request, standing or ())
            if patient and isinstance(one, Ticket) and one.row.topic == topics.REGISTRY and not one.row.copies:
                # What it says about people and keys has to hold for the next event of the same request.
                patient = bool((await asyncio.wait([one.copy], timeout=ANSWER_WITHIN_S))[0])
            elif not patient and isinstance(one, Turned) and _hangs_on_registry(one.denied):
                # What would allow it stands before it in this request and has not arrived.
                one = Answer(503, fault=fault("busy"), retry_after=1)
            found.append(one)
        begun = self._monotonic()
        settled = [await self._settle(one, begun) if isinstance(one, Ticket) else one for one in found]
        turned = [one for one in settled if isinstance(one, Turned)]
        if not turned:
            return [one for one in settled if isinstance(one, Answer)]
        refusals = iter(await self._refuse(turned))
        return [next(refusals) if isinstance(one, Turned) else one for one in settled]

    async def receipt(self, name: Name) -> Answer | None:
        """The receipt of an event that was entered, 202 for one that is stored, 503 while it can't be known yet, None for one that
        is unknown. Raises ``StoreUnavailable``."""
        if (copy := self._waiting.known(name)) is not None:
            return self._receipt(copy, again=True)
        stored, copy = await self._store.find(name)
        if copy is not None:
            return self._receipt(copy, again=True)
        if stored is not None:
            self._sender.doubt(stored, name)
            return Answer(202, name=name, retry_after=1)
        return None if self.recovered else _not_ready()

    def close_days(self) -> None:
        """What the timer does: announce days that are over, where the clock goes by itself. Where that fails, the next call does it."""
        now = self._clock.look(self._wall())
        if now is None:
            return
        try:
            self._close_days(now)
        except Full:
            return

    async def _one(
        self, value: Any, channel: str | None, asked: int | None, request: Request, standing: tuple[Facts, ...]
    ) -> Ticket | Turned | Answer:
        try:
            now = self._clock.peek(self._wall(), asked)
        except InTheFuture:
            return Answer(422, fault=fault("simulated-in-the-future"))
        verdict = await self._judge(value, channel, now, standing)
        if isinstance(verdict, Denied):
            return await self._known_before(verdict) or Turned(verdict, now)
        if self._clock.simulated and asked is None and not self._kept_by_itself:
            try:
                await self._store.go_on_by_itself()
            except StoreUnavailable:
                return Answer(503, fault=fault("store-unavailable"), retry_after=2)
            self._kept_by_itself = True
            # Judged anew: the registry may have moved meanwhile.
            return await self._one(value, channel, asked, request, standing)
        try:
            # Not before ``now``; what was admitted then is admitted now.
            now = self._clock.read(self._wall(), asked)
            self._close_days(now)
            return self._ticket(verdict, request, now)
        except Full:
            return Answer(503, fault=fault("busy"), retry_after=1)

    async def _judge(self, value: Any, channel: str | None, now: int, standing: tuple[Facts, ...]) -> Admitted | Denied:
        async def judged() -> Admitted | Denied:
            registry = self._reader.registry
            involved: frozenset[str] = frozenset()
            if names := hearings.entries_named(_event(value), registry):
                try:
                    involved = hearings.people_of(await self._store.values(names), registry)
                except StoreUnavailable:
                    return Denied(fault("store-unavailable"), None, "", "", None)
            return judge(value, registry=registry, channel=channel, received_at=instant(now), standing=standing, involved=involved)

        verdict = await judged()
        if isinstance(verdict, Denied) and _hangs_on_registry(verdict):
            if self._sender.registry_unread():
                # What would allow it may be on its way: a refusal is for ever, so not yet.
                return Denied(fault("busy"), verdict.event_hash, verdict.source, verdict.id, None)
            # It may stand in a part of the registry that this process hasn't read yet.
            before = self._reader.registry.next_offset
            try:
                await self._reader.catch_up([(topics.REGISTRY, 0)], limit_s=_CATCH_UP_S)
            except Unavailable:
                return Denied(fault("busy"), verdict.event_hash, verdict.source, verdict.id, None)
            if self._reader.registry.next_offset != before:
                verdict = await judged()
        return verdict

    async def _known_before(self, denied: Denied) -> Ticket | Answer | None:
        """A retry of what was entered while it was still allowed."""
        if denied.key_id is None or denied.event_hash is None:
            return None
        name = (denied.source, denied.id)
        try:
            stored, copy = await self._store.find(name)
        except StoreUnavailable:
            return Answer(503, fault=fault("store-unavailable"), retry_after=2)
        there = copy.event_hash if copy else stored.event_hash if stored else None
        if there is None or there.hex() != denied.event_hash:
            return None
        return self._receipt(copy, again=True) if copy else Answer(202, name=name, retry_after=1, again=True)

    def _ticket(self, admitted: Admitted, request: Request, now: int) -> Ticket:
        read, kind = admitted.read, admitted.event_type
        entry: dict[str, Any] = {
            "received_at": instant(now),
            "channel": admitted.channel,
            "batch": request.batch,
            "registry_offset": self._reader.registry.next_offset - 1,
        }
        if admitted.marks:
            entry["marks"] = list(admitted.marks)
        value = envelope_bytes(read.event, read.signature, entry)
        name = (read.event["source"], read.event["id"])
        sealed = self._seal(name, read.private) if read.private else ()
        return self._offer(_row(read.event, kind, value, bytes.fromhex(read.event_hash), now, request.traceparent, sealed), admitted.key_id)

    def _offer(self, row: Row, key_id: str) -> Ticket:
        kept = self._keeper.offer(row)
        self._known.offered(row, kept)
        return Ticket(row, kept, self._waiting.expect(row.name), key_id)

    async def _settle(self, ticket: Ticket, begun: float) -> Answer | Turned:
        row = ticket.row
        try:
            if not ticket.kept.done():
                # It stays in the queue: sent again, the same event finds out.
                await asyncio.wait([ticket.kept], timeout=max(0.0, begun + STORED_WITHIN_S - self._monotonic()))
            if not ticket.kept.done():
                return Answer(503, fault=fault("store-unavailable"), retry_after=2)
            kept = ticket.kept.result()
            if kept.event_hash != row.event_hash:
                denied = Denied(fault("id-conflict", field="/event/id", value=row.name[1]), row.event_hash.hex(), *row.name, ticket.key_id)
                return Turned(denied, row.received_ms)
            if kept.seq is None and not ticket.copy.done():
                stored, copy = await self._store.find(row.name)
                if copy is not None:
                    return self._receipt(copy, again=True)
                self._sender.doubt(stored, row.name)
            if not ticket.copy.done():
                await asyncio.wait([ticket.copy], timeout=max(0.0, begun + ANSWER_WITHIN_S - self._monotonic()))
        except StoreUnavailable:
            return Answer(503, fault=fault("store-unavailable"), retry_after=2)
        except NotStorable:
            return Answer(500, fault=fault("not-storable"))
        finally:
            if not ticket.copy.done():
                self._waiting.forget(row.name, ticket.copy)
        if not ticket.copy.done():
            return Answer(202, name=row.name, retry_after=1, again=kept.seq is None)
        copy = ticket.copy.result()
        if copy.event_hash != row.event_hash:
            # Somebody wrote to Kafka past intake under this id; audit finds it, and no receipt says otherwise.
            denied = Denied(fault("id-conflict", field="/event/id", value=row.name[1]), row.event_hash.hex(), *row.name, ticket.key_id)
            return Turned(denied, row.received_ms)
        return self._receipt(copy, again=kept.seq is None)

    def _receipt(self, copy: FirstCopy, *, again: bool) -> Answer:
        receipt = Receipt(
            source=copy.name[0],
            id=copy.name[1],
            event_hash=copy.event_hash.hex(),
            topic=copy.topic,
            partition=copy.partition,
            offset=copy.offset,
            received_at=instant(copy.received_ms),
            known_from=instant(copy.known_ms),
        )
        return Answer(201, receipt=sign_receipt(receipt, self._keys.receipt), name=copy.name, again=again)

    async def _refuse(self, turned: Sequence[Turned]) -> list[Answer]:
        """Sign, store and send refusals for those whose signature was good."""
        rows = [self._refusal(one) for one in turned]
        signed = [row for row in rows if row is not None]
        try:
            stand = await self._store.refuse(signed) if signed else []
        except (StoreUnavailable, NotStorable) as error:
            self._sender.doubt_refusals()
            answer = Answer(500, fault=fault("not-storable"))
            if isinstance(error, StoreUnavailable):
                answer = Answer(503, fault=fault("store-unavailable"), retry_after=2)
            return [answer if row else _refused(one) for one, row in zip(turned, rows, strict=True)]
        self._sender.refused([row for row, (_, new) in zip(signed, stand, strict=True) if new])
        values = (value for value, _ in stand)
        return [_refused(one, next(values) if row else None) for one, row in zip(turned, rows, strict=True)]

    def _refusal(self, turned: Turned) -> RefusalRow | None:
        denied = turned.denied
        if denied.key_id is None or denied.event_hash is None or denied.fault.status >= 500:
            return None
        refusal = Refusal(
            source=denied.source,
            id=denied.id,
            event_hash=denied.event_hash,
            key_id=denied.key_id,
            received_at=instant(turned.received_ms),
            reason=denied.fault.code,
            detail_en=denied.fault.en,
            detail_zh=denied.fault.zh,
        )
        value = trusted_canonical_bytes(sign_refusal(refusal, self._keys.receipt))
        digest = bytes.fromhex(denied.event_hash)
        return RefusalRow(denied.key_id, digest, denied.fault.code, denied.source, value, turned.received_ms)

    def _close_days(self, now: int) -> None:
        registry = self._reader.registry
        if self._closing and self._closing[1].done() and (self._closing[1].cancelled() or self._closing[1].exception()):
            # It was not kept, so the day is still open.
            self._closing = None
        known = [day for day in (self._closing and self._closing[0], registry.closed_through) if day]
        through = closing(max(known, default=None), now, registry.time_zone)
        if through is None:
            return
        event = day_closed_event(through, registry.time_zone, subject=registry.stack, source=self._office)
        kind = lookup(event["type"])
        assert kind is not None
        entry = {"received_at": instant(now), "channel": "desk", "batch": None, "registry_offset": registry.next_offset - 1}
        value = envelope_bytes(event, self._keys.system.signature(event), entry)
        ticket = self._offer(_row(event, kind, value, _digest(event), now, None, ()), self._keys.system.key_id)
        self._waiting.forget(ticket.row.name, ticket.copy)
        self._closing = (through, ticket.kept)


def _event(value: Any) -> Any:
    return value.get("event") if isinstance(value, dict) else None


def _not_ready() -> Answer:
    return Answer(503, fault=fault("not-ready"), retry_after=1)


def _hangs_on_registry(denied: Denied) -> bool:
    """Whether another state of the registry could allow it."""
    return denied.fault.status in _AUTHORITY or denied.fault.code in _ABOUT_REGISTRY


def _refused(turned: Turned, refusal: bytes | None = None) -> Answer:
    one = turned.denied.fault
    return Answer(one.status, fault=one, refusal=refusal, retry_after=1 if one.status == 503 else None)


def _row(
    event: dict[str, Any], kind: EventType, value: bytes, digest: bytes, now: int, traceparent: str | None, sealed: tuple[Sealed, ...]
) -> Row:
    topic = topics.FACTS if kind.route == "facts" else topics.REGISTRY
    copies = tuple(range(topics.PARTITIONS)) if kind.route == "broadcast" else ()
    name = (event["source"], event["id"])
    fact = known(event) if kind.route == "facts" else None
    return Row(name, digest, topic, event["subject"], event["type"], value, now, traceparent, sealed, copies, fact)


def _digest(event: dict[str, Any]) -> bytes:
    return hashlib.sha256(trusted_canonical_bytes(event)).digest()


def genesis_row(submission: dict[str, Any], now: int) -> Row:
    """The register's first record. ``now``: epoch milliseconds."""
    event = submission["event"]
    kind = lookup(event["type"])
    assert kind is not None
    entry = {"received_at": instant(now), "channel": "desk", "batch": None, "registry_offset": -1}
    return _row(event, kind, envelope_bytes(event, submission["signature"], entry), _digest(event), now, None, ())
