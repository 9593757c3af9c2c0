"""``python -m tests.bench.evaluation``: a year's evaluation of a made-up register by live workers while facts keep flowing, on a fresh
Kafka, beside what a bare producer needs for the same grades in the same run. Measures and prints; asserts no figure.

The register's facts stand on Kafka, and the workers' state is written beside them as a worker that had rated them would have left it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rich.console import Console
from rich.table import Table

from deploy.local.stack import Stack
from schemas import topics
from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import open_record
from schemas.times import instant
from services.rating.domain.facts import CONTROLS, compact, pack, unpack
from services.rating.partition import PartitionState
from tests.bench import speed
from tests.bench.register import SIGNATURE, YEARS, Register, Row, subject_name
from tests.cases.ledger import book
from tests.integration.rating_live import Live, event_of
from tests.stack_fixtures import temporary_stack

LIMIT_S = 900.0
# Records that are written before Kafka's answers are taken.
TOGETHER = 20_000


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.evaluation", description=__doc__)
    parser.add_argument("--subjects", type=int, default=100_000, help="each has ten facts")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rate", type=int, default=50, help="facts a second meanwhile, half of them about subjects that are evaluated")
    parser.add_argument("--kill", action="store_true", help="kill a worker in the middle of it, and start it again")
    return parser.parse_args(given)


async def _producer(bootstrap: str) -> AIOKafkaProducer:
    one = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=5, max_batch_size=261_120)
    await one.start()
    return one


async def fill(bootstrap: str, register: Register) -> dict[int, PartitionState]:
    """Write the register up to the last year's evaluation; returns what a worker that has rated it keeps."""
    producer = await _producer(bootstrap)
    kept = Kept()
    try:
        for row, partition in _rows(register):
            key, kind, value = row
            headers = [("ce_id", value[value.index(b'"id":"') + 6 :][:36]), ("ce_type", kind.encode())]
            kept.waiting.append((key, value, await producer.send(topics.FACTS, value, key=key, headers=headers, partition=partition)))
            if len(kept.waiting) == TOGETHER:
                await kept.take()
        await kept.take()
    finally:
        await producer.stop()
    return kept.states()


def _rows(register: Register) -> Iterator[tuple[Row, int | None]]:
    """Rows and the partition of those that have one given."""
    yield from ((register.controls(None), number) for number in range(topics.PARTITIONS))
    yield from ((row, None) for row in register.opening())
    for year in YEARS:
        yield from ((row, None) for row in register.year(year))
        if year != YEARS[-1]:
            control = register.controls(year)
            yield from ((control, number) for number in range(topics.PARTITIONS))


class Kept:
    """What a worker keeps of the facts that were written."""

    def __init__(self) -> None:
        self.waiting: list[tuple[bytes, bytes, Any]] = []
        self._states = {number: PartitionState(number) for number in range(topics.PARTITIONS)}
        self._packed: dict[int, dict[str, list[bytes]]] = {number: defaultdict(list) for number in self._states}

    async def take(self) -> None:
        """Those that wait, once Kafka has them."""
        for key, value, place in self.waiting:
            at = await place
            state = self._states[at.partition]
            state.offset, state.known = at.offset, max(state.known, at.timestamp)
            opened = open_record(value)
            fact = compact(opened.event, opened.entry, partition=at.partition, offset=at.offset, known=state.known, stamp=at.timestamp)
            if fact is None:
                continue
            if fact.name in CONTROLS:
                state.controls.apply(fact)
            else:
                self._packed[at.partition][key.decode()].append(pack([fact]))
        self.waiting.clear()

    def states(self) -> dict[int, PartitionState]:
        """With each subject's facts in chunks."""
        for number, state in self._states.items():
            for name, packed in self._packed[number].items():
                state.add(name, [fact for one in packed for fact in unpack(one, number)])
            self._packed[number].clear()
        return self._states


async def write_state(bootstrap: str, states: dict[int, PartitionState]) -> None:
    """Changelogs and committed positions."""
    producer = await _producer(bootstrap)
    try:
        for number, state in states.items():
            rows = [state.rebuilt_row(-1, -1), *(state.control_row(one) for one in state.controls.facts), state.head_row()]
            for row in rows:
                await producer.send(topics.changelog("heads"), row.value, key=row.key, partition=number)
            for name, chunks in state.chunks.items():
                for first, last, value in chunks:
                    await producer.send(topics.changelog("chunks"), value, key=f"{name}#{first}#{last}".encode(), partition=number)
        await producer.flush()
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topics.rating_app(), enable_auto_commit=False)
    await consumer.start()
    try:
        places = {TopicPartition(topics.FACTS, number): state.offset + 1 for number, state in states.items()}
        consumer.assign(list(places))
        await consumer.commit(places)
    finally:
        await consumer.stop()


