"""Child processes and their identities: start one, end one, and find those that a killed supervisor left behind.

A process is named by its id *and* its start time: ids are used again, and signalling a stranger would be unforgivable.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

MARK = "MINGJIAN_SUPERVISED"
_PROC = Path("/proc")
_POLL_S = 0.05


@dataclass(frozen=True)
class Identity:
    """``started`` is opaque; equal text means the same process, across reboots too."""

    pid: int
    started: str


@dataclass(frozen=True)
class Account:
    """A system account to run as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Spec:
    """How to run one child. ``stop_limit_s``: seconds from the stop signal to SIGKILL."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    stop_limit_s: float = 15.0


@cache
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def identify(pid: int) -> Identity | None:
    """The identity of a living process, None when there is none (a zombie counts as gone)."""
    if pid <= 0:
        return None
    if not (_PROC / "self/stat").exists():
        return _identify_by_ps(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return None if fields[0] in "ZX" else Identity(pid, f"{_boot()}:{fields[19]}")


def _identify_by_ps(pid: int) -> Identity | None:
    """The same where there is no /proc (macOS); accurate to a second."""
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, started = done.stdout.strip().partition(" ")
    return Identity(pid, started.strip()) if started and not state.startswith("Z") else None


def alive(who: Identity) -> bool:
    """True while exactly this process lives."""
    return identify(who.pid) == who


def spawn(spec: Spec, *, log: Path, owner: str) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, output appended to ``log``. Raises OSError when it can't be started.

    A session of its own, because Ctrl-C must reach the supervisor alone: it stops the children in their order.
    ``owner`` goes into the child's environment so that a later supervisor can tell it as its own.
    """
    run_as = {}
    if spec.account:
        run_as = {"user": spec.account.uid, "group": spec.account.gid, "extra_groups": []}
    with open(log, "ab") as out:
        return subprocess.Popen(
            spec.argv,
            env={**spec.env, MARK: owner},
            cwd=spec.cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **run_as,
        )


def marked(owner: str) -> list[Identity]:
    """Living processes that carry ``owner`` in their environment, without those that another of them looks after.

    Linux only; elsewhere the list is empty. PostgreSQL's and a service's own children are left to their parents.
    """
    wanted = f"{MARK}={owner}".encode()
    parents: dict[Identity, int] = {}
    for entry in _PROC.glob("[0-9]*"):
        try:
            if wanted not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # gone, or another user's
        if who := identify(int(entry.name)):
            parents[who] = parent
    ours = {who.pid for who in parents}
    return [who for who, parent in parents.items() if parent not in ours]


def send(who: Identity, number: int, *, group: bool = False) -> None:
    """Signal exactly this process; with ``group`` all of its group too, if it leads one. Nothing happens when it is gone."""
    if not alive(who):
        return
    try:
        if group and os.getpgid(who.pid) == who.pid:
            os.killpg(who.pid, number)
        else:
            os.kill(who.pid, number)
    except ProcessLookupError:
        return


def wait_gone(who: Identity, limit_s: float) -> bool:
    """Wait at most ``limit_s`` seconds for its end; True when it has ended."""
    until = time.monotonic() + limit_s
    while alive(who):
        if time.monotonic() >= until:
            return False
        time.sleep(_POLL_S)
    return True


def end(who: Identity, *, number: int = signal.SIGTERM, limit_s: float = 15.0) -> bool:
    """Ask a process to stop and kill its group after ``limit_s`` seconds. True when it stopped by itself."""
    send(who, number)
    if wait_gone(who, limit_s):
        return True
    send(who, signal.SIGKILL, group=True)
    wait_gone(who, 5.0)
    return False
