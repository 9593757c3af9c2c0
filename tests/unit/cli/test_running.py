"""What ``up`` passes on, what it does with a town that is there or half there, and how it ends."""

from __future__ import annotations

import io
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.ports import Ports
from services._cli import running
from services._cli.errors import CliError
from services._cli.home import Home
from services._cli.running import Wanted, stack_of
from services._cli.sample.load import Mark, Order
from services._cli.session import Session
from services._cli.summary import attended, settle
from services._cli.town import bring_town
from services._cli.voice import Voice
from services.intake.cli import init_home

ORDER = Order(seed=5, enterprises=40, years=2, until="2026-11-20T10:00:00+00:00")


def session_at(home: Path) -> Session:
    return Session(Home(home), Voice(Console(file=io.StringIO()), Console(file=io.StringIO(), width=500), "en"), Ports(1100))


def mentioned(session: Session) -> str:
    return session.voice.err.file.getvalue()  # type: ignore[attr-defined]


@pytest.fixture
def town(tmp_path: Path) -> Session:
    """A sample's home, not running, whose town is in."""
    init_home(tmp_path / "home", clock_mode="simulated", sample=True)
    session = session_at(tmp_path / "home")
    Mark(ORDER, done=True).write(session.home)
    return session


def test_what_a_person_sets_for_the_services_reaches_them(town: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "MINGJIAN_RULEBOOKS": "own/rulebooks",
        "MINGJIAN_LOG_DIR": "/elsewhere/log",
        "MINGJIAN_ONCE_DIR": "/elsewhere/once",
        "MINGJIAN_STREAM_LIMIT": "7",
        "MINGJIAN_STREAM_LIMIT_ADDRESS": "3",
        "MINGJIAN_STREAM_KEEP": "1000",
    }
    env = stack_of(town, {**given, "MINGJIAN_HOME": "ignored", "MINGJIAN_KAFKA": "kafka.example:9092"}).service_env("publication")
    assert {name: env[name] for name in given} == given | {"MINGJIAN_RULEBOOKS": str(tmp_path / "own" / "rulebooks")}
    assert env["MINGJIAN_HOME"] == str(town.home.root)
    assert env["MINGJIAN_KAFKA"] == "kafka.example:9092"
    assert env["MINGJIAN_SAMPLE_KEY"] == str(town.home.root / "keys/officers/yangli-r01.json")


def test_a_town_other_than_the_one_that_is_in_is_said_to_be_ignored(town: Session) -> None:
    assert running._prepare_home(town, Wanted(True, seed=6, enterprises=40)) is False
    assert "--seed 6: ignored" in mentioned(town) and "--enterprises" not in mentioned(town)


def test_a_town_that_nobody_described_is_as_it_is(town: Session) -> None:
    assert running._prepare_home(town, Wanted(True)) is False
    assert mentioned(town) == ""


def test_half_a_town_is_never_taken_for_one_and_is_thrown_away_alone(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINGJIAN_KAFKA", raising=False)
    Mark(ORDER, done=False).write(town.home)
    (town.home.root / "letters.txt").write_text("dear")
    with pytest.raises(CliError, match="cut off while it was loaded; `mingjian up --sample` starts over"):
        bring_town(town, ORDER)
    before = town.home.genesis()
    assert running._prepare_home(town, Wanted(True)) is True
    assert town.home.genesis() != before and Mark.read(town.home) is None
    assert (town.home.root / "letters.txt").exists()


def test_half_a_town_on_servers_elsewhere_is_left_to_their_keeper(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGJIAN_KAFKA", "kafka.example:9092")
    Mark(ORDER, done=False).write(town.home)
    with pytest.raises(CliError, match="the Kafka of MINGJIAN_KAFKA still holds its topics"):
        running._prepare_home(town, Wanted(True))
    assert town.home.genesis_path.exists()


def test_after_the_signal_the_first_run_sends_nothing_and_fails_with_nothing(town: Session) -> None:
    """Whatever breaks because the services are being stopped is no failure."""
    told = threading.Event()
    work = running._Work(town, Wanted(True), False, told.is_set)
    told.set()
    work.begin()
    began = time.monotonic()
    work.end()
    assert work.failure is None and time.monotonic() - began < 5
    assert not work._thread.is_alive()  # type: ignore[union-attr]


class Over(Exception):
    """Somebody pressed Ctrl-C."""


def test_a_command_that_is_attended_is_out_of_ctrl_c_s_reach_and_ends_when_told() -> None:
    assert attended([sys.executable, "-c", "import os, sys; print(os.getsid(0) == os.getpid()); sys.exit(3)"], lambda: None) == (
        3,
        "True\n",
        "",
    )
    began = time.monotonic()

    def alive() -> None:
        if time.monotonic() > began + 0.5:
            raise Over

    with pytest.raises(Over):
        attended([sys.executable, "-c", "import time; time.sleep(60)"], alive)
    assert time.monotonic() - began < 20


def test_who_is_only_behind_is_waited_for_and_told_of(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([{"ready": True, "lag": 1_234}] * 3 + [{"ready": True, "lag": 0}] * 3)
    monkeypatch.setattr("services._cli.summary.look", lambda session: next(looks))
    monkeypatch.setattr("services._cli.summary._SAY_EVERY_S", 0.0)
    settle(town, None, lambda: None)
    assert "still catching up: 1,234 records" in mentioned(town)
    assert list(looks) == []
    with pytest.raises(CliError, match="did not catch up within 0 s"):
        looks = iter([{"ready": True, "lag": 1}] * 3)
        settle(replace(town), 0, lambda: None)
