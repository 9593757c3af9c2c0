"""A falsified town through the running services: the nightly run finds what was planted, and accuses no look-alike."""

from __future__ import annotations

import json
import time

import pytest

from tests.detection.measuring import ANSWERS
from tests.detection.truth import standing, tally
from tests.e2e.terminal import Terminal, terminal

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(900)]
# What intake refuses is in no stack.
KINDS = {kind: answer for kind, answer in ANSWERS.items() if answer.exact and kind != "authority_invalid"}


def test_the_nightly_run_finds_what_was_planted_and_accuses_no_look_alike() -> None:
    with (
        terminal() as at,
        at.staying("mingjian", "up", "--sample", "--falsify", "--enterprises", "20", "--years", "2", "--seed", "5") as up,
    ):
        up.wait_for(r"sown: \d+ falsehoods and \d+ look-alikes", 500)
        up.wait_for("Ctrl-C stops", 240)
        matters = [json.loads(line) for line in (at.home / "sample" / "matters.jsonl").read_text().splitlines()]
        found = _once_found(at)
    wrong = [one for kind, answer in KINDS.items() for one in tally(kind, answer, matters, found)[1]]
    assert [(one.kind, one.what, one.why) for one in wrong] == []


def _once_found(at: Terminal) -> list[dict[str, object]]:
    """What stands once the nightly run over the whole town is on record."""
    until = time.monotonic() + 240
    while True:
        lines = [json.loads(line)["event"]["data"] for line in at.mingjian("findings", "--json").splitlines()]
        stand = standing(
            {**one, "matter": one.get("matter") or one["event"]["id"]} for one in lines if one.get("event") or one.get("matter")
        )
        if {answer.detector for answer in KINDS.values()} <= {str(one["kind"]) for one in stand} or time.monotonic() > until:
            return [dict(one) for one in stand]
        time.sleep(2)
