"""Every signature of a log, worked through on all cores: ``domain.signatures`` over the bundles of a folder.

A part of the log that was worked through without a fault is known again by the digest of its bundles (``Found.done``): under the
same keys the same bytes have the same signatures, so a later run may leave it out and shows no less.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.audit.domain import tiles
from services.audit.domain.keys import Keys
from services.audit.domain.signatures import check_fact
from services.audit.domain.verify import CHANGED_MEANWHILE, Fault, digest_of, read_bundle

BUNDLES_AT_ONCE = 16
# Another process needs a second to begin with; in that time one core works through some forty bundles of facts.
WORTH_A_PROCESS = 64
_FAULTS_KEPT = 1_000


@dataclass(frozen=True)
class Job:
    """The first ``size`` leaves of the log in ``folder``, held against ``keys``. ``bundles``: what the tree's check read there, by
    bundle from ``first`` on (``digest_of``)."""

    folder: Path
    size: int
    keys: Keys
    bundles: Sequence[bytes]
    first: int = 0

    def part(self, first: int, end: int) -> Job:
        """The same job with no more of the digests than its part needs."""
        return replace(self, bundles=self.bundles[first:end], first=first)

    def name(self, first: int, end: int) -> str:
        """What the bundles ``first`` … ``end`` − 1 are known by."""
        return hashlib.sha256(b"".join(self.bundles[first:end])).hexdigest()


@dataclass
class Found:
    """``checked``: facts with a good signature; ``leaves``: how many were looked at; ``again``: of these, those that an earlier run
    looked at. ``done``: parts without a fault by name, with both counts."""

    checked: int = 0
    leaves: int = 0
    again: int = 0
    faults: list[Fault] = field(default_factory=list)
    done: dict[str, tuple[int, int]] = field(default_factory=dict)


def read_file(folder: Path, path: str) -> bytes | None:
    """A file of the log, None where there is none."""
    try:
        return (folder / path).read_bytes()
    except FileNotFoundError:
        return None


def check_bundles(job: Job, first: int, end: int) -> Found:
    """The facts in the bundles ``first`` … ``end`` − 1."""
    found = Found()
    for index in range(first, end):
        width = tiles.width_at(job.size, 0, index)
        entries = read_bundle(lambda path: read_file(job.folder, path), index, width)
        if digest_of(entries) != job.bundles[index - job.first]:
            found.faults.append(Fault("damaged", tiles.bundle_path(index, width), CHANGED_MEANWHILE))
            entries = []
        for entry in entries:
            said = check_fact(entry, job.keys, lambda path: read_file(job.folder, path))
            if isinstance(said, Fault):
                found.faults.append(said)
            else:
                found.checked += said
        found.leaves += width
    return found


def check_all(
    job: Job, cores: int, worth: int = WORTH_A_PROCESS, part: int = BUNDLES_AT_ONCE, done: Mapping[str, tuple[int, int]] | None = None
) -> Iterator[Found]:
    """What was found so far, again and again. ``cores``: how many processes may work at it, each with at least ``worth`` bundles,
    ``part`` of them at a time. ``done``: parts that an earlier run found without a fault, under the same keys."""
    bundles = len(job.bundles)
    total, left = Found(), []
    for first in range(0, bundles, part):
        end = min(first + part, bundles)
        before = (done or {}).get(name := job.name(first, end))
        if before is None:
            left.append((first, end, name))
        else:
            total.done[name] = before
            total.checked, total.leaves, total.again = total.checked + before[0], total.leaves + before[1], total.again + before[1]
    yield total
    workers = min(cores, sum(end - first for first, end, _ in left) // worth)
    if workers < 2:
        for first, end, name in left:
            yield _sum(total, check_bundles(job.part(first, end), first, end), name)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        names = {pool.submit(check_bundles, job.part(first, end), first, end): name for first, end, name in left}
        try:
            for one in as_completed(names):
                yield _sum(total, one.result(), names[one])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _sum(total: Found, more: Found, name: str) -> Found:
    total.checked += more.checked
    total.leaves += more.leaves
    total.faults += more.faults[: max(0, _FAULTS_KEPT - len(total.faults))]
    if not more.faults:
        total.done[name] = (more.checked, more.leaves)
    return total


def place_of(fault: Fault) -> tuple[str, int]:
    """For sorting: faults come in the order in which processes end."""
    topic, _, place = fault.where.partition(" ")
    partition, _, offset = place.partition(":")
    return (f"{topic} {int(partition):04d}", int(offset)) if place else (topic, 0)
