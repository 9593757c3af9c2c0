"""An auditor's machine: a new virtual environment with the package installed, no checkout, no network, no home, nothing of ours set."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.terminal import REPOSITORY

_WAYS = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])
# Where the system takes no network namespace from us: no connection, no listening, in this interpreter and its children.
_REFUSES = """
import socket

def refused(*_):
    raise OSError("there is no network here")

socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = socket.socket.sendto = refused
"""


class Laptop:
    """``folder``: an empty one. Commands run in ``folder/desk``."""

    def __init__(self, folder: Path) -> None:
        self._python = folder / "venv" / "bin" / "python"
        self.desk = folder / "desk"
        self.desk.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True, timeout=60)
        [site] = (folder / "venv" / "lib").glob("python3*/site-packages")
        with zipfile.ZipFile(_wheel(folder)) as wheel:
            wheel.extractall(site)
        # Packages without an index: those of the environment that runs the tests, but not what is installed there for editing.
        (site / "packages.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        self._cut = next((way for way in _WAYS if _permitted(way)), [])
        if not self._cut:
            (site / "sitecustomize.py").write_text(_REFUSES)

    def python(self, *words: str | Path, limit_s: float = 240.0) -> subprocess.CompletedProcess[str]:
        """Run the environment's interpreter."""
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.desk / "nobody"), "LC_ALL": "C.UTF-8", "COLUMNS": "160"}
        command = [*self._cut, str(self._python), *map(str, words)]
        return subprocess.run(command, cwd=self.desk, env=env, capture_output=True, text=True, timeout=limit_s, check=False)

    def mingjian(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return self.python("-m", "services._cli.main", *words)

    def reaches(self, port: int) -> bool:
        """Whether a connection to a port of the machine comes about."""
        program = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
        done = self.python("-c", program)
        assert done.returncode == 0 or "Error" in done.stderr, done.stderr
        return done.returncode == 0


def _wheel(folder: Path) -> Path:
    """The package as it is installed: what isn't in it an auditor doesn't have. Built from a copy, for that leaves files behind."""
    tree = folder / "tree"
    for name in ("schemas", "services", "deploy", "rulebooks"):
        shutil.copytree(REPOSITORY / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "libs"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tree / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", folder / "wheel", tree], check=True, timeout=120)
    [found] = (folder / "wheel").glob("*.whl")
    return found


def _permitted(way: Sequence[str]) -> bool:
    try:
        return subprocess.run([*way, "true"], capture_output=True, timeout=30, check=False).returncode == 0
    except FileNotFoundError:
        return False
