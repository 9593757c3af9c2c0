"""The log against itself and against what was seen of it: bundles, tiles, root, earlier checkpoints. Comes first."""

from __future__ import annotations

from services.audit.checks.running import Run


def check(run: Run) -> None:
    """See ``domain.verify``."""
    moved = run.bar.task("leaves and tiles", run.point.size)
    for done in run.log.tree():
        moved(done)
    run.report.stubs, run.report.partitions = run.log.stubs, len(run.log.next_offsets)
