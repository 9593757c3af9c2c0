"""The supervisor with real children that do nothing: starting again, stopping, and whom it may signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import processes, state
from deploy.local.errors import LocalStackError
from deploy.local.processes import Identity, Spec
from deploy.local.supervisor import Supervisor

SLEEP = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def _spec(name: str, code: str = SLEEP, **more: object) -> Spec:
    return Spec(name, (sys.executable, "-c", code), env=dict(os.environ), **more)


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def supervisor(tmp_path: Path, clock: _Clock) -> Iterator[Supervisor]:
    one = Supervisor(tmp_path, clock=clock)
    one.acquire()
    yield one
    for name in one.names():
        processes.send(one.identity(name), signal.SIGKILL, group=True)
    one.stop(one.names())
    one.release()


def _until(condition: object, limit_s: float = 10.0) -> None:
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "did not happen"
        time.sleep(0.02)


def test_a_crashed_child_is_started_again_after_longer_and_longer_pauses(supervisor: Supervisor, clock: _Clock) -> None:
    supervisor.start(_spec("rating"))
    pauses = []
    for _ in range(8):
        supervisor.kill("rating")
        assert supervisor.tick() == []
        begun = clock.now
        while not supervisor.tick():
            clock.now += 0.25
        pauses.append(clock.now - begun)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert supervisor.restarts("rating") == 8


def test_a_child_that_ran_steadily_is_started_again_quickly(supervisor: Supervisor, clock: _Clock) -> None:
    supervisor.start(_spec("rating"))
    for steady in (0, 0, 0, 60):
        clock.now += steady
        supervisor.kill("rating")
        supervisor.tick()
        begun = clock.now
        while not supervisor.tick():
            clock.now += 0.25
    assert clock.now - begun == 0.5


def test_a_stopped_child_stays_stopped(supervisor: Supervisor, clock: _Clock) -> None:
    supervisor.start(_spec("rating"))
    supervisor.stop(["rating"])
    clock.now += 1000
    assert supervisor.tick() == []
    assert supervisor.names() == []


def test_a_child_that_ignores_the_stop_signal_is_killed_in_time(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.acquire()
    who = supervisor.start(_spec("audit", STUBBORN, stop_limit_s=0.3))
    _until(lambda: "deaf" in (tmp_path / "logs" / "audit.log").read_text())
    begun = time.monotonic()
    supervisor.stop(["audit"])
    assert not processes.alive(who)
    assert 0.3 <= time.monotonic() - begun < 5
    supervisor.release()


def test_the_state_file_names_children_and_goes_with_them(supervisor: Supervisor, tmp_path: Path) -> None:
    who = supervisor.start(_spec("intake"))
    assert state.children(tmp_path) == {"intake": who}
    assert state.supervisor(tmp_path) == processes.identify(os.getpid())
    supervisor.stop(["intake"])
    supervisor.release()
    assert state.read(tmp_path) == {}
    supervisor.acquire()


def test_a_supervisor_is_found_before_its_first_child_runs_and_forgets_nobody(tmp_path: Path) -> None:
    """``down`` must find a start that still fetches something, and what a killed run left must not be lost by that."""
    (tmp_path / "run").mkdir()
    orphan = Identity(1 << 22, "long ago")
    state.write(tmp_path, {"kafka": {"pid": orphan.pid, "started": orphan.started}})
    supervisor = Supervisor(tmp_path)
    supervisor.acquire()
    assert state.supervisor(tmp_path) == processes.identify(os.getpid())
    assert state.children(tmp_path) == {"kafka": orphan}
    supervisor.release()


def test_whoever_only_ends_a_stack_is_not_taken_for_one(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.acquire(announce=False)
    assert state.supervisor(tmp_path) is None
    supervisor.release()


def test_a_new_home_is_closed_to_others_and_an_old_one_stays_as_it_is(tmp_path: Path) -> None:
    for name, mode in (("new", 0o700), ("old", 0o755)):
        home = tmp_path / name
        if name == "old":
            home.mkdir(mode=0o755)
        supervisor = Supervisor(home)
        supervisor.acquire()
        assert home.stat().st_mode & 0o777 == mode
        supervisor.release()


def test_one_supervisor_a_home(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(_spec("intake"))
    with pytest.raises(LocalStackError) as caught:
        Supervisor(tmp_path).acquire()
    wanted = f"A stack is already running on {tmp_path} (pid {os.getpid()}); stop it first or set MINGJIAN_HOME to another folder."
    assert str(caught.value) == wanted


def test_leftovers_are_told_by_the_state_file(supervisor: Supervisor, tmp_path: Path) -> None:
    """A child of a dead supervisor is ended, though nothing in its environment says whose it is."""
    orphan = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    who = processes.identify(orphan.pid)
    state.write(tmp_path, {"rating": {"pid": who.pid, "started": who.started}})
    assert supervisor.stop_leftovers() == [orphan.pid]
    assert orphan.wait(5) == -signal.SIGTERM


def test_leftovers_are_told_by_their_mark(supervisor: Supervisor, tmp_path: Path) -> None:
    """A supervisor can die between starting a child and writing it down."""
    orphan = processes.spawn(_spec("rating"), log=tmp_path / "rating.log", owner=supervisor.owner)
    _until(lambda: processes.marked(supervisor.owner))
    assert supervisor.stop_leftovers() == [orphan.pid]
    assert orphan.wait(5) == -signal.SIGTERM


def test_a_mark_of_another_home_is_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    other = processes.spawn(_spec("rating"), log=tmp_path / "rating.log", owner=f"{supervisor.owner}-2")
    _until(lambda: processes.marked(f"{supervisor.owner}-2"))
    assert supervisor.stop_leftovers() == []
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_stranger_with_a_used_id_is_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    """Ids are given out again: only the start time tells."""
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP])
    now = processes.identify(stranger.pid)
    state.write(tmp_path, {"kafka": {"pid": now.pid, "started": f"{now.started}0"}})
    assert supervisor.stop_leftovers([Identity(stranger.pid, "")]) == []
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_long_log_is_cut_and_the_child_goes_on_writing(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    with open(log, "ab") as out:
        out.write(b"a" * 2000)
        out.flush()
        state.limit_log(log, limit=1000)
        out.write(b"after")
        out.flush()
    assert (log.read_bytes(), (tmp_path / "kafka.log.1").stat().st_size) == (b"after", 2000)
    state.limit_log(log, limit=1000)
    assert log.read_bytes() == b"after"


def test_a_damaged_state_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.json").write_text(json.dumps({"children": {}})[:-3])
    with pytest.raises(LocalStackError, match=r"state\.json is damaged .*; end this stack's processes, delete the file and start again\."):
        state.read(tmp_path)


def test_a_program_that_is_not_there(supervisor: Supervisor) -> None:
    with pytest.raises(LocalStackError, match=r"^kafka could not be started: No such file or directory \(/no/java\)\.$"):
        supervisor.start(Spec("kafka", ("/no/java",)))
