"""The one place of audit with clocks, the environment and random bytes."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yoyo

from schemas.keys import SigningKey
from schemas.rulebook import load_all_editions
from schemas.times import civil_date, instant
from schemas.topics import FACTS, FINDINGS, LOGGED_TOPICS, REGISTRY
from services._bus.kafka import Connection
from services._bus.producer import Producer
from services._bus.settings import NotConfigured, file_text, folder, needed, number
from services._bus.telemetry import Telemetry
from services.audit.adapters import run_store
from services.audit.adapters.detector_store import PostgresDetectorStore
from services.audit.adapters.finding_reader import FindingReader
from services.audit.adapters.folder import FolderStore
from services.audit.adapters.kafka import CLIENT, KafkaRecords
from services.audit.adapters.places import PlaceReader
from services.audit.adapters.plan import PostgresPlan
from services.audit.adapters.read_pool import ReadPool
from services.audit.adapters.witness_client import HttpWitnesses
from services.audit.appender import Appender, LogKey
from services.audit.domain.late import EntryRule, outages_within
from services.audit.domain.note import VerifierKey
from services.audit.domain.policy import NOBODY, Policy, parse_policy
from services.audit.entries import Entered
from services.audit.handlers import Detectors
from services.audit.nights import Nights
from services.audit.ports import LogStore, Place
from services.audit.verifying import Patience
from services.audit.web.app import Parts
from services.audit.web.console.app import Seen, assembled
from services.audit.web.console.base import OutagesOf
from services.audit.web.leaves import Leaves
from services.audit.web.pages import Pages
from services.audit.web.proofs import Proofs
from services.audit.web.session import Sessions
from services.audit.web.status import Status
from services.audit.witnessing import Missing, Witnesses
from services.audit.worker import DetectorLoop, LogLoop, RegistryReader, reached

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
RULEBOOKS = Path(__file__).resolve().parents[2] / "rulebooks"
CALENDAR_FILE = RULEBOOKS / "calendar-cn.yaml"
# What waits so long for more to come together costs a commit less. A record should be a durable leaf within 80 ms; what the detectors
# find of it waits for the next checkpoint anyway.
LOG_LINGER_S = 0.04
LINGER_S = 0.1
# As long as intake waits for a receipt before it answers that one is coming.
_PENDING_S = 2.0
# A checkpoint without enough witnesses is published after so long, or asked for again, by what the operator wants.
_WAIT_MS: dict[Missing, int] = {"publish": 400, "wait": 10_000}
_DAYS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60, 90, 180, 365]
# The embedded broker's place in the stack's range of ports, see docs/architecture.md.
_BASE, _KAFKA_STEP = 19090, 2


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
    rulebooks: Path
    log_dir: Path
    log_store: str | None
    once_dir: Path
    publication_url: str | None
    public_url: str | None
    policy: Policy
    witness_missing: Missing
    witness_wait_s: float
    environ: Mapping[str, str]

    @staticmethod
    def from_env(env: Mapping[str, str] = os.environ) -> Settings:
        """Raises ``NotConfigured``."""
        home = default_home(env)
        missing = _missing(env)
        return Settings(
            home=home,
            kafka=needed(env, "MINGJIAN_KAFKA"),
            tls_dir=folder(env, "MINGJIAN_KAFKA_TLS_DIR"),
            dsn=file_text(env, "MINGJIAN_DSN_FILE"),
            key_dir=folder(env, "MINGJIAN_KEY_DIR") or home / "keys" / "audit",
            genesis=folder(env, "MINGJIAN_GENESIS") or home / "genesis.json",
            host=env.get("MINGJIAN_HOST") or "127.0.0.1",
            port=number(env, "MINGJIAN_PORT", 19102),
            rulebooks=folder(env, "MINGJIAN_RULEBOOKS") or RULEBOOKS,
            log_dir=folder(env, "MINGJIAN_LOG_DIR") or home / "log",
            log_store=env.get("MINGJIAN_LOG_STORE") or None,
            once_dir=folder(env, "MINGJIAN_ONCE_DIR") or home / "run" / "once",
            # Links are for browsers: where the portal's inner address is not theirs, its public one.
            publication_url=_url(env, "MINGJIAN_PUBLICATION_PUBLIC_URL") or _url(env, "MINGJIAN_PUBLICATION_URL"),
            public_url=_url(env, "MINGJIAN_AUDIT_PUBLIC_URL"),
            policy=policy_of(folder(env, "MINGJIAN_WITNESSES")),
            witness_missing=missing,
            witness_wait_s=number(env, "MINGJIAN_WITNESS_WAIT_MS", _WAIT_MS[missing]) / 1000,
            environ=env,
        )


def _missing(env: Mapping[str, str]) -> Missing:
    word = env.get("MINGJIAN_WITNESS_MISSING") or "publish"
    if word not in ("publish", "wait"):
        raise NotConfigured(f"MINGJIAN_WITNESS_MISSING is {word!r}; it is `publish` or `wait`")
    return word  # type: ignore[return-value]


def policy_of(path: Path | None) -> Policy:
    """The witnesses that a policy's file names; none without a file. Raises ``NotConfigured``."""
    if path is None:
        return NOBODY
    try:
        return parse_policy(path.read_text())
    except (OSError, ValueError) as error:
        raise NotConfigured(f"the witnesses' policy {path} can't be read: {error}") from None


