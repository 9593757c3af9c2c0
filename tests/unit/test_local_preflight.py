"""What the machine lacks is said in one sentence that names the remedy."""

from __future__ import annotations

import os
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import preflight
from deploy.local.errors import LocalStackError
from deploy.local.ports import HOST, Ports
from tests.stack_fixtures import reserved_ports

_Usage = namedtuple("_Usage", "total used free")


def _program(folder: Path, name: str, says: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    path.chmod(0o755)


def test_java_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = preflight.check_java()
    assert (check.ok, check.message) == (
        False,
        "Java is not installed; install a JDK of version 17 or newer, or set MINGJIAN_KAFKA.",
    )


@pytest.mark.parametrize(
    ("says", "number", "ok"),
    [
        ('openjdk version "11.0.22" 2024-01-16', "11", False),
        ('java version "1.8.0_402"', "8", False),
        ('openjdk version "16.0.2" 2021-07-20', "16", False),
        ('openjdk version "17" 2021-09-14', "17", True),
        ('openjdk version "17.0.15" 2025-04-15', "17", True),
        ('openjdk version "25" 2025-09-16', "25", True),
    ],
)
def test_java_of_each_age(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, number: str, ok: bool) -> None:
    """The day before 17, 17 itself, and after; old JDKs call themselves 1.8."""
    _program(tmp_path, "java", says)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = preflight.check_java()
    assert check.ok is ok
    assert check.message.startswith(f"Java {number}" if ok else f"Java is version {number} ({tmp_path}/java); install a JDK")


def test_java_home_goes_before_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    _program(tmp_path / "bin", "java", 'openjdk version "21.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert preflight.check_java().message == "Java 21"


def test_maven_is_needed_only_until_kafka_is_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    env = {"MINGJIAN_LIBS": str(tmp_path / "libs")}
    assert not preflight.check_maven(tmp_path, env).ok
    preflight.jars.library_folder(tmp_path / "libs").mkdir(parents=True)
    assert preflight.check_maven(tmp_path, env).ok


def test_old_python() -> None:
    assert preflight.check_python((3, 11, 0)).ok
    check = preflight.check_python((3, 10, 14))
    assert (check.ok, check.message) == (False, "Python is 3.10.14; make the environment with Python 3.11 or newer.")


def test_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(0, 0, preflight.FREE_BYTES))
    assert preflight.check_disk(tmp_path / "not" / "yet").ok
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(0, 0, preflight.FREE_BYTES - 1))
    check = preflight.check_disk(tmp_path / "not" / "yet")
    assert not check.ok
    assert check.message == f"{tmp_path} has 3.0 GiB free and 3 are needed; make room or set MINGJIAN_HOME to another disk."


@pytest.fixture
def ports() -> Iterator[Ports]:
    with reserved_ports() as found:
        yield found


def test_a_taken_port_names_its_holder(tmp_path: Path, ports: Ports) -> None:
    with socket.create_server((HOST, ports.postgres)):
        failed = [check for check in preflight.check_ports(tmp_path, ports, {}) if not check.ok]
    holder = Path("/proc/self/comm").read_text().strip()
    wanted = f"Port {ports.postgres} (PostgreSQL) is taken by pid {os.getpid()} ({holder}); stop it or set MINGJIAN_PORT_BASE."
    assert [check.message for check in failed] == [wanted]


def test_ports_of_outside_servers_are_not_asked_for(tmp_path: Path, ports: Ports) -> None:
    env = {"MINGJIAN_KAFKA": "kafka.example:9092", "MINGJIAN_POSTGRES": "postgresql://db.example/"}
    names = [check.name for check in preflight.run(tmp_path, ports, env)]
    assert [name for name in names if not name.startswith("port")] == ["python", "disk"]
    assert len([name for name in names if name.startswith("port")]) == 5


@pytest.mark.parametrize("text", ["80", "65530", "abc", "-1", "19090.5", "１９０９０"])
def test_a_port_base_that_cannot_be(text: str, tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"^MINGJIAN_PORT_BASE is .*; set it to a number from 1024 to 65521\.$"):
        Ports.from_env({"MINGJIAN_PORT_BASE": text})
    assert not preflight.run(tmp_path, env={"MINGJIAN_PORT_BASE": text, "MINGJIAN_KAFKA": "x", "MINGJIAN_POSTGRES": "x"})[-1].ok


def test_the_documented_ports() -> None:
    ports = Ports.from_env({})
    assert list(ports.everything().values()) == [19092, 19093, 19094, 19100, 19101, 19102, 19103, 19104]
    assert ports.url("publication") == "http://127.0.0.1:19101"
