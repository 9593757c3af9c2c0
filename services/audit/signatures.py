"""Every signature of a log, worked through on all cores: ``domain.signatures`` over the bundles of a folder."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from services.audit.domain import tiles
from services.audit.domain.keys import Keys
from services.audit.domain.signatures import check_fact
from services.audit.domain.verify import Fault

BUNDLES_AT_ONCE = 16
# Another process needs a second to begin with; in that time one core works through some forty bundles of facts.
WORTH_A_PROCESS = 64
_FAULTS_KEPT = 1_000


@dataclass(frozen=True)
class Job:
    """The first ``size`` leaves of the log in ``folder``, held against ``keys``."""

    folder: Path
    size: int
    keys: Keys


@dataclass
class Found:
    """``checked``: facts with a good signature; ``leaves``: how many were looked at."""

    checked: int = 0
    leaves: int = 0
    faults: list[Fault] = field(default_factory=list)


def read_file(folder: Path, path: str) -> bytes | None:
    """A file of the log, None where there is none."""
    try:
        return (folder / path).read_bytes()
    except FileNotFoundError:
        return None


def check_bundles(job: Job, first: int, end: int) -> Found:
    """The facts in the bundles ``first`` … ``end`` − 1. A bundle that can't be read is the tree's fault, not theirs."""
    found = Found()
    for index in range(first, end):
        width = tiles.width_at(job.size, 0, index)
        data = read_file(job.folder, tiles.bundle_path(index, width)) or read_file(job.folder, tiles.bundle_path(index))
        try:
            entries = tiles.decode_bundle(data or b"", width)
        except tiles.TileError:
            entries = []
        for entry in entries:
            said = check_fact(entry, job.keys, lambda path: read_file(job.folder, path))
            if isinstance(said, Fault):
                found.faults.append(said)
            else:
                found.checked += said
        found.leaves += width
    return found


def check_all(job: Job, cores: int, worth: int = WORTH_A_PROCESS, part: int = BUNDLES_AT_ONCE) -> Iterator[Found]:
    """What was found so far, again and again. ``cores``: how many processes may work at it, each with at least ``worth`` bundles,
    ``part`` of them at a time."""
    bundles = (job.size + tiles.WIDTH - 1) // tiles.WIDTH
    parts = [(first, min(first + part, bundles)) for first in range(0, bundles, part)]
    total = Found()
    workers = min(cores, bundles // worth)
    if workers < 2:
        for first, end in parts:
            yield _sum(total, check_bundles(job, first, end))
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(check_bundles, job, first, end) for first, end in parts]):
            yield _sum(total, done.result())


def _sum(total: Found, more: Found) -> Found:
    total.checked += more.checked
    total.leaves += more.leaves
    total.faults += more.faults[: max(0, _FAULTS_KEPT - len(total.faults))]
    return total


def place_of(fault: Fault) -> tuple[str, int]:
    """For sorting: faults come in the order in which processes end."""
    topic, _, place = fault.where.partition(" ")
    partition, _, offset = place.partition(":")
    return f"{topic} {int(partition):04d}", int(offset)