def _url(env: Mapping[str, str], name: str) -> str | None:
    return (env.get(name) or "").rstrip("/") or None


def default_home(env: Mapping[str, str] = os.environ) -> Path:
    """The data directory."""
    return Path(env.get("MINGJIAN_HOME") or ".mingjian")


def broker(bootstrap: str | None, env: Mapping[str, str] = os.environ) -> tuple[str, Path | None]:
    """The address of the broker named, or of the embedded one, and the folder of the environment's certificates."""
    embedded = f"127.0.0.1:{int(env.get('MINGJIAN_PORT_BASE') or _BASE) + _KAFKA_STEP}"
    return bootstrap or embedded, folder(env, "MINGJIAN_KAFKA_TLS_DIR")


def kafka(bootstrap: str | None, env: Mapping[str, str] = os.environ) -> Connection:
    """A connection to ``broker``. Raises ``UnusableCertificates``."""
    return Connection.of(*broker(bootstrap, env))


def reading_dsn(given: str | None, home: Path) -> str | None:
    """PostgreSQL's address for ``verify``: an address, a file that holds one, or that of the reading role in ``home`` where it is; None
    leaves PostgreSQL out. Raises ``NotConfigured``, which repeats nothing of an address."""
    own = home / "secrets" / "mj_verify.dsn"
    if given is None and not own.is_file():
        return None
    if given is not None and given.startswith(("postgresql://", "postgres://")):
        return given
    try:
        return Path(given or own).read_text().strip()
    except OSError as error:
        words = "is neither an address of the form postgresql://… nor a file that can be read"
        raise NotConfigured(f"what --postgres names {words} ({error.strerror})") from None


def patience(wait_s: float) -> Patience:
    """Real clocks for ``verify``."""
    return Patience(wait_s, time.monotonic, time.sleep)


