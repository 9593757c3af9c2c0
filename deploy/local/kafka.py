"""The embedded Kafka: one KRaft node that is broker and controller, on jars fetched by Maven."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Spec

_LOG4J = Path(__file__).resolve().parent / "log4j2.xml"
_FORMAT_LIMIT_S = 60
_TEN_YEARS_MINUTES = 5_256_000
_TEN_YEARS_MS = _TEN_YEARS_MINUTES * 60_000
_LONG_MAX = 2**63 - 1


def find_java() -> str | None:
    """Path of ``java``: ``JAVA_HOME`` first, then ``PATH``."""
    java_home = os.environ.get("JAVA_HOME")
    if java_home and os.access(Path(java_home) / "bin" / "java", os.X_OK):
        return str(Path(java_home) / "bin" / "java")
    return shutil.which("java")


def settings(folder: Path, ports: Ports) -> dict[str, str]:
    """The broker's settings, all of them that differ from Kafka's own."""
    one_node = (
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr",
    )
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{ports.controller}",
        "listeners": f"PLAINTEXT://{HOST}:{ports.kafka},CONTROLLER://{HOST}:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{ports.kafka}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(folder / "data"),
        **dict.fromkeys(one_node, "1"),
        # A misspelt topic must fail, not appear.
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "message.max.bytes": str(1 << 20),
        # Offsets of a group that sleeps for weeks must still be there: without them faust would read from the start.
        "offsets.retention.minutes": str(_TEN_YEARS_MINUTES),
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        # On a simulated clock records are years from the broker's own time, in both directions.
        "log.message.timestamp.before.max.ms": str(_LONG_MAX),
        "log.message.timestamp.after.max.ms": str(_LONG_MAX),
        # Segments roll by size alone: a simulated year would else leave 52 of them in every partition.
        "log.roll.ms": str(_TEN_YEARS_MS),
        "log.segment.bytes": str(256 << 20),
        # One transaction marker takes an offset, and audit proves completeness by offsets without a gap. The authorizer
        # is here for one rule (topics.deny_transactions); without an ACL on a resource everybody on this host may use it.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
        # A broker killed and started again waits until the controller has forgotten its former self: 9 s by default.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "750",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(32 << 20),
    }


def _java_options(jars: Path) -> list[str]:
    """Options that start quickly and stay small; see docs/adr for what was measured."""
    return [
        "-Xms256m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={_LOG4J}",
        "-cp",
        f"{jars}/*",
    ]


def prepare(folder: Path, ports: Ports, jars: Path) -> None:
    """Write the settings and format the storage unless it is. Raises LocalStackError when Kafka refuses.

    The cluster's id is written down before the format, so that a crash in between is mended by the next start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text("".join(f"{key}={value}\n" for key, value in settings(folder, ports).items()))
    if (folder / "data" / "meta.properties").exists():
        return
    cluster = folder / "cluster.id"
    if not cluster.exists():
        cluster.write_text(urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode())
    # In one word: an id may begin with a hyphen.
    given = f"--cluster-id={cluster.read_text()}"
    argv = [_java(), *_java_options(jars), "kafka.tools.StorageTool", "format", given, "-c", str(properties)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_FORMAT_LIMIT_S, stdin=subprocess.DEVNULL, env=_environment())
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise LocalStackError(f"Kafka could not format {folder / 'data'}: {said[-1] if said else 'no reason given'}.")


def spec(folder: Path, jars: Path) -> Spec:
    """How to run the broker that ``prepare`` made ready."""
    argv = (_java(), *_java_options(jars), "kafka.Kafka", str(folder / "server.properties"))
    return Spec("kafka", argv, env=_environment(), cwd=folder, stop_signal=signal.SIGTERM, stop_limit_s=30.0)


def _environment() -> dict[str, str]:
    """Ours without what is about the services and PostgreSQL: among it may be a password, and Kafka needs none."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MINGJIAN_", "PG"))}


def listens(port: int) -> bool:
    """True when somebody accepts connections on the port of this host."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _java() -> str:
    java = find_java()
    if java is None:
        raise LocalStackError("Java is not installed; install a JDK of version 17 or newer, or set MINGJIAN_KAFKA.")
    return java
