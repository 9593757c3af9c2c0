"""One stack: Kafka, PostgreSQL and the services of one home directory. The command line and the tests come in here.

A stack belongs to the process that started it. From another process ``status`` and ``control.stop_running`` look at and end it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from deploy.local import jars, kafka, postgres, preflight, processes, roles, state, topics, witness
from deploy.local.control import probe, stop_leftovers, until_signalled
from deploy.local.errors import LocalStackError, StillWaiting
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Identity, Spec
from deploy.local.supervisor import Supervisor
from schemas.topics import LOGGED_TOPICS, RATING_VERSION, ClockMode, Topic, changelog_topics

CHECKOUT = Path(__file__).resolve().parents[2]
SERVERS = ("kafka", "postgres")
SERVICES = ("intake", "rating", "publication", "audit")
# A process of its own beside them, with nothing of theirs but the log's public key.
WITNESS = "witness"
EVERYONE = (WITNESS, *SERVICES)
_MODULES = {
    "intake": "services.intake.api",
    "rating": "services.rating.worker",
    "publication": "services.publication.api",
    "audit": "services.audit.api",
    "witness": "services.audit.witness.api",
}
# What a person may set for the services; everything else that they get follows from the home and the ports.
_PATHS = ("MINGJIAN_RULEBOOKS", "MINGJIAN_LOG_DIR", "MINGJIAN_ONCE_DIR", "MINGJIAN_SAMPLE_KEY", "MINGJIAN_WITNESSES")
_RATHER = ("MINGJIAN_WITNESS_MISSING", "MINGJIAN_WITNESS_WAIT_MS", "MINGJIAN_RATING_VERSION")
PASSED_ON = (*_PATHS, *_RATHER, "MINGJIAN_STREAM_LIMIT", "MINGJIAN_STREAM_LIMIT_ADDRESS", "MINGJIAN_STREAM_KEEP")
_TICK_S = 0.5
_POLL_S = 0.05
# Kafka and PostgreSQL look through their files after a crash. One that ends is noticed at once, whatever stands here.
_SERVER_LIMIT_S = 300.0
_SAY_EVERY_S = 30.0
# For who starts services one by one. As above: a machine may be busy, and one that ends is noticed at once.
_READY_LIMIT_S = 240.0
_EXITS_BEFORE_GIVING_UP = 3


class Stack:
    """The processes of one home.

    ``kafka`` (bootstrap address) and ``postgres`` (administrator's DSN) name outside servers to use instead of embedded
    ones. ``extra_env`` goes to every service. ``say`` takes a line of progress.
    """

    def __init__(
        self,
        home: Path,
        ports: Ports,
        *,
        kafka: str | None = None,
        postgres: str | None = None,
        extra_env: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.home = Path(home).resolve()
        self.ports = ports
        self._outside_kafka = kafka
        self._outside_postgres = postgres
        self._extra_env = dict(extra_env or {})
        self._say = say
        self._supervisor = Supervisor(self.home)
        self._clock_mode: ClockMode | None = None
        self._say_every_s = _SAY_EVERY_S
        self._signalled = threading.Event()
        self._failed = threading.Event()
        self.restoring = False  # True: topics may have the settings of a restore that was cut off

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, *, say: Callable[[str], None] = lambda line: None) -> Stack:
        """The stack that MINGJIAN_HOME, MINGJIAN_PORT_BASE, MINGJIAN_KAFKA and MINGJIAN_POSTGRES describe, with what is set
        for its services. Paths are as seen from here: a service works in another folder."""
        home = Path(env.get("MINGJIAN_HOME") or ".mingjian")
        given = {name: env[name] for name in PASSED_ON if env.get(name)}
        given |= {name: str(Path(given[name]).expanduser().absolute()) for name in _PATHS if name in given}
        outside = {"kafka": env.get("MINGJIAN_KAFKA") or None, "postgres": env.get("MINGJIAN_POSTGRES") or None}
        return cls(home, Ports.from_env(env), **outside, extra_env=given, say=say)

    # Where things are

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self._outside_kafka or f"{HOST}:{self.ports.kafka}"

    @property
    def secrets(self) -> Path:
        """Folder of DSN files, readable by this user alone."""
        return self.home / "secrets"

    def dsn(self, role: str) -> str:
        """The DSN of a role (``mj_intake`` …). Raises FileNotFoundError before the servers were first started."""
        return roles.dsn_file(self.secrets, role).read_text()

    @property
    def admin_dsn(self) -> str:
        """The administrator's DSN for the product's database, for tests and backups; no service has it."""
        return self._outside_postgres or postgres.database_dsn(self.secrets / "admin.dsn", self.ports)

    def service_env(self, name: str) -> dict[str, str]:
        """The environment of a service, as docs/architecture.md lists it; OTEL_* and the like pass through from ours."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("MINGJIAN_", "PG"))}
        if name == WITNESS:
            place = {"MINGJIAN_HOST": HOST, "MINGJIAN_PORT": str(self.ports.witness), "PYTHONUNBUFFERED": "1"}
            return env | {"MINGJIAN_WITNESS_HOME": str(witness.folder(self.home))} | place
        env |= {
            "MINGJIAN_HOME": str(self.home),
            "MINGJIAN_KAFKA": self.bootstrap,
            "MINGJIAN_DSN_FILE": str(roles.dsn_file(self.secrets, f"mj_{name}")),
            "MINGJIAN_KEY_DIR": str(self.home / "keys" / name),
            "MINGJIAN_GENESIS": str(self.home / "genesis.json"),
            "MINGJIAN_HOST": HOST,
            "MINGJIAN_PORT": str(self.ports.service(name)),
            "MINGJIAN_RULEBOOKS": str(CHECKOUT / "rulebooks"),
            "MINGJIAN_LOG_DIR": str(self.home / "log"),
            "MINGJIAN_ONCE_DIR": str(self.home / "run" / "once"),
            "PYTHONUNBUFFERED": "1",
        }
        env |= {f"MINGJIAN_{service.upper()}_URL": self.ports.url(service) for service in SERVICES}
        if name == "publication":
            env["MINGJIAN_DSN_READ_FILE"] = str(roles.dsn_file(self.secrets, "mj_publication_read"))
        if name == "audit" and witness.policy(self.home).exists():
            env["MINGJIAN_WITNESSES"] = str(witness.policy(self.home))
        return env | self._extra_env

    # Starting and stopping

    def start_servers(self, clock_mode: ClockMode | None = None) -> None:
        """Start Kafka and PostgreSQL, make topics, roles and schemas; nothing happens to what already runs.

        ``clock_mode``: default is what ``genesis.json`` says, else ``wall``. First stops what a killed run left behind.
        Raises LocalStackError, with everything stopped again, when one of them can't be started.
        """
        self._supervisor.acquire()
        self._failed.clear()
        try:
            self._clock_mode = clock_mode or self._genesis_clock_mode()
            if not self._supervisor.names():
                stopped = stop_leftovers(self._supervisor, self.home)
                if stopped:
                    self._say(f"Stopped {len(stopped)} processes that an earlier run had left behind")
            self._check_ports({"kafka": ("Kafka", "Kafka's controller"), "postgres": ("PostgreSQL",)})
            self._together(self._start_kafka, self._start_postgres)
        except BaseException:
            self.stop()
            raise

    def start_services(self, names: Iterable[str] = SERVICES, *, limit_s: float = _READY_LIMIT_S) -> None:
        """Start services and wait until each is ready. ``limit_s``: seconds for all. Raises LocalStackError."""
        names = tuple(names)
        self.begin(names)
        self.wait_ready(names, limit_s=limit_s)

    def begin(self, names: Iterable[str] = SERVICES) -> None:
        """Start services and don't wait for them. Raises LocalStackError when one can't be started at all."""
        names = tuple(names)
        self._supervisor.acquire()
        self._failed.clear()
        self._check_ports({name: (name,) for name in names})
        if WITNESS in names:
            witness.prepare(self.home, self.ports.url(WITNESS))
        for name in names:
            self._supervisor.start(self._service_spec(name))

    @property
    def stopping(self) -> bool:
        """True from the moment ``run`` was told to end."""
        return self._signalled.is_set()

    def _wait_for(self, names: tuple[str, ...]) -> None:
        """Wait until these services are ready, or ``run`` is told to end; say from time to time who is not."""
        since = {name: self._supervisor.restarts(name) for name in names}
        while not self.stopping:
            try:
                self._wait_ready(since, self._say_every_s)
                return
            except StillWaiting as waiting:
                if not self.stopping:
                    self._say(str(waiting))

    def wait_ready(self, names: Iterable[str], *, limit_s: float = _READY_LIMIT_S) -> None:
        """Wait until these services answer that they are ready. Raises StillWaiting after ``limit_s`` seconds,
        LocalStackError when one of them ends again and again."""
        self._wait_ready({name: self._supervisor.restarts(name) for name in names}, limit_s)

    def _wait_ready(self, since: Mapping[str, int], limit_s: float) -> None:
        """``since``: service → how often it had been started again when the waiting began."""
        until = time.monotonic() + limit_s
        waiting = dict(since)
        while waiting:
            self._supervisor.tick()
            for name, restarts in list(waiting.items()):
                ready, reason = probe(self.ports.service(name))
                if ready:
                    del waiting[name]
                    continue
                self._give_up_after_exits(name, restarts)
                if not self._wanted() or time.monotonic() >= until:
                    raise StillWaiting(f"{name} was not ready within {limit_s:.0f} s ({reason}); see {self._log(name)}.")
            time.sleep(_POLL_S)

    def start(self, name: str) -> None:
        """Start one server or service and wait until it is ready; nothing happens when it runs. Raises LocalStackError."""
        if name == "kafka":
            self._start_kafka()
        elif name == "postgres":
            self._start_postgres()
        else:
            self.start_services([name])

    def tick(self) -> None:
        """Start again whoever has crashed, after its pause; ``run`` does it all the time. Safe beside other calls."""
        for name in self._supervisor.tick():
            self._say(f"{name} had ended and was started again; see {self._log(name)}")

    def stop_one(self, name: str) -> None:
        """Stop one server or service properly; it stays stopped until ``start``."""
        self._supervisor.stop([name])

    def kill(self, name: str) -> None:
        """SIGKILL one server or service, for fault tests. ``start`` (or a running ``run``) brings it back."""
        self._supervisor.kill(name)

    def pid(self, name: str) -> int:
        """The process of one server or service, to pause it for example. Raises KeyError when it was not started."""
        return self._supervisor.identity(name).pid

    def stop(self) -> None:
        """Stop everything: services together, then Kafka, then PostgreSQL. Each has a time limit, so this ends."""
        names = self._supervisor.names()
        self._supervisor.stop([name for name in names if name not in SERVERS])
        for server in SERVERS:
            self._supervisor.stop([server])
        self._supervisor.release()

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def run(
        self,
        services: Iterable[str] = EVERYONE,
        *,
        clock_mode: ClockMode | None = None,
        ready: Callable[[Stack], None] = lambda stack: None,
    ) -> None:
        """Start everything, call ``ready``, start again what crashes, until Ctrl-C, SIGTERM or a closed terminal; then stop.

        For the main thread of a process of its own. Raises LocalStackError when the start fails: a server that doesn't come,
        a service that ends again and again. A service that is only behind is waited for, however long it takes.
        """
        with until_signalled(self._signalled):
            try:
                self.start_servers(clock_mode)
                names = tuple(services)
                self.begin(names)
                self._wait_for(names)
                if not self.stopping:
                    ready(self)
                while not self._signalled.wait(_TICK_S):
                    self.tick()
            except LocalStackError:
                if not self._signalled.is_set():  # a start that was told to end has not failed
                    raise
            finally:
                self.stop()

    def status(self) -> dict[str, object]:
        """What runs on this home; works from any process. Asks each service whether it is ready."""
        boss = state.supervisor(self.home)
        found: dict[str, object] = {}
        for name, one in state.read(self.home).get("children", {}).items():
            running = processes.alive(Identity(one["pid"], one["started"]))
            entry = {"pid": one["pid"], "running": running, "restarts": one["restarts"], "last_exit": one["last_exit"]}
            if name in EVERYONE:
                entry["port"] = self.ports.service(name)
                entry["ready"], entry["reason"] = probe(self.ports.service(name)) if running else (False, "not running")
            elif name == "kafka":
                entry["port"], entry["ready"] = self.ports.kafka, running and kafka.listens(self.ports.kafka)
            else:
                entry["port"], entry["ready"] = self.ports.postgres, running and postgres.is_ready(self.home / "postgres", one["pid"])
            found[name] = entry
        return {"home": str(self.home), "supervisor": boss.pid if boss else None, "processes": found}

    # The parts

    def _together(self, *jobs: Callable[[], None]) -> None:
        """Do all at once and raise the first failure; the others are told not to go on waiting."""
        with ThreadPoolExecutor(len(jobs)) as pool:
            try:
                for job in as_completed([pool.submit(job) for job in jobs]):
                    job.result()
            except BaseException:
                self._failed.set()
                raise

    def _wanted(self) -> bool:
        """False once a start should be given up."""
        return not (self._signalled.is_set() or self._failed.is_set())

    def _start_kafka(self) -> None:
        mode = self._clock_mode or self._genesis_clock_mode()
        if self._outside_kafka:
            self._say(f"Using Kafka at {self._outside_kafka}")
            topics.ensure_topics(self._outside_kafka, mode, topics=self._topics(), go_on=self._wanted, restoring=self.restoring)
            return
        root = jars.library_root(self.home)
        if not jars.library_folder(root).is_dir():
            self._say("Fetching Kafka by Maven, once")
        folder = self.home / "kafka"
        libraries = jars.ensure_jars(root, go_on=self._wanted)
        kafka.prepare(folder, self.ports, libraries)
        self._say(f"Starting Kafka on port {self.ports.kafka}")
        self._supervisor.start(kafka.spec(folder, libraries))
        topics.ensure_topics(
            self.bootstrap,
            mode,
            topics=self._topics(),
            own_broker=True,
            limit_s=_SERVER_LIMIT_S,
            restoring=self.restoring,
            go_on=lambda: self._wanted() and self._supervisor.exit_code("kafka") is None,
        )

    def _topics(self) -> tuple[Topic, ...]:
        """With the changelogs of the version of rating that is asked for."""
        given = self._extra_env.get("MINGJIAN_RATING_VERSION")
        return LOGGED_TOPICS + changelog_topics(int(given) if given else RATING_VERSION)

    def _start_postgres(self) -> None:
        if self._outside_postgres:
            self._say("Using the PostgreSQL of MINGJIAN_POSTGRES")
            roles.ensure_roles(self._outside_postgres, self.secrets)
            return
        folder, admin_dsn = self.home / "postgres", self.secrets / "admin.dsn"
        postgres.prepare(folder, admin_dsn, self.ports)
        self._say(f"Starting PostgreSQL on port {self.ports.postgres}")
        until = time.monotonic() + _SERVER_LIMIT_S
        who = self._supervisor.start(postgres.spec(folder, self.ports))
        restarts = self._supervisor.restarts("postgres")
        while not postgres.is_ready(folder, who.pid):
            if not self._wanted() or time.monotonic() >= until:
                raise LocalStackError(f"PostgreSQL was not ready within {_SERVER_LIMIT_S:.0f} s; see {self._log('postgres')}.")
            if self._supervisor.exit_code("postgres") is not None:
                # After a SIGKILL its last children may still hold the shared memory: they go within a second.
                self._give_up_after_exits("postgres", restarts)
                self._supervisor.tick()
                who = self._supervisor.identity("postgres")
            time.sleep(_POLL_S)
        roles.ensure_roles(admin_dsn.read_text(), self.secrets)

    def _service_spec(self, name: str) -> Spec:
        env = self.service_env(name)
        # The log's bundles hold every fact; who serves them to others asks the service for them.
        for folder in (env[path] for path in ("MINGJIAN_KEY_DIR", "MINGJIAN_ONCE_DIR", "MINGJIAN_LOG_DIR") if path in env):
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        return Spec(name, (sys.executable, "-m", _MODULES[name]), env=env, cwd=CHECKOUT)

    def _give_up_after_exits(self, name: str, restarts: int) -> None:
        """Raise LocalStackError when a child has ended too often since it had been started again ``restarts`` times."""
        code = self._supervisor.exit_code(name)
        if code is not None and self._supervisor.restarts(name) - restarts >= _EXITS_BEFORE_GIVING_UP - 1:
            raise LocalStackError(f"{name} ended {_EXITS_BEFORE_GIVING_UP} times before it was ready (code {code}); see {self._log(name)}.")

    def _check_ports(self, wanted: Mapping[str, tuple[str, ...]]) -> None:
        """Only for what isn't running yet: a server that can't have its port says so less clearly itself."""
        outside = {"kafka"} if self._outside_kafka else set()
        outside |= {"postgres"} if self._outside_postgres else set()
        running = {name for name in self._supervisor.names() if self._supervisor.exit_code(name) is None}
        names = [title for name, titles in wanted.items() if name not in running | outside for title in titles]
        failed = [check for check in preflight.check_ports(self.home, self.ports, {}, only=names) if not check.ok]
        if failed:
            raise LocalStackError(failed[0].message)

    def _genesis_clock_mode(self) -> ClockMode:
        try:
            genesis = json.loads((self.home / "genesis.json").read_text())
        except FileNotFoundError:
            return "wall"
        return "simulated" if genesis["event"]["data"]["clock_mode"] == "simulated" else "wall"

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"
