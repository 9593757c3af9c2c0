"""Puts facts on a real Kafka and reads grades back, for the tests of the live rating."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.stack import CHECKOUT, Stack
from schemas import topics
from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import derived_bytes, open_record
from schemas.times import instant
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, Fact, compact
from services.rating.domain.fold import Book, history, merged
from tests.cases.ledger import OFFICE, Ledger, book


def event_of(subject: str, name: str, data: dict, *, id: str) -> dict:
    """An event as an office signs it (rating checks no signatures: intake has)."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": OFFICE,
        "type": f"mingjian.{name}.v1",
        "subject": subject,
        "time": "2026-01-01T00:00:00.000Z",
        "datacontenttype": "application/json",
        "data": data,
    }


def events_of(ledger: Ledger) -> list[dict]:
    """A case's facts as events, without its control events."""
    return [event_of(ledger.subject, one.name, one.data, id=one.id) for one in ledger.facts if one.name not in CONTROLS]


def activation(one: Book) -> dict:
    """The control event that makes a loaded rulebook count."""
    regime = one.rulebook.regime
    data = {
        "occurred_on": "2026-01-01",
        "regime": regime,
        "version": one.rulebook.version,
        "sha256": one.sha256,
        "in_force_from": "2005-01-01",
    }
    return event_of(f"regime:{regime}", "rulebook.activated", data, id=str(uuid.uuid5(uuid.NAMESPACE_URL, one.sha256)))


