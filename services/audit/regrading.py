"""All grades worked out again from Kafka and held against those that stand there, a partition at a time, on as many cores as one wants.

What is read in which order matters: first how far rating is, then where its topics end, then where facts end. So what must stand stands,
and what stands has its cause among the facts.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from schemas.topics import DUTIES, FACTS, GRADES, PARTITIONS, PARTS, REGISTRY
from services._bus.kafka import Connection, Unavailable
from services.audit.adapters import replay_reader
from services.audit.adapters.rating_heads import heads
from services.audit.domain.broadcasts import Broadcasts
from services.audit.domain.derived_entries import in_order
from services.audit.domain.detectors.model import Entry
from services.audit.domain.differences import Difference, Stood, Worked
from services.audit.domain.frame import Record
from services.audit.domain.judging import Judged, judge, judge_parts
from services.audit.domain.replay import Book, Facts, digest_of
from services.audit.ports import Place

_DERIVED = (GRADES, DUTIES, PARTS)
_LOOK_S = 0.2
_Answer = tuple[Judged, dict[tuple[str, str], bytes]]
Progress = Callable[[int, int], None]
"""Told the records worked off so far, and how many there are."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where Kafka is, in plain values, for another process makes the connection."""

    bootstrap: str
    tls_dir: Path | None = None

    def connection(self) -> Connection:
        """Raises ``UnusableCertificates``."""
        return Connection.of(self.bootstrap, self.tls_dir)


@dataclass(frozen=True)
class Bounds:
    """Where reading begins and ends, see the module. ``rebuilt``: more than one version of rating worked here."""

    spans: Mapping[Place, tuple[int, int]]
    worked: Mapping[int, Worked]
    rebuilt: bool

    def of(self, partition: int) -> dict[Place, tuple[int, int]]:
        """Everything that is read of one partition."""
        return {(topic, partition): self.spans[topic, partition] for topic in (*_DERIVED, FACTS)}

    def weight(self, partition: int) -> int:
        """Records to be worked off: facts count twice, for they are read and folded."""
        sizes = {topic: end - first for (topic, _), (first, end) in self.of(partition).items()}
        return sum(sizes.values()) + sizes[FACTS]


@dataclass
class Regraded:
    """``digest``: lower-case hex SHA-256 of all events, that of ``mingjian replay --sequence``. ``copies``: of control events;
    ``heard``: what detectors asked for, by partition, in order; ``unsaid``: regimes
    of which not every part had told its whole all that the facts lead to, or can."""

    differences: list[Difference]
    digest: str
    facts: int
    events: int
    compared: int
    pending: int
    reworded: int
    untold: int
    unjudged: list[str]
    copies: Broadcasts = field(default_factory=Broadcasts)
    heard: dict[int, list[Entry]] = field(default_factory=dict)
    unsaid: frozenset[str] = frozenset()


async def look(connection: Connection) -> Bounds:
    """Where everything stands. Raises ``KafkaError``."""
    worked, rebuilt = await heads(connection)
    spans = await replay_reader.bounds(connection, [(topic, number) for topic in _DERIVED for number in range(PARTITIONS)])
    spans |= await replay_reader.bounds(connection, [(REGISTRY, 0)])
    spans |= await replay_reader.bounds(connection, [(FACTS, number) for number in range(PARTITIONS)])
    return Bounds(spans, worked, rebuilt)


