"""Looking at a stack and ending it from another process, and being told to stop."""

from __future__ import annotations

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import postgres, processes, state
from deploy.local.errors import LocalStackError
from deploy.local.ports import HOST
from deploy.local.supervisor import Supervisor


def probe(port: int, limit_s: float = 2.0) -> tuple[bool, str]:
    """Ask ``/readyz`` of the service on this port: ready or not, and the reason it gives."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=limit_s) as answer:
            return answer.status == 200, "ready"
    except urllib.error.HTTPError as error:
        return False, _reasons(error.read(4096)) or f"status {error.code}"
    except OSError as error:
        return False, str(getattr(error, "reason", error))


def _reasons(body: bytes) -> str:
    """What ``/readyz`` says in its list of reasons, or its beginning as it is."""
    try:
        return "; ".join(json.loads(body)["reasons"])
    except (ValueError, KeyError, TypeError):
        return body[:300].decode(errors="replace").strip()


def stop_leftovers(supervisor: Supervisor, home: Path) -> list[int]:
    """End what a killed run of this home left behind; the ids. ``supervisor`` must hold the home and have no children."""
    postmaster = postgres.leftover(home / "postgres")
    return supervisor.stop_leftovers([postmaster] if postmaster else [])


def stop_running(home: Path, *, limit_s: float = 120.0) -> bool:
    """Stop the stack of this home from another process, or what is left of one. False when nothing ran.

    Raises LocalStackError when it still runs after ``limit_s`` seconds.
    """
    home = Path(home).resolve()
    if not (home / "run").is_dir():
        return False
    boss = state.supervisor(home)
    if boss:
        processes.send(boss, signal.SIGTERM)
        if not processes.wait_gone(boss, limit_s):
            raise LocalStackError(f"The stack on {home} (pid {boss.pid}) did not stop within {limit_s:.0f} s.")
        return True
    supervisor = Supervisor(home)
    supervisor.acquire(announce=False)
    try:
        return bool(stop_leftovers(supervisor, home))
    finally:
        supervisor.release()


@contextmanager
def until_signalled(event: threading.Event) -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP set the event instead of ending the process; put the old handlers back after."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: event.set()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
