"""``python -m tests.detection``: measure the detectors on falsified towns and write ``docs/detectors.md``.

``--declared`` writes the page anew from what was measured last. ``--seeds`` says how many, from ``--first`` on; ``--enterprises``,
``--years``, ``--processes`` as they say.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict

from services._cli.sample.falsify.ground import Choice
from tests.detection.measuring import Measured, Size, measure
from tests.detection.page import MEASURED, PAGE, kinds_without_detector, page, read

CHOICES: tuple[Choice, ...] = ("both", "lookalikes", "clean")


def measure_all(seeds: Sequence[int], size: Size, processes: int) -> None:
    """All towns of these seeds, added up by what was sown; what is finished is written down as it comes."""
    found: dict[Choice, Measured] = {choice: Measured() for choice in CHOICES}
    done: dict[Choice, list[int]] = {choice: [] for choice in CHOICES}
    with ProcessPoolExecutor(processes) as pool:
        jobs = {pool.submit(measure, seed, choice, size): (seed, choice) for choice in CHOICES for seed in seeds}
        for job in as_completed(jobs):
            seed, choice = jobs[job]
            found[choice].add(job.result())
            done[choice] = sorted([*done[choice], seed])
            for wrong in job.result().wrong:
                print(f"seed {seed} {choice}: {wrong.what} {wrong.kind}: {wrong.why}", flush=True)
            _write(size, done, found)


def _write(size: Size, done: Mapping[Choice, list[int]], found: Mapping[Choice, Measured]) -> None:
    towns = {choice: {kind: asdict(one) for kind, one in found[choice].tallies.items()} for choice in CHOICES}
    entries, scans = (sum(getattr(one, name) for one in found.values()) for name in ("entries", "scans"))
    words = {"size": asdict(size), "seeds": done, "entries": entries, "scans": scans, "towns": towns}
    MEASURED.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.detection")
    parser.add_argument("--declared", action="store_true")
    for name, usual in (("seeds", 20), ("first", 401), ("enterprises", Size.enterprises), ("years", Size.years), ("processes", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args(arguments)
    if not given.declared:
        size, seeds, began = Size(given.enterprises, given.years), list(range(given.first, given.first + given.seeds)), time.monotonic()
        measure_all(seeds, size, given.processes)
        print(f"{len(seeds) * len(CHOICES)} towns in {time.monotonic() - began:.0f} s")
    PAGE.write_text(page(read()), encoding="utf-8")
    if left := kinds_without_detector():
        print(f"sown without a detector: {', '.join(left)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