def envelope(event: dict) -> bytes:
    entry = {"received_at": instant(time.time_ns() // 1_000_000), "channel": "desk", "batch": None, "registry_offset": 1}
    return trusted_canonical_bytes({"event": event, "signature": {}, "entry": entry})


@dataclass(frozen=True)
class Second:
    """Another worker in the same group, beside the stack's own; nobody starts it again."""

    process: subprocess.Popen[bytes]
    url: str

    def ready(self) -> bool:
        """Its partitions are assigned and their state is read back."""
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=5):
                return True
        except OSError:
            return False

    def status(self) -> dict:
        """What its /status says."""
        with urllib.request.urlopen(self.url + "/status", timeout=5) as answer:
            return json.load(answer)


class Live:
    """One stack with the rating worker of this checkout."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def send(self, events: Sequence[dict], *, pause_s: float = 0.0) -> None:
        """To facts, by subject."""
        asyncio.run(self._send([(one["subject"].encode(), envelope(one), None) for one in events], pause_s))

    def broadcast(self, event: dict) -> None:
        """A control event's identical copy in every partition."""
        value = envelope(event)
        asyncio.run(self._send([(topics.CONTROL_KEY, value, number) for number in range(topics.PARTITIONS)], 0.0))

    def raw(self, key: bytes, value: bytes) -> None:
        """Any bytes."""
        asyncio.run(self._send([(key, value, None)], 0.0))

    async def _send(self, values: Iterable[tuple[bytes, bytes, int | None]], pause_s: float) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.stack.bootstrap, enable_idempotence=True, acks="all")
        await producer.start()
        try:
            waiting = []
            for at, (key, value, partition) in enumerate(values):
                waiting.append(await producer.send(topics.FACTS, value, key=key, partition=partition))
                if pause_s and at % 50 == 0:
                    await asyncio.sleep(pause_s)
            await asyncio.gather(*waiting)
        finally:
            await producer.stop()

    @contextmanager
    def second(self) -> Iterator[Second]:
        """Start a second worker; killed at the latest when the block ends."""
        port = self.stack.ports.base + 18
        own = {"MINGJIAN_PORT": str(port), "MINGJIAN_INSTANCE": "rating-second"}
        command = [sys.executable, "-m", "services.rating.worker"]
        with (self.stack.home / "logs" / "rating-second.log").open("wb") as log:
            process = subprocess.Popen(command, env=self.stack.service_env("rating") | own, cwd=CHECKOUT, stdout=log, stderr=log)
        try:
            yield Second(process, f"http://127.0.0.1:{port}")
        finally:
            process.kill()
            process.wait()

    def status(self) -> dict | None:
        """What /status says; None while nobody answers."""
        return self._get("/status")[1]

    def ready(self) -> tuple[int, dict | None]:
        """Status code and body of /readyz; 0 while nobody answers."""
        return self._get("/readyz")

    def _get(self, path: str) -> tuple[int, dict | None]:
        try:
            with urllib.request.urlopen(self.stack.ports.url("rating") + path, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, None

    def until(self, holds: Callable[[Live], object], *, limit_s: float = 240.0) -> None:
        """Wait until ``holds`` says so of this stack."""
        end = time.monotonic() + limit_s
        while not holds(self):
            assert time.monotonic() < end, f"not within {limit_s:.0f} s: {self.ready()} {self.status()}"
            time.sleep(0.2)

    def wait_worked_off(self, *, limit_s: float = 240.0, alone: bool = True) -> dict:
        """Wait until every fact is rated and committed, and every evaluation made. ``alone``: by one worker, which has all partitions."""
        until = time.monotonic() + limit_s
        ends = asyncio.run(self._ends(topics.FACTS))
        status = None
        while time.monotonic() < until:
            status = self.status()
            committed = status and all(status["committed"].get(str(one), 0) >= end for one, end in ends.items())
            # A worker that has just started knows of what is left once it has read its state.
            mine = len(status["partitions"]) if status else 0
            if committed and (mine == topics.PARTITIONS or (mine and not alone)) and status["backlog"] == 0:
                return status
            time.sleep(0.2)
        raise AssertionError(f"not worked off within {limit_s} s: {status}")

    async def _ends(self, topic: str) -> dict[int, int]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.bootstrap)
        await consumer.start()
        try:
            places = [TopicPartition(topic, number) for number in range(topics.PARTITIONS)]
            return {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}
        finally:
            await consumer.stop()

    def read(self, topic: str) -> list:
        """Every record of a topic, by partition and offset."""
        return asyncio.run(self._read(topic))

    async def _read(self, topic: str) -> list:
        ends = await self._ends(topic)
        if not any(ends.values()):
            return []
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
        await consumer.start()
        try:
            places = [TopicPartition(topic, number) for number, end in ends.items() if end]
            consumer.assign(places)
            found = []
            while any([await consumer.position(place) < ends[place.partition] for place in places]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += records
            return sorted(found, key=lambda one: (one.partition, one.offset))
        finally:
            await consumer.stop()

    def expected(self, regimes: Iterable[str] = ("fhrs", "liyujiang")) -> dict[str, bytes]:
        """Every grade event, by id, that the pure fold gives for the facts as they stand on Kafka."""
        books = {regime: book(regime) for regime in regimes}
        found: dict[str, bytes] = {}
        for partition, (subjects, controls) in self._facts().items():
            for subject, facts in subjects.items():
                for told in history(subject, partition, merged(facts, controls), controls, books):
                    found[told.event["id"]] = derived_bytes(told.event)
        return found

    def _facts(self) -> dict[int, tuple[dict[str, list[Fact]], Controls]]:
        partitions: dict[int, tuple[dict[str, list[Fact]], Controls]] = defaultdict(lambda: (defaultdict(list), Controls()))
        known: dict[int, int] = defaultdict(int)
        for record in self.read(topics.FACTS):
            known[record.partition] = max(known[record.partition], record.timestamp)
            try:
                opened = open_record(record.value)
            except ValueError:
                continue
            fact = compact(
                opened.event,
                opened.entry,
                partition=record.partition,
                offset=record.offset,
                known=known[record.partition],
                stamp=record.timestamp,
            )
            if fact is None:
                continue
            subjects, controls = partitions[record.partition]
            if fact.name in CONTROLS:
                controls.apply(fact)
            else:
                subjects[opened.event["subject"]].append(fact)
        return partitions

    def grades(self) -> dict[str, bytes]:
        """Every grade event on Kafka by id; the same id must have the same bytes and stand in its subject's partition."""
        found: dict[str, bytes] = {}
        for record in self.read(topics.GRADES):
            event = orjson.loads(record.value)["event"]
            assert found.setdefault(event["id"], record.value) == record.value, "the same id with other bytes"
            assert event["subject"].encode() == record.key
            assert event["data"]["cause"]["partition"] == record.partition
        return found
