"""``python -m tests.bench.log``: the log's writer on this machine's disk and a fresh PostgreSQL, beside the disk's own limit.

Kafka is left out: records are handed over as they would come from it. The writer is held to one core; PostgreSQL takes what it gets.
Measures and prints; asserts no figure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orjson
from rich.console import Console
from rich.table import Table

from services.audit.adapters.folder import FolderStore
from services.audit.adapters.plan import PostgresPlan
from services.audit.appender import Appender
from services.audit.domain.frame import Record, encode_whole
from services.audit.proving import prove
from services.audit.wiring import LOG_LINGER_S, migrate
from services.audit.worker import CHECKPOINT_EVERY_S
from tests.bench import speed
from tests.stack_fixtures import temporary_stack
from tests.unit.audit.fakes import KEY, VERIFIER

TOPIC, PARTITIONS = "mingjian.facts.v1", 12
ENTRY_BYTES = 600
MOST_IN_A_BATCH = 5_000


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.log", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="records appended as fast as it goes")
    parser.add_argument("--rate", type=float, default=500.0, help="records a second while the delay is measured")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the delay is measured")
    parser.add_argument("--leaves", type=int, default=1_000_000, help="leaves of the log that is started on and proved from")
    parser.add_argument("--syncs", type=int, default=1_000, help="appends with sync, for the disk's limit")
    parser.add_argument("--folder", type=Path, help="on whose disk; default the system's temporary folder")
    return parser.parse_args(given)


class Source:
    """Records as Kafka has them, an event each; ``size`` is that of the log's entry."""

    def __init__(self, size: int) -> None:
        self._next = [0] * PARTITIONS
        self._number = 0
        bare = len(encode_whole(self._record(0, 0, "")))
        self._filling = "." * max(0, size - bare)
        self._number = 0

    def _record(self, partition: int, offset: int, filling: str) -> Record:
        self._number += 1
        event = {
            "id": f"018f0000-0000-7000-8000-{self._number:012x}",
            "source": "/departments/bench/offices/bench",
            "type": "mingjian.bench.recorded.v1",
            "subject": "uscc:91350100M000100Y43",
            "time": "2026-01-01T00:00:00.000Z",
            "data": {"note": filling},
        }
        headers = (("ce_id", event["id"].encode()), ("ce_type", b"mingjian.bench.recorded.v1"))  # type: ignore[attr-defined]
        return Record(TOPIC, partition, offset, 1_790_000_000_000, 1, b"uscc:91350100M000100Y43", headers, orjson.dumps({"event": event}))

    def take(self, count: int) -> dict[tuple[str, int], list[Record]]:
        """The next ``count`` records, spread over the partitions."""
        batch: dict[tuple[str, int], list[Record]] = {}
        for number in range(count):
            partition = number % PARTITIONS
            record = self._record(partition, self._next[partition], self._filling)
            batch.setdefault((TOPIC, partition), []).append(record)
            self._next[partition] += 1
        return batch


@dataclass
class Log:
    """A log of its own in ``folder``, planned in the database of ``dsn``."""

    folder: Path
    dsn: str

    def open(self) -> Appender:
        self.store = FolderStore(self.folder, "bench")
        self.plan = PostgresPlan(self.dsn)
        return Appender(plan=self.plan, store=self.store, key=KEY)

    def close(self) -> None:
        self.plan.close()
        self.store.close()


def disk_limit(folder: Path, syncs: int) -> tuple[float, list[float]]:
    """Appends of one entry, each synced: a second, and how long each took in seconds."""
    path, took = folder / "disk", []
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        begun = time.perf_counter()
        for _ in range(syncs):
            one = time.perf_counter()
            os.write(handle, b"." * ENTRY_BYTES)
            os.fdatasync(handle)
            took.append(time.perf_counter() - one)
        return syncs / (time.perf_counter() - begun), took
    finally:
        os.close(handle)
        path.unlink()


def as_fast_as_it_goes(writer: Appender, source: Source, records: int) -> tuple[float, float]:
    """(records a second, CPU seconds of this process). Checkpoints as often as in the service; making the records is not counted."""
    spent, cpu, done, signed_at = 0.0, 0.0, 0, 0.0
    while done < records:
        batch = source.take(min(MOST_IN_A_BATCH, records - done))
        begun, working = time.perf_counter(), time.process_time()
        writer.append(batch)
        if spent - signed_at >= CHECKPOINT_EVERY_S:
            writer.checkpoint()
            signed_at = spent
        spent += time.perf_counter() - begun
        cpu += time.process_time() - working
        done += sum(map(len, batch.values()))
    return records / spent, cpu


