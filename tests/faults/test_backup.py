"""A backup of a stack that runs: proved by a trial, restored into another home, and refused where it is not whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from deploy.local.stack import EVERYONE, Stack
from services._cli.sample.acts import ZONE
from services._cli.sample.load import Order
from services._cli.summary import settle
from services._cli.town import bring_town
from services.intake.cli import init_home
from tests.faults.restoring import command, records, session_of, state_of
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

ORDER = Order(seed=5, enterprises=10, years=1, until=datetime(2026, 11, 20, 18, tzinfo=ZONE).isoformat())


@pytest.fixture(scope="module")
def town() -> Iterator[Stack]:
    with temporary_stack() as stack:
        init_home(stack.home, clock_mode="simulated", sample=True)
        stack.start_servers()
        stack.start_services(EVERYONE)
        bring_town(session_of(stack), ORDER)
        settle(session_of(stack), 300, lambda: None)
        yield stack


def test_a_backup_of_a_running_stack_is_restored_elsewhere_with_all_that_it_said(town: Stack, tmp_path: Path) -> None:
    before, size = state_of(town, ("liyujiang",)), sum(map(len, records(town.bootstrap).values()))
    backup, keys = tmp_path / "backup", tmp_path / "safe"
    assert "keys belong in a place of their own" in command(town, "backup", "--to", str(backup / "a"), "--keys-to", str(backup), code=2)
    shutil.rmtree(backup)
    told = json.loads(command(town, "backup", "--to", str(backup), "--keys-to", str(keys), "--json"))
    assert (told["leaves"], told["behind"]) == (size, 0) and told["keys_copied"] == len([one for one in keys.rglob("*") if one.is_file()])
    secret = (town.home / "keys" / "audit" / "log.json").read_bytes()
    assert all(secret not in one.read_bytes() for one in backup.rglob("*") if one.is_file())
    assert not any(one.name in ("keys", "witness", "secrets") for one in backup.rglob("*"))

    checked = json.loads(command(town, "restore-check", str(backup), "--keys", str(keys), "--json"))
    assert checked["restorable"] and (checked["size"], checked["lost"], checked["missing_keys"]) == (size, {}, [])
    (keys / "intake" / "receipt.json").unlink()
    _refuses_what_is_not_whole(town, backup)
    # What came later is what would be lost.
    command(town, "send", given=command(town, "sign", "examples/inspection.json"))

    with temporary_stack() as other:
        other.home.rmdir()
        told = json.loads(command(other, "restore", "--from", str(backup), "--json"))
        assert (told["size"], sum(told["put"].values()), told["lost"], told["planned"]) == (size, size, {}, 0)
        other.home.chmod(0o755)
        shutil.copytree(town.home / "keys", other.home / "keys")
        other.start_servers()
        other.start_services(EVERYONE)
        settle(session_of(other), 300, lambda: None)
        assert state_of(other, ("liyujiang",)) == before
        assert json.loads(command(other, "verify", "--json"))["size"] == size
    missing = command(town, "restore-check", str(backup), "--keys", str(keys), code=1)
    assert "missing: the key receipt" in missing and "can't be restored as it is" in missing


def _refuses_what_is_not_whole(town: Stack, backup: Path) -> None:
    bundle = backup / "log" / "tile" / "entries" / "000"
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[:700] + bytes([whole[700] ^ 1]) + whole[701:])
    assert f"{bundle} is not what was written" in command(town, "restore-check", str(backup), code=1)
    bundle.write_bytes(whole)
    manifest = backup / "manifest.json"
    manifest.rename(backup / "aside")
    assert "has no manifest.json" in command(town, "restore-check", str(backup), code=2)
    (backup / "aside").rename(manifest)


def test_postgresql_lost_is_planned_again_from_the_log_and_goes_on_under_the_same_key(town: Stack) -> None:
    settle(session_of(town), 300, lambda: None)
    before = state_of(town, ("liyujiang",))
    size = sum(map(len, records(town.bootstrap).values()))
    town.stop()
    shutil.rmtree(town.home / "postgres")
    shutil.rmtree(town.home / "secrets")
    told = json.loads(command(town, "restore", "--json"))
    assert (told["planned"], told["put"], told["reset"]) == (size, {}, False)
    town.start_servers()
    town.start_services(EVERYONE)
    settle(session_of(town), 300, lambda: None)
    after = state_of(town, ("liyujiang",))
    assert (after.grades, after.lists, after.last_words, after.replayed) == (
        before.grades,
        before.lists,
        before.last_words,
        before.replayed,
    )
    assert {one["event"]["id"] for one in after.findings} == {one["event"]["id"] for one in before.findings}
    verified = json.loads(command(town, "verify", "--json"))
    assert verified["verified"] and verified["cosigned_enough"] and verified["size"] > size
