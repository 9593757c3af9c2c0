"""``python -m tests.bench.live``: one live rating worker on a fresh Kafka. It works off a made-up register that is there already,
then more of it that arrives while it runs; beside aiokafka's bare read of the same records in the same run. Measures and prints;
asserts no figure.

A run ends when every grade event is on Kafka. The worker's start is told apart: it is the same however many facts there are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from deploy.local.stack import Stack
from schemas import topics
from services.rating.replaying import Source, look
from tests.bench import processes, profile, speed
from tests.bench.register import Register
from tests.bench.replay import bare_read, fill
from tests.cases.ledger import book
from tests.stack_fixtures import temporary_stack

REGIME = "liyujiang"
LOOK_S, PATIENCE_S = 0.05, 1_200.0
# Stage → the functions in which a sample counts for it; of several stages the first one. What is in none is the rest of the loop.
STAGES = {
    "outlook of a grade": ("domain/outlook.py:outlook",),
    "standings": ("domain/fold.py:attempt", "domain/fold.py:due"),
    "grade events as bytes": ("handlers.py:Rater._messages",),
    "rows": ("handlers.py:Rater._rows", "partition.py:PartitionState.load"),
    "decoding": ("handlers.py:Rater._read", "partition.py:PartitionState.facts"),
    "rating, the rest": ("handlers.py:Rater.work",),
    "writing": ("adapters/kafka.py:KafkaSink.write", "aiokafka/producer/", "producer/sender.py"),
    "reading": ("aiokafka/consumer/", "consumer/fetcher.py", "protocol/"),
    "start": ("importlib",),
    "faust": ("faust/", "mode/"),
}


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.live", description=__doc__)
    parser.add_argument("--subjects", type=int, default=5_000, help="each has ten facts; half as many arrive later")
    parser.add_argument("--no-arrival", action="store_true", help="leave out the facts that arrive while it runs")
    parser.add_argument("--no-profile", action="store_true", help="leave out where the time went")
    return parser.parse_args(given)


@dataclass(frozen=True, slots=True)
class Run:
    """``records`` and ``grades`` in ``seconds``; ``cpu``: the worker's; ``memory``: MiB, the most so far."""

    records: int
    grades: int
    seconds: float
    cpu: float
    memory: float


class Watched:
    """A worker and how far it is."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._url = stack.ports.url("rating") + "/status"
        self._before = 0

    def counts(self) -> dict[str, int] | None:
        """What /status counts; None while nobody answers."""
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:
                return dict(json.load(answer)["counts"])
        except OSError:
            return None

    def worked_off(self, records: int) -> Run:
        """Wait until it has rated so many records since its start and every grade event of them is on Kafka."""
        until = time.monotonic() + PATIENCE_S
        begun = at_first = cpu = None
        while (counts := self.counts()) is None or counts["records"] < records:
            if counts and counts["records"] > self._before and begun is None:
                begun, at_first, cpu = time.perf_counter(), counts, self._cpu()
            if time.monotonic() > until:
                raise TimeoutError(f"{counts} after {PATIENCE_S:.0f} s")
            self._stack.tick()
            time.sleep(LOOK_S)
        while asyncio.run(_length(self._stack.bootstrap, topics.GRADES)) < counts["grades"]:
            time.sleep(LOOK_S)
        assert begun and at_first and cpu is not None
        seconds = time.perf_counter() - begun
        rated, told = (counts[name] - at_first[name] for name in ("records", "grades"))
        self._before = counts["records"]
        return Run(rated, told, seconds, self._cpu() - cpu, processes.memory(self._stack.pid("rating")).peak)

    def _cpu(self) -> float:
        return processes.cpu_seconds(self._stack.pid("rating"))


async def _length(bootstrap: str, topic: str) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets([TopicPartition(topic, one) for one in range(topics.PARTITIONS)])).values())
    finally:
        await consumer.stop()


def _fill_process(bootstrap: str, subjects: int, seed: int) -> None:
    asyncio.run(fill(bootstrap, Register(book(REGIME), subjects, seed).rows()))


def stages(folder: Path, pid: int) -> dict[str, float]:
    """Stage → its share of the worker's CPU time, from its start on."""
    profile.collect(pid, folder)
    found = json.loads((folder / f"{pid}.json").read_text())
    total, shares = sum(found["stages"].values()) or 1, {}
    for name, count in found["stages"].items():
        shares[name] = count / total
    return shares


def _row(table: Table, what: str, run: Run, bare: float) -> None:
    each = run.seconds / run.records
    table.add_row(
        what,
        f"{run.records:,}",
        f"{run.grades:,}",
        f"{run.seconds:.1f}",
        f"{run.records / run.seconds:,.0f}",
        f"{bare / each:.1%}",
        f"{run.cpu:.1f}",
        f"{run.records / run.cpu:,.0f}",
        f"{run.memory:.0f}",
    )


def main(given: Sequence[str]) -> int:
    """Fill, bare read, work off; then fill while it runs."""
    wanted = _arguments(given)
    console = Console(highlight=False, width=150)
    console.print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} before we began, speed {speed.measure():.0f}")
    table = Table(title=f"{wanted.subjects:,} subjects, {REGIME} whole, one worker", title_justify="left")
    for name in ("what", "records", "grades", "seconds", "records/s", "of the bare read", "CPU s", "records/CPU s", "MiB"):
        table.add_column(name, justify="left" if name == "what" else "right")
    with temporary_stack() as stack:
        stack.start_servers("wall")
        count = asyncio.run(fill(stack.bootstrap, Register(book(REGIME), wanted.subjects).rows()))
        spans = asyncio.run(look(Source(stack.bootstrap)))[0]
        index = speed.measure()
        bare = bare_read(stack.bootstrap, spans, 1).seconds / count
        console.print(f"{count:,} records; bare read by one aiokafka consumer {1 / bare:,.0f}/s; speed {index:.0f}")
        folder = stack.home / "profiles"
        os.environ["BENCH_STAGES"] = json.dumps(STAGES)
        with profile.sampled(folder):
            begun = time.perf_counter()
            stack.begin(["rating"])
            watched = Watched(stack)
            run = watched.worked_off(count)
            console.print(f"start {time.perf_counter() - begun - run.seconds:.1f} s; speed after {speed.measure():.0f}")
            _row(table, "facts that are there", run, bare)
            if not wanted.no_profile:
                shares = stages(folder, stack.pid("rating"))
                console.print(", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items(), key=lambda one: -one[1])))
            if not wanted.no_arrival:
                writer = multiprocessing.get_context("fork").Process(target=_fill_process, args=(stack.bootstrap, wanted.subjects // 2, 7))
                writer.start()
                more = wanted.subjects // 2 * 10 + 4 * topics.PARTITIONS
                _row(table, "facts that arrive", watched.worked_off(count + more), bare)
                writer.join()
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
