"""An interrupted verification goes on, and shows no less for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from schemas.topics import FACTS, REGISTRY
from services.audit.adapters.folder import FolderStore
from services.audit.checks import signing
from services.audit.checks.running import Check, Report, Run
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.frame import Record
from services.audit.domain.verify import Verification
from services.audit.resuming import Progressed
from services.audit.seen import Memory
from services.audit.verifying import CHECKS, Outside, Patience, Trust, run_verify
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.test_appender import World
from tests.unit.audit.test_signatures import STRANGER, event, good, registry, said

PLACE = (FACTS, 3)


class Interrupted(Exception):
    """The reader pressed Ctrl-C."""


def a_log(folder: Path, facts: Sequence[bytes]) -> World:
    values = {(REGISTRY, 0): registry(), PLACE: list(facts)}
    kafka = {place: [Record(*place, at, 0, 1, None, (), value) for at, value in enumerate(some)] for place, some in values.items()}
    world = World(kafka=kafka, store=FolderStore(folder, "test"))
    world.run(world.writer())
    return world


def run(log: Path, memory: Path, checks: Sequence[Check] = CHECKS[:2], **more: Any) -> Report:
    clock = iter(range(10_000))
    patience = Patience(0, lambda: float(next(clock) * 3), lambda _: None)
    trust, console = Trust(memory=memory), Console(stderr=True)
    return run_verify(
        log_dir=log,
        verifier=VERIFIER,
        genesis=None,
        outside=Outside(),
        trust=trust,
        patience=patience,
        console=console,
        checks=checks,
        **more,
    )


def stop(run: Run) -> None:
    raise Interrupted


def interrupted(log: Path, memory: Path) -> None:
    with pytest.raises(Interrupted):
        run(log, memory, [*CHECKS[:2], Check("stop", stop)])


FACTS_SIGNED = [good(number) for number in range(5_000)]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    a_log(folder, FACTS_SIGNED)
    return folder


def test_signatures_that_were_checked_are_not_checked_again(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(log, tmp_path)
    assert whole.verified and (whole.signatures, whole.resumed) == (5_004, {})
    assert not Memory(tmp_path, VERIFIER, Trust().policy).progress.exists(), "what came to its end is not gone on with"
    interrupted(log, tmp_path)
    checked = []
    check_fact = signing.check_all
    monkeypatch.setattr(signing, "check_all", lambda *a, **k: checked.append(k["done"]) or check_fact(*a, **k))
    again = run(log, tmp_path)
    assert (again.verified, again.signatures, again.resumed) == (True, 5_004, {"signatures": 5_004})
    assert sum(leaves for _, leaves in checked[0].values()) == 5_004
    interrupted(log, tmp_path)
    assert run(log, tmp_path, from_start=True).resumed == {}


def test_what_changed_meanwhile_is_checked(log: Path, tmp_path: Path) -> None:
    memory = tmp_path / "seen"
    interrupted(log, memory)
    bad = [*FACTS_SIGNED[:4_500], said(event(9, "inspection.recorded", {}, "uscc:1"), STRANGER, 2), *FACTS_SIGNED[4_501:]]
    a_log(tmp_path / "other", bad)
    found = run(tmp_path / "other", memory)
    assert [(one.code, one.where) for one in found.faults] == [("signature", f"{FACTS} 3:4500")]
    assert 0 < found.resumed["signatures"] < 5_004, "the bundles before it are the same bytes"


def test_other_keys_make_it_begin_anew(log: Path, tmp_path: Path) -> None:
    interrupted(log, tmp_path)
    path = Memory(tmp_path, VERIFIER, Trust().policy).progress
    body = json.loads(path.read_bytes().partition(b"\n")[2])
    progress = Progressed.load(path, VERIFIER.text, lambda: 0.0, from_start=False)
    assert len(progress.signatures(body["signatures"]["keys"])) == 2
    assert Progressed.load(path, VERIFIER.text, lambda: 0.0, from_start=False).signatures("others") == {}
    assert Progressed.load(path, "another log", lambda: 0.0, from_start=False).signatures(body["signatures"]["keys"]) == {}


def test_a_damaged_note_of_progress_is_thrown_away(log: Path, tmp_path: Path) -> None:
    interrupted(log, tmp_path)
    path = Memory(tmp_path, VERIFIER, Trust().policy).progress
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        kept = Progressed.load(path, VERIFIER.text, lambda: 0.0, from_start=False)
        assert kept.signatures(json.loads(data.partition(b"\n")[2])["signatures"]["keys"]) == {}, at
    path.write_bytes(data[: len(data) // 2])
    assert run(log, tmp_path).resumed == {}


def test_records_of_kafka_count_as_compared_while_their_leaves_are_the_same(tmp_path: Path) -> None:
    def read(world: World) -> Verification:
        point, _ = open_checkpoint(world.store.read("checkpoint") or b"", VERIFIER)
        check = Verification(point, world.store.read)
        assert list(check.tree())
        return check

    world = a_log(tmp_path / "one", FACTS_SIGNED[:300])
    first = read(world)
    for record in world.kafka[PLACE][:100]:
        first.compare(record)
    first.compare(replace(world.kafka[REGISTRY, 0][0], value=b"another"))
    assert [one.code for one in first.faults] == ["changed"]
    progress = first.progress()
    assert {place: following for place, (following, _) in progress.items()} == {PLACE: 100}, "what has a fault is looked at again"
    again = read(world)
    assert again.resume(PLACE, *progress[PLACE])
    for record in (*world.kafka[PLACE][100:], *world.kafka[REGISTRY, 0]):
        again.compare(record)
    again.compared()
    assert again.faults == []
    other = read(a_log(tmp_path / "two", [*FACTS_SIGNED[:50], good(9_999), *FACTS_SIGNED[51:300]]))
    assert not other.resume(PLACE, *progress[PLACE]) and not other.resume((FACTS, 4), 1, progress[PLACE][1])