def regrade(
    source: Source,
    books: Mapping[str, Book],
    *,
    cores: int = 1,
    progress: Progress = lambda done, total: None,
    hearing: frozenset[str] = frozenset(),
) -> Regraded:
    """Compare everything that is there. ``cores``: processes; 1 is this one; ``hearing``: see ``judge``.

    Raises ``KafkaError``, ``Unavailable``, ``UnusableCertificates``."""
    bounds = asyncio.run(look(source.connection()))
    copies = Broadcasts()
    copies.registry(asyncio.run(_all(source.connection(), bounds.spans[REGISTRY, 0])))
    found = _judged(_Task(source, dict(books), bounds, hearing), range(PARTITIONS), cores, progress)
    if not bounds.rebuilt and any(one.rebuilt for one, _ in found.values()):
        # Only a record says that another version was here: what the others found without knowing it is looked at once more.
        bounds = replace(bounds, rebuilt=True)
        again = [number for number, (one, _) in found.items() if one.differences]
        found |= _judged(_Task(source, dict(books), bounds, hearing), again, cores, progress)
    judged = Judged()
    for number, (one, seen) in sorted(found.items()):
        judged.add(one)
        copies.partition(number, seen)
    unsaid = {one.regime for one, due in judged.words if not due} | {regime for _, regime in judged.untold}
    judge_parts(judged, books, bounds.worked, rebuilt=bounds.rebuilt)
    unjudged = sorted({f"{regime}/{partition}" for regime, partition in judged.unjudged})
    judged.differences.sort(key=lambda one: (one.place, one.kind, one.what))
    return Regraded(
        judged.differences,
        digest_of(judged.lines),
        judged.facts,
        judged.events,
        judged.compared,
        judged.pending,
        judged.reworded,
        len(judged.untold),
        unjudged,
        copies,
        {number: in_order(one.heard) for number, (one, _) in found.items()},
        frozenset(unsaid | {regime for regime, _ in judged.unjudged}),
    )


async def _all(connection: Connection, span: tuple[int, int]) -> list[Record]:
    """The registry, which is small."""
    return [one async for records in replay_reader.read_through(connection, {(REGISTRY, 0): span}) for one in records]


def _judged(task: _Task, partitions: Iterable[int], cores: int, progress: Progress) -> dict[int, _Answer]:
    """The largest first, so that none is left over at the end."""
    order = sorted(partitions, key=lambda one: -task.bounds.weight(one))
    total = sum(map(task.bounds.weight, order))

    def told() -> None:
        progress(sum(task.done), total)

    if cores > 1 and len(order) > 1:
        return _in_processes(task, order, cores, told)
    task.told = told
    found = {}
    for partition in order:
        found[partition] = task.partition(partition)
        gc.collect()
    return found


def _in_processes(task: _Task, order: list[int], cores: int, told: Callable[[], None]) -> dict[int, _Answer]:
    methods = multiprocessing.get_all_start_methods()
    # A fork has rulebooks and modules already.
    context: Any = multiprocessing.get_context("fork" if "fork" in methods else None)
    found = {}
    with ProcessPoolExecutor(min(cores, len(order)), context, _begin, (task,)) as pool:
        waiting = {pool.submit(_partition, partition): partition for partition in order}
        left = set(waiting)
        try:
            while left:
                ready, left = wait(left, _LOOK_S, FIRST_COMPLETED)
                found |= {waiting[one]: one.result() for one in ready}
                told()
        except BrokenProcessPool:
            raise Unavailable("a process that works grades out again ended before its time; is there memory enough?") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return found


@dataclass
class _Task:
    """What a process needs for any partition. ``done``: records worked off, by partition, shared by all processes."""

    source: Source
    books: dict[str, Book]
    bounds: Bounds
    hearing: frozenset[str] = frozenset()
    done: Any = field(default_factory=lambda: multiprocessing.get_context().Array("Q", PARTITIONS, lock=False))
    told: Callable[[], None] = lambda: None

    def partition(self, number: int) -> _Answer:
        """Read a partition and judge it; with it the control copies that it has."""
        facts, stood, seen = Facts(number), [], {}

        async def read() -> None:
            async for records in replay_reader.read_through(self.source.connection(), self.bounds.of(number)):
                for one in records:
                    if one.topic != FACTS:
                        stood.append(Stood.of(one))
                        continue
                    facts.take(one)
                    if (copy := Broadcasts.copy_of(one)) is not None:
                        seen.setdefault(copy, one.value or b"")
                self.done[number] += len(records)
                self.told()

        asyncio.run(read())
        stood.sort(key=lambda one: (one.topic, one.offset))
        worked = self.bounds.worked.get(number, Worked())

        def folded(count: int) -> None:
            self.done[number] += count
            self.told()

        judged = judge(facts, stood, self.books, worked, rebuilt=self.bounds.rebuilt, progress=folded, hearing=self.hearing)
        self.done[number] = self.bounds.weight(number)
        return judged, seen


_task: _Task | None = None


def _begin(task: _Task) -> None:
    global _task
    # Facts make no circles: collecting would only walk through all of them again and again.
    gc.disable()
    gc.freeze()
    _task = task


def _partition(number: int) -> _Answer:
    assert _task is not None
    found = _task.partition(number)
    gc.collect()
    return found
