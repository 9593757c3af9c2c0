"""Every grade worked out again on a real stack: an untouched town differs nowhere; what somebody put on the topics is found at night, once,
and on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.stack import CHECKOUT
from schemas import topics
from schemas.envelope import derived_bytes
from schemas.topics import FACTS, GRADES, PARTITIONS, REGISTRY
from services.audit.adapters.calendars import calendar_events
from services.audit.domain.regrading_findings import COPY_MISSING
from services.audit.grades_check import Grades, books_in, check_grades
from services.audit.regrading import Source
from services.rating.domain.emit import TYPE
from tests.cases.ledger import RULEBOOKS
from tests.integration.audit.world import AuditWorld, Say, control, fact, genesis
from tests.integration.test_drivers import Desk, town
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
LACKING = (5, 11)


class Night(AuditWorld):
    """The audit service beside rating, and a registry whose days close when the test says so."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.stack)
        self.desk = desk
        self.number = 100

    def close_day(self, through: str) -> None:
        """The original, and a copy in every partition of facts."""
        self.number += 1
        value = fact(self.number, "day.closed", {"through": through}, received="2026-11-26T00:00:00.000Z", subject="stack:test").value
        self.say([Say(REGISTRY, value, b"stack:test")])
        self.say([Say(FACTS, value, b"control", partition) for partition in range(PARTITIONS)])

    def run_after(self, day: str) -> dict[str, Any]:
        """What the run after the close of a day put on record."""
        self.until(lambda: (last := self.grades()["last"]) is not None and last["day"] == day, 120)
        last: dict[str, Any] = self.grades()["last"]
        return last

    def grades(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state()["grades"]
        return found

    def told(self) -> list[dict[str, Any]]:
        """Findings about the operation that this file is about."""
        kinds = ("grade_", "duty_", "part_", "control_copy")
        return [one for one in self.findings() if one["data"].get("kind", "").startswith(kinds)]

    def mingjian(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
        env |= {"MINGJIAN_HOME": str(self.stack.home), "MINGJIAN_PORT_BASE": str(self.stack.ports.base), "MINGJIAN_LANG": "en"}
        command = [sys.executable, "-m", "services._cli.main", *words]
        return subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False)

    def check(self, cores: int = 2) -> Grades:
        seen: list[tuple[int, int]] = []
        source, told = Source(self.stack.bootstrap), lambda done, total: seen.append((done, total))
        found = check_grades(source, books_in(RULEBOOKS), cores=cores, progress=told)
        assert seen and seen[-1][0] <= seen[-1][1]
        return found


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        desk = Desk(stack)
        made = Night(desk)
        made.say([genesis()])
        year = calendar_events(Path(RULEBOOKS) / "calendar-cn.yaml")[-1]
        copies = control(50, "calendar.issued", "stack:test", year)
        made.say([Say(REGISTRY, copies, b"stack:test")])
        made.say([Say(FACTS, copies, b"control", number) for number in range(PARTITIONS) if number not in LACKING])
        desk.write(town(CHECKOUT, 8))
        stack.start_services(("rating",))
        desk.wait_worked_off()
        made.start()
        yield made
        made.close()


def test_an_untouched_town_differs_nowhere_and_the_run_is_on_record(night: Night) -> None:
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        night.close_day(day)
    last = night.run_after("2026-11-22")
    assert (last["differences"], last["pending"], last["untold"], last["unjudged"]) == (0, 0, 0, [])
    stands = sum(len(night.read(topic)) for topic in (topics.GRADES, topics.DUTIES))
    assert last["compared"] == stands > 30
    assert last["events"] == stands
    # The same digest as the driver of the other service says.
    assert last["digest"] == night.desk.replayed(sequence=True).digest
    # The calendar never reached two partitions, and two days have closed since.
    (missing,) = night.told()
    assert missing["data"]["kind"] == COPY_MISSING
    assert ", ".join(map(str, LACKING)) in missing["data"]["detail_en"]
    assert "grades worked out again after 2026-11-22" in night.mingjian("status").stdout


def test_what_somebody_wrote_is_found_at_night_once_and_on_demand(night: Night) -> None:
    stood = [one for one in night.read(GRADES) if orjson.loads(one.value)["event"]["type"] == TYPE]
    victim, other = stood[0], stood[-1]
    edited = orjson.loads(victim.value)["event"]
    edited["data"]["grade"], edited["data"]["status"] = "Z", "graded"
    invented = orjson.loads(other.value)["event"] | {"id": "11111111-1111-5111-8111-111111111111"}
    night.say(
        [
            Say(GRADES, derived_bytes(edited), victim.key, victim.partition),
            Say(GRADES, derived_bytes(invented), other.key, other.partition),
            Say(GRADES, b"no event", b"somebody", 0),
        ]
    )
    before = len(night.told())
    night.close_day("2026-11-23")
    last = night.run_after("2026-11-23")
    assert (last["differences"], last["found"]) == (3, 3)
    night.until(lambda: len(night.told()) == before + 3)
    assert Counter(one["data"]["kind"] for one in night.told()) == {COPY_MISSING: 1, "grade_differs": 1, "grade_invented": 2}
    differs = next(one["data"] for one in night.told() if one["data"]["kind"] == "grade_differs")
    right = orjson.loads(victim.value)["event"]
    for words in (edited["id"], edited["subject"], "grade Z", f"grade {right['data']['grade']}" if right["data"]["grade"] else "status"):
        assert words in differs["detail_en"]
    assert edited["id"] in differs["detail_zh"] and "等级Z" in differs["detail_zh"]
    told = night.mingjian("findings", "--kind", "grade_differs", "--json")
    assert [json.loads(line)["event"]["data"]["detail_en"] for line in told.stdout.splitlines()] == [differs["detail_en"]]
    assert night.check().digest == last["digest"] != ""
    asked = night.mingjian("verify", "--grades", "--json")
    said = json.loads(asked.stdout)
    codes = Counter(one["code"] for one in said["faults"] if one["code"].startswith(("grade", "duty", "part_", "control")))
    assert codes == {"grade_differs": 1, "grade_invented": 2, COPY_MISSING: 1} and asked.returncode == 1
    assert said["grades"]["digest"] == last["digest"]
    where, what = next((one["where"], one["what"]) for one in said["faults"] if one["code"] == "grade_differs")
    assert where.startswith(f"{GRADES} {victim.partition}:") and what == differs["detail_en"]


def test_a_run_that_is_cut_off_leaves_nothing_and_is_made_by_the_next_process(night: Night) -> None:
    """Killed while it runs: the run's process goes as well, and the day is not done. What was found before is not found again."""
    before = len(night.told())
    night.close_day("2026-11-24")
    night.until(lambda: night.grades()["running"] is not None, 60)
    night.kill()
    # At the lowest priority its turn may be long in coming.
    until = time.monotonic() + 90
    while _nightly_processes(night) and time.monotonic() < until:
        time.sleep(0.2)
    assert not _nightly_processes(night)
    night.start()
    again = night.run_after("2026-11-24")
    assert (again["differences"], again["found"]) == (3, 0)
    assert len(night.told()) == before


def _nightly_processes(night: Night) -> list[int]:
    """Of this stack, by its environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (
                b"services.audit.nightly" in (path / "cmdline").read_bytes()
                and str(night.stack.home).encode() in (path / "environ").read_bytes()
            ):
                found.append(int(path.name))
        except OSError:
            continue
    return found