@dataclass
class Workers:
    """``count`` rating workers: the stack's own, and more beside it."""

    stack: Stack
    count: int
    others: list[subprocess.Popen[bytes]]

    def start(self) -> None:
        for number in range(1, self.count):
            env = self.stack.service_env("rating")
            env |= {"MINGJIAN_PORT": str(int(env["MINGJIAN_PORT"]) + 5 + number), "MINGJIAN_INSTANCE": f"bench-{number}"}
            log = open(self.stack.home / "logs" / f"rating-{number}.log", "wb")
            self.others.append(subprocess.Popen([sys.executable, "-m", "services.rating.worker"], env=env, stdout=log, stderr=log))
        self.stack.start("rating")

    def left(self) -> int | None:
        """Evaluations and facts that are still to be worked off; None while somebody doesn't say, or a partition is nobody's."""
        ports = [self.stack.ports.service("rating"), *(int(self.stack.ports.service("rating")) + 5 + one for one in range(1, self.count))]
        found, partitions = 0, 0
        for port in ports:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as answer:
                    status = json.load(answer)
            except OSError:
                return None
            found, partitions = found + status["backlog"], partitions + len(status["partitions"])
        return found if partitions >= topics.PARTITIONS else None

    def stop(self) -> None:
        for one in self.others:
            one.terminate()
        for one in self.others:
            one.wait(30)