def today(time_zone: str) -> date:
    """The civil date in a time zone, by the wall clock."""
    return civil_date(instant(time.time_ns() // 1_000_000), time_zone)


def cores() -> int:
    """How many processes can work at once."""
    return os.cpu_count() or 1


def genesis_event(path: Path) -> dict[str, Any]:
    """The genesis event from the submission's file. Raises ``NotConfigured``."""
    try:
        event: dict[str, Any] = json.loads(path.read_bytes())["event"]
    except (OSError, ValueError, KeyError) as error:
        raise NotConfigured(f"the genesis event can't be read from {path} ({error}); `mingjian init` writes it") from None
    return event


def log_key(key_dir: Path, verifier: VerifierKey) -> LogKey:
    """The private key that belongs to the verifier key of genesis. Raises ``NotConfigured``."""
    for path in sorted(key_dir.glob("*.json")):
        key = SigningKey.load(path)
        if key.alg == "Ed25519" and key.raw_public == verifier.public:
            return LogKey(verifier, key.sign)
    raise NotConfigured(f"no key in {key_dir} belongs to the log's verifier key in genesis, {verifier.name}+{verifier.key_id.hex()}")


def log_store(settings: Settings) -> LogStore:
    """The log's storage: a folder, or an object store where one is named. Writer and readers have one each. Raises ``NotConfigured``."""
    if settings.log_store is None:
        return FolderStore(settings.log_dir, mark=str(os.getpid()))
    try:
        # Not before it is asked for: a library of several megabytes that a folder can do without.
        from services.audit.adapters.objects import open_store

        return open_store(settings.log_store)
    except (ImportError, ValueError) as error:
        raise NotConfigured(f"MINGJIAN_LOG_STORE is {settings.log_store!r}, which can't be used: {error}") from None


def places() -> list[Place]:
    """Every partition whose records become leaves."""
    return [(topic.name, partition) for topic in LOGGED_TOPICS for partition in range(topic.partitions)]


def migrate(dsn: str) -> None:
    """Bring audit's own schema up to date; two processes at once wait for each other."""
    backend = yoyo.get_backend(dsn.replace("postgresql://", "postgresql+psycopg://", 1))
    migrations = yoyo.read_migrations(str(MIGRATIONS))
    with backend.lock():
        backend.apply_migrations(backend.to_apply(migrations))


@dataclass
class Audit:
    """The process, put together but not started."""

    log: LogLoop
    detectors: DetectorLoop
    registry: RegistryReader
    nights: Nights
    parts: Parts
    registry_records: KafkaRecords
    stores: tuple[PostgresDetectorStore, PostgresDetectorStore]
    reading: ReadPool
    asking: HttpWitnesses
    witnesses: Witnesses

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect what the loops don't connect themselves; ``stack`` disconnects it."""
        for store in (*self.stores, self.reading):
            await store.open()
            stack.push_async_callback(store.close)
        stack.push_async_callback(self.asking.close)
        stack.push_async_callback(self.witnesses.close)
        await self.registry_records.start({})
        stack.push_async_callback(self.registry_records.stop)


def build(settings: Settings, telemetry: Telemetry) -> Audit:
    """Everything wired; called within a running event loop. Raises ``NotConfigured``, ``RulebookError``, ``UnusableCertificates``."""
    connection = Connection.of(settings.kafka, settings.tls_dir)
    genesis = genesis_event(settings.genesis)
    verifier = VerifierKey.parse(genesis["data"]["log_vkey"])
    editions = load_all_editions(settings.rulebooks)
    rules = [rule for books in editions.values() for book in books if (rule := EntryRule.of(book))]
    store, published = log_store(settings), log_store(settings)
    plan = PostgresPlan(settings.dsn)
    findings, beside = PostgresDetectorStore(settings.dsn), PostgresDetectorStore(settings.dsn)
    asking = HttpWitnesses.open()
    witnesses = _witnesses(settings, asking, published)
    log = LogLoop(
        appender=Appender(plan=plan, store=store, key=log_key(settings.key_dir, verifier)),
        plan=plan,
        records=KafkaRecords(connection, places(), linger_s=LOG_LINGER_S),
        findings=beside,
        stack=genesis["subject"],
        monotonic=time.monotonic,
        wall=time.time,
        telemetry=telemetry,
        witnesses=witnesses,
    )
    registry_records = KafkaRecords(connection, [(REGISTRY, 0)])
    registry = RegistryReader(registry_records, genesis)
    watched = [place for place in places() if place[0] in (FACTS, REGISTRY, FINDINGS)]
    detectors = DetectorLoop(
        detectors=Detectors(rules, registry.up_to, genesis["subject"], _entered(telemetry)),
        store=findings,
        records=KafkaRecords(connection, watched, linger_s=LINGER_S),
        sender=Producer(connection, client_id=f"{CLIENT}-findings"),
        monotonic=time.monotonic,
    )
    nights = _nights(settings, registry, log, telemetry)
    _gauges(telemetry, log, detectors, witnesses)
    status = Status(
        log=log,
        detectors=detectors,
        registry=registry,
        store=published,
        verifier=verifier,
        witnesses=witnesses,
        nights=nights,
        monotonic=time.monotonic,
        wall=time.time,
    )
    pages = Pages(sample=bool(genesis["data"]["sample"]), publication_url=settings.publication_url, time_zone=genesis["data"]["time_zone"])
    reading = ReadPool(settings.dsn)
    places_of = PlaceReader(reading)
    sessions = Sessions(settings.once_dir, secrets.token_bytes(32), time.time)
    leaves = Leaves(places=places_of, read_file=published.read, log=verifier, pages=pages)
    outages = _outages(rules, registry)
    zone = genesis["data"]["time_zone"]
    seen = Seen(pages, leaves, published.read, outages, lambda: registry.state, status.state, zone, lambda: today(zone))
    console = assembled(settings.environ, connection, reading, editions, seen)
    parts = Parts(
        read_file=published.read,
        sessions=sessions,
        status=status,
        findings=FindingReader(reading),
        pages=pages,
        outages=outages,
        public_url=settings.public_url,
        console=console,
        leaves=leaves,
        proofs=Proofs(
            leaves=leaves,
            places=places_of,
            read_file=published.read,
            log=verifier,
            sessions=sessions,
            reached=lambda: reached(log.progress, _PENDING_S),
        ),
    )
    return Audit(log, detectors, registry, nights, parts, registry_records, (findings, beside), reading, asking, witnesses)


def _witnesses(settings: Settings, asking: HttpWitnesses, published: LogStore) -> Witnesses:
    return Witnesses(
        settings.policy,
        asking,
        missing=settings.witness_missing,
        limit_s=settings.witness_wait_s,
        read_file=published.read,
        monotonic=time.monotonic,
        wall=time.time,
    )


def _outages(rules: Sequence[EntryRule], registry: RegistryReader) -> OutagesOf:
    zones = {rule.regime: rule.time_zone for rule in rules}

    def of(regime: str | None, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        late = data.get("late")
        if late is None or regime not in zones:
            return []
        term = date.fromisoformat(late["day_zero"]), date.fromisoformat(late["deadline"])
        declared = (outage for _, outage in registry.state.outages)
        return [asdict(one) for one in outages_within(data["office"], *term, zones[regime], declared)]

    return of


def _entered(telemetry: Telemetry) -> Entered:
    took = telemetry.meter.create_histogram(
        "mingjian.entry.delay", "d", "calendar days from the act to its entry", explicit_bucket_boundaries_advisory=_DAYS
    )
    return lambda days, channel: took.record(days, {"channel": channel})


def _gauges(telemetry: Telemetry, log: LogLoop, detectors: DetectorLoop, witnesses: Witnesses) -> None:
    standing = lambda *words: sum(one.standing in words for one in witnesses.watched)  # noqa: E731
    telemetry.gauge("mingjian.log.witnesses.cosigned", "{witness}", "witnesses that cosigned when asked last", lambda: standing("cosigned"))
    telemetry.gauge("mingjian.log.witnesses.away", "{witness}", "witnesses that did not", lambda: standing("away", "behind", "refused"))
    telemetry.gauge("mingjian.log.witnesses.conflict", "{witness}", "witnesses that saw another log", lambda: standing("conflict"))
    telemetry.gauge("mingjian.log.lag", "{record}", "records that are no leaf yet", log.progress.lag)
    telemetry.gauge("mingjian.log.size", "{leaf}", "leaves of the log", lambda: log.progress.size)
    telemetry.gauge("mingjian.log.signed", "{leaf}", "leaves under the published checkpoint", lambda: log.progress.signed)
    telemetry.gauge("mingjian.lag", "{record}", "records that the detectors have not read", detectors.progress.lag)


def _nights(settings: Settings, registry: RegistryReader, log: LogLoop, telemetry: Telemetry) -> Nights:
    nights = Nights(
        closings=lambda: registry.state.closings,
        leaves=lambda: log.progress.size,
        latest=lambda: run_store.latest(settings.dsn),
        environ=settings.environ,
        monotonic=time.monotonic,
    )
    last = lambda name: None if nights.last is None else nights.last[name]  # noqa: E731
    telemetry.gauge("mingjian.grades.differences", "{event}", "events of the newest run that differ", lambda: last("differences"))
    telemetry.gauge("mingjian.grades.compared", "{event}", "events that the newest run compared", lambda: last("compared"))
    telemetry.gauge(
        "mingjian.grades.due", "{day}", "1 while the newest closed day waits for its run", lambda: int(nights.due() is not None)
    )
    return nights
