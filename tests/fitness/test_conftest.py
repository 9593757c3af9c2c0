"""The suite's own rules: what is skipped on a poor machine, and that CI skips nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sweep

SUITE = """
import pytest

@pytest.mark.browser
def test_page_one(): ...

@pytest.mark.browser
def test_page_two(): ...

def test_with_data(shared): ...

def test_plain(): ...
"""


SHARED_OUT = ("-n", "2", "--dist", "loadfile")


def _run(folder: Path, repository: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").touch()
    shutil.copy(repository / "tests" / "conftest.py", folder / "tests")
    shutil.copy(repository / "pyproject.toml", folder)
    (folder / "tests" / "test_it.py").write_text(SUITE)
    # What xdist tells its own workers would make this run take itself for one of them.
    kept = (key for key in os.environ if key not in ("CI", "MINGJIAN_SHARED") and not key.startswith("PYTEST_"))
    environment = {key: os.environ[key] for key in kept}
    environment |= {"PATH": str(folder / "no-programs"), **variables}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("options", [(), SHARED_OUT])
def test_without_chromium_and_data_each_reason_is_one_line(tmp_path: Path, repository: Path, options: tuple[str, ...]) -> None:
    done = _run(tmp_path, repository, *options)
    lines = [line for line in done.stdout.splitlines() if "skipped:" in line]
    assert done.returncode == 0, done.stdout
    assert len(lines) == 2
    assert [line.split(" ")[0] for line in lines if "chromium fonts-noto-cjk" in line] == ["2"]
    assert "1 passed, 3 skipped" in done.stdout


@pytest.mark.parametrize("options", [(), SHARED_OUT])
def test_in_ci_nothing_is_skipped(tmp_path: Path, repository: Path, options: tuple[str, ...]) -> None:
    done = _run(tmp_path, repository, *options, CI="true")
    assert done.returncode == 1
    assert "skipped" not in done.stdout.splitlines()[-1]
    assert done.stdout.count("nothing is skipped in CI") >= 3


@pytest.mark.parametrize("marker", ["stack", "browser", "sweep", "long"])
def test_every_marker_is_declared(marker: str, pytestconfig: pytest.Config) -> None:
    assert any(line.startswith(f"{marker}:") for line in pytestconfig.getini("markers"))
