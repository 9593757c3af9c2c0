"""What a witness asks of the system, in which order, as strace sees it: kept on the disk before the answer leaves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.audit.witness.adapters.home import WitnessHome
from tests.conftest import skip_or_fail
from tests.unit.audit.witness.world import Log

pytestmark = pytest.mark.sweep

CALLS = "trace=openat,write,fsync,fdatasync,rename,renameat,renameat2"


def test_a_witness_syncs_and_renames_before_it_answers(tmp_path: Path) -> None:
    """Its real system calls, as strace sees them."""
    strace = _strace()
    log = Log()
    home = WitnessHome.create(tmp_path / "w", "audit.test/traced")
    home.follow(log.key)
    program = (
        "import sys; from services.audit.witness.adapters.home import WitnessHome; from services.audit.witness.wiring import witness_of\n"
        "from pathlib import Path\n"
        "line = witness_of(WitnessHome.open(Path(sys.argv[1]))).add_checkpoint(sys.stdin.buffer.read())\n"
        "import os; os.write(1, line)\n"
    )
    trace = tmp_path / "trace"
    command = [strace, "-f", "-y", "-e", CALLS, "-o", str(trace), sys.executable, "-c", program, str(home.root)]
    done = subprocess.run(command, input=log.request(0, 5), capture_output=True, timeout=120)
    assert done.returncode == 0 and done.stdout, done.stderr[-2000:]
    logs = str(home.root / "logs")
    acts = [_act(line, logs) for line in trace.read_text().splitlines()]
    assert [act for act in acts if act] == ["write", "sync file", "rename", "sync folder", "answer"]


def _act(line: str, logs: str) -> str | None:
    call = line.split(None, 1)[1] if line[:1].isdigit() else line
    if call.startswith("write(1<"):
        return "answer"
    if logs not in call or call.startswith("openat"):
        return None
    if call.startswith("write("):
        return "write"
    if call.startswith(("fsync", "fdatasync")):
        return "sync file" if ".arriving" in call else "sync folder"
    return "rename" if call.startswith("rename") else None


def _strace() -> str:
    found = shutil.which("strace")
    if found is None:
        skip_or_fail("no strace on this machine; install the package strace")
    return str(found)
