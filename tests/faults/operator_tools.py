"""A small town on a stack, what its readers hold, and the ways in of an operator with root on all of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from deploy.local.stack import CHECKOUT, EVERYONE, Stack
from schemas.keys import SigningKey
from schemas.topics import QUARANTINE
from services._cli.home import Home
from services._cli.main import app
from services._cli.sample.acts import ZONE
from services._cli.sample.load import Order, control_events, in_order, keys, load, make_town
from services._cli.session import Session
from services._cli.signing import submission
from services._cli.summary import settle
from services._cli.voice import Voice
from services.audit.adapters.folder import FolderStore
from services.audit.appender import Appender, LogKey
from services.audit.domain import tiles
from services.audit.domain.frame import Record, decode
from services.audit.domain.note import VerifierKey
from services.audit.wiring import genesis_event, log_key
from services.intake.cli import init_home
from tests.stack_fixtures import temporary_stack
from tests.unit.audit.fakes import Fuse, MemoryPlan

ORDER = Order(seed=3, enterprises=10, years=1, until=datetime(2026, 11, 20, 18, tzinfo=ZONE).isoformat())
RULEBOOKS = CHECKOUT / "rulebooks"


@dataclass
class Town:
    """``receipts``, ``refusals``: files as officers keep them. ``memory``: what a reader has seen; ``earlier``: the log's folder some
    time before that."""

    stack: Stack
    home: Path
    receipts: Path
    refusals: Path
    memory: Path
    earlier: Path

    def said(self, *more: str, memory: Path | None = None, log: Path | None = None, genesis: Path | None = None) -> str:
        """What ``mingjian verify`` says, both streams. ``memory``: default a new one."""
        fresh = self.home / "nothing-seen"
        shutil.rmtree(fresh, ignore_errors=True)
        words = ["--home", str(self.home), "verify", "--kafka", self.stack.bootstrap, "--log-dir", str(log or self.log)]
        words += ["--memory", str(memory or fresh), "--wait", "0", *more]
        words += ["--genesis", str(genesis)] if genesis else []
        return CliRunner().invoke(app, words).output

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def genesis(self) -> dict[str, Any]:
        return genesis_event(self.home / "genesis.json")

    @property
    def key(self) -> LogKey:
        """The log's key, as the operator has it."""
        return log_key(self.home / "keys" / "audit", VerifierKey.parse(self.genesis["data"]["log_vkey"]))

    def records(self) -> list[Record]:
        """Every leaf's record, in order; the oversize one stays away."""
        size = int((self.log / "checkpoint").read_text().split("\n")[1])
        found = []
        for number in range((size + 255) // 256):
            width = tiles.width_at(size, 0, number)
            path = self.log / tiles.bundle_path(number, width)
            entries = tiles.decode_bundle((path if path.exists() else self.log / tiles.bundle_path(number)).read_bytes(), width)
            found += [one for one in map(decode, entries) if isinstance(one, Record)]
        return [one for one in found if one.topic != QUARANTINE]

    def copy(self, to: Path) -> Path:
        """The log's folder, copied."""
        shutil.copytree(self.log, to)
        return to

    def sql(self, *statements: str) -> None:
        """As the database's superuser, who is not held to foreign keys."""
        with psycopg.connect(self.stack.admin_dsn) as connection:
            connection.execute("SET session_replication_role = replica")
            for one in statements:
                connection.execute(one)

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.stack.admin_dsn) as connection:
            return connection.execute(question).fetchall()

    def admin(self, act: Callable[[AIOKafkaAdminClient], Awaitable[Any]]) -> Any:
        """As Kafka's administrator."""

        async def run() -> Any:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.stack.bootstrap)
            await admin.start()
            try:
                return await act(admin)
            finally:
                await admin.close()

        return asyncio.run(run())

    def produce(self, *sent: tuple[str, int, bytes, bytes, int], transactional: bool = False) -> None:
        """(topic, partition, key, value, time in ms), past every service."""

        async def run() -> None:
            name = {"transactional_id": "rogue"} if transactional else {}
            producer = AIOKafkaProducer(bootstrap_servers=self.stack.bootstrap, max_request_size=1 << 20, **name)
            await producer.start()
            try:
                if transactional:
                    await producer.begin_transaction()
                for topic, partition, key, value, at in sent:
                    await producer.send_and_wait(topic, value, key=key, partition=partition, timestamp_ms=at)
                if transactional:
                    await producer.commit_transaction()
            finally:
                await producer.stop()

        asyncio.run(run())


