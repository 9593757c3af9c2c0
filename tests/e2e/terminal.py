"""A person's terminal: starts commands, reads their lines as they come, presses Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.control import stop_running
from deploy.local.ports import Ports
from tests.stack_fixtures import stack_home

REPOSITORY = Path(__file__).resolve().parents[2]


class Terminal:
    """A shell's environment: one home, ports of its own, ``mingjian`` on the path, output that is no terminal."""

    def __init__(self, home: Path, ports: Ports, folder: Path | None = None) -> None:
        self.home, self.ports, self.folder = home, ports, folder or REPOSITORY
        outer = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
        self.env: Mapping[str, str] = outer | {
            "MINGJIAN_HOME": str(home),
            "MINGJIAN_PORT_BASE": str(ports.base),
            "MINGJIAN_LANG": "en",
            "PATH": f"{Path(sys.executable).parent}:{outer['PATH']}",
            "COLUMNS": "160",
        }

    def run(self, *command: str, limit_s: float = 120.0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command, env=self.env, cwd=self.folder, input=stdin, capture_output=True, text=True, timeout=limit_s, check=False
        )

    def mingjian(self, *words: str, limit_s: float = 120.0, stdin: str = "") -> str:
        """Standard output of a command that must succeed."""
        done = self.run("mingjian", *words, limit_s=limit_s, stdin=stdin)
        assert done.returncode == 0, f"mingjian {' '.join(words)} → {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def staying(self, *command: str) -> Iterator[Staying]:
        """A command that stays in the foreground; stopped with Ctrl-C at the end of the block if it still runs."""
        process = Staying(command, self.env, self.folder)
        try:
            yield process
        finally:
            process.interrupt(limit_s=120)


class Staying:
    """A running command and the lines it has said so far (both streams, as on a terminal)."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.began = time.monotonic()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, limit_s: float) -> re.Match[str]:
        """Wait until a line matches. Fails with everything said so far when it ends first, or after ``limit_s`` seconds."""
        until = time.monotonic() + limit_s
        while True:
            ended = self._process.poll() is not None
            if found := re.search(pattern, self.text):
                return found
            assert not ended, f"ended with {self._process.returncode} before {pattern!r}:\n{self.text}"
            assert time.monotonic() < until, f"no {pattern!r} within {limit_s:.0f} s:\n{self.text}"
            time.sleep(0.1)

    def interrupt(self, number: int = signal.SIGINT, limit_s: float = 60.0) -> int:
        """Ctrl-C; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            code = self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"did not stop within {limit_s:.0f} s of the signal:\n{self.text}") from None
        self._reader.join(5)
        return code


@contextmanager
def terminal(folder: Path | None = None) -> Iterator[Terminal]:
    """A terminal with an empty home; whatever still runs there afterwards is stopped."""
    with stack_home() as (home, ports):
        try:
            yield Terminal(home, ports, folder)
        finally:
            stop_running(home)
