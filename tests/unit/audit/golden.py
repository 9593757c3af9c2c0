"""The other implementation's log of 1,300 entries that stands beside the repository."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from services.audit.domain.tiles import bundle_path, decode_bundle, width_at
from tests.conftest import REPOSITORY, skip_or_fail

FOLDER = Path(os.environ.get("MINGJIAN_SHARED") or REPOSITORY.parent / "shared") / "tlog-golden"


def golden_folder() -> Path:
    """Its folder. Without it the test is skipped, in CI it fails."""
    if not FOLDER.is_dir():
        skip_or_fail("the reference log of another implementation is not beside the repository (set MINGJIAN_SHARED)")
    return FOLDER


@lru_cache(maxsize=1)
def _entries() -> tuple[bytes, ...]:
    found: list[bytes] = []
    for index in range(6):
        width = width_at(1300, 0, index)
        found += decode_bundle((FOLDER / "log" / bundle_path(index, width)).read_bytes(), width)
    return tuple(found)


def golden_entries() -> list[bytes]:
    """All 1,300 entries in order."""
    golden_folder()
    return list(_entries())
