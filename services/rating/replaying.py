"""The bulk driver: all facts on Kafka once more through the same fold, on all cores.

A process takes a whole partition at a time, reads it up to the end that was asked for at the start, and answers with lines and
counts. Nothing goes between processes but these and a count of records for the progress bar, and nothing is written anywhere.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import conn

from services._bus.kafka import Connection, Unavailable
from services.rating.adapters import partitions
from services.rating.domain.digest import digest_of
from services.rating.domain.succession import parties
from services.rating.gathering import Gathered
from services.rating.outcome import Aside, Outcome, Question, activate, final, successors, told
from services.rating.replaying_wholes import add_wholes

_LOOK_S = 0.1
Spans = Mapping[int, tuple[int, int]]
Progress = Callable[[int, int], None]
"""Told records so far, and how many there are."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where Kafka is; see ``Connection.of``. Plain values, for another process makes the connection."""

    bootstrap: str
    tls_dir: Path | None = None

    def connection(self) -> Connection:
        return Connection.of(self.bootstrap, self.tls_dir)


@dataclass(frozen=True, slots=True)
class Replayed:
    """``digest``: of the outcome's lines, see ``domain.digest``."""

    outcome: Outcome
    digest: str


async def look(source: Source) -> tuple[dict[int, tuple[int, int]], int]:
    """See ``partitions.look``. Raises ``UnusableCertificates`` as well."""
    return await partitions.look(source.connection())


def replay(source: Source, spans: Spans, asked: Question, *, known_at: int | None, cores: int, progress: Progress) -> Replayed:
    """Rate everything in ``spans`` that was known at ``known_at`` (epoch ms; None: all). Raises ``Unavailable``, ``RecordsGone``."""
    total = sum(end - first for first, end in spans.values())
    # A fork has the rulebooks and all modules already; where there is none, a process of its own takes a second to get them.
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("fork" if "fork" in methods else None)
    read = context.Array("Q", max(spans, default=0) + 1, lock=False)
    outcome = Outcome()
    # The largest first, so that none is left over at the end.
    order = sorted(spans, key=lambda one: spans[one][0] - spans[one][1])
    with ProcessPoolExecutor(max(1, min(cores, len(spans))), context, _begin, (source, asked, known_at, read)) as pool:
        waiting = {pool.submit(_partition, partition, *spans[partition]) for partition in order}
        try:
            while waiting:
                done, waiting = wait(waiting, _LOOK_S, FIRST_COMPLETED)
                for one in done:
                    outcome.add(one.result())
                progress(sum(read), total)
        except BrokenProcessPool:
            raise Unavailable("a process of the replay ended before its time; is there memory enough?") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    successors(asked, outcome)
    add_wholes(outcome, asked)
    return Replayed(outcome, digest_of(outcome.lines))


class _Process:
    """What a process of the pool keeps from partition to partition."""

    def __init__(self, source: Source, asked: Question, known_at: int | None, read: Any) -> None:
        self.asked, self.known_at, self.read = asked, known_at, read
        self.runner = asyncio.Runner()
        self.partitions = partitions.Partitions(source.connection())
        self.runner.run(self.partitions.start())

    def gathered(self, partition: int, first: int, end: int) -> Gathered:
        """The partition's records, sorted by subject. Raises what ``Partitions.read`` raises."""
        instead = {regime: self.asked.books[regime].sha256 for regime in self.asked.instead}
        found = Gathered(partition, until=self.known_at, instead=instead)
        # No coroutine may return them: asyncio's Runner asks for the handler of SIGINT when it is done, which makes a text of the task
        # with its result, all of a partition's bytes; that took a quarter of the whole replay.
        self.runner.run(self._gather(found, partition, first, end))
        return found

    async def _gather(self, found: Gathered, partition: int, first: int, end: int) -> None:
        async for entries in self.partitions.read(partition, first, end):
            found.take(entries)
            self.read[partition] = found.records
            if found.over:
                break
        self.read[partition] = end - first


_process: _Process | None = None


def _begin(source: Source, asked: Question, known_at: int | None, read: Any) -> None:
    global _process
    # Facts make no circles: collecting would only walk through all of them again and again.
    gc.disable()
    gc.freeze()
    # A connection stops listening whenever so many bytes wait to be taken. Answers are taken whole, so by aiokafka's own 64 KiB it would
    # stop and begin again dozens of times for each of them: a tenth of reading.
    conn.READER_LIMIT = 2 * partitions.FETCH_BYTES
    _keep_memory()
    _process = _Process(source, asked, known_at, read)


# glibc's mallopt: when to give memory back, how much to ask for at once, from which size on to map a piece of its own.
_MALLOC = ((-1, 1 << 30), (-2, 1 << 26), (-3, 1 << 30))


def _keep_memory() -> None:
    """Let what one partition took serve the next: given back and asked for again, its pages are cleaned by the system each time, which
    was a twentieth of the replay. Where there is no glibc nothing changes."""
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    for option, value in _MALLOC:
        mallopt(option, value)


def _partition(partition: int, first: int, end: int) -> Outcome:
    assert _process is not None
    asked = _process.asked
    found = _process.gathered(partition, first, end)
    for regime in asked.instead:
        activate(found.controls, asked.books[regime])
    outcome = Outcome(records=found.records)
    work = told if asked.sequence else final
    for subject, facts in found.each(every=asked.sequence):
        outcome.subjects += 1
        outcome.facts += len(facts)
        if parties(facts) and not asked.sequence:
            outcome.aside.append(Aside(subject, partition, facts, found.controls))
        else:
            work(subject, partition, facts, found.controls, asked, outcome)
    outcome.unreadable += found.unreadable
    gc.collect()
    return outcome
