"""What was measured, as a table for people and JSON for the next run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.processes import Memory
from tests.bench.profile import Line

AIM_PUBLISHED, AIM_P99_MS, AIM_MIB = 1000, 500, 1536


@dataclass(frozen=True, slots=True)
class Rate:
    """Something that happens ``per_second``, counted over ``count`` in ``seconds``."""

    name: str
    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Latency:
    """POST → SSE, in milliseconds, at ``asked`` events a second of which ``sent`` a second were managed."""

    asked: float
    sent: float
    count: int
    missing: int
    p50_ms: float
    p99_ms: float
    longest_ms: float


@dataclass
class Report:
    """One run. ``baseline``: Kafka's ProducerPerformance; everything else is put beside it. ``speed``: before each phase, see
    ``speed.measure``."""

    machine: dict[str, object]
    baseline: Rate | None = None
    rates: list[Rate] = field(default_factory=list)
    latency: Latency | None = None
    memory: dict[str, Memory] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    speed: dict[str, float] = field(default_factory=dict)
    slowest: str = ""
    samples: int = 0
    profile: list[Line] = field(default_factory=list)

    @property
    def services_mib(self) -> float:
        """PSS of everything but Kafka."""
        return sum(one.pss for name, one in self.memory.items() if name != "kafka")

    def write(self, path: Path) -> None:
        """Replace the file of the last run."""
        found = asdict(self)
        for written, rate in zip(found["rates"], self.rates, strict=True):
            written["per_second"] = round(rate.per_second, 1)
            if self.baseline:
                written["of_producer_performance"] = round(rate.per_second / self.baseline.per_second, 4)
        found["services_mib"] = round(self.services_mib, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")

    def show(self, console: Console) -> None:
        """Print the tables."""
        console.print(self._rates())
        console.print(self._costs())
        if self.profile:
            console.print(self._profile())

    def _rates(self) -> Table:
        table = Table(title="Throughput and delay, one run on this machine", title_justify="left")
        for name in ("what", "count", "seconds", "per second", "of ProducerPerformance"):
            table.add_column(name, justify="left" if name == "what" else "right")
        for rate in (*([self.baseline] if self.baseline else []), *self.rates):
            share = f"1 : {self.baseline.per_second / rate.per_second:,.1f}" if self.baseline and rate.per_second else "-"
            table.add_row(rate.name, f"{rate.count:,}", f"{rate.seconds:,.1f}", f"{rate.per_second:,.0f}", share)
        if self.latency:
            found = self.latency
            name = f"POST → SSE at {found.sent:,.0f}/s (asked {found.asked:,.0f}/s)"
            delay = f"p50 {found.p50_ms:,.0f} ms, p99 {found.p99_ms:,.0f} ms, longest {found.longest_ms:,.0f} ms"
            table.add_row(name, f"{found.count:,}", "", delay, f"{found.missing:,} not seen" if found.missing else "all seen")
        table.caption = f"aims: {AIM_PUBLISHED:,} events/s until published; p99 below {AIM_P99_MS} ms"
        if self.speed:
            low, high = min(self.speed.values()), max(self.speed.values())
            table.caption += f"\nthe machine's speed during the run: {low:.0f} to {high:.0f} (100: one with nothing else on it)"
        return table

    def _costs(self) -> Table:
        table = Table(title="Memory at the end, and CPU while publishing", title_justify="left")
        for name in ("process", "PSS MiB", "RSS MiB", "peak RSS MiB", "CPU seconds"):
            table.add_column(name, justify="left" if name == "process" else "right")
        for name, one in self.memory.items():
            mark = " ← slowest step" if name == self.slowest else ""
            table.add_row(name + mark, f"{one.pss:,.0f}", f"{one.rss:,.0f}", f"{one.peak:,.0f}", f"{self.cpu_seconds.get(name, 0):,.1f}")
        table.add_section()
        table.add_row("all but Kafka", f"{self.services_mib:,.0f}", "", "", "")
        table.caption = f"aim: below {AIM_MIB:,} MiB without Kafka"
        return table

    def _profile(self) -> Table:
        table = Table(title=f"Where {self.slowest}'s CPU time goes ({self.samples:,} samples)", title_justify="left")
        for name in ("own %", "with what it calls %", "function"):
            table.add_column(name, justify="left" if name == "function" else "right")
        for line in self.profile:
            table.add_row(f"{line.own:.1f}", f"{line.within:.1f}", line.function)
        return table


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile of sorted ``values``; 0 for none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0
