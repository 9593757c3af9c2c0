"""The one place of intake with clocks, the environment, random bytes and pools."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import time
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas import topics
from schemas.keys import SigningKey, UnusableKey
from schemas.times import milliseconds
from services._bus import settings
from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection
from services._bus.producer import Producer
from services._bus.settings import NotConfigured
from services._bus.telemetry import Telemetry
from services.intake.adapters.postgres import PostgresStore
from services.intake.adapters.vault import KEY_FILE, Vault
from services.intake.answers import Keys
from services.intake.domain.clock import Clock
from services.intake.domain.registry import Registry, verify_genesis
from services.intake.handlers import Desk, genesis_row
from services.intake.keeping import Keeper
from services.intake.ports import FirstCopy, OtherRegister
from services.intake.reading_back import ReadBack
from services.intake.sending import Sender
from services.intake.waiting import Waiting
from services.intake.web.app import Parts
from services.intake.web.limits import Limits
from services.intake.web.status import Status

log = logging.getLogger("mingjian.intake")
PORT = 19_100
_READ_AT_ONCE = 4_000
# A client waits for what is read back, so little is gathered; what was read is entered in the tables at leisure.
_GATHER_MS, _STORE_EVERY_S = 15, 0.1
_START_LIMIT_S = 600.0
_TIMER_S = 1.0


@dataclass(frozen=True)
class Settings:
    """From the environment, see docs/architecture.md."""

    home: Path
    kafka: str
    tls_dir: Path | None
    dsn: str
    key_dir: Path
    genesis: Path
    host: str
    port: int
    environ: Mapping[str, str]

    @staticmethod
    def from_env(env: Mapping[str, str] = os.environ) -> Settings:
        """Raises ``NotConfigured``."""

        home = settings.folder(env, "MINGJIAN_HOME") or Path(".mingjian")
        return Settings(
            home=home,
            kafka=settings.needed(env, "MINGJIAN_KAFKA"),
            tls_dir=settings.folder(env, "MINGJIAN_KAFKA_TLS_DIR"),
            dsn=settings.file_text(env, "MINGJIAN_DSN_FILE"),
            key_dir=settings.folder(env, "MINGJIAN_KEY_DIR") or home / "keys" / "intake",
            genesis=settings.folder(env, "MINGJIAN_GENESIS") or home / "genesis.json",
            host=env.get("MINGJIAN_HOST") or "127.0.0.1",
            port=settings.number(env, "MINGJIAN_PORT", PORT),
            environ=env,
        )


def wall_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def random_bytes(count: int) -> bytes:
    """From the operating system."""
    return secrets.token_bytes(count)


def read_genesis(path: Path) -> tuple[dict[str, Any], str]:
    """The genesis submission and its fingerprint. Raises ``NotConfigured``."""
    try:
        submission = json.loads(path.read_bytes())
        return submission, verify_genesis(submission)
    except OSError as error:
        raise NotConfigured(f"the genesis event can't be read from {path} ({error.strerror}); `mingjian init` writes it") from None
    except ValueError as error:
        raise NotConfigured(f"{path} is not a genesis event: {error}") from None


def own_key(folder: Path, public: Mapping[str, str]) -> SigningKey:
    """The private key that genesis names. Raises ``NotConfigured``."""
    for path in sorted(folder.glob("*.json")):
        try:
            key = SigningKey.load(path)
        except (UnusableKey, ValueError, KeyError, TypeError) as error:
            raise NotConfigured(f"{path} is not a key file: {error}") from None
        if key.public_object() == dict(public):
            return key
    raise NotConfigured(f"no key in {folder} is the key {public['key_id']} that genesis names")


class Intake:
    """The process, put together but not started. Make it within a running event loop."""

    def __init__(self, given: Settings, telemetry: Telemetry) -> None:
        self._submission, self.fingerprint = read_genesis(given.genesis)
        genesis = self._submission["event"]["data"]
        keys = Keys(own_key(given.key_dir, genesis["receipt_key"]), own_key(given.key_dir, genesis["system_key"]))
        vault = Vault.load(given.key_dir / KEY_FILE, random_bytes)
        connection = Connection.of(given.kafka, given.tls_dir)
        self.store = PostgresStore(given.dsn)
        self.waiting = Waiting()
        self.clock = Clock(genesis["clock_mode"])
        self.producer = Producer(connection, client_id="mingjian-intake", linger_ms=1)
        self.sender = Sender(self.store, self.producer, monotonic=time.monotonic, caught_up=lambda: not any(self.reader.lag().values()))
        self.keeper = Keeper(self.store, self.sender)
        self.reader = ReadBack(
            store=self.store,
            consumer=PositionedConsumer(connection, client_id="mingjian-intake", max_records=_READ_AT_ONCE, gather_ms=_GATHER_MS),
            registry=Registry.empty(),
            found=self._found,
            saw=self.clock.saw,
            send=self.producer.send,
            store_every_s=_STORE_EVERY_S,
        )
        self.desk = Desk(
            store=self.store,
            keeper=self.keeper,
            reader=self.reader,
            waiting=self.waiting,
            clock=self.clock,
            keys=keys,
            office=self._submission["event"]["source"],
            wall=wall_ms,
            monotonic=time.monotonic,
            seal=vault.seal,
            sender=self.sender,
        )
        self.status = Status(
            reader=self.reader,
            keeper=self.keeper,
            sender=self.sender,
            clock=self.clock,
            wall=wall_ms,
            recovered=lambda: self.desk.recovered,
        )
        self.parts = Parts(
            desk=self.desk,
            status=self.status,
            limits=Limits(time.monotonic),
            simulated=self.clock.simulated,
            telemetry=telemetry,
        )
        self._measure(telemetry)

    def _found(self, copy: FirstCopy) -> None:
        self.waiting.found(copy)
        self.sender.read_back(copy.name)

    def _measure(self, telemetry: Telemetry) -> None:
        telemetry.gauge(
            "mingjian.lag", "{record}", "records of its own topics that intake has not read back", lambda: sum(self.reader.lag().values())
        )
        telemetry.gauge("mingjian.intake.unread", "{event}", "events that are stored and not read back", lambda: self.sender.unread)
        telemetry.gauge("mingjian.intake.queued", "{event}", "events that wait to be stored", lambda: self.keeper.queued)

    async def open(self, stack: AsyncExitStack) -> dict[str, Coroutine[Any, Any, None]]:
        """Connect; the loops to run until the process ends, by name. Raises ``StoreUnavailable``, ``Unavailable``, ``RecordsGone``."""
        await self.store.open()
        stack.push_async_callback(self.store.close)
        await self.producer.start()
        stack.push_async_callback(self.producer.stop)
        await self.reader.start()
        stack.push_async_callback(self.reader.stop)
        return {"reading back": self.reader.run(), "intake": self._begin()}

    async def _begin(self) -> None:
        """Catch up with what stands on Kafka, send what is missing there, then work."""
        places = list(self.reader.positions)
        await self.reader.catch_up(places, limit_s=_START_LIMIT_S)
        self.clock.by_itself = not self.clock.simulated or await self.store.reached_today()
        await self._ensure_genesis()
        missing = await self.sender.recover()
        if missing:
            log.info("sending %d events again that were stored and never arrived", missing)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.keeper.run())
            group.create_task(self.sender.run())
            await self.reader.catch_up([(topics.REGISTRY, 0)], limit_s=_START_LIMIT_S)
            await self._until_genesis()
            self.desk.recovered = True
            while True:
                self.desk.close_days()
                await asyncio.sleep(_TIMER_S)

    async def _ensure_genesis(self) -> None:
        registry = self.reader.registry
        if registry.next_offset == 0:
            await self.store.keep([genesis_row(self._submission, self._genesis_ms())])
        elif registry.fingerprint != self.fingerprint:
            raise OtherRegister(
                f"the registry on Kafka begins with genesis {registry.fingerprint}, this home holds {self.fingerprint}; "
                "start with the genesis.json that belongs to it"
            )

    def _genesis_ms(self) -> int:
        """On a simulated clock the register begins when its genesis says; the clock has to begin before the sample does."""
        return milliseconds(self._submission["event"]["time"]) if self.clock.simulated else wall_ms()

    async def _until_genesis(self) -> None:
        while self.reader.registry.next_offset == 0:
            await asyncio.sleep(0.02)
