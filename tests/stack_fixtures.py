"""Fixtures that give tests a real Kafka and a real PostgreSQL, in a temporary home with ports of their own.

``servers`` is shared by the whole session: use keys and topics' ends of your own. ``fresh_stack`` makes an empty stack for
one test. A session that was killed leaves its stacks behind; the next session, of whichever checkout, stops them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import preflight
from deploy.local.control import stop_running
from deploy.local.ports import Ports
from deploy.local.stack import Stack
from schemas.topics import ClockMode

__all__ = ["FreshStack", "fresh_stack", "last_words", "reserved_ports", "servers", "servers_stack", "stack_home", "temporary_stack"]

FreshStack = Callable[..., Stack]
_homes: list[Path] = []
_gone: list[str] = []
_LINES, _LINE = 25, 600
# Below the range from which systems take ports for outgoing connections.
_BASES = range(20_000, 29_900, 20)


@contextmanager
def stack_home() -> Iterator[tuple[Path, Ports]]:
    """A new home and free ports, reserved against other test sessions until the block ends; the home is then deleted.

    The home lies directly under the system's temporary folder and may be entered by all: run by root, PostgreSQL works as
    another user, whom pytest's own temporary folders shut out.
    """
    _sweep()
    with reserved_ports() as ports:
        home = Path(tempfile.mkdtemp(prefix=f"mingjian-test-{ports.base}-"))
        home.chmod(0o755)
        _homes.append(home)
        try:
            yield home, ports
        except BaseException:
            _gone.append(_logs_of(home))
            raise
        finally:
            _homes.remove(home)
            shutil.rmtree(home)


@contextmanager
def reserved_ports() -> Iterator[Ports]:
    """Free ports that no other test, of this session or of another, takes before the block ends."""
    handle, ports = _reserve()
    try:
        yield ports
    finally:
        os.close(handle)


def last_words() -> str:
    """The ends of the logs of every open stack, and of those that have just gone with an error: for the report of a failure."""
    texts = [*_gone, *map(_logs_of, _homes)]
    _gone.clear()
    return "\n".join(texts)


def _logs_of(home: Path) -> str:
    parts = []
    for path in sorted((home / "logs").glob("*.log")):
        lines = [line for line in path.read_text(errors="replace").splitlines() if '"level": "INFO"' not in line and " INFO " not in line]
        parts.append("\n".join([f"--- {home.name} {path.name}", *(line[:_LINE] for line in lines[-_LINES:])]))
    return "\n".join(parts)


@contextmanager
def temporary_stack(**arguments: object) -> Iterator[Stack]:
    """A stack on a new home, not started; stopped and deleted when the block ends. ``arguments`` go to ``Stack``."""
    with stack_home() as (home, ports), Stack(home, ports, **arguments) as stack:
        yield stack


@pytest.fixture(scope="session")
def servers_stack() -> Iterator[Stack]:
    """What ``servers`` gives; by its name, tests that use either get the marker ``stack``."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        yield stack


@pytest.fixture(scope="session")
def servers(servers_stack: Stack) -> Stack:
    """Kafka and PostgreSQL with topics (wall clock), roles and schemas, for the whole session."""
    return servers_stack


@pytest.fixture
def fresh_stack() -> Iterator[FreshStack]:
    """Call it for an empty stack whose servers run: ``fresh_stack(clock_mode="simulated", services=("intake",))``."""
    opened = []

    def make(clock_mode: ClockMode = "wall", services: tuple[str, ...] = (), **arguments: object) -> Stack:
        context = temporary_stack(**arguments)
        stack = context.__enter__()
        opened.append(context)
        stack.start_servers(clock_mode)
        if services:
            stack.start_services(services)
        return stack

    yield make
    for context in reversed(opened):
        context.__exit__(None, None, None)


def _reservations() -> Path:
    folder = Path(tempfile.gettempdir()) / f"mingjian-test-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _take(path: Path) -> int | None:
    """Lock a reservation. The kernel drops the lock when its holder dies, however it dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _reserve() -> tuple[int, Ports]:
    start = os.getpid() % len(_BASES)
    for base in (*_BASES[start:], *_BASES[:start]):
        handle = _take(_reservations() / str(base))
        if handle is None:
            continue
        # All twenty: tests start second copies of services on ports between those of the stack.
        if all(preflight.is_free(port) for port in range(base, base + 20)):
            return handle, Ports(base)
        os.close(handle)
    raise RuntimeError("no free range of ports for a test stack")


def _sweep() -> None:
    """Stop and delete what killed sessions left: homes whose ports nobody holds any more."""
    for home in Path(tempfile.gettempdir()).glob("mingjian-test-*-*"):
        base = home.name.split("-")[2]
        if not base.isdigit():
            continue
        handle = _take(_reservations() / base)
        if handle is None:
            continue
        try:
            # Another session may have swept it meanwhile.
            if home.exists() and home.stat().st_uid == os.getuid():
                stop_running(home)
                shutil.rmtree(home)
        finally:
            os.close(handle)
