"""``python -m tests.bench.replay``: the bulk replay of a made-up register on a fresh Kafka, beside aiokafka's bare read of the same
records in the same run. Measures and prints; asserts no figure.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rich.console import Console
from rich.table import Table

from schemas import topics
from schemas.times import milliseconds
from services.rating.domain.fold import Book
from services.rating.outcome import Question
from services.rating.replaying import Source, look, replay
from tests.bench import processes, speed
from tests.bench.register import Register, Row
from tests.cases.ledger import book
from tests.stack_fixtures import temporary_stack

# Adding up the pages of large processes takes 10 ms and more, in which they can't get new ones: looking often is part of what is measured.
LOOK_S = 0.5


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replay", description=__doc__)
    parser.add_argument("--subjects", type=int, default=100_000, help="each has ten facts")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3, help="bare read and replay, in turn")
    parser.add_argument("--sequence", action="store_true", help="the full sequence of grade events as well (slow)")
    return parser.parse_args(given)


async def fill(bootstrap: str, rows: Iterable[Row]) -> int:
    """Write rows to facts, controls to every partition; returns the number of records. Their times are those of their entry where the
    topic keeps a producer's times."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=5, max_batch_size=262_144 - 1024
    )
    await producer.start()
    written = 0

    async def send(row: Row, partition: int | None = None) -> None:
        nonlocal written
        key, kind, value = row
        id, time_ms = said(value, b'"id":"', 36), milliseconds(said(value, b'"received_at":"', 24).decode())
        headers = [("ce_id", id), ("ce_type", kind.encode()), ("content-type", b"application/json")]
        await producer.send(topics.FACTS, value, key=key, headers=headers, partition=partition, timestamp_ms=time_ms)
        written += 1

    try:
        for row in rows:
            for number in range(topics.PARTITIONS) if row[0] == topics.CONTROL_KEY else (None,):
                await send(row, number)
        await producer.flush()
    finally:
        await producer.stop()
    return written


def said(value: bytes, before: bytes, length: int) -> bytes:
    """So many bytes behind the first ``before``."""
    begin = value.index(before) + len(before)
    return value[begin : begin + length]


async def _bare(bootstrap: str, spans: dict[int, tuple[int, int]]) -> int:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", max_partition_fetch_bytes=4 * 1024 * 1024
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topics.FACTS, number) for number in spans])
        left = sum(end - first for first, end in spans.values())
        while left > 0:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
                left -= len(records)
        return left
    finally:
        await consumer.stop()


def _bare_process(bootstrap: str, spans: dict[int, tuple[int, int]]) -> None:
    asyncio.run(_bare(bootstrap, spans))


@dataclass(frozen=True, slots=True)
class Spent:
    """``memory``: the most at once (PSS, MiB), 0 where nobody looked; ``cpu``: seconds of the processes that were started, which on a
    shared machine says more than ``seconds`` on the clock."""

    seconds: float
    cpu: float
    memory: float = 0.0


def _children_cpu() -> float:
    for one in multiprocessing.active_children():
        one.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare_read(bootstrap: str, spans: dict[int, tuple[int, int]], cores: int) -> Spent:
    """What as many aiokafka consumers as cores need to hand out every record, doing nothing with them."""
    context = multiprocessing.get_context("fork")
    numbers = sorted(spans)
    parts = [{number: spans[number] for number in numbers[at::cores]} for at in range(cores)]
    workers = [context.Process(target=_bare_process, args=(bootstrap, part)) for part in parts]
    burnt, begun = _children_cpu(), time.perf_counter()
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert all(one.exitcode == 0 for one in workers)
    return Spent(time.perf_counter() - begun, _children_cpu() - burnt)


def weighed(work: Callable[[], Any]) -> tuple[Any, Spent]:
    """What ``work`` returns, and what it and its children took."""
    most, over = 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(LOOK_S):
            most = max(most, processes.memory(os.getpid()).pss)

    watcher = threading.Thread(target=watch)
    burnt, begun = _children_cpu(), time.perf_counter()
    watcher.start()
    try:
        found = work()
        seconds = time.perf_counter() - begun
    finally:
        over.set()
        watcher.join()
    return found, Spent(seconds, _children_cpu() - burnt, most)


def replayed(bootstrap: str, books: dict[str, Book], cores: int, *, sequence: bool = False) -> Any:
    """One replay, from looking at the ends to the digest, as the command does it."""
    source = Source(bootstrap)
    spans, moment = asyncio.run(look(source))
    asked = Question(books, moment, sequence=sequence)
    return replay(source, spans, asked, known_at=None, cores=cores, progress=lambda done, total: None)


def main(given: Sequence[str]) -> int:
    """Fill, then bare read and replay in turn, then what was found."""
    wanted = _arguments(given)
    console = Console(highlight=False)
    regime = book("liyujiang")
    console.print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} before we began, speed {speed.measure():.0f}")
    table = Table(title=f"{wanted.subjects:,} subjects, {regime.rulebook.regime} whole, {wanted.cores} processes", title_justify="left")
    for name in ("what", "records", "seconds", "records/s", "of the bare read", "CPU µs/record", "MiB", "speed before"):
        table.add_column(name, justify="left" if name == "what" else "right")
    with temporary_stack() as stack:
        stack.start_servers("wall")
        begun = time.perf_counter()
        count = asyncio.run(fill(stack.bootstrap, Register(regime, wanted.subjects).rows()))
        console.print(f"{count:,} records written in {time.perf_counter() - begun:.0f} s")
        spans = asyncio.run(look(Source(stack.bootstrap)))[0]
        kafka = int(stack.status()["processes"]["kafka"]["pid"])

        def add(what: str, spent: Spent, bare: Spent, index: float) -> None:
            shown = [f"{count:,}", f"{spent.seconds:.2f}", f"{count / spent.seconds:,.0f}", f"{bare.seconds / spent.seconds:.0%}"]
            shown += [f"{spent.cpu / count * 1e6:.1f}", f"{spent.memory:.0f}" if spent.memory else "", f"{index:.0f}"]
            table.add_row(what, *shown)

        bare = Spent(0.0, 0.0)
        for number in range(1, wanted.rounds + 1):
            index = speed.measure()
            bare = bare_read(stack.bootstrap, spans, wanted.cores)
            add(f"{number}. aiokafka, getmany, nothing else", bare, bare, index)
            index, burnt = speed.measure(), processes.cpu_seconds(kafka)
            found, spent = weighed(lambda: replayed(stack.bootstrap, {regime.rulebook.regime: regime}, wanted.cores))
            add(f"{number}. replay, final grade of each subject", spent, bare, index)
            console.print(f"[dim]digest {found.digest}; Kafka's CPU {processes.cpu_seconds(kafka) - burnt:.1f} s[/dim]")
        if wanted.sequence:
            index = speed.measure()
            work = lambda: replayed(stack.bootstrap, {regime.rulebook.regime: regime}, wanted.cores, sequence=True)  # noqa: E731
            found, spent = weighed(work)
            add("replay, every grade event", spent, bare, index)
            console.print(f"[dim]digest {found.digest}, {len(found.outcome.lines):,} grade events[/dim]")
        console.print(table)
        console.print(", ".join(f"{word} {number:,}" for (_, word), number in sorted(found.outcome.words.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
