"""The effect of a late fine on a real stack: what the nightly run puts on record is what ``mingjian effect`` says; of a bundle see
``tests/unit/audit/test_effect_bundle.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from deploy.local.stack import CHECKOUT
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services.audit.domain.assessed import TYPE, digest_of
from tests.cases.ledger import PROPOSAL, act
from tests.integration.audit.test_audit_service import ACTIVE, GO_LIVE, YEAR_2026
from tests.integration.audit.world import AuditWorld, Say, control, copies, fact, genesis

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
FINE = "018f0000-0000-7000-8000-000000000020"
SCORE = {"occurred_on": "2025-12-20", "regime": "liyujiang", "year": 2025, "maximum": "100", "deductions": [], "total": "95"}
EVALUATION = {"occurred_on": "2026-01-15", "regime": "liyujiang", "period": {"first": "2025-01-01", "last": "2025-12-31"}}
FINED = {"occurred_on": "2026-03-02", "document_no": "P-1", "acts": [act("fine")], "service": {"served_on": "2026-03-02", "method": "post"}}
APPROVED = {"occurred_on": "2026-04-14", "regime": "liyujiang", "proposal": PROPOSAL, "grade": "D", "approved_by": "officer:approver-one"}
RETRACTED = {"occurred_on": "2026-04-25", "ground": "wrong_subject", "origin": "self_reported", "reason": "x"}


class Town(AuditWorld):
    """A shop that is B, whose fine of 2 March is entered on 10 April, a month after its last day, 9 March."""

    number = 1_000

    def everywhere(self, number: int, kind: str, subject: str, data: dict[str, Any], received: str) -> None:
        value = fact(number, kind, data, received=received, subject=subject).value
        self.say([Say(REGISTRY, value, subject.encode()), *copies(value)])

    def begin(self) -> None:
        self.say([genesis()])
        self.everywhere(4, "rulebook.activated", "regime:liyujiang", ACTIVE | {"in_force_from": "2025-01-01"}, "2026-01-01T00:00:00.000Z")
        self.say([Say(REGISTRY, control(2, "go_live.declared", "regime:liyujiang", GO_LIVE, registry_offset=1), b"regime:liyujiang")])
        self.everywhere(3, "calendar.issued", "stack:test", YEAR_2026, "2026-01-01T00:00:00.000Z")
        shop = {"occurred_on": "2010-03-01", "name": "样例药店", "business_kind": "drug_retail", "regimes": ["liyujiang"]}
        self.say(
            [
                fact(10, "enterprise.registered", shop, received="2026-01-02T02:00:00.000Z", channel="migration"),
                fact(11, "operation.started", {"occurred_on": "2010-03-01"}, received="2026-01-02T02:00:00.000Z", channel="migration"),
                fact(12, "score.recorded", SCORE | {"final": True, "standard": "example"}, received="2026-01-02T02:00:00.000Z"),
            ]
        )
        evaluation = EVALUATION | {"evaluation_date": "2026-01-15"}
        self.everywhere(13, "evaluation.closed", "regime:liyujiang", evaluation, "2026-01-15T01:00:00.000Z")
        self.say(
            [
                fact(0x20, "penalty.decided", FINED, received="2026-04-10T02:00:00.000Z"),
                fact(0x21, "grade.approved", APPROVED, received="2026-04-14T02:00:00.000Z"),
            ]
        )

    def close_day(self, through: str, received: str) -> None:
        self.number += 1
        self.everywhere(self.number, "day.closed", "stack:test", {"through": through, "time_zone": "Asia/Shanghai"}, received)
        self.until(lambda: (last := self.state()["grades"]["last"]) is not None and last["day"] == through, 240)

    def assessed(self) -> list[dict[str, Any]]:
        """What was told of the late fine; other detectors have their own to say of its being taken back."""
        events = [orjson.loads(one.value)["event"] for one in self.read(FINDINGS)]
        return [one for one in events if one["type"] == TYPE and one["data"]["kind"] == "late_entry"]

    def mingjian(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
        env |= {"MINGJIAN_HOME": str(self.stack.home), "MINGJIAN_PORT_BASE": str(self.stack.ports.base), "MINGJIAN_LANG": "en"}
        command = [sys.executable, "-m", "services._cli.main", *words]
        return subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def town(fresh_stack) -> Iterator[Town]:  # type: ignore[no-untyped-def]
    made = Town(fresh_stack(clock_mode="simulated"))
    yield made
    made.close()


def test_at_night_and_on_demand_the_effect_is_the_same(town: Town) -> None:
    town.begin()
    town.wait_ready(town.start(wait=False), 240)
    town.close_day("2026-04-20", "2026-04-20T16:00:05.000Z")
    town.until(lambda: len(town.assessed()) == 1)
    (event,) = town.assessed()
    data = event["data"]
    assert data["event"]["id"] == FINE
    # 10 to 31 March and 1 to 13 April; approved four days after 9 March as really after 10 April: from 13 March on.
    assert ("2026-03-10", "2026-04-14", 0, 22 + 13) == (data["from_day"], data["to_day"], data["least"], data["most"])
    days = {one["approvals"]: (one["days"], one["stands"]) for one in data["supposed"]}
    assert {"soonest": (35, 35), "as_long": (19 + 13, 32), "never": (0, 0)} == days
    assert "circulated_criticism" == data["consequence"]["kind"]

    asked = town.mingjian("effect", data["finding"], "--json")
    assert asked.returncode == 0, asked.stderr
    assert event["data"] == json.loads(asked.stdout)["data"]
    drawn = town.mingjian("effect", data["matter"])
    assert "0 to 35 days" in drawn.stdout and "五(三) ¶3" in drawn.stdout, drawn.stdout + drawn.stderr

    # Taken back afterwards: the days stay shown, and none stands. Another close with nothing new tells nothing.
    retracted = RETRACTED | {"entry": {"source": json.loads(_value(town, FINE))["event"]["source"], "id": FINE}}
    town.say([fact(0x30, "entry.retracted", retracted, received="2026-04-25T02:00:00.000Z")])
    town.close_day("2026-04-25", "2026-04-25T16:00:05.000Z")
    town.until(lambda: len(town.assessed()) == 2)
    town.close_day("2026-04-26", "2026-04-26T16:00:05.000Z")
    before, after = town.assessed()
    assert before == event and before["id"] != after["id"]
    assert (35, 0, ["undone_since"]) == (after["data"]["most"], after["data"]["stands_most"], after["data"]["marks"])

    again = town.mingjian("effect", data["finding"], "--json")
    assert digest_of(after["data"]) == digest_of(json.loads(again.stdout)["data"])
    size = sum(len(town.read(topic)) for topic in (FACTS, REGISTRY, FINDINGS))
    town.until(lambda: town.state()["size"] >= size)
    # Kept as it was sent: PostgreSQL's table is the topic's.
    verified = town.mingjian("verify", "--json", "--genesis", town.env["MINGJIAN_GENESIS"], "--log-dir", str(town.log_dir))
    assert [] == [one for one in json.loads(verified.stdout)["faults"] if one["code"] == "finding"]


def test_what_has_no_effect_says_why(town: Town) -> None:
    town.begin()
    town.wait_ready(town.start(wait=False), 240)
    town.until(lambda: any(one["data"]["kind"] == "late_entry" for one in town.findings()))
    (late,) = [one for one in town.findings() if one["data"]["kind"] == "late_entry"]
    nowhere = town.mingjian("effect", "018f0000-0000-7000-8000-00000000ffff")
    assert (6, "there is no finding") == (nowhere.returncode, nowhere.stderr[:19])
    # No day has closed yet: what is known so far, and said to be so.
    so_far = town.mingjian("effect", late["id"])
    assert so_far.returncode == 0 and "so far" in so_far.stdout, so_far.stderr


def _value(town: Town, id: str) -> bytes:
    return next(one.value for one in town.read(FACTS) if orjson.loads(one.value)["event"]["id"] == id)
