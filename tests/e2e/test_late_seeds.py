"""Whole towns through the running services: the late entries that audit finds are exactly those that were planted."""

from __future__ import annotations

import json

import pytest

from tests.e2e.terminal import terminal

# One town is in every run: that of ``test_first_run``.
pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]


@pytest.mark.parametrize("seed", range(1, 11))
def test_what_audit_finds_late_is_what_was_planted(seed: int) -> None:
    with terminal() as at, at.staying("mingjian", "up", "--sample", "--enterprises", "60", "--years", "3", "--seed", str(seed)) as running:
        running.wait_for("Ctrl-C stops", 240)
        planted = {one["id"]: one for one in json.loads((at.home / "sample" / "planted.json").read_text())["late"]}
        lines = [json.loads(line) for line in at.mingjian("findings", "--json").splitlines()]
    found = {one["event"]["data"]["event"]["id"]: one["event"]["data"]["late"] for one in lines}
    assert {one["event"]["data"]["kind"] for one in lines} == {"late_entry"}
    assert {id: {name: planted[id][name] for name in late} for id, late in found.items() if id in planted} == found
    assert found.keys() == planted.keys()
    assert len(lines) == len(found) > 20
