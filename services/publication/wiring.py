"""The one place with the environment, clocks and ids: puts publication together."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from schemas.rulebook import Rulebook, digest, load_all_editions
from schemas.times import milliseconds
from services._bus.kafka import Connection, UnusableCertificates
from services._bus.settings import NotConfigured, file_text, folder, needed, number
from services._bus.telemetry import SECONDS, setup
from services.publication.adapters import kafka
from services.publication.adapters.migrations import migrate
from services.publication.adapters.neighbours import Neighbours
from services.publication.adapters.postgres_builds import NEXT, PostgresBuilds
from services.publication.adapters.postgres_reader import PostgresReader
from services.publication.adapters.postgres_store import PostgresStore
from services.publication.adapters.sample_town import SampleTown
from services.publication.adapters.wake import PostgresWake
from services.publication.domain.rows import ChangeRow
from services.publication.domain.vocabulary import Vocabulary
from services.publication.handlers import Projector
from services.publication.projecting import Projecting
from services.publication.rebuilding import Rebuilt, rebuild
from services.publication.web.app import Parts, create_app
from services.publication.web.portal import Portal
from services.publication.web.stream import Hub

log = logging.getLogger(__name__)
PACKAGE = Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parents[1]
_BASE, _KAFKA_STEP = 19090, 2
_WORDING = (".py", ".po", ".html", ".css", ".js")


@dataclass(frozen=True)
class Settings:
    """From the environment (docs/architecture.md). ``keep``: changes that the stream can be resumed over; ``audit_url``: where this
    process asks audit; ``audit_public_url``: where a reader's browser finds it, None for no links."""

    home: Path
    kafka: str
    tls_dir: Path | None
    dsn: str
    read_dsn: str
    host: str
    port: int
    rulebooks: Path
    audit_url: str | None
    audit_public_url: str | None
    trusted_proxies: tuple[str, ...]
    rating_url: str | None
    intake_url: str | None
    sample_key: Path | None
    keep: int
    streams: int
    streams_per_address: int
    environ: dict[str, str]


def settings(env: dict[str, str]) -> Settings:
    """Read the environment. Raises ``NotConfigured``."""

    return Settings(
        home=folder(env, "MINGJIAN_HOME") or Path(".mingjian"),
        kafka=needed(env, "MINGJIAN_KAFKA"),
        tls_dir=folder(env, "MINGJIAN_KAFKA_TLS_DIR"),
        dsn=file_text(env, "MINGJIAN_DSN_FILE"),
        read_dsn=file_text(env, "MINGJIAN_DSN_READ_FILE"),
        host=env.get("MINGJIAN_HOST") or "127.0.0.1",
        port=number(env, "MINGJIAN_PORT", 19101),
        rulebooks=folder(env, "MINGJIAN_RULEBOOKS") or REPOSITORY / "rulebooks",
        audit_url=env.get("MINGJIAN_AUDIT_URL") or None,
        audit_public_url=_audit_public_url(env),
        trusted_proxies=tuple((env.get("MINGJIAN_TRUSTED_PROXIES") or "127.0.0.1").replace(",", " ").split()),
        rating_url=env.get("MINGJIAN_RATING_URL") or None,
        intake_url=env.get("MINGJIAN_INTAKE_URL") or None,
        sample_key=folder(env, "MINGJIAN_SAMPLE_KEY"),
        keep=number(env, "MINGJIAN_STREAM_KEEP", 1_000_000),
        streams=number(env, "MINGJIAN_STREAM_LIMIT", 500),
        streams_per_address=number(env, "MINGJIAN_STREAM_LIMIT_ADDRESS", 50),
        environ=env,
    )


def _audit_public_url(env: dict[str, str]) -> str | None:
    """An address inside a cluster is nobody's link; on the embedded stack one machine is both inside and outside."""
    given, inside = env.get("MINGJIAN_AUDIT_PUBLIC_URL"), env.get("MINGJIAN_AUDIT_URL")
    if given:
        if urlsplit(given).scheme not in ("http", "https") or not urlsplit(given).hostname:
            raise NotConfigured(f"MINGJIAN_AUDIT_PUBLIC_URL is {given!r}; an address such as https://audit.example is expected")
        return given.rstrip("/")
    return inside.rstrip("/") if inside and urlsplit(inside).hostname in ("127.0.0.1", "::1", "localhost") else None


def from_environment() -> Settings:
    """The settings of this process."""
    return settings(dict(os.environ))


def edition(books: Iterable[Rulebook]) -> str:
    """A digest of what words the answers: this package as it lies here, and the rulebooks."""
    whole = hashlib.sha256()
    for path in sorted(path for path in PACKAGE.rglob("*") if path.suffix in _WORDING):
        whole.update(path.read_bytes())
    for book in books:
        whole.update(digest(book).encode())
    return whole.hexdigest()


def _vocabulary(directory: Path) -> tuple[Vocabulary, str]:
    """The words of all editions, and the digest of what words the answers. Raises ``RulebookError``."""
    editions = load_all_editions(directory).values()
    books, earlier = tuple(one[0] for one in editions), tuple(each for one in editions for each in one[1:])
    return Vocabulary(books, earlier, now_ms=now_ms), edition((*books, *earlier))


def now_ms() -> int:
    """The wall clock, epoch milliseconds."""
    return time.time_ns() // 1_000_000


def today(zone: str) -> date:
    """The civil day in a time zone."""
    return datetime.now(ZoneInfo(zone)).date()