def flowing(number: int, subjects: int) -> tuple[bytes, bytes]:
    """A fact that changes something: a new subject, or one that is stopped; subjects of the register from the last one back."""
    id, on = str(uuid.uuid4()), instant(time.time_ns() // 1_000_000)
    if number % 2:
        subject = f"uscc:9299{number:014d}"
        data = {"occurred_on": on[:10], "name": "样例", "business_kind": "drug_retail", "regimes": ["liyujiang"]}
        event = event_of(subject, "enterprise.registered", data, id=id)
    else:
        subject = subject_name(subjects - 1 - number // 2 * 7 % subjects)
        one = {"violation": "YP-207", "kinds": ["suspension_ordered"], "legal_field": "drug", "basis": ["样例"], "gravity": "serious"}
        data = {"occurred_on": on[:10], "document_no": f"样例停〔{number}〕号", "acts": [one | {"fault": "negligence"}]}
        event = event_of(subject, "penalty.decided", data | {"service": {"served_on": on[:10], "method": "handed_over"}}, id=id)
    entry = {"received_at": on, "channel": "desk", "batch": None, "registry_offset": 1}
    return subject.encode(), trusted_canonical_bytes({"event": event, "signature": SIGNATURE, "entry": entry})


async def evaluate(bootstrap: str, control: bytes, rate: int, subjects: int, over: threading.Event) -> tuple[int, dict[str, int]]:
    """Broadcast the evaluation, then facts until ``over``; returns when the control was appended first (ms), and id → append time."""
    producer = await _producer(bootstrap)
    try:
        copies = [await producer.send(topics.FACTS, control, key=topics.CONTROL_KEY, partition=one) for one in range(topics.PARTITIONS)]
        begun = min([(await one).timestamp for one in copies])
        at: dict[str, Any] = {}
        start, number = time.monotonic(), 0
        while not over.is_set():
            key, value = flowing(number, subjects)
            at[open_record(value).event["id"]] = await producer.send(topics.FACTS, value, key=key)
            number += 1
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        return begun, {id: (await one).timestamp for id, one in at.items()}
    finally:
        await producer.stop()


async def bare(bootstrap: str, records: Sequence[Any]) -> float:
    """Seconds in which a producer alone writes as many of these records again, to a topic that nobody reads."""
    producer = await _producer(bootstrap)
    try:
        begun = time.perf_counter()
        for one in records:
            await producer.send(topics.PARTS, one.value, key=one.key, headers=list(one.headers), partition=one.partition)
        await producer.flush()
        return time.perf_counter() - begun
    finally:
        await producer.stop()


def main(given: Sequence[str]) -> int:
    """Fill, start, evaluate, read what came."""
    wanted = _arguments(given)
    console, regime = Console(highlight=False), book("liyujiang")
    console.print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} before we began, speed {speed.measure():.0f}")
    with temporary_stack() as stack:
        stack.start_servers("wall")
        register = Register(regime, wanted.subjects)
        states = asyncio.run(fill(stack.bootstrap, register))
        asyncio.run(write_state(stack.bootstrap, states))
        console.print(f"{sum(one.offset + 1 for one in states.values()):,} facts and the state of {wanted.subjects:,} subjects written")
        del states
        live, workers = Live(stack), Workers(stack, wanted.workers, [])
        try:
            workers.start()
            live.until(lambda one: one.ready()[0] == 200)
            time.sleep(20.0)  # the other workers, too, and the state read back
            index, load = speed.measure(), os.getloadavg()[0]
            grades, begun, sent, done = measure(workers, register, wanted)
        finally:
            workers.stop()
        came = [one for one in grades if b"evaluation.closed.v1" in one.value]
        floor = asyncio.run(bare(stack.bootstrap, came))
        report(console, wanted, came, grades, begun, sent, floor, f"load {load:.1f}, speed {index:.0f}", done=done)
    return 0


def measure(workers: Workers, register: Register, wanted: argparse.Namespace) -> tuple[list[Any], int, dict[str, int], bool]:
    """The evaluation with facts flowing, until nothing is left; every grade that came, when it began, when each fact was appended, and
    whether the end was seen."""
    stack, over, found = workers.stack, threading.Event(), []
    live = Live(stack)
    control = register.controls(YEARS[-1])[2]
    thread = threading.Thread(
        target=lambda: found.append(asyncio.run(evaluate(stack.bootstrap, control, wanted.rate, wanted.subjects, over)))
    )
    thread.start()
    still, killed, until = 0, not wanted.kill, time.monotonic() + LIMIT_S
    while still < 4 and time.monotonic() < until:
        time.sleep(1.0)
        left = workers.left()
        if not killed and left is not None and 0 < left < wanted.subjects // 2:
            stack.kill("rating")
            stack.start("rating")
            killed = True
        # Not at once: the control may be on its way yet.
        still = still + 1 if left == 0 else 0
    over.set()
    thread.join()
    time.sleep(5.0)
    begun, sent = found[0]
    return live.read(topics.GRADES), begun, sent, still >= 4


def report(
    console: Console,
    wanted: argparse.Namespace,
    came: Sequence[Any],
    grades: Sequence[Any],
    begun: int,
    sent: dict[str, int],
    floor: float,
    about: str,
    *,
    done: bool,
) -> None:
    """What was measured, as a table."""
    last = max(one.timestamp for one in came)
    first: dict[str, int] = {}
    for one in grades:
        cause = orjson.loads(one.value)["event"]["data"]["cause"]["id"]
        if cause in sent:
            first.setdefault(cause, one.timestamp)
    waited = sorted(at - sent[id] for id, at in first.items() if sent[id] <= last)
    table = Table(title=f"{wanted.subjects:,} subjects, {wanted.workers} workers{', one killed' if wanted.kill else ''}, {about}")
    table.add_column("what")
    table.add_column("figure", justify="right")
    distinct = len({one.value for one in came})
    size = sum(len(one.value) for one in came) // max(1, len(came))
    table.add_row("evaluation: first record to last grade on Kafka", f"{(last - begun) / 1000:.1f} s")
    table.add_row("grade events of it; told twice", f"{distinct:,}; {len(came) - distinct:,} of {size} bytes")
    table.add_row("subjects that it told of", f"{len({one.key for one in came}):,}")
    table.add_row("left when we stopped looking", "nothing" if done else "some")
    table.add_row("a bare producer, the same records", f"{floor:.1f} s")
    table.add_row("facts meanwhile, with a grade", f"{len(waited):,} of {sum(at <= last for at in sent.values()):,}")
    if waited:
        places = (("p50", 0.5), ("p99", 0.99), ("longest", 1.0))
        table.add_row(
            "fact to grade: p50, p99, longest",
            ", ".join(f"{waited[min(len(waited) - 1, int(len(waited) * part))]} ms" for _, part in places),
        )
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
