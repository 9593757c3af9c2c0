"""Keeps child processes: starts them, starts a crashed one again after a pause, stops them in order, remembers them on disk.

A home has one supervisor, held by a lock that the kernel drops when its holder dies. ``run/state.json`` names the children
by id and start time. What a killed supervisor left behind is stopped by the next one before it starts anything.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.local import processes, state
from deploy.local.errors import LocalStackError
from deploy.local.processes import Identity, Spec

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_STEADY_AFTER_S = 60.0


@dataclass
class Child:
    """One supervised process. ``pause_s``: what the next crash costs; ``due``: when to start again, None while it lives."""

    spec: Spec
    process: subprocess.Popen[bytes]
    identity: Identity
    since: float
    restarts: int = 0
    last_exit: int | None = None
    pause_s: float = _FIRST_PAUSE_S
    due: float | None = None
    wanted: bool = True

    def as_state(self) -> dict[str, object]:
        """What others may know of it."""
        who = {"pid": self.identity.pid, "started": self.identity.started}
        return {**who, "restarts": self.restarts, "last_exit": self.last_exit}


class Supervisor:
    """The children of one home. ``clock`` counts seconds (monotonic). Safe to use from several threads."""

    def __init__(self, home: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._home = home
        self._clock = clock
        self._children: dict[str, Child] = {}
        self._guard = threading.RLock()
        self._lock: int | None = None

    @property
    def owner(self) -> str:
        """What marks a process as a child of this home."""
        return str(self._home)

    def acquire(self, *, announce: bool = True) -> None:
        """Become the home's only supervisor. Raises LocalStackError when there is one already.

        ``announce``: let others find us by the state, so that they can end us even before the first child runs."""
        if self._lock is not None:
            return
        # Closed to other users where it is new: keys, logs and the log's entries lie in it.
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("run", "logs"):
            (self._home / name).mkdir(mode=0o700, exist_ok=True)
        handle = os.open(self._home / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            boss = state.supervisor(self._home)
            holder = boss.pid if boss else "unknown"
            raise LocalStackError(
                f"A stack is already running on {self._home} (pid {holder}); stop it first or set MINGJIAN_HOME to another folder."
            ) from None
        self._lock = handle
        try:
            if announce:
                # Whom a killed supervisor left stays written down until he is stopped.
                state.write(self._home, state.read(self._home).get("children", {}))
        except BaseException:
            os.close(handle)
            self._lock = None
            raise

    def release(self) -> None:
        """Let another supervisor have the home, when nothing runs any more."""
        if self._lock is not None:
            if not self._children:
                state.forget(self._home)
            os.close(self._lock)
            self._lock = None

    def stop_leftovers(self, also: Iterable[Identity] = ()) -> list[int]:
        """End the children of a supervisor that died, services before servers; their ids. Call before the first start.

        They are told by the state file, by the mark in their environment, and by ``also`` (what data folders name).
        """
        known = state.children(self._home)
        servers = [who for name, who in known.items() if name in ("kafka", "postgres")] + list(also)
        services = [who for who in known.values() if who not in servers]
        ours = {child.identity for child in self._children.values()}
        marked = [who for who in processes.marked(self.owner) if who not in servers]
        ended = []
        for group in (services + marked, servers):
            living = [who for who in dict.fromkeys(group) if who not in ours and processes.alive(who)]
            for who in living:
                # PostgreSQL takes SIGTERM as "wait for every session", SIGINT as "end them": the others know both.
                processes.send(who, signal.SIGINT if group is servers else signal.SIGTERM)
            ended += [who.pid for who in living if processes.end(who, number=signal.SIGTERM, limit_s=30.0) or True]
        return ended

    def start(self, spec: Spec) -> Identity:
        """Start a child, or return the one that runs. Raises LocalStackError when the program can't be started."""
        with self._guard:
            child = self._children.get(spec.name)
            if child and child.process.poll() is None:
                return child.identity
            process, identity = self._spawn(spec)
            self._children[spec.name] = Child(spec, process, identity, self._clock(), restarts=child.restarts if child else 0)
            self._write()
            return identity

    def stop(self, names: Iterable[str]) -> None:
        """Stop these together, each with its own signal and time limit; afterwards they stay stopped."""
        with self._guard:
            chosen = [self._children[name] for name in names if name in self._children]
            if not chosen:
                return  # above all not write the state: this home may be another supervisor's
            for child in chosen:
                child.wanted, child.due = False, None
                if child.process.poll() is None:
                    processes.send(child.identity, child.spec.stop_signal)
        until = self._clock()
        for child in chosen:
            limit = max(0.0, until + child.spec.stop_limit_s - self._clock())
            try:
                child.last_exit = child.process.wait(limit)
            except subprocess.TimeoutExpired:
                processes.send(child.identity, signal.SIGKILL, group=True)
                child.last_exit = child.process.wait()
        with self._guard:
            for child in chosen:
                self._children.pop(child.spec.name, None)
            self._write()

    def kill(self, name: str) -> None:
        """SIGKILL, for tests of what a crash leaves. The child counts as crashed: ``tick`` starts it again."""
        with self._guard:
            child = self._children[name]
            processes.send(child.identity, signal.SIGKILL, group=True)
            child.last_exit = child.process.wait()

    def tick(self) -> list[str]:
        """Note who has died, start again whoever's pause is over, limit the logs. Returns the names started."""
        started = []
        with self._guard:
            for name, child in self._children.items():
                if child.process.poll() is None or not child.wanted:
                    continue
                now = self._clock()
                if child.due is None:
                    if now - child.since >= _STEADY_AFTER_S:
                        child.pause_s = _FIRST_PAUSE_S
                    child.last_exit, child.due = child.process.returncode, now + child.pause_s
                    child.pause_s = min(child.pause_s * 2, _LONGEST_PAUSE_S)
                    self._write()
                if now >= child.due:
                    child.process, child.identity = self._spawn(child.spec)
                    child.since, child.due, child.restarts = self._clock(), None, child.restarts + 1
                    started.append(name)
                    self._write()
            for name in self._children:
                state.limit_log(self._home / "logs" / f"{name}.log")
        return started

    def exit_code(self, name: str) -> int | None:
        """None while the child lives; else what it ended with (negative: the signal)."""
        return self._children[name].process.poll()

    def restarts(self, name: str) -> int:
        """How often ``tick`` has started the child again."""
        return self._children[name].restarts

    def identity(self, name: str) -> Identity:
        """The child as it is now."""
        return self._children[name].identity

    def names(self) -> list[str]:
        """Children that are wanted, in the order of their first start."""
        return list(self._children)

    def _spawn(self, spec: Spec) -> tuple[subprocess.Popen[bytes], Identity]:
        try:
            process = processes.spawn(spec, log=self._home / "logs" / f"{spec.name}.log", owner=self.owner)
        except OSError as error:
            raise LocalStackError(f"{spec.name} could not be started: {error.strerror} ({spec.argv[0]}).") from error
        # A child that is gone already keeps an identity that matches nobody.
        return process, processes.identify(process.pid) or Identity(process.pid, "")

    def _write(self) -> None:
        state.write(self._home, {name: child.as_state() for name, child in self._children.items()})
