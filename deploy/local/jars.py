"""Kafka's jars: fetched once by Maven from ``pom.xml``, kept beside it for every stack of this checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import LocalStackError

_HERE = Path(__file__).resolve().parent
POM = _HERE / "pom.xml"
NO_MAVEN = "Maven (mvn) is not installed; install it (Debian and Ubuntu: apt-get install maven) or set MINGJIAN_KAFKA."
_FETCH_LIMIT_S = 600


def library_root(home: Path, env: Mapping[str, str] = os.environ) -> Path:
    """Where jars are kept: ``MINGJIAN_LIBS``, else beside the POM, else (in a read-only installation) under ``home``."""
    if env.get("MINGJIAN_LIBS"):
        return Path(env["MINGJIAN_LIBS"]).resolve()
    return _HERE / "libs" if os.access(_HERE, os.W_OK) else home / "libs"


def library_folder(root: Path) -> Path:
    """The folder for exactly this POM: another version of Kafka never mixes with these jars."""
    return root / hashlib.sha256(POM.read_bytes()).hexdigest()[:16]


def ensure_jars(root: Path) -> Path:
    """Return the folder with all jars, fetching them when it isn't there. Raises LocalStackError when Maven fails.

    Jars arrive in a folder of their own that takes its name only when Maven is done, so a folder that exists is complete.
    """
    folder = library_folder(root)
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with open(root / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two stacks of one checkout may start together
        if not folder.is_dir():
            _fetch(root, folder)
    return folder


def _fetch(root: Path, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalStackError(NO_MAVEN)
    arriving = root / ".arriving"
    shutil.rmtree(arriving, ignore_errors=True)
    argv = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={arriving}", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_FETCH_LIMIT_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise LocalStackError(f"Maven did not fetch Kafka within {_FETCH_LIMIT_S} s; check the network and Maven's settings.") from error
    if done.returncode != 0 or not list(arriving.glob("kafka_*.jar")):
        said = next((line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line), "no reason given")
        raise LocalStackError(f"Maven could not fetch Kafka ({said.strip()[:300]}); check the network and Maven's settings.")
    arriving.rename(folder)
