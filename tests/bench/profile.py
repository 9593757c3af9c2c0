"""Where a service's CPU time goes: run it again under the sampler, and read what it counted."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SAMPLER = Path(__file__).resolve().parent / "profiler"
LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """Share of the samples in per cent: in the function itself, and in it or in what it called."""

    function: str
    own: float
    within: float


@contextmanager
def sampled(folder: Path) -> Iterator[None]:
    """Processes started inside the block sample themselves into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "BENCH_PROFILE_DIR")}
    os.environ |= {"PYTHONPATH": str(SAMPLER), "BENCH_PROFILE_DIR": str(folder)}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def collect(pid: int, folder: Path, *, top: int = 12) -> tuple[int, list[Line]]:
    """Ask a sampled process for its counts: (samples, the functions with most time of their own). Raises ``TimeoutError``."""
    path = folder / f"{pid}.json"
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGRTMIN)
    until = time.monotonic() + LIMIT_S
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"process {pid} wrote no profile")
        time.sleep(0.05)
    found = json.loads(path.read_text())
    samples, within = found["samples"] or 1, dict(found["within"])
    lines = [Line(name, 100 * own / samples, 100 * within.get(name, own) / samples) for name, own in found["own"][:top]]
    return found["samples"], lines
