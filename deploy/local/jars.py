"""Kafka's jars: fetched once by Maven from ``pom.xml``, kept beside it for every stack of this checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.errors import LocalStackError

_HERE = Path(__file__).resolve().parent
POM = _HERE / "pom.xml"
NO_MAVEN = "Maven (mvn) is not installed; install it (Debian and Ubuntu: apt-get install maven) or set MINGJIAN_KAFKA."
_GIVEN_UP = "Fetching Kafka was given up, for the start was."
_FETCH_LIMIT_S = 600
_POLL_S = 0.2


def library_root(home: Path, env: Mapping[str, str] = os.environ) -> Path:
    """Where jars are kept: ``MINGJIAN_LIBS``, else beside the POM, else (in a read-only installation) under ``home``."""
    if env.get("MINGJIAN_LIBS"):
        return Path(env["MINGJIAN_LIBS"]).resolve()
    return _HERE / "libs" if os.access(_HERE, os.W_OK) else home / "libs"


def library_folder(root: Path) -> Path:
    """The folder for exactly this POM: another version of Kafka never mixes with these jars."""
    return root / hashlib.sha256(POM.read_bytes()).hexdigest()[:16]


def ensure_jars(root: Path, *, go_on: Callable[[], bool] = lambda: True) -> Path:
    """Return the folder with all jars, fetching them when it isn't there. Raises LocalStackError when Maven fails, or when
    ``go_on`` says no meanwhile.

    Jars arrive in a folder of their own that takes its name only when Maven is done, so a folder that exists is complete.
    """
    folder = library_folder(root)
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with open(root / ".lock", "w") as lock:
        while not _locked(lock.fileno()):  # two stacks of one checkout may start together
            if not go_on():
                raise LocalStackError(_GIVEN_UP)
            time.sleep(_POLL_S)
        if not folder.is_dir():
            _fetch(root, folder, go_on)
    return folder


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fetch(root: Path, folder: Path, go_on: Callable[[], bool]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalStackError(NO_MAVEN)
    arriving = root / ".arriving"
    shutil.rmtree(arriving, ignore_errors=True)
    argv = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={arriving}", "-DincludeScope=runtime"]
    code, told = _attended(argv, go_on)
    if code != 0 or not list(arriving.glob("kafka_*.jar")):
        said = next((line for line in told.splitlines() if "ERROR" in line), "no reason given")
        raise LocalStackError(f"Maven could not fetch Kafka ({said.strip()[:300]}); check the network and Maven's settings.")
    arriving.rename(folder)


def _attended(argv: list[str], go_on: Callable[[], bool]) -> tuple[int, str]:
    """Maven's exit code and what it said. In a session of its own, for it starts a Java that must end with it."""
    until = time.monotonic() + _FETCH_LIMIT_S
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(argv, text=True, start_new_session=True, **options) as maven:
        try:
            while True:
                try:
                    told, _ = maven.communicate(timeout=_POLL_S)
                    return maven.returncode, told
                except subprocess.TimeoutExpired:
                    if not go_on():
                        raise LocalStackError(_GIVEN_UP) from None
                    if time.monotonic() >= until:
                        words = f"Maven did not fetch Kafka within {_FETCH_LIMIT_S} s; check the network and Maven's settings."
                        raise LocalStackError(words) from None
        except BaseException:
            os.killpg(maven.pid, signal.SIGKILL)
            raise
