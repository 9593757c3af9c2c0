"""The service end to end on a real broker and database: leaves, checkpoints, findings, kills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schemas.topics import FACTS, FINDINGS, QUARANTINE, REGISTRY
from services.audit.adapters.calendars import calendar_events
from tests.integration.audit.world import OFFICE, AuditWorld, Say, calendar_copies, control, fact

pytestmark = pytest.mark.stack
CALENDARS = Path(__file__).resolve().parents[3] / "rulebooks" / "calendar-cn.yaml"
YEAR_2026 = next(one for one in calendar_events(CALENDARS) if one["year"] == 2026)


@pytest.fixture
def world(fresh_stack) -> Iterator[AuditWorld]:
    made = AuditWorld(fresh_stack())
    yield made
    made.close()


def opening() -> list[Say]:
    """Genesis, go-live, and the calendar of 2026 in every partition."""
    registry = [
        Say(REGISTRY, control(1, "genesis", "stack:test", {"occurred_on": "2026-01-01"}), b"stack:test"),
        Say(REGISTRY, control(2, "go_live.declared", "regime:liyujiang", {"occurred_on": "2026-01-01", "regime": "liyujiang"}), b"r"),
    ]
    return registry + calendar_copies(3, YEAR_2026)


def inspection(number: int, occurred: str, received: str, **entry: object) -> Say:
    return fact(number, "inspection.recorded", {"occurred_on": occurred, "kind": "routine", "mode": "on_site"}, received=received, **entry)


def test_from_a_late_fact_to_its_finding_and_its_leaf(world: AuditWorld) -> None:
    world.say(opening())
    world.say(
        [
            inspection(10, "2026-03-02", "2026-03-09T08:00:00.000Z"),
            inspection(11, "2026-03-02", "2026-03-12T08:00:00.000Z"),
            inspection(11, "2026-03-02", "2026-03-12T08:00:00.000Z"),
            inspection(12, "2026-03-02", "2026-06-12T08:00:00.000Z", channel="migration"),
            Say(QUARANTINE, b"\xff not an envelope", None),
            Say(FACTS, b"not an envelope either", None),
        ]
    )
    world.start()
    world.until(lambda: world.caught_up(14 + 6 + 1))
    findings = world.findings()
    assert [one["data"]["late"]["deadline"] for one in findings] == ["2026-03-09"]
    late = findings[0]["data"]
    assert (late["office"], late["late"]["working_days_late"], late["event"]["id"][-2:]) == (OFFICE, 3, "0b")
    state = world.state()
    assert (state["size"], state["integrated"], state["lag"]) == (21, 21, 0)
    assert httpx.get(f"{world.url}/checkpoint").text.splitlines()[1] == "21"
    assert httpx.get(f"{world.url}/api/v1/findings").status_code == 401
    assert httpx.get(f"{world.url}/tile/0/000.p/21").status_code == 200
    assert httpx.get(f"{world.url}/tile/entries/000.p/21").status_code == 401
    assert FINDINGS == world.read(FINDINGS)[0].topic
