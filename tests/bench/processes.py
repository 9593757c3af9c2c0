"""What processes cost, read from ``/proc``: CPU seconds, and memory as RSS and as PSS (shared pages shared out)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB. ``peak``: the most RSS so far."""

    rss: float
    pss: float
    peak: float


def family(pid: int) -> list[int]:
    """A process and all that descend from it (PostgreSQL is a family)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(one := waiting.pop())
        waiting += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its living family, and its dead children."""
    total = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(fields[index]) for index in ((11, 12, 13, 14) if one == pid else (11, 12)))
    return total / TICK


def memory(pid: int) -> Memory:
    """Of a process and its family."""
    rss = pss = peak = 0
    for one in family(pid):
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue
        rss += _kib(rollup, "Rss:")
        pss += _kib(rollup, "Pss:")
        peak += _kib(status, "VmHWM:")
    return Memory(rss / 1024, pss / 1024, peak / 1024)


def _kib(text: str, name: str) -> int:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0)
