"""Kafka's own ProducerPerformance, in the same run: the measure that our figures are put beside."""

from __future__ import annotations

import asyncio
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

TOPIC = "mingjian-bench"
_LINE = re.compile(
    r"(?P<records>\d+) records sent, (?P<rate>[\d.]+) records/sec \((?P<mib>[\d.]+) MB/sec\), (?P<avg>[\d.]+) ms avg latency, "
    r"(?P<max>[\d.]+) ms max latency, (?P<p50>\d+) ms 50th, (?P<p95>\d+) ms 95th, (?P<p99>\d+) ms 99th"
)


@dataclass(frozen=True, slots=True)
class Performance:
    """Records a second, and latencies in milliseconds."""

    records: int
    per_second: float
    p50_ms: int
    p99_ms: int


def parse(output: str) -> Performance:
    """The tool's last line. Raises ``ValueError`` when there is none."""
    found = list(_LINE.finditer(output))
    if not found:
        raise ValueError(f"ProducerPerformance said nothing of use: {output[-300:]}")
    last = found[-1]
    return Performance(int(last["records"]), float(last["rate"]), int(last["p50"]), int(last["p99"]))


async def _make_topic(bootstrap: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, partitions, 1)])
    finally:
        await admin.close()


async def _drop_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([TOPIC])
    finally:
        await admin.close()


def producer_performance(bootstrap: str, jars: Path, java: str, *, records: int, size: int, partitions: int) -> Performance:
    """Run the tool once against a topic of its own, as fast as it goes, every record acknowledged by all replicas."""
    asyncio.run(_make_topic(bootstrap, partitions))
    try:
        command = [java, "-Xmx256m", "-cp", f"{jars}/*", "org.apache.kafka.tools.ProducerPerformance", "--topic", TOPIC]
        command += ["--num-records", str(records), "--record-size", str(size), "--throughput", "-1", "--producer-props"]
        command += [f"bootstrap.servers={bootstrap}", "acks=all", "enable.idempotence=true", "linger.ms=5", "batch.size=262144"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        return parse(done.stdout)
    finally:
        asyncio.run(_drop_topic(bootstrap))
