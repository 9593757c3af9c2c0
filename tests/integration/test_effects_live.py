"""From an office's retraction to the public page: what was taken back no longer counts, and still stands where it stood."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.integration.intake_desk import OFFICE, OFFICER, Desk, event, signed
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack
NAMES = ("hygiene", "structural", "confidence_in_management")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with temporary_stack() as stack:
        stack.start_servers("wall")
        desk = Desk.of(stack)
        stack.start_services(["rating", "publication"])
        desk.activate("fhrs")
        yield desk


def shown(desk: Desk, subject: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The public answer about a subject, once it is as wanted."""
    address = f"{desk.stack.ports.url('publication')}/api/v1/subjects/{subject}"
    end, found = time.monotonic() + 60, None
    while time.monotonic() < end:
        answer = httpx.get(address)
        if answer.status_code == 200 and wanted(found := answer.json()):
            return found
        time.sleep(0.1)
    raise AssertionError(f"it did not come: {found}")


def inspected(desk: Desk, subject: str, on: str, points: int) -> dict[str, Any]:
    data = {
        "occurred_on": on,
        "kind": "routine",
        "mode": "on_site",
        "regime": "fhrs",
        "component_scores": [{"component": name, "points": points} for name in NAMES],
        "officers": [OFFICER],
    }
    made = signed(event("inspection.recorded", subject, data), desk.key)
    assert desk.post(made).status_code == 201
    return made["event"]


def mended(desk: Desk, kind: str, subject: str, entry: dict[str, Any], **more: Any) -> None:
    data = {"occurred_on": "2026-01-06", "entry": {"source": entry["source"], "id": entry["id"]}, "ground": "wrong_content"}
    data |= {"origin": "self_reported", "reason": "a slip", **more}
    answer = desk.post(signed(event(kind, subject, data), desk.key))
    assert answer.status_code == 201, answer.text


def grade(found: dict[str, Any]) -> str | None:
    return next((one["grade"] for one in found["grades"] if one["regime"] == "fhrs"), None)


def test_a_retracted_inspection_gives_back_the_rating_before_it(desk: Desk) -> None:
    subject = "fhrs:8001"
    registered = {"occurred_on": "2020-01-01", "name": "Made-up Café", "business_kind": "restaurant", "regimes": ["fhrs"]}
    first = signed(event("enterprise.registered", subject, registered), desk.key)
    assert desk.post(first).status_code == 201
    inspected(desk, subject, "2025-05-05", 5)
    wrong = inspected(desk, subject, "2026-01-05", 20)
    shown(desk, subject, lambda found: grade(found) == "0")
    mended(desk, "entry.retracted", subject, wrong)
    found = shown(desk, subject, lambda found: grade(found) == "5")
    page = httpx.get(f"{desk.stack.ports.url('publication')}/subjects/{subject}?lang=en").text
    assert wrong["id"] in page, "history keeps it"
    assert page.count("Said of this later:") == 1 and "Entry retracted" in page.partition("Said of this later:")[2][:300]
    assert found["name"] == "Made-up Café"


def test_a_corrected_registration_shows_the_right_name(desk: Desk) -> None:
    subject = "fhrs:8002"
    registered = {"occurred_on": "2020-01-01", "name": "Wrong Name", "business_kind": "restaurant", "regimes": ["fhrs"]}
    made = signed(event("enterprise.registered", subject, registered), desk.key)
    assert desk.post(made).status_code == 201
    shown(desk, subject, lambda found: found["name"] == "Wrong Name")
    right = {"type": "mingjian.enterprise.registered.v1", "data": registered | {"name": "Right Name"}}
    mended(desk, "entry.corrected", subject, made["event"], replacement=right)
    shown(desk, subject, lambda found: found["name"] == "Right Name")


def test_what_names_an_entry_that_is_not_there_is_refused(desk: Desk) -> None:
    data = {
        "occurred_on": "2026-01-06",
        "entry": {"source": OFFICE, "id": "019ce0a1-6700-7b79-8851-c9e49e43487c"},
    }
    data |= {"ground": "wrong_content", "origin": "self_reported", "reason": "a slip"}
    answer = desk.post(signed(event("entry.retracted", "fhrs:8002", data), desk.key))
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (422, "counterpart-missing")
