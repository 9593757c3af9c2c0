"""What the machine must have before a stack can start. Each failed check is one sentence that says what to do."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import account, jars, kafka, state
from deploy.local.errors import LocalStackError
from deploy.local.ports import HOST, Ports
from deploy.local.processes import MARK, alive, identify

PYTHON = (3, 11)
JDK = 17
FREE_BYTES = 3 << 30
_PROC = Path("/proc")


@dataclass(frozen=True)
class Check:
    """``message`` is what was found when ``ok``, else what is wrong and what to do."""

    name: str
    ok: bool
    message: str


def run(home: Path | None = None, ports: Ports | None = None, env: Mapping[str, str] = os.environ) -> list[Check]:
    """Every check, in the order in which a newcomer meets them. Servers that are given from outside need no check here."""
    home = (home or Path(env.get("MINGJIAN_HOME") or ".mingjian")).resolve()
    checks = [check_python()]
    if not env.get("MINGJIAN_KAFKA"):
        checks += [check_java(), check_maven(home, env)]
    if not env.get("MINGJIAN_POSTGRES"):
        checks.append(check_postgres())
    checks.append(check_disk(home))
    try:
        ports = ports or Ports.from_env(env)
    except LocalStackError as error:
        return [*checks, Check("ports", False, str(error))]
    return checks + check_ports(home, ports, env)


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    found = ".".join(map(str, version))
    if tuple(version) >= PYTHON:
        return Check("python", True, f"Python {found}")
    return Check("python", False, f"Python is {found}; make the environment with Python {PYTHON[0]}.{PYTHON[1]} or newer.")


def check_java() -> Check:
    """The JDK that would run Kafka, by its own word."""
    java = kafka.find_java()
    if java is None:
        return Check("java", False, f"Java is not installed; install a JDK of version {JDK} or newer, or set MINGJIAN_KAFKA.")
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL).stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("java", False, f"{java} can't be run ({error}); install a JDK of version {JDK} or newer.")
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    if match is None:
        return Check("java", False, f"{java} doesn't say its version; install a JDK of version {JDK} or newer.")
    if int(match[1]) < JDK:
        return Check("java", False, f"Java is version {match[1]} ({java}); install a JDK of version {JDK} or newer and set JAVA_HOME.")
    return Check("java", True, f"Java {match[1]}")


def check_maven(home: Path, env: Mapping[str, str] = os.environ) -> Check:
    """Maven is needed only until Kafka's jars are here."""
    if jars.library_folder(jars.library_root(home, env)).is_dir():
        return Check("maven", True, "Kafka is already fetched")
    if shutil.which("mvn"):
        return Check("maven", True, "Maven")
    return Check("maven", False, jars.NO_MAVEN)


def check_postgres() -> Check:
    try:
        account.wheel_programs()
    except LocalStackError as error:
        return Check("postgres", False, str(error))
    return Check("postgres", True, "PostgreSQL")


def check_disk(home: Path) -> Check:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free >= FREE_BYTES:
        return Check("disk", True, f"{free >> 30} GiB free")
    return Check(
        "disk", False, f"{existing} has {free / 2**30:.1f} GiB free and 3 are needed; make room or set MINGJIAN_HOME to another disk."
    )


def check_ports(home: Path, ports: Ports, env: Mapping[str, str] = os.environ, *, only: Iterable[str] | None = None) -> list[Check]:
    """One check a port. A port held by this home's own stack counts as free. ``only``: names as in ``Ports.everything``."""
    outside = {"Kafka", "Kafka's controller"} if env.get("MINGJIAN_KAFKA") else set()
    outside |= {"PostgreSQL"} if env.get("MINGJIAN_POSTGRES") else set()
    chosen = set(ports.everything()) - outside if only is None else set(only)
    ours = {who.pid for who in state.children(home).values() if alive(who)}
    return [_check_port(name, port, ours, str(home)) for name, port in ports.everything().items() if name in chosen]


def _check_port(name: str, port: int, ours: set[int], owner: str) -> Check:
    title = f"port {port}"
    if is_free(port):
        return Check(title, True, f"{name} can have port {port}")
    holder = holder_of(port)
    if holder is not None and (holder in ours or _carries(holder, owner)):
        return Check(title, True, f"port {port} is {name}'s in this stack")
    by = f"pid {holder} ({_command(holder)})" if holder is not None else "another user's process"
    return Check(title, False, f"Port {port} ({name}) is taken by {by}; stop it or set MINGJIAN_PORT_BASE.")


def is_free(port: int) -> bool:
    """True when a server could listen on this port of the host now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True


def holder_of(port: int) -> int | None:
    """Process that listens on a port; None when unknown (another user's, or no /proc here)."""
    sockets = set()
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (_PROC / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for link in _PROC.glob("[0-9]*/fd/*") if sockets else ():
        try:
            if os.readlink(link) in sockets and identify(int(link.parts[2])):
                return int(link.parts[2])
        except OSError:
            continue  # gone, or another user's
    return None


def _carries(pid: int, owner: str) -> bool:
    try:
        return f"{MARK}={owner}".encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _command(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "unknown"
