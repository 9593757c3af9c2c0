"""The only place of rating with a clock, the environment and the process's end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.types import TP
from mode import Service

from schemas import topics
from schemas.rulebook import RulebookError, load_all_editions
from services._bus.kafka import Connection, RecordsGone, Unavailable, UnusableCertificates
from services._bus.settings import NotConfigured, folder, needed, number
from services._bus.telemetry import setup
from services.rating.adapters.app import FaustSettings, add_agent, build_app
from services.rating.adapters.following import Following
from services.rating.adapters.health import Answers, Progress
from services.rating.adapters.kafka import Ends, KafkaFacts, KafkaSink, KafkaTold
from services.rating.adapters.live import EXIT_FAULT, Live
from services.rating.adapters.quiet import Quiet
from services.rating.domain.fold import Book
from services.rating.handlers import Rater
from services.rating.ports import Record, Row

log = logging.getLogger("mingjian.rating")
REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 19103
WATCH_S, RELOAD_S, BACKLOG_S = 1.0, 5.0, 0.1
READY_LAG, STALLED_AFTER_S, LOST_AFTER_S = 5_000, 60.0, 30.0
# From here on only a start anew helps. Far above what a batch, or a subject with thousands of facts, takes.
HUNG_AFTER_S = 300.0
WRITE_LIMIT_S = 30.0


@dataclass(frozen=True)
class Settings:
    """See docs/architecture.md for the variables."""

    kafka: str
    home: Path
    host: str
    port: int
    rulebooks: Path
    instance: str
    tls_dir: Path | None
    version: int
    environ: Mapping[str, str]


def settings(env: Mapping[str, str]) -> Settings:
    """Read the environment. Raises ``NotConfigured``."""
    return Settings(
        kafka=needed(env, "MINGJIAN_KAFKA"),
        home=folder(env, "MINGJIAN_HOME") or Path(".mingjian"),
        host=env.get("MINGJIAN_HOST") or "127.0.0.1",
        port=number(env, "MINGJIAN_PORT", DEFAULT_PORT),
        rulebooks=folder(env, "MINGJIAN_RULEBOOKS") or REPOSITORY / "rulebooks",
        instance=env.get("MINGJIAN_INSTANCE") or f"rating-{socket.gethostname()}",
        tls_dir=folder(env, "MINGJIAN_KAFKA_TLS_DIR"),
        version=number(env, "MINGJIAN_RATING_VERSION", topics.RATING_VERSION),
        environ=env,
    )


def from_environment() -> Settings:
    """The settings of this process."""
    return settings(os.environ)


def load_books(folder: Path) -> dict[str, Book]:
    """Every rulebook in all its editions, with their digests. Raises ``RulebookError``."""
    return {regime: Book.of(*editions) for regime, editions in load_all_editions(folder).items()}


def leave(code: int) -> None:
    """End the process at once: a graceful stop would commit what is not durable."""
    logging.shutdown()
    os._exit(code)


class Worker:
    """The faust app with its agent, its sink, its watcher, and what /status says of them."""

    def __init__(self, given: Settings) -> None:
        self.settings = given
        self.rater = Rater(load_books(given.rulebooks), version=topics.rating_app(given.version))
        self.progress = Progress(READY_LAG, STALLED_AFTER_S, LOST_AFTER_S, HUNG_AFTER_S, watched_at=time.monotonic())
        connection = _connection(given)
        self.telemetry = setup("rating", env=given.environ, home=given.home)
        self.telemetry.gauge("mingjian.lag", "{record}", "facts not yet rated", lambda: sum(self.progress.lag().values()))
        faust_settings = FaustSettings(
            bootstrap=given.kafka, datadir=given.home / "rating", instance=given.instance, version=given.version, tls=connection.tls
        )
        self.app, self._chunks, self._heads = build_app(faust_settings)
        self.sink = KafkaSink(connection, limit_s=WRITE_LIMIT_S, on_row=self._keep, version=given.version)
        self.live = Live(
            self.rater,
            chunks=self._chunks,
            heads=self._heads,
            sink=self.sink,
            facts=KafkaFacts(connection),
            told=KafkaTold(connection),
            leave=leave,
            telemetry=self.telemetry,
        )
        add_agent(self.app, faust_settings, self._batch)
        self.following = Following(connection, books=self.rater.books, heads=self._heads, sink=self.sink, told=KafkaTold(connection))
        self._followed_at = 0.0
        self._ends = Ends(connection, topics.rating_app(given.version))
        self.app.service(self._watcher())
        self._quiet = Quiet(time.monotonic())
        self.started = time.time()

    async def _batch(self, records: Sequence[Record]) -> None:
        self._quiet.began()
        try:
            await self.live.batch(records)
        finally:
            # Also where a rebalance cuts it off: a worker that counts as busy for ever looks after nothing.
            self._quiet.ended(time.monotonic())
        self._worked()

    def _keep(self, row: Row) -> None:
        table = self._chunks if row.table == "chunks" else self._heads
        table.rows.put(row.partition, row.key, row.value)

    def _watcher(self) -> type[Service]:
        worker = self

        class Watcher(Service):
            """Looks at Kafka's ends and the group's commits, and tries refused rulebooks again."""

            async def on_stop(self) -> None:
                await worker._ends.stop()
                await worker.following.stop()
                await worker.sink.stop()
                worker.telemetry.shutdown()

            @Service.task
            async def _watch(self) -> None:
                while not self.should_stop:
                    await worker.watch()
                    await self.sleep(WATCH_S)

            @Service.task
            async def _tend(self) -> None:
                while not self.should_stop:
                    await self.sleep(WATCH_S)
                    await worker.tend()

            @Service.task
            async def _work_off(self) -> None:
                while not self.should_stop:
                    # Between two slices nobody has to be waited for: a batch at hand is first in the queue.
                    await self.sleep(0 if await worker.work_off() else BACKLOG_S)

            @Service.task
            async def _follow(self) -> None:
                while not self.should_stop:
                    await self.sleep(WATCH_S)
                    await worker.follow()

            @Service.task
            async def _reload(self) -> None:
                while not self.should_stop:
                    await self.sleep(RELOAD_S)
                    await worker.reload()

        return Watcher

    async def watch(self) -> None:
        """One look at Kafka. What fails is tried again with the next; readiness tells when it has failed for long."""
        self.progress.watched_at = time.monotonic()
        try:
            async with asyncio.timeout(LOST_AFTER_S / 2):
                ends, committed = await self._ends.ask()
        except (KafkaError, TimeoutError, OSError) as error:
            log.warning("Kafka doesn't tell how far the facts go: %s", type(error).__name__)
            self.progress.excused(time.monotonic())
            await self._ends.stop()
            return
        # What was activated stands in the states: readiness has to know all of them.
        self.progress.assigned = self._settled() and self._own() <= self.rater.states.keys()
        self.progress.saw(ends=ends, committed=committed, now=time.monotonic())
        if self._settled() and not self.live.making_up:
            self.progress.owns({one: max(committed.get(one, 0), self.live.durable.get(one, 0)) for one in self._own()}, time.monotonic())
        else:
            # Reading a state back takes as long as it takes, and so does making up for a rulebook.
            self.progress.excused(time.monotonic())

    def _settled(self) -> bool:
        recovered = min(self._chunks.rows.generation, self._heads.rows.generation) > 0
        return recovered and not self.app.rebalancing and not self.app.in_recovery

    async def tend(self) -> None:
        """Look after quiet partitions. Apart from ``watch``: while this waits for Kafka or for a batch, readiness goes on telling."""
        if not self._settled() or self.progress.asked_at is None:
            self._quiet.clear()
            return
        try:
            await self._tend(self.progress.ends, self.progress.committed, time.monotonic())
        except (KafkaError, TimeoutError, OSError) as error:
            # The connection alone: whatever else is wrong with a fact has ended the process already.
            log.warning("what was not handed on can't be read just now: %s", type(error).__name__)

    async def follow(self) -> None:
        """One look at what parts tell their wholes; what fails is tried again with the next. Each look needs a look at facts that
        was begun after the one before."""
        asked_at = self.progress.asked_at
        if not self._settled() or self.live.making_up or asked_at is None or asked_at <= self._followed_at:
            return
        self._followed_at = time.monotonic()
        try:
            await self.following.round(self._own(), self.progress.ends, self.progress.committed)
        except Unavailable as error:
            log.warning("what parts tell can't be read or passed on just now: %s", error)
        except RecordsGone as error:
            log.critical("%s", error)
            leave(EXIT_FAULT)

    async def _tend(self, ends: dict[int, int], committed: dict[int, int], now: float) -> None:
        """Look after partitions that have been quiet for a while: make their state, fetch what faust forgot to hand on, and commit
        what is durable, for what it forgot it never commits past."""
        late: dict[TP, int] = {}
        for partition in sorted(self._own()):
            durable = self.live.durable.get(partition, 0)
            done = max(durable, committed.get(partition, 0))
            if self._quiet.is_left(partition, done, now):
                if partition not in self.rater.states or done < ends.get(partition, 0):
                    await self.live.catch_up(partition, ends.get(partition, 0))
                    self._worked()
                elif durable > committed.get(partition, 0):
                    late[TP(topics.FACTS, partition)] = durable
        if late:
            await self.app.consumer._commit_offsets(late)

    async def work_off(self) -> bool:
        """A slice of what controls left; whether more is left. Tells how much, also where nothing was done."""
        if not self._settled():
            return False
        more = await self.live.work_off(self._own())
        self._worked()
        return more

    def _own(self) -> set[int]:
        return {place.partition for place in self.app.consumer.assignment() if place.topic == topics.FACTS}

    def _worked(self) -> None:
        # The backlog first: who asks in between may hear of too much, never of too little.
        self.progress.backlog = {state.partition: self.rater.backlog.left(state) for state in self.rater.states.values()}
        self.progress.worked.update({state.partition: state.offset + 1 for state in self.rater.states.values()})

    async def reload(self) -> None:
        """Read the rulebooks again while one is refused."""
        if not self.rater.refusals():
            return
        try:
            books = await asyncio.to_thread(load_books, self.settings.rulebooks)
        except (RulebookError, OSError) as error:
            log.warning("the rulebooks can't be read: %s", error)
            return
        await self.live.reload(books)
        self.following.changed()

    def reason(self) -> str | None:
        """Why this worker is not ready."""
        if self.live.making_up:
            return "a rulebook has just been loaded, and what was refused without it is being rated"
        failed = f"grades of {self.following.failed} wholes could not be worked out" if self.following.failed else None
        return self.progress.reason(self.rater.refusals(), self.rater.untold(), time.monotonic()) or failed

    def status(self) -> dict[str, Any]:
        """For people and for the portal's footer: lag, positions, counts, rulebooks."""
        lag = self.progress.lag()
        counts = self.rater.counts
        return {
            "service": "rating",
            "app": topics.rating_app(self.settings.version),
            "rebuilding": sorted(one.partition for one in list(self.rater.states.values()) if one.rebuild is not None),
            "instance": self.settings.instance,
            "ready": self.reason() is None,
            "reason": self.reason(),
            "lag": {"total": sum(lag.values()), "facts": {str(number): behind for number, behind in sorted(lag.items())}},
            "backlog": sum(self.progress.backlog.values()),
            "committed": {str(number): offset for number, offset in sorted(self.progress.committed.items())},
            "parts": {"waiting": self.following.waiting, "untold": self.following.failed},
            "partitions": sorted(self.rater.states),
            "subjects": sum(len(state.chunks) for state in list(self.rater.states.values())),
            "counts": {name: getattr(counts, name) for name in ("records", "facts", "grades", "repeated", "quarantined", "untold")},
            "rulebooks": [
                {"regime": regime, "version": book.rulebook.version, "sha256": book.sha256, "earlier": sorted(book.earlier)}
                for regime, book in sorted(self.rater.books.items())
            ],
            "refused": self.rater.refusals(),
            "untold": self.rater.untold(),
            "up_s": int(time.time() - self.started),
        }

    def answers(self) -> Answers:
        """What the HTTP threads ask."""
        return Answers(status=self.status, reason=self.reason, hung=lambda: self.progress.hung(time.monotonic()))


def faust_worker(worker: Worker) -> faust.Worker:
    """The process's main service: signals, start, stop."""
    return faust.Worker(worker.app, loglevel="WARNING", override_logging=False, redirect_stdouts=False, quiet=True)


def _connection(given: Settings) -> Connection:
    try:
        return Connection.of(given.kafka, given.tls_dir)
    except UnusableCertificates as error:
        raise NotConfigured(f"MINGJIAN_KAFKA_TLS_DIR: {error}") from None
