"""A running intake with an officer who may inspect premises, and what tests ask of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from deploy.local.stack import Stack
from schemas.keys import SigningKey
from schemas.rulebook import digest, load_rulebook
from schemas.times import instant
from schemas.topics import FACTS, PARTITIONS, REFUSALS, REGISTRY
from services.intake.cli import OFFICE as REGISTER
from services.intake.cli import init_home
from tests.cases.ledger import RULEBOOKS

OFFICE = "/departments/food/offices/test"
OFFICER = "officer:tester"


# Intake's answers that are not final: it could not read back what it had written in time, or cannot write now.
NOT_YET = (202, 503)
_Answer = TypeVar("_Answer")


def patient(ask: Callable[[], _Answer], waits: Callable[[_Answer], bool], limit_s: float = 60.0) -> _Answer:
    """The first answer that ``waits`` takes as final, or the last one within ``limit_s`` seconds."""
    end = time.monotonic() + limit_s
    while waits(answer := ask()) and time.monotonic() < end:
        time.sleep(0.1)
    return answer


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def uuid7(at_ms: int | None = None) -> str:
    value = ((at_ms or now_ms()) & (1 << 48) - 1) << 80 | uuid.uuid4().int & (1 << 80) - 1
    return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def event(kind: str, subject: str, data: dict[str, Any], *, source: str = OFFICE, at_ms: int | None = None) -> dict[str, Any]:
    at = at_ms or now_ms()
    return {
        "specversion": "1.0",
        "id": uuid7(at),
        "source": source,
        "type": f"mingjian.{kind}.v1",
        "subject": subject,
        "time": instant(at),
        "datacontenttype": "application/json",
        "data": data,
    }


def signed(made: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    return {"event": made, "signature": key.signature(made)}


@dataclass
class Desk:
    """``key``: the officer's. ``registrar``: signs for the register."""

    stack: Stack
    genesis: dict[str, Any]
    registrar: SigningKey
    key: SigningKey = field(default_factory=SigningKey.generate)

    @staticmethod
    def of(stack: Stack, clock_mode: str = "wall") -> Desk:
        """Make the home, start intake, enrol the officer."""
        genesis = init_home(stack.home, clock_mode=clock_mode, sample=False)  # type: ignore[arg-type]
        stack.start_services(["intake"])
        desk = Desk(stack, genesis, SigningKey.load(stack.home / "keys" / "registrar" / "registrar.json"))
        if clock_mode == "wall":
            desk.enrol()
        return desk

    def enrolment(self, officer: str = OFFICER, day: str = "2020-01-01") -> list[dict[str, Any]]:
        """The registrar's three events that let an officer with this desk's key enter."""
        grant = {"role": "officer", "office": OFFICE, "schemes": ["fhrs", "uscc"], "regimes": []}
        return [
            self.by_registrar("officer.enrolled", officer, {"occurred_on": day, "office": OFFICE}),
            self.by_registrar(
                "key.registered", officer, {"occurred_on": day, "key": self.key.public_object(), "channels": ["desk", "field"]}
            ),
            self.by_registrar("role.granted", officer, {"occurred_on": day, **grant}),
        ]

    def enrol(self, at: str | None = None, day: str = "2020-01-01") -> None:
        said = self.enrolment(day=day)
        results = self.batch(said, **({"simulated_at": [at] * len(said)} if at else {}))
        assert [one["status"] for one in results] == [201, 201, 201], results

    def by_registrar(self, kind: str, subject: str, data: dict[str, Any], at_ms: int | None = None) -> dict[str, Any]:
        # Long ago where the clock is simulated: nothing may be signed after it was received.
        at = at_ms or (now_ms() if self.genesis["event"]["data"]["clock_mode"] == "wall" else 946_684_800_000)
        return signed(event(kind, subject, data, source=REGISTER, at_ms=at), self.registrar)

    def activate(self, regime: str) -> None:
        """The regime's rulebook, as it lies in the repository, in force long since."""
        book = load_rulebook(RULEBOOKS / regime)
        said = {"regime": regime, "version": book.header.version, "sha256": digest(book), "in_force_from": "2005-01-01"}
        answer = self.post(self.by_registrar("rulebook.activated", f"regime:{regime}", {"occurred_on": "2020-01-01"} | said))
        assert answer.status_code == 201, answer.text

    def inspection(self, subject: str = "fhrs:1", points: int = 5, **more: Any) -> dict[str, Any]:
        data = {
            "occurred_on": "2026-01-05",
            "kind": "routine",
            "mode": "on_site",
            "component_scores": [{"component": "hygiene", "points": points}],
            "officers": [OFFICER],
        }
        return signed(event("inspection.recorded", subject, data | more), self.key)

    def http(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return httpx.request(method, f"http://127.0.0.1:{self.stack.ports.intake}{path}", timeout=30, trust_env=False, **arguments)

    def post(self, submission: dict[str, Any], **headers: str) -> httpx.Response:
        """The final answer: the same bytes go again while intake says that it is not there yet (202) or not now (503)."""
        return patient(lambda: self.post_once(submission, **headers), lambda answer: answer.status_code in NOT_YET)

    def post_once(self, submission: dict[str, Any], **headers: str) -> httpx.Response:
        """The first answer, whatever it is."""
        return self.http("POST", "/api/v1/events", json=submission, headers=headers)

    def batch(self, submissions: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
        """The final results: the whole batch goes again while one of its events is not there yet (202) or not now (503)."""

        def waits(results: list[dict[str, Any]]) -> bool:
            return any(one["status"] in NOT_YET for one in results)

        return patient(lambda: self.batch_once(submissions, **more), waits)

    def batch_once(self, submissions: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
        """The first results, whatever they are."""
        answer = self.http("POST", "/api/v1/events:batch", json={"events": submissions, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    def receipt(self, submission: dict[str, Any]) -> httpx.Response:
        made = submission["event"]
        return self.http("GET", "/api/v1/receipts", params={"source": made["source"], "id": made["id"]})

    def records(self, *topics: str) -> list[ConsumerRecord]:
        return asyncio.run(read_all(self.stack.bootstrap, topics or (REGISTRY, FACTS)))

    def facts(self) -> list[dict[str, Any]]:
        """Envelopes of facts about subjects, without the copies of control events."""
        return [orjson.loads(one.value) for one in self.records(FACTS) if one.key != b"control"]

    def receipt_key(self) -> dict[str, str]:
        return self.genesis["event"]["data"]["receipt_key"]


async def read_all(bootstrap: str, topics: tuple[str, ...]) -> list[ConsumerRecord]:
    """Every record of these topics, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="none", enable_auto_commit=False)
    await consumer.start()
    try:
        counts = {REGISTRY: 1, FACTS: PARTITIONS, REFUSALS: PARTITIONS}
        places = [TopicPartition(topic, number) for topic in topics for number in range(counts[topic])]
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        found: list[ConsumerRecord] = []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
        return sorted(found, key=lambda one: (one.topic, one.partition, one.offset))
    finally:
        await consumer.stop()
