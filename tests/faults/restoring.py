"""What tests of a restore share: a whole stack, its commands as a person types them, and all that has to be equal afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import CHECKOUT, Stack
from schemas.topics import GRADES, LOGGED_TOPICS
from services._bus import header_names
from services._cli.home import Home
from services._cli.looking import all_findings, look
from services._cli.session import Session
from services._cli.voice import Voice

header_names.accept()


def session_of(stack: Stack) -> Session:
    return Session(Home(stack.home), replace(Voice.of_terminal(), lang="en"), stack.ports)


def environment(stack: Stack, home: Path | None = None) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
    return env | {"MINGJIAN_HOME": str(home or stack.home), "MINGJIAN_PORT_BASE": str(stack.ports.base), "PYTHONPATH": str(CHECKOUT)}


def command(stack: Stack, *words: str, code: int = 0, home: Path | None = None, given: str = "") -> str:
    """``mingjian …`` on this stack's home, with ``given`` on its standard input; returns what it said."""
    argv = [sys.executable, "-m", "services._cli.main", *words]
    env = environment(stack, home)
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False, env=env, cwd=CHECKOUT, timeout=300)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr if code else done.stdout


def night_over(stack: Stack, limit_s: float = 600) -> None:
    """Wait until the run after the newest closed day is on record, and everybody has read what it told."""
    session, until = session_of(stack), time.monotonic() + limit_s
    while True:
        found = look(session)
        grades = found["grades"]
        if found["ready"] and not found["lag"] and isinstance(grades, dict) and grades["last"] and grades["due"] is None:
            return
        assert time.monotonic() < until, f"no night within {limit_s:.0f} s: {found}"
        time.sleep(0.3)


def begin(stack: Stack, *words: str) -> subprocess.Popen[str]:
    """The same, left running; its progress comes as lines on standard error."""
    argv = [sys.executable, "-m", "services._cli.main", *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(stack), cwd=CHECKOUT)


def records(
    bootstrap: str, topics: tuple[str, ...] = tuple(one.name for one in LOGGED_TOPICS)
) -> dict[tuple[str, int], list[ConsumerRecord]]:
    """Every record of the topics, by partition."""
    return asyncio.run(_records(bootstrap, topics))


async def _records(bootstrap: str, topics: tuple[str, ...]) -> dict[tuple[str, int], list[ConsumerRecord]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=4 << 20)
    await consumer.start()
    try:
        places = [TopicPartition(one.name, number) for one in LOGGED_TOPICS if one.name in topics for number in range(one.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: dict[tuple[str, int], list[ConsumerRecord]] = {(one.topic, one.partition): [] for one in places}
        while any([await consumer.position(one) < ends[one] for one in places]):
            for place, some in (await consumer.getmany(timeout_ms=200)).items():
                found[place.topic, place.partition] += some
        return found
    finally:
        await consumer.stop()


def topic_digests(bootstrap: str) -> dict[str, str]:
    """For each topic a digest over place, time, key, headers and value of every record."""
    found = {one.name: hashlib.sha256() for one in LOGGED_TOPICS}
    for (topic, partition), some in sorted(records(bootstrap).items()):
        for one in some:
            found[topic].update(repr((partition, one.offset, one.timestamp, one.key, one.headers, one.value)).encode())
    return {name: one.hexdigest() for name, one in found.items()}


@dataclass(frozen=True)
class State:
    """All that has to be equal before and after."""

    topics: Mapping[str, str]
    replayed: str
    last_words: Mapping[tuple[str, str], str]
    grades: Mapping[str, str]
    lists: Mapping[str, Any]
    findings: list[Any]


def state_of(stack: Stack, regimes: tuple[str, ...]) -> State:
    session = session_of(stack)
    out = stack.home / "replayed.json"
    command(stack, "replay", "--json", str(out), "--cores", "1")
    words: dict[tuple[str, str], str] = {}
    for some in records(stack.bootstrap, (GRADES,)).values():
        for one in some:
            data = orjson.loads(one.value)["event"]
            words[data["subject"], data["data"]["regime"]] = hashlib.sha256(one.value).hexdigest()
    with session.http("publication") as http:
        names = [one["name"] for one in http.get("/api/v1/lists").json()["items"]]
        lists = {name: http.get(f"/api/v1/lists/{name}", params={"limit": 500}).json()["items"] for name in names}
        grades = {regime: http.get("/api/v1/grades.csv", params={"regime": regime}).text for regime in regimes}
    digest = json.loads(out.read_text().splitlines()[-1])["digest"]
    return State(topic_digests(stack.bootstrap), digest, words, grades, lists, all_findings(session))
