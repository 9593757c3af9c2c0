"""The log's writer killed by the kernel's own means at real system calls: strace sends SIGKILL before the n-th one is carried out.

Killed before a call is *lost* for that call and *happened anyway* for the one before it. A process's death leaves what it wrote to the
system; a power cut is ``test_log_disk``'s.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from services.audit.adapters.folder import FolderStore
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.verify import Verification
from tests.conftest import REPOSITORY, skip_or_fail
from tests.faults.log_child import PLACES, RECORDS
from tests.unit.audit.fakes import VERIFIER, record

pytestmark = pytest.mark.long
# What the folder asks of the system, and what SQLite asks for the plan.
CALLS = ("write", "fsync", "rename", "mkdir", "unlink", "rmdir", "pwrite64", "fdatasync")


def child(home: Path, *strace: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [*strace, sys.executable, "-m", "tests.faults.log_child", str(home)]
    return subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=120)


def traced(strace: str, home: Path) -> Counter[str]:
    """How often a whole run makes each call."""
    calls = home.with_suffix(".calls")
    done = child(home, strace, "-f", "-qq", "-o", str(calls), "-e", f"trace={','.join(CALLS)}")
    assert done.returncode == 0, done.stderr
    return Counter(match[1] for line in calls.read_text().splitlines() if (match := re.match(r"\d+ +(\w+)\(", line)))


def verified(home: Path) -> int:
    read = FolderStore(home / "log", "reader").read
    point, _ = open_checkpoint(read("checkpoint") or b"", VERIFIER)
    check = Verification(point, read)
    for _ in check.tree():
        pass
    for place in PLACES:
        for offset in range(RECORDS):
            check.compare(record(*place, offset))
    check.compared()
    assert check.faults == []
    assert check.next_offsets == dict.fromkeys(PLACES, RECORDS)
    return point.size


@pytest.fixture(scope="module")
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        skip_or_fail("there is no strace on this machine (package strace): the log's writer was not killed at real system calls")
    return str(found)


@pytest.fixture(scope="module")
def counts(strace: str, tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    home = tmp_path_factory.mktemp("strace") / "whole"
    made = traced(strace, home)
    assert verified(home) == 2 * RECORDS
    return made


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CALLS)
def test_killed_at_every_real_system_call_the_next_writer_goes_on(name: str, strace: str, counts: Counter[str], tmp_path: Path) -> None:
    assert counts[name], f"the writer makes no call {name}"
    for number in range(1, counts[name] + 1):
        home = tmp_path / str(number)
        inject = f"inject={name}:signal=KILL:when={number}"
        killed = child(home, strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject)
        assert killed.returncode in (-9, 137), (number, killed.stderr)
        again = child(home)
        assert again.returncode == 0, (number, again.stderr)
        sizes = [int(one.split()[1]) for one in (killed.stdout + again.stdout).splitlines()]
        assert sizes == sorted(sizes), f"call {number}: a checkpoint went back"
        assert verified(home) == 2 * RECORDS, number
        shutil.rmtree(home)