def at_a_rate(writer: Appender, source: Source, rate: float, seconds: float, linger_s: float) -> tuple[list[float], list[float]]:
    """Delays in seconds from a record's arrival until it is a durable leaf, and until a checkpoint covers it.

    Arrivals are set beforehand: whoever is slow finds more of them waiting. ``linger_s``: what the reader waits for after few."""
    integrated: list[float] = []
    published: list[float] = []
    waiting: list[float] = []
    begun = time.perf_counter()
    signed_at, total = begun, int(rate * seconds)
    while len(published) < total:
        now = time.perf_counter()
        arrived = min(total, int((now - begun) * rate))
        if count := arrived - len(integrated):
            writer.append(source.take(count))
            done = time.perf_counter()
            waiting += [begun + (len(integrated) + number + 1) / rate for number in range(count)]
            integrated += [done - one for one in waiting[-count:]]
        if time.perf_counter() >= signed_at + CHECKPOINT_EVERY_S:
            signed_at = time.perf_counter()
            writer.checkpoint()
            published += [time.perf_counter() - one for one in waiting]
            waiting = []
        time.sleep(linger_s if count else 0.001)
    return integrated, published


def grown(writer: Appender, source: Source, leaves: int) -> None:
    """Until the log has so many leaves."""
    while writer.size < leaves:
        writer.append(source.take(min(20_000, leaves - writer.size)))
    writer.checkpoint()


def quantile(values: Sequence[float], part: float) -> float:
    """In milliseconds."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] * 1000


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def measure(asked: argparse.Namespace, folder: Path, dsn: str, table: Table) -> None:
    """All phases on one log."""
    per_second, took = disk_limit(folder, asked.syncs)
    words = f"p50 {quantile(took, 0.5):.2f} ms, p99 {quantile(took, 0.99):.2f} ms"
    table.add_row(f"the disk's limit: append of {ENTRY_BYTES} bytes and sync", f"{per_second:,.0f} a second", words)
    log, source = Log(folder / "log", dsn), Source(ENTRY_BYTES)
    writer = log.open()
    writer.start()
    per_second, cpu = as_fast_as_it_goes(writer, source, asked.records)
    table.add_row("durable appends, as fast as it goes", f"{per_second:,.0f} a second", f"{cpu / asked.records * 1e6:.0f} µs of CPU each")
    integrated, published = at_a_rate(writer, source, asked.rate, asked.seconds, LOG_LINGER_S)
    for name, values in (("a durable leaf", integrated), ("under a checkpoint", published)):
        p50, p99, most = quantile(values, 0.5), quantile(values, 0.99), max(values) * 1000
        table.add_row(f"arrival → {name}, at {asked.rate:,.0f} a second", f"p99 {p99:.0f} ms", f"p50 {p50:.0f} ms, longest {most:.0f} ms")
    source._filling = ""
    grown(writer, source, asked.leaves)
    size = writer.size
    log.close()
    again = log.open()
    table.add_row(f"start on {size:,} leaves", f"{timed(again.start):.2f} s", "")
    chance = Random(20261128)
    took = [timed(lambda: prove(chance.randrange(size), log.store.read, VERIFIER)) for _ in range(300)]
    table.add_row(f"a proof among {size:,} leaves", f"p50 {quantile(took, 0.5):.2f} ms", f"p99 {quantile(took, 0.99):.2f} ms")
    log.close()


def main(given: Sequence[str]) -> int:
    asked, console = _arguments(given), Console()
    table = Table(title="the log's writer")
    for name in ("what", "figure", "beside it"):
        table.add_column(name)
    folder = Path(tempfile.mkdtemp(prefix="mingjian-log-bench-", dir=asked.folder))
    before = speed.measure()
    try:
        with temporary_stack() as stack:
            stack.start_servers("wall")
            dsn = Path(stack.service_env("audit")["MINGJIAN_DSN_FILE"]).read_text().strip()
            migrate(dsn)
            cores = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {min(cores)})
            try:
                measure(asked, folder, dsn, table)
            finally:
                os.sched_setaffinity(0, cores)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(table)
    console.print(f"the machine's speed: {before:.0f} before, {speed.measure():.0f} after (100: the reference, with nothing else on it)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
