"""An audit service on a real Kafka and PostgreSQL, with genesis, keys, and a way to say things on topics."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.stack import Stack
from schemas.keys import SigningKey
from schemas.times import milliseconds
from schemas.topics import FACTS, FINDINGS, PARTITIONS, REGISTRY
from services.audit.domain.note import ED25519, VerifierKey

ORIGIN = "audit.test/log"
OFFICE = "/departments/drug/offices/liyujiang"
SUBJECT = "uscc:91350100M000100Y43"
LOG = SigningKey.from_seed(b"audit test log key".ljust(32, b"."))
REGISTRAR = SigningKey.from_seed(b"audit test registrar".ljust(32, b"."))
GENESIS = {
    "occurred_on": "2026-01-01",
    "registrar_key": REGISTRAR.public_object(),
    "log_vkey": VerifierKey(ORIGIN, ED25519, LOG.raw_public).text,
    "log_origin": ORIGIN,
    "sample": True,
    "clock_mode": "simulated",
    "time_zone": "Asia/Shanghai",
}


@dataclass(frozen=True)
class Say:
    """A record to send."""

    topic: str
    value: bytes
    key: bytes | None = None
    partition: int | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def fact(number: int, kind: str, data: dict[str, Any], *, received: str, subject: str = SUBJECT, **entry: Any) -> Say:
    """A signed fact as intake would write it; its id is made of ``number``."""
    event = {
        "specversion": "1.0",
        "id": f"018f0000-0000-7000-8000-{number:012x}",
        "source": OFFICE,
        "type": f"mingjian.{kind}.v1",
        "subject": subject,
        "time": received,
        "datacontenttype": "application/json",
        "data": data,
    }
    stamp = {"received_at": received, "channel": "desk", "batch": None, "registry_offset": 2} | entry
    value = orjson.dumps({"event": event, "signature": REGISTRAR.signature(event), "entry": stamp}, option=orjson.OPT_SORT_KEYS)
    return Say(FACTS, value, subject.encode())


def control(number: int, kind: str, subject: str, data: dict[str, Any], **entry: Any) -> bytes:
    return fact(number, kind, data, received="2026-01-01T00:00:00.000Z", subject=subject, **entry).value


def genesis() -> Say:
    """Registry offset 0: the event that the service has pinned."""
    return Say(REGISTRY, control(1, "genesis", "stack:test", GENESIS, registry_offset=-1), b"stack:test")


def calendar_copies(number: int, data: dict[str, Any]) -> list[Say]:
    """A calendar in every partition of facts, as intake copies it."""
    return copies(control(number, "calendar.issued", "stack:test", data))


def copies(value: bytes) -> list[Say]:
    """A control event in every partition of facts."""
    return [Say(FACTS, value, b"control", partition) for partition in range(PARTITIONS)]


def received_ms(value: bytes) -> int | None:
    """When intake took it, where the record says so: the record's time on a simulated stack."""
    try:
        return milliseconds(orjson.loads(value)["entry"]["received_at"])
    except (ValueError, KeyError, TypeError):
        return None


class AuditWorld:
    """One stack's audit service. ``start`` runs it as a child process; ``kill`` is SIGKILL.

    The stack's clock is simulated where the facts' days are made up: then a record's time is that of its entry."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.env = stack.service_env("audit")
        self.log_dir = Path(self.env["MINGJIAN_LOG_DIR"])
        self.url = f"http://{self.env['MINGJIAN_HOST']}:{self.env['MINGJIAN_PORT']}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.verifier = VerifierKey(ORIGIN, ED25519, LOG.raw_public)
        folder = Path(self.env["MINGJIAN_KEY_DIR"])
        if not (folder / "log.json").exists():
            LOG.save(folder / "log.json")
            Path(self.env["MINGJIAN_GENESIS"]).write_text(json.dumps({"event": json.loads(genesis().value)["event"], "signature": {}}))

    def start(self, wait: bool = True, **env: str) -> subprocess.Popen[bytes]:
        """Start the service; with ``wait`` until it is ready."""
        out = (self.stack.home / "audit-test.log").open("ab")
        process = subprocess.Popen([sys.executable, "-m", "services.audit.api"], env=self.env | env, stdout=out, stderr=out)
        self.processes.append(process)
        if wait:
            self.wait_ready(process)
        return process

    def output(self) -> str:
        return (self.stack.home / "audit-test.log").read_text()

    def wait_ready(self, process: subprocess.Popen[bytes], limit_s: float = 60) -> None:
        self.until(lambda: self._ready(process), limit_s)

    def _ready(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is not None:
            raise AssertionError(f"audit ended with {process.returncode}:\n{self.output()[-3000:]}")
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def until(self, holds: Any, limit_s: float = 180) -> None:
        """Wait until ``holds()`` is true."""
        end = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"not within {limit_s:.0f} s; the service said:\n{self.output()[-3000:]}")
            time.sleep(0.1)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the newest process."""
        process = self.processes[-1]
        if process.poll() is None:
            os.kill(process.pid, number)
        process.wait(30)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(30)

    def state(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/api/v1/log", timeout=5).json()

    def caught_up(self, size: int) -> bool:
        """True once the checkpoint has ``size`` leaves and the detectors are through."""
        state = self.state()
        return state["size"] >= size and state["lag"] == 0 and state["detectors_lag"] == 0

    def say(self, records: Iterable[Say]) -> None:
        """Send records in this order."""
        asyncio.run(self._say(list(records)))

    async def _say(self, records: list[Say]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.stack.bootstrap, enable_idempotence=True, linger_ms=5, max_request_size=2**20)
        await producer.start()
        try:
            sent = [
                await producer.send(
                    one.topic,
                    value=one.value,
                    key=one.key,
                    partition=one.partition,
                    headers=one.headers,
                    timestamp_ms=received_ms(one.value),
                )
                for one in records
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    def read(self, topic: str) -> list[Any]:
        """All records of a topic."""
        return asyncio.run(self._read(topic))

    async def _read(self, topic: str) -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            parts = [TopicPartition(topic, number) for number in sorted(await self._partitions(consumer, topic))]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            found = []
            for part in parts:
                await consumer.seek_to_beginning(part)
            while any([(await consumer.position(part)) < ends[part] for part in parts]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
            return found
        finally:
            await consumer.stop()

    async def _partitions(self, consumer: AIOKafkaConsumer, topic: str) -> set[int]:
        await consumer._client.force_metadata_update()
        return set(consumer.partitions_for_topic(topic) or range(1 if topic == REGISTRY else PARTITIONS))

    def findings(self) -> list[dict[str, Any]]:
        """Events of the findings topic."""
        return [orjson.loads(one.value)["event"] for one in self.read(FINDINGS)]
