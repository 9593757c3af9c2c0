"""Who signed what the log holds: registry and facts, by the keys that follow from the pinned genesis event."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from schemas.canonical import trusted_canonical_bytes
from schemas.topics import REGISTRY
from services.audit.checks.running import Run
from services.audit.domain.signatures import SIGNED, check_registry
from services.audit.signatures import Found, Job, check_all, place_of


def check(run: Run) -> None:
    """See ``domain.signatures``. Parts that an interrupted run went through with the same keys, and whose bytes are the same, are done."""
    log, report = run.log, run.report
    if not any(topic in SIGNED for topic, _ in log.next_offsets):
        return
    genesis = run.authority()
    if genesis is None:
        run.fault("signature", f"{REGISTRY} 0:0", "is no genesis event of this log: nothing says whose signatures hold")
        return
    keys, faults = check_registry(log.registry, genesis)
    moved = run.bar.task("signatures", report.size)
    found = Found()
    before = run.progress.signatures(_name_of(genesis, log.registry))
    for found in check_all(Job(run.log_dir, report.size, keys, log.bundles), run.cores, done=before):
        moved(found.leaves)
        run.progress.note_signatures(found.done)
    if found.again:
        report.resumed["signatures"] = found.again
    report.signatures = len(log.registry) - len(faults) + found.checked
    log.faults += faults + sorted(found.faults, key=place_of)


def _name_of(genesis: Mapping[str, Any], registry: Mapping[int, bytes | None]) -> str:
    """All that the keys follow from."""
    digest = hashlib.sha256(trusted_canonical_bytes(dict(genesis)))
    for offset, value in sorted(registry.items()):
        digest.update(b"%d" % offset + hashlib.sha256(value or b"").digest())
    return digest.hexdigest()
