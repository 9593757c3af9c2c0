"""The projector's life: become the writer, catch up with the registry, then follow all topics batch by batch.

Temporary trouble (a broker or a database that is away) ends the session and begins another from the kept positions.
``RecordsGone`` and ``OtherStack`` are for people: they end the service with their sentence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.topics import FACTS, FINDINGS, GRADES, LOGGED_TOPICS, PARTS, REGISTRY
from services._bus.telemetry import HEADER, Telemetry, at
from services.publication.adapters.postgres_store import PostgresStore
from services.publication.domain.rows import ChangeRow
from services.publication.handlers import Applied, Projector
from services.publication.ports import Place, Position, Records, Sender

log = logging.getLogger(__name__)

OUTBOX = 500
READY_LAG = 20_000
QUIET_LIMIT_S = 30.0
# How often the stream forgets what can't be resumed any more; in between it reaches back a little further.
FLOOR_EVERY_S = 5.0
_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_START = Position(0, -1)
_PARTITIONS = {topic.name: topic.partitions for topic in LOGGED_TOPICS}


def places(topics: tuple[str, ...]) -> list[Place]:
    """Every partition of the topics."""
    return [(topic, partition) for topic in topics for partition in range(_PARTITIONS[topic])]


@dataclass
class Progress:
    """What ``/status`` and ``/readyz`` tell. ``at``: monotonic seconds of the last committed batch or empty look."""

    state: str = "starting"
    trouble: str | None = None
    at: float = 0.0
    caught_up: bool = False
    total: Applied = field(default_factory=Applied)
    positions: dict[Place, Position] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)

    def lag(self) -> dict[str, int]:
        """Records not yet applied, by topic."""
        found: dict[str, int] = {}
        for place, end in self.ends.items():
            behind = end - self.positions.get(place, _START).next_offset
            found[place[0]] = found.get(place[0], 0) + max(0, behind)
        return found

    def ready(self, now: float) -> tuple[bool, str]:
        """Whether answers are worth giving, and the reason in a word."""
        if self.state != "following":
            return False, self.state
        if now - self.at > QUIET_LIMIT_S:
            return False, "no-progress"
        if not self.caught_up and sum(self.lag().values()) > READY_LAG:
            return False, "lag"
        return True, "ready"


class Projecting:
    """Runs sessions until cancelled. ``clock``: monotonic seconds; ``keep``: how far back the stream can be resumed;
    ``published`` hears of changes that have just been committed."""

    def __init__(
        self,
        *,
        store: PostgresStore,
        projector: Projector,
        records: Callable[[], Records],
        sender: Callable[[], Sender],
        clock: Callable[[], float],
        keep: int,
        telemetry: Telemetry,
        published: Callable[[Sequence[ChangeRow]], None] = lambda rows: None,
    ) -> None:
        self._telemetry, self._published = telemetry, published
        self._store, self._projector = store, projector
        self._records, self._sender, self._clock, self._keep = records, sender, clock, keep
        self._floor_due = float("-inf")
        self.progress = Progress()

    async def run(self) -> None:
        """Follow for ever. Raises ``RecordsGone``, ``OtherStack``."""
        tries = 0
        while True:
            began = self._clock()
            try:
                await self._session()
            except (ConnectionError, OSError) as error:
                tries = 0 if self._clock() - began > QUIET_LIMIT_S else tries + 1
                self.progress.state, self.progress.trouble = "reconnecting", str(error) or type(error).__name__
                log.warning("projection: session ended, beginning another: %s", self.progress.trouble)
            await asyncio.sleep(_BACKOFF_S[min(tries, len(_BACKOFF_S) - 1)])

    async def _session(self) -> None:
        self.progress.state = "standing-by"
        await self._store.acquire()
        records, sender = self._records(), self._sender()
        try:
            self.progress.positions = await self._projector.load()
            await records.start()
            await sender.start()
            await self._flush(sender)
            await self._read_registry(records, sender)
            sample = self._projector.stack is not None and self._projector.stack.sample
            topics = (REGISTRY, FACTS, PARTS, GRADES, *((FINDINGS,) if sample else ()))
            await self._assign(records, topics)
            self.progress.state, self.progress.trouble = "following", None
            while True:
                await self._step(records, sender)
        finally:
            await records.stop()
            await sender.stop()
            await self._store.close()

    async def _assign(self, records: Records, topics: tuple[str, ...]) -> None:
        kept = self._projector.positions
        await records.assign({place: kept.get(place, _START).next_offset for place in places(topics)})
        self.progress.ends = records.ends()

    async def _read_registry(self, records: Records, sender: Sender) -> None:
        """Genesis decides the time zone and whether this is a sample, so it comes before everything else."""
        await self._assign(records, (REGISTRY,))
        while self._projector.stack is None or sum(self.progress.lag().values()):
            self.progress.state = "catching-up" if self._projector.stack else "waiting-for-genesis"
            await self._step(records, sender)

    async def _step(self, records: Records, sender: Sender) -> None:
        found = await records.poll()
        # Before the work: what is being applied is still behind.
        self.progress.ends = {**self.progress.ends, **records.ends()}
        if found:
            began = self._telemetry.now_ns()
            applied = await self._projector.apply(found)
            self._telemetry.spans("publish", _traced(applied.published), began_ns=began)
            self._published(applied.published)
            self.progress.total = self.progress.total + replace(applied, published=())
            self.progress.positions = self._projector.positions
            if applied.moves or applied.rejected:
                await self._flush(sender)
            if applied.changes and self._clock() >= self._floor_due:
                self._floor_due = self._clock() + FLOOR_EVERY_S
                await self._store.raise_floor(self._keep)
        self.progress.at = self._clock()
        if self.progress.state == "following" and not sum(self.progress.lag().values()):
            self.progress.caught_up = True

    async def _flush(self, sender: Sender) -> None:
        """Send the outbox. A crash between sending and forgetting sends a record twice, under the same id."""
        while rows := await self._store.outgoing(OUTBOX):
            await sender.send([row for _, row in rows])
            await self._store.sent(rows[-1][0])

    def status(self) -> dict[str, Any]:
        """For ``/status``."""
        lag = self.progress.lag()
        positions: dict[str, dict[str, int]] = {}
        for (topic, partition), position in sorted(self.progress.positions.items()):
            positions.setdefault(topic, {})[str(partition)] = position.next_offset
        total = self.progress.total
        return {
            "state": self.progress.state,
            "trouble": self.progress.trouble,
            "lag": {"total": sum(lag.values()), **lag},
            "positions": positions,
            "applied": {"records": total.records, "facts": total.facts, "changes": total.changes, "rejected": total.rejected},
        }


def _traced(rows: Sequence[ChangeRow]) -> Iterator[tuple[Sequence[tuple[str, bytes]], dict[str, str | int]]]:
    """The changes whose trace is kept: with the commit they are what the public sees."""
    for one in rows:
        if one.trace:
            yield [(HEADER, one.trace.encode())], at(GRADES, one.partition, one.offset)