def new_id() -> str:
    """A UUIDv7."""
    value = now_ms() << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def _connection(given: Settings) -> Connection:
    try:
        return Connection.of(given.kafka, given.tls_dir)
    except UnusableCertificates as error:
        raise NotConfigured(f"MINGJIAN_KAFKA_TLS_DIR: {error}") from None


class Service:
    """Publication in one process: the projector, the stream's hub, the API and the pages."""

    def __init__(self, given: Settings) -> None:
        self.settings = given
        vocabulary, self._edition = _vocabulary(given.rulebooks)
        store = PostgresStore(given.dsn)
        connection = _connection(given)
        self._telemetry = setup("publication", env=given.environ, home=given.home)
        self._projector = Projector(store, rules=vocabulary.rules, zone=vocabulary.zone, quarantine=kafka.quarantined)
        self.projecting = Projecting(
            store=store,
            projector=self._projector,
            records=lambda: kafka.records(connection),
            sender=lambda: kafka.sender(connection),
            clock=time.monotonic,
            keep=given.keep,
            telemetry=self._telemetry,
            published=self._published(),
        )
        self._reader = PostgresReader(given.read_dsn, now_ms=now_ms)
        self._wake = PostgresWake(given.read_dsn)
        self._neighbours = Neighbours(
            audit_public=given.audit_public_url, audit_inside=given.audit_url, rating_url=given.rating_url, clock=time.monotonic
        )
        self.hub = Hub(self._reader, self._wake, limit=given.streams, per_address=given.streams_per_address)
        self.failed: BaseException | None = None
        self._stop = asyncio.Event()
        self.app = self._app(vocabulary)

    def _published(self) -> Callable[[Sequence[ChangeRow]], None]:
        telemetry = self._telemetry
        telemetry.gauge("mingjian.lag", "{record}", "records not yet projected", lambda: self.projecting.progress.lag())
        delay = telemetry.meter.create_histogram(
            "mingjian.publish.delay",
            "s",
            "from the record that caused a grade to the grade's publication",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

        def heard(rows: Sequence[ChangeRow]) -> None:
            stack = self._projector.stack
            if stack is None or stack.clock_mode != "wall":
                return  # a simulated instant against a real clock says nothing
            now = now_ms()
            for row in rows:
                delay.record(max(0, now - milliseconds(row.time)) / 1000, {"regime": row.regime})

        return heard

    def _app(self, vocabulary: Vocabulary) -> FastAPI:
        given = self.settings
        town = None
        if given.sample_key is not None and given.intake_url is not None:
            town = SampleTown(
                key_file=given.sample_key,
                intake_url=given.intake_url,
                reader=self._reader,
                vocabulary=vocabulary,
                new_id=new_id,
                now_ms=now_ms,
            )
        return create_app(
            Parts(
                reader=self._reader,
                portal=Portal(vocabulary, audit_url=given.audit_public_url),
                neighbours=self._neighbours,
                hub=self.hub,
                town=town,
                now_ms=now_ms,
                today=today,
                edition=self._edition,
                ready=self._ready,
                status=self.projecting.status,
                lifespan=self._lifespan,
            )
        )

    def _ready(self) -> tuple[bool, str]:
        if self.failed is not None:
            return False, str(self.failed)
        return self.projecting.progress.ready(time.monotonic())

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        await asyncio.to_thread(migrate, self.settings.dsn)
        await self._reader.open()
        tasks = [
            asyncio.create_task(self._project(), name="projecting"),
            asyncio.create_task(self.hub.run(), name="hub"),
            asyncio.create_task(self._wake.run(), name="wake"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._neighbours.close()
            await self._reader.close()
            self._telemetry.shutdown()

    async def _project(self) -> None:
        """What no retry can mend ends the process with its sentence: a supervisor and people see it, nothing is skipped."""
        try:
            await self.projecting.run()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.failed = error
            log.critical("projection stopped: %s: %s", type(error).__name__, error)
            self._stop.set()

    async def wait_failed(self) -> None:
        """Return when the projection stopped for good."""
        await self._stop.wait()


async def rebuild_projection(
    *, home: Path, kafka_address: str | None, accept: bool, say: Callable[[str], None], env: Mapping[str, str] = os.environ
) -> Rebuilt:
    """Rebuild the projection of the stack at ``home``, or of the one that the environment names, while its service runs.

    Raises ``NotConfigured``, ``RulebookError``, ``ConnectionError``, ``RecordsGone``, ``OtherStack``."""
    embedded = f"127.0.0.1:{int(env.get('MINGJIAN_PORT_BASE') or _BASE) + _KAFKA_STEP}"
    connection = Connection.of(kafka_address or embedded, folder(env, "MINGJIAN_KAFKA_TLS_DIR"))
    dsn = file_text(
        {"MINGJIAN_DSN_FILE": env.get("MINGJIAN_DSN_FILE") or str(home / "secrets" / "mj_publication.dsn")}, "MINGJIAN_DSN_FILE"
    )
    vocabulary, _ = _vocabulary(folder(env, "MINGJIAN_RULEBOOKS") or REPOSITORY / "rulebooks")
    store = PostgresStore(dsn, schema=NEXT)
    # Its right to write also keeps a second rebuild waiting.
    await store.acquire()
    try:
        projector = Projector(store, rules=vocabulary.rules, zone=vocabulary.zone, quarantine=kafka.quarantined)
        return await rebuild(PostgresBuilds(dsn), projector, kafka.records(connection), accept=accept, say=say)
    finally:
        await store.close()


def service() -> Service:
    """The service of this process."""
    return Service(from_environment())
