"""``make bench``: one run over a fresh stack with everything on. Measures and prints; asserts no figure.

Order matters on a small machine: Kafka's own tool first, alone; then intake, the whole pipe, the delay under a steady rate,
audit catching up, and last the slowest step once more under a sampler (which slows it, so nothing else is measured then).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console

from deploy.local import jars
from deploy.local.kafka import find_java
from deploy.local.stack import SERVERS, SERVICES, Stack
from schemas.topics import LOGGED_TOPICS, PARTITIONS
from tests.bench import drive, load, processes, profile, setting, speed
from tests.bench.kafka import producer_performance
from tests.bench.report import Rate, Report
from tests.stack_fixtures import temporary_stack

BATCH = 500
BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 32
SETTLE_S = 3.0


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=12_000, help="events of the run through the whole pipe")
    parser.add_argument("--single", type=int, default=3_000, help="events posted one by one")
    parser.add_argument("--rate", type=float, default=200.0, help="events a second while the delay is measured")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the delay is measured")
    parser.add_argument("--records", type=int, default=300_000, help="records for Kafka's ProducerPerformance")
    parser.add_argument("--no-profile", action="store_true", help="leave out the profile of the slowest step")
    return parser.parse_args(given)


class Bench:
    """The phases over one running stack. Subjects are numbered through, so that no phase meets another's."""

    def __init__(self, stack: Stack, report: Report, console: Console) -> None:
        self._stack, self._report, self._console = stack, report, console
        self._intake, self._publication = stack.ports.url("intake"), stack.ports.url("publication")
        self._author = setting.author(stack)
        self._next = 1_000_000
        self._rng = Random(20261123)

    def say(self, words: str) -> None:
        index = speed.measure()
        self._report.speed[words] = round(index, 1)
        self._console.print(f"[dim]{words} (the machine's speed now: {index:.0f})[/dim]")

    def _subjects(self, count: int) -> list[str]:
        self._next += count
        return load.premises(self._next - count, count)

    def _pid(self, name: str) -> int:
        return self._stack.status()["processes"][name]["pid"]

    def _pids(self) -> dict[str, int]:
        return {name: self._pid(name) for name in (*SERVERS, *SERVICES)}

    def _pairs(self, events: int) -> tuple[list[load.Prepared], list[str]]:
        """Half registrations, half inspections: every inspection becomes one change."""
        subjects = self._subjects(events // 2)
        prepared = [*load.registrations(self._author, subjects, self._rng), *load.inspections(self._author, subjects, self._rng)]
        return prepared, subjects

    def _through_the_pipe(self, events: int) -> drive.Published:
        prepared, subjects = self._pairs(events)
        bodies = load.batches(prepared, BATCH)
        running = drive.publish(
            self._intake, self._publication, bodies, events=len(prepared), subjects=set(subjects), connections=BATCH_CONNECTIONS
        )
        return asyncio.run(running)

    def warm_up(self) -> None:
        """Let every process load what it loads lazily."""
        self.say("warming up")
        self._through_the_pipe(1_000)

    def singly(self, events: int) -> None:
        """One event a request."""
        self.say(f"intake: {events:,} events one by one")
        prepared = list(load.registrations(self._author, self._subjects(events), self._rng))
        self._report.rates.append(asyncio.run(drive.post_singly(self._intake, prepared, connections=SINGLE_CONNECTIONS)))
        time.sleep(SETTLE_S)

    def pipe(self, events: int) -> None:
        """Everything on: from the first post to the last change on the stream, and whose CPU it took."""
        self.say(f"the whole pipe: {events:,} events in batches of {BATCH}")
        pids = self._pids()
        before = {name: processes.cpu_seconds(pid) for name, pid in pids.items()}
        found = self._through_the_pipe(events)
        self._report.cpu_seconds = {name: processes.cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        self._report.slowest = max(SERVICES, key=lambda name: self._report.cpu_seconds[name])
        self._report.rates += [
            Rate(f"intake, batches of {BATCH} on {BATCH_CONNECTIONS} connections", found.events, found.accepted_s),
            Rate("until published (on the stream)", found.events, found.published_s),
        ]
        time.sleep(SETTLE_S)

    def delay(self, per_second: float, seconds: float) -> None:
        """POST → SSE at a steady rate."""
        count = int(per_second * seconds)
        self.say(f"delay: {count:,} events at {per_second:.0f} a second")
        subjects = self._subjects(count)
        asyncio.run(
            drive.post_batches(
                self._intake, load.batches(list(load.registrations(self._author, subjects, self._rng)), BATCH), connections=1
            )
        )
        time.sleep(SETTLE_S)
        prepared = list(load.inspections(self._author, subjects, self._rng))
        running = drive.latency(self._intake, self._publication, prepared, per_second=per_second, connections=SINGLE_CONNECTIONS)
        self._report.latency = asyncio.run(running)

    def audit(self, events: int) -> None:
        """Stop audit, let records pile up, start it: how fast the log takes them."""
        self.say(f"audit: catching up on {events:,} events and what follows from them")
        asyncio.run(self._until_logged())
        self._stack.stop_one("audit")
        self._through_the_pipe(events)
        before, wanted = self._size(), asyncio.run(_leaves(self._stack.bootstrap))
        start = time.perf_counter()
        self._stack.start("audit")
        asyncio.run(self._until_logged())
        self._report.rates.append(Rate("audit, appends from its start to the checkpoint", wanted - before, time.perf_counter() - start))

    def _size(self) -> int:
        """Leaves under the last checkpoint."""
        return int((self._stack.home / "log" / "checkpoint").read_text().splitlines()[1])

    async def _until_logged(self) -> None:
        async with asyncio.timeout(drive.PATIENCE_S):
            while self._size() < await _leaves(self._stack.bootstrap):
                await asyncio.sleep(0.1)

    def weigh(self) -> None:
        """Memory of each process with its family."""
        self._report.memory = {name: processes.memory(pid) for name, pid in self._pids().items()}

    def sample(self, events: int) -> None:
        """The slowest step again, under the sampler."""
        name = self._report.slowest
        self.say(f"profile: {name} again, under the sampler")
        folder = self._stack.home / "profiles"
        self._stack.stop_one(name)
        with profile.sampled(folder):
            self._stack.start(name)
        self._through_the_pipe(events)
        self._report.samples, self._report.profile = profile.collect(self._pid(name), folder)


async def _leaves(bootstrap: str) -> int:
    """How many records stand on the topics that become leaves."""
    partitions = [TopicPartition(topic.name, number) for topic in LOGGED_TOPICS for number in range(topic.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()


def _machine() -> dict[str, object]:
    return {"system": platform.platform(), "python": platform.python_version(), "cpus": os.cpu_count(), "load_before": os.getloadavg()[0]}


def main(given: Sequence[str]) -> int:
    """Run every phase and print. The figures go to ``$MINGJIAN_HOME/bench.json``."""
    wanted = _arguments(given)
    console = Console()
    report = Report(_machine())
    console.print(f"{report.machine['cpus']} CPUs, load {report.machine['load_before']:.1f} before we began", highlight=False)
    with temporary_stack(say=lambda line: console.print(f"[dim]{line}[/dim]")) as stack:
        bench = start(stack, report, console, wanted.records)
        bench.warm_up()
        bench.singly(wanted.single)
        bench.pipe(wanted.events)
        bench.delay(wanted.rate, wanted.seconds)
        bench.audit(wanted.events)
        bench.weigh()
        if not wanted.no_profile:
            bench.sample(wanted.events)
    report.show(console)
    target = Path(os.environ.get("MINGJIAN_HOME") or ".mingjian") / "bench.json"
    report.write(target)
    console.print(f"figures → {target}", highlight=False)
    return 0


def start(stack: Stack, report: Report, console: Console, records: int) -> Bench:
    """Servers, then Kafka's own tool with the machine to itself, then the services and someone who may sign."""
    stack.start_servers("wall")
    libraries = jars.ensure_jars(jars.library_root(stack.home))
    console.print(f"[dim]Kafka's ProducerPerformance: {records:,} records of 600 bytes[/dim]")
    found = producer_performance(stack.bootstrap, libraries, find_java() or "java", records=records, size=600, partitions=PARTITIONS)
    report.baseline = Rate("Kafka's ProducerPerformance, 600 bytes, acks=all", found.records, found.records / found.per_second)
    setting.found(stack)
    stack.start_services()
    return Bench(stack, report, console)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
