"""The log's folder at every system call: the power goes, the process dies, the disk is full. Afterwards the next writer goes on.

No accepted record is missing or there twice, the log verifies, and no checkpoint goes back.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.audit.adapters import folder
from services.audit.adapters.folder import FolderStore
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.ports import Superseded
from tests.faults.disk import Disk
from tests.unit.audit.fakes import VERIFIER, Crash
from tests.unit.audit.test_appender import PLACES, World

pytestmark = pytest.mark.sweep
# Two full bundles and a long record; partial tiles that are dropped; three checkpoints.
ROUNDS = ((100, False), (130, True), (60, False))


def size_of(world: World) -> int:
    note = world.store.read("checkpoint")
    return open_checkpoint(note, VERIFIER)[0].size if note else 0


def play(home: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> World:
    """The story on this disk; each round's writer that dies is followed by another on a disk in order."""
    world = World(store=FolderStore(home, "before"))
    for count, long in ROUNDS:
        for place in PLACES:
            world.say(place, count)
        if long:
            world.say(PLACES[0], 1, 70_000)
        if disk.dead:
            world.run(world.writer())
            continue
        before = size_of(world)
        try:
            with disk.plugged_in(monkeypatch):
                world.run(world.writer())
        except (Crash, OSError):
            disk.dead = True
            disk.after_the_crash()
            assert size_of(world) >= max(before, world.plan.signed), "a checkpoint went back"
            world.store = FolderStore(home, "after")
            world.run(world.writer())
        assert world.verify().size >= before
    return world


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the same step is the same call every time. What is synced is the model's to know: the real disk need not be waited for."""
    monkeypatch.setattr(folder, "_SYNCS_AT_ONCE", 1)
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.mark.parametrize("way", ["lost", "anyway", "full"])
def test_a_fault_at_a_call_loses_nothing_and_doubles_nothing(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seventh call: each kind of call in each round."""
    faults(way, 7, tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("way", ["lost", "anyway", "full"])
def test_a_fault_at_every_call_loses_nothing_and_doubles_nothing(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults(way, 1, tmp_path, monkeypatch)


def faults(way: str, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Disk(tmp_path / "whole")
    whole = play(tmp_path / "whole", counted, monkeypatch).verify()
    kinds = {one.split()[0] for one in counted.calls}
    assert kinds == {"open", "write", "fsync", "rename", "mkdir", "unlink", "rmdir"} and counted.steps > 150
    for at in range(1, counted.steps + 1, step):
        disk = Disk(tmp_path / f"{at}", at, way)
        world = play(tmp_path / f"{at}", disk, monkeypatch)
        assert world.verify().size == whole.size, disk.calls[-1]
        if not (way == "full" and disk.calls[at - 1].startswith(("unlink", "rmdir"))):
            assert disk.dead, disk.calls[-1]
        left = [one.name for one in (tmp_path / f"{at}").rglob(".*")]
        assert not left, "temporary files are cleared away at the start"


def test_a_folder_that_does_not_sync_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own test: without the folder's sync a power cut takes tiles that a checkpoint names."""
    monkeypatch.setattr(folder, "sync_folder", lambda path: None)
    steps = Disk(tmp_path / "whole")
    play(tmp_path / "whole", steps, monkeypatch)
    failed = 0
    for at in range(20, steps.steps + 1, 7):
        try:
            play(tmp_path / f"{at}", Disk(tmp_path / f"{at}", at, "lost"), monkeypatch)
        except Exception:
            failed += 1
    assert failed


def test_a_second_writer_stops_the_first_and_goes_on(tmp_path: Path) -> None:
    """On one folder, in turns: whoever was overtaken is refused at the plan, wherever it wakes."""
    world = World(store=FolderStore(tmp_path / "log", "one"))
    for place in PLACES:
        world.say(place, 120)
    first = world.writer()
    first.append(world.news(50))
    second = World(kafka=world.kafka, store=FolderStore(tmp_path / "log", "two"))
    second.plan = world.plan
    writer = second.writer()
    for act in (lambda: first.append(world.news(50)), first.checkpoint):
        with pytest.raises(Superseded):
            act()
    second.run(writer)
    assert second.verify().size == 360
    third = world.writer()
    with pytest.raises(Superseded):
        writer.append({PLACES[0]: [world.kafka[PLACES[0]][0]]})
    world.run(third)
    assert world.verify().size == 360
