"""Intake without servers: a store and a broker in memory, which keep to the ports' promises and complain where they are broken."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka import ConsumerRecord

from schemas import topics
from schemas.times import instant, milliseconds
from services._bus.kafka import Unavailable
from services._bus.producer import Outgoing
from services.intake.answers import Answer, Keys, Request
from services.intake.domain.clock import Clock
from services.intake.domain.registry import Registry
from services.intake.domain.standing import Known
from services.intake.handlers import Desk, genesis_row
from services.intake.keeping import Keeper
from services.intake.ports import FirstCopy, Kept, Name, NotStorable, Place, Position, RefusalRow, Row, StoreUnavailable
from services.intake.reading_back import PLACES, ReadBack
from services.intake.sending import Sender
from services.intake.waiting import Waiting
from tests import toolkit as kit

Refused = tuple[str, bytes, str]


class MemoryStore:
    """``Store`` in memory. ``down``: nothing is done; ``deaf``: what is written stands, and the answer is lost."""

    def __init__(self) -> None:
        self.down = self.deaf = False
        self.rows: dict[int, Row] = {}
        self.firsts: dict[Name, FirstCopy] = {}
        self.copies: dict[tuple[Name, int], bool] = {}
        self.refusals: dict[Refused, tuple[RefusalRow, bool]] = {}
        self.by_itself = False
        self.facts: set[Known] = set()
        self.looked = 0
        self._positions: dict[Place, Position] = {}

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailable("OperationalError")

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.deaf:
            raise StoreUnavailable("OperationalError")

    async def keep(self, rows: Sequence[Row]) -> list[Kept]:
        await self._reach()
        if any("\0" in row.key or "\0" in row.name[0] for row in rows):
            raise NotStorable("DataError")
        kept = []
        for row in rows:
            there = next((one.event_hash for one in self.rows.values() if one.name == row.name), None)
            if there is None and row.name in self.firsts:
                there = self.firsts[row.name].event_hash
            if there is not None:
                kept.append(Kept(None, there))
                continue
            seq = len(self.rows) + 1
            self.rows[seq] = row
            self.copies |= {(row.name, partition): False for partition in row.copies}
            self.facts |= {row.known} - {None}
            kept.append(Kept(seq, row.event_hash))
        await self._answer()
        return kept

    async def refuse(self, rows: Sequence[RefusalRow]) -> list[tuple[bytes, bool]]:
        await self._reach()
        if any("\0" in row.source for row in rows):
            raise NotStorable("DataError")
        found = []
        for row in rows:
            name = (row.key_id, row.event_hash, row.reason)
            new = name not in self.refusals
            self.refusals.setdefault(name, (row, False))
            found.append((self.refusals[name][0].value, new))
        await self._answer()
        return found

    async def note(self, found: Sequence[FirstCopy], positions: Mapping[Place, Position]) -> None:
        await self._reach()
        for one in found:
            self.firsts.setdefault(one.name, one)
            self.facts |= {one.known} - {None}
        self._positions |= positions
        await self._answer()

    async def positions(self) -> dict[Place, Position]:
        await self._reach()
        return dict(self._positions)

    async def find(self, name: Name) -> tuple[Kept | None, FirstCopy | None]:
        await self._reach()
        stored = next((Kept(seq, one.event_hash) for seq, one in self.rows.items() if one.name == name), None)
        return stored, self.firsts.get(name)

    async def standing(self, mentioned: Sequence[tuple[str, str]], finals: Sequence[tuple[str, str]]) -> list[Known]:
        self.looked += 1
        await self._reach()
        return [one for one in self.facts if (one.subject, one.id) in mentioned or (one.subject, one.final) in finals]

    async def values(self, names: Sequence[Name]) -> list[bytes]:
        await self._reach()
        return [row.value for row in self.rows.values() if row.name in set(names)]

    def _unsent(self, name: Name) -> tuple[int, ...]:
        return tuple(sorted(partition for (one, partition), sent in self.copies.items() if one == name and not sent))

    async def unread(self, *, after: int, limit: int) -> list[tuple[int, Row]]:
        await self._reach()
        found = [(seq, row) for seq, row in sorted(self.rows.items()) if seq > after and row.name not in self.firsts]
        return [(seq, replace(row, private=(), copies=self._unsent(row.name))) for seq, row in found[:limit]]

    async def unsent_copies(self) -> list[Row]:
        await self._reach()
        found = [(row, self._unsent(row.name)) for _, row in sorted(self.rows.items())]
        return [replace(row, private=(), copies=missing) for row, missing in found if missing]

    async def copied(self, sent: Sequence[tuple[Name, int]]) -> None:
        await self._reach()
        assert set(sent) <= self.copies.keys()
        self.copies |= dict.fromkeys(sent, True)

    async def unsent_refusals(self, limit: int) -> list[RefusalRow]:
        await self._reach()
        return [row for row, sent in self.refusals.values() if not sent][:limit]

    async def refusals_sent(self, sent: Sequence[RefusalRow]) -> None:
        await self._reach()
        for row in sent:
            self.refusals[row.key_id, row.event_hash, row.reason] = (row, True)

    async def reached_today(self) -> bool:
        await self._reach()
        return self.by_itself

    async def go_on_by_itself(self) -> None:
        await self._reach()
        self.by_itself = True
        await self._answer()


class MemoryBroker:
    """Kafka as producer and consumer. ``down``: nothing arrives."""

    def __init__(self) -> None:
        self.down = False
        self.logs: dict[Place, list[ConsumerRecord]] = {}
        self._next: dict[Place, int] = {}
        self._arrived = asyncio.Event()

    async def send(self, rows: Sequence[Outgoing]) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise Unavailable("KafkaConnectionError")
        for row in rows:
            count = 1 if row.topic == topics.REGISTRY else topics.PARTITIONS
            partition = zlib.crc32(row.key or b"") % count if row.partition is None else row.partition
            self.put(row.topic, partition, row.key, row.value, row.headers, row.timestamp_ms or 0)

    def put(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = (), at: int = 0
    ) -> None:
        """A record at the end of a partition."""
        log = self.logs.setdefault((topic, partition), [])
        log.append(ConsumerRecord(topic, partition, len(log), at, 0, key, value, None, 0, 0, tuple(headers)))
        self._arrived.set()

    def values(self, topic: str, partition: int | None = None) -> list[bytes]:
        """What stands on a topic, partition by partition."""
        places = sorted(place for place in self.logs if place[0] == topic and partition in (None, place[1]))
        return [one.value for place in places for one in self.logs[place]]

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        return

    async def assign(self, positions: Mapping[Place, int]) -> None:
        self._next = dict(positions)

    async def poll(self) -> list[ConsumerRecord]:
        found = [one for place, at in self._next.items() for one in self.logs.get(place, [])[at:]]
        if not found:
            self._arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await self._arrived.wait()
            return []
        for one in found:
            self._next[one.topic, one.partition] = one.offset + 1
        return found

    def ends(self) -> dict[Place, int]:
        return {place: len(self.logs.get(place, ())) for place in PLACES}

    async def fetch_ends(self) -> dict[Place, int]:
        if self.down:
            raise Unavailable("KafkaConnectionError")
        return self.ends()


@dataclass
class Whole:
    """A desk with everything behind it. ``wall``: epoch milliseconds, set by the test."""

    store: MemoryStore
    broker: MemoryBroker
    clock: Clock
    sender: Sender
    keeper: Keeper
    reader: ReadBack
    desk: Desk
    wall: list[int]

    async def take(self, *submissions: Any, asked: str | None = None, channel: str | None = None) -> list[Answer]:
        moments = [milliseconds(asked) if asked else None] * len(submissions)
        return await self.desk.take(submissions, Request(channel), moments)

    async def until(self, wanted: Callable[[], object], limit_s: float = 5.0) -> None:
        """Wait for what must come."""
        async with asyncio.timeout(limit_s):
            while not wanted():
                await asyncio.sleep(0.002)

    def types(self) -> list[str]:
        """Short names of what is stored, in the order of storing."""
        return [row.type.split(".", 1)[1].removesuffix(".v1") for _, row in sorted(self.store.rows.items())]


def put_together(store: MemoryStore, broker: MemoryBroker, *, clock_mode: str = "wall", wall: str = kit.NOW) -> Whole:
    """Everything, not started."""
    clock, waiting, now = Clock(clock_mode), Waiting(), [milliseconds(wall)]  # type: ignore[arg-type]
    sender = Sender(store, broker, monotonic=lambda: asyncio.get_running_loop().time(), caught_up=lambda: True)
    keeper = Keeper(store, sender)

    def found(copy: FirstCopy) -> None:
        waiting.found(copy)
        sender.read_back(copy.name)

    reader = ReadBack(store=store, consumer=broker, registry=Registry.empty(), found=found, saw=clock.saw, send=broker.send)
    desk = Desk(
        store=store,
        keeper=keeper,
        reader=reader,
        waiting=waiting,
        clock=clock,
        keys=Keys(kit.key("receipt"), kit.key("system")),
        office=kit.REGISTER,
        wall=lambda: now[0],
        monotonic=lambda: asyncio.get_running_loop().time(),
        seal=lambda name, private: (),
        sender=sender,
    )
    return Whole(store, broker, clock, sender, keeper, reader, desk, now)


@asynccontextmanager
async def running(whole: Whole) -> AsyncIterator[Whole]:
    """The loops, after what a start does."""
    await whole.reader.start()
    tasks = [asyncio.create_task(whole.reader.run())]
    await whole.reader.catch_up(PLACES, limit_s=5.0)
    await whole.sender.recover()
    tasks += [asyncio.create_task(whole.keeper.run()), asyncio.create_task(whole.sender.run())]
    whole.desk.recovered = True
    try:
        yield whole
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not ended, f"a loop ended: {ended}"


def enrolled_broker(*people: kit.Person, clock_mode: str = "wall", begun: str = "2026-01-05T00:30:00.000Z") -> MemoryBroker:
    """A broker whose registry has genesis and these people, default everybody of the toolkit."""
    broker = MemoryBroker()
    said = [kit.genesis(clock_mode=clock_mode, time=begun)]
    said += [one for person in people or kit.EVERYBODY for one in kit.enrolment(person, day=begun[:10], time=begun)]
    for offset, one in enumerate(said):
        key = one["event"]["subject"].encode()
        broker.put(topics.REGISTRY, 0, key, kit.record(one, received_at=begun, offset=offset - 1), at=milliseconds(begun))
    return broker


@asynccontextmanager
async def a_desk(**more: Any) -> AsyncIterator[Whole]:
    """A running desk on empty tables, with everybody enrolled."""
    broker = enrolled_broker(clock_mode=more.get("clock_mode", "wall"))
    async with running(put_together(MemoryStore(), broker, **more)) as whole:
        yield whole


@dataclass
class Rows:
    """Makes rows for the sender's and the keeper's tests."""

    made: list[Row] = field(default_factory=list)

    def row(self, *, copies: int = 0, subject: str = "fhrs:1") -> Row:
        number = len(self.made) + 1
        topic = topics.REGISTRY if copies else topics.FACTS
        name = (kit.OFFICE, kit.new_id(f"row {number}"))
        value = kit.record(kit.signed(kit.event("inspection.recorded", kit.inspection(), id=name[1]), kit.OFFICER))
        self.made.append(Row(name, bytes([number]) * 32, topic, subject, "t", value, number, copies=tuple(range(copies))))
        return self.made[-1]


def genesis_of(submission: dict[str, Any]) -> Row:
    """The register's first row."""
    return genesis_row(submission, milliseconds(submission["event"]["time"]))


def at(wall_ms: int) -> str:
    """An instant's text."""
    return instant(wall_ms)