def resigned(folder: Path, records: Sequence[Record], key: LogKey) -> Path:
    """A whole log of these records, signed with the log's key."""
    writer = Appender(plan=MemoryPlan(Fuse()), store=FolderStore(folder, "rogue"), key=key)
    writer.start()
    writer._integrate(*writer._entries(records))
    writer.checkpoint()
    return folder


def renumbered(records: Sequence[Record]) -> list[Record]:
    """Each partition's offsets from 0 on, without a gap."""
    following: dict[tuple[str, int], int] = {}
    found = []
    for one in records:
        place = (one.topic, one.partition)
        found.append(replace(one, offset=following.get(place, 0)))
        following[place] = found[-1].offset + 1
    return found


def event_of(record: Record) -> dict[str, Any]:
    """The record's event; empty where it has none."""
    found: dict[str, Any] = orjson.loads(record.value or b"{}").get("event", {})
    return found


def signed_again(record: Record, key: SigningKey, change: Callable[[dict[str, Any]], None]) -> Record:
    """The record with its event's data changed and signed by ``key``."""
    whole = orjson.loads(record.value or b"")
    change(whole["event"]["data"])
    whole["signature"] = key.signature(whole["event"])
    return replace(record, value=orjson.dumps(whole, option=orjson.OPT_SORT_KEYS))


def registrar(home: Path) -> SigningKey:
    return SigningKey.load(home / "keys" / "registrar" / "registrar.json")


@contextmanager
def town() -> Iterator[Town]:
    """The town, its services stopped again, both servers up; everything in it verified."""
    with temporary_stack() as stack:
        home = stack.home
        init_home(home, clock_mode="simulated", sample=True)
        stack.start_servers()
        stack.start_services(EVERYONE)
        session = Session(Home(home), replace(Voice.of_terminal(), lang="en"), stack.ports)
        made = make_town(ORDER, RULEBOOKS)
        sent = in_order(control_events(made, session.home, RULEBOOKS), made)
        signers = keys(made, session.home)
        load(sent, signers, session.intake(), lambda done: None)
        facts = [one for one in sent if not one.event["type"].startswith(("mingjian.key", "mingjian.officer"))][-300:]
        again = session.intake().deliver(
            [submission(one.event, signers[one.signer], one.private) for one in facts], channel=[one.channel for one in facts]
        )
        found = Town(stack, home, home / "held.jsonl", home / "refused.json", home / "seen-by-a-reader", home / "earlier-log")
        found.receipts.write_bytes(b"".join(orjson.dumps(one.receipt) + b"\n" for one in again if one.receipt))
        found.produce((QUARANTINE, 0, b"k", b"x" * 70_000, 1_700_000_000_000))
        settle(session, 120, lambda: None)
        found.copy(found.earlier)
        _refuse(session, signers, sent, found.refusals)
        settle(session, 120, lambda: None)
        _until_verified(found)
        for name in EVERYONE:
            stack.stop_one(name)
        yield found


def _refuse(session: Session, signers: dict[str, SigningKey], sent: Sequence[Any], to: Path) -> None:
    """An officer tries what is not allowed, and keeps the refusal."""
    one = next(one for one in reversed(sent) if one.event["type"] == "mingjian.inspection.recorded.v1")
    wrong = {**one.event, "id": "0b5e0000-0000-7000-8000-000000000001", "data": {**one.event["data"], "kind": "no such kind"}}
    [outcome] = session.intake().deliver([submission(wrong, signers[one.signer], None)], channel="desk")
    assert outcome.problem and outcome.refusal, outcome
    to.write_bytes(orjson.dumps(outcome.refusal))


def _until_verified(town: Town) -> None:
    said = town.said("--wait", "60", "--receipts", str(town.receipts), "--receipts", str(town.refusals), memory=town.memory)
    assert "verified \u2713" in said, said
