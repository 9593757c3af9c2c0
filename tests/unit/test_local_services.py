"""Starting services and waiting for them, with stubs in their place and no servers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.control import probe
from deploy.local.errors import LocalStackError
from deploy.local.ports import Ports
from deploy.local.stack import SERVICES, Stack
from tests.stack_fixtures import reserved_ports

pytestmark = pytest.mark.sweep


@pytest.fixture
def ports() -> Iterator[Ports]:
    with reserved_ports() as found:
        yield found


@pytest.fixture
def stubbed(tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setattr(stack, "_MODULES", dict.fromkeys(SERVICES, "tests.unit.stub_service"))
    with Stack(tmp_path, ports, extra_env={"STUB": "late"}) as one:
        yield one


def test_services_are_waited_for_until_each_is_ready(stubbed: Stack) -> None:
    begun = time.monotonic()
    stubbed.start_services()
    assert time.monotonic() - begun >= 0.4
    found = stubbed.status()["processes"]
    assert list(found) == list(SERVICES)
    assert [(one["ready"], one["restarts"]) for one in found.values()] == [(True, 0)] * 4


def test_a_killed_service_comes_back(stubbed: Stack) -> None:
    stubbed.start_services(["intake"])
    before = stubbed.pid("intake")
    stubbed.kill("intake")
    assert stubbed.status()["processes"]["intake"]["ready"] is False
    stubbed.start("intake")
    assert stubbed.pid("intake") != before
    stubbed.stop_one("intake")
    assert stubbed.status()["processes"] == {}


def test_a_service_that_never_gets_ready_is_named_with_its_own_reason(stubbed: Stack) -> None:
    stubbed._extra_env["STUB"] = "never"
    stubbed.begin(["rating"])
    until = time.monotonic() + 60
    while probe(stubbed.ports.rating) != (False, "lag is 12"):
        assert time.monotonic() < until
        time.sleep(0.05)
    with pytest.raises(LocalStackError) as caught:
        stubbed.wait_ready(["rating"], limit_s=1.0)
    wanted = f"rating was not ready within 1 s (lag is 12); see {stubbed.home}/logs/rating.log."
    assert str(caught.value) == wanted


def test_a_service_that_ends_again_and_again_is_given_up(stubbed: Stack) -> None:
    stubbed._extra_env["STUB"] = "crash"
    with pytest.raises(LocalStackError) as caught:
        stubbed.start_services(["audit"])
    assert str(caught.value) == f"audit ended 3 times before it was ready (code 7); see {stubbed.home}/logs/audit.log."
    assert (stubbed.home / "logs" / "audit.log").read_text() == "begun\n" * 3


def test_the_log_lies_in_a_folder_that_is_closed_to_others(stubbed: Stack) -> None:
    stubbed.start_services(["audit"])
    assert (stubbed.home / "log").stat().st_mode & 0o777 == 0o700


def test_what_a_person_sets_reaches_the_services(tmp_path: Path) -> None:
    given = {"MINGJIAN_HOME": str(tmp_path), "MINGJIAN_RULEBOOKS": "/other/rulebooks", "MINGJIAN_POSTGRES": "postgresql://a:b@db/"}
    env = Stack.from_env(given).service_env("rating")
    assert env["MINGJIAN_RULEBOOKS"] == "/other/rulebooks"
    assert env["MINGJIAN_KAFKA"] == "127.0.0.1:19092"
    assert env["MINGJIAN_INTAKE_URL"] == "http://127.0.0.1:19100"
    assert "MINGJIAN_POSTGRES" not in env


def test_a_running_stack_waits_for_who_is_only_behind_and_says_so(tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "_MODULES", dict.fromkeys(SERVICES, "tests.unit.stub_service"))
    monkeypatch.setattr(Stack, "start_servers", lambda self, mode=None: None)
    said: list[str] = []
    one = Stack(tmp_path, ports, extra_env={"STUB": "late", "STUB_LATE_S": "3"}, say=said.append)
    monkeypatch.setattr(one, "_say_every_s", 0.5)
    ready: list[int] = []

    def begin(running: Stack) -> None:
        ready.append(running.pid("rating"))
        os.kill(os.getpid(), signal.SIGTERM)

    one.run(["rating"], ready=begin)
    assert len(ready) == 1 and one.stopping
    assert any(line.startswith("rating was not ready within") and "lag is 12" in line for line in said), said


def test_a_stack_that_is_told_to_stop_while_it_waits_says_nothing_of_who_was_not_ready(
    tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "_MODULES", dict.fromkeys(SERVICES, "tests.unit.stub_service"))
    monkeypatch.setattr(Stack, "start_servers", lambda self, mode=None: None)
    said: list[str] = []
    one = Stack(tmp_path, ports, extra_env={"STUB": "never"}, say=said.append)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    one.run(["rating"], ready=lambda running: said.append("ready"))
    assert said == []


def test_a_running_stack_gives_up_a_service_that_ends_again_and_again(
    tmp_path: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "_MODULES", dict.fromkeys(SERVICES, "tests.unit.stub_service"))
    monkeypatch.setattr(Stack, "start_servers", lambda self, mode=None: None)
    one = Stack(tmp_path, ports, extra_env={"STUB": "crash"})
    monkeypatch.setattr(one, "_say_every_s", 0.1)
    with pytest.raises(LocalStackError, match="rating ended 3 times before it was ready"):
        one.run(["rating"])
