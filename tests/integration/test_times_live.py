"""As of a day, as known at an instant, on the real stack: a late fact and a retraction enter by intake, and no earlier answer moves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from schemas.times import instant, milliseconds
from tests.integration.intake_desk import OFFICER, Desk, event, signed
from tests.integration.test_effects_live import NAMES, grade, shown
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack
SUBJECT = "fhrs:8101"
TODAY = datetime.now(UTC).date()


@dataclass
class Life:
    """What was entered, with the instant from which each was known (from intake's receipts), and the answers of the time between."""

    desk: Desk
    known: dict[str, str]
    events: dict[str, dict[str, Any]]

    def get(self, path: str = "", *, subject: str = SUBJECT, **query: str) -> httpx.Response:
        """From publication."""
        return httpx.get(f"{self.desk.stack.ports.url('publication')}/api/v1/subjects/{subject}{path}", params=query, timeout=10)

    def held(self, **query: str) -> str | None:
        """The grade of the answer, or why there is none."""
        answer = self.get("/grades", **query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return body["grades"][0]["grade"] if body["grades"] else body["unanswered"][0]["reason"]


def enter(life: Life, name: str, kind: str, data: dict[str, Any]) -> None:
    made = signed(event(kind, SUBJECT, data), life.desk.key)
    answer = life.desk.post(made)
    assert answer.status_code == 201, answer.text
    life.known[name] = answer.json()["receipt"]["known_from"]
    life.events[name] = made["event"]


def inspection(on: date, points: int) -> dict[str, Any]:
    scores = [{"component": name, "points": points} for name in NAMES]
    return {
        "occurred_on": on.isoformat(),
        "kind": "routine",
        "mode": "on_site",
        "regime": "fhrs",
        "component_scores": scores,
        "officers": [OFFICER],
    }


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    """5 points of an old inspection; then 20 of a late one; then that one is retracted."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        desk = Desk.of(stack)
        stack.start_services(["rating", "publication"])
        desk.activate("fhrs")
        made = Life(desk, {}, {})
        registered = {"occurred_on": "2020-01-01", "name": "Made-up Café", "business_kind": "restaurant", "regimes": ["fhrs"]}
        enter(made, "registered", "enterprise.registered", registered)
        enter(made, "first", "inspection.recorded", inspection(TODAY - timedelta(days=300), 5))
        shown(desk, SUBJECT, lambda found: grade(found) == "5")
        enter(made, "late", "inspection.recorded", inspection(TODAY - timedelta(days=20), 20))
        shown(desk, SUBJECT, lambda found: grade(found) == "0")
        entry = {"source": made.events["late"]["source"], "id": made.events["late"]["id"]}
        data = {"occurred_on": TODAY.isoformat(), "entry": entry, "ground": "wrong_content", "origin": "self_reported", "reason": "a slip"}
        enter(made, "retracted", "entry.retracted", data)
        shown(desk, SUBJECT, lambda found: grade(found) == "5")
        yield made


def before(instant_text: str) -> str:
    return instant(milliseconds(instant_text) - 1)


def test_each_instant_has_the_answer_that_was_known_then(life: Life) -> None:
    for at, wanted in (("first", "5"), ("late", "0"), ("retracted", "5")):
        assert life.held(known_at=life.known[at]) == wanted
    assert life.held(known_at=before(life.known["late"])) == "5"
    assert life.held(known_at=before(life.known["retracted"])) == "0"
    assert life.held() == "5"


def test_an_instant_before_anything_was_known_has_no_answer_and_says_so(life: Life) -> None:
    assert life.held(known_at=before(life.known["registered"])) in ("before-first-record", "not-known-yet")
    assert life.held(known_at="2020-01-01T00:00:00Z") == "before-first-record"
    body = life.get("/grades", known_at="2020-01-01T00:00:00Z").json()
    assert body["grades"] == [] and body["unanswered"][0]["detail_zh"] and body["known_at"] == "2020-01-01T00:00:00.000Z"


def test_an_answer_names_both_times_what_decides_and_for_how_long_it_holds(life: Life) -> None:
    at = life.known["late"]
    body = life.get("/grades", as_of=TODAY.isoformat(), known_at=at).json()
    (one,) = body["grades"]
    assert (body["as_of"], body["known_at"], one["in_force_from"], one["in_force_until"]) == (
        TODAY.isoformat(),
        at,
        (TODAY - timedelta(days=20)).isoformat(),
        None,
    )
    entered = life.events["late"]
    assert {name: one["cause"][name] for name in ("source", "id", "type", "known_from")} == {
        "source": entered["source"],
        "id": entered["id"],
        "type": entered["type"],
        "known_from": at,
    }
    assert one["cause"]["topic"] == "mingjian.facts.v1" and one["decided_by"]["source"] == "/services/rating"
    assert one["data"]["reasons"] and one["data"]["cause"]["offset"] == one["cause"]["offset"]


def test_a_day_before_the_first_entry_is_told_and_marked(life: Life) -> None:
    """What an import says of old days holds as it says; later entries do not mend it (ADR 0015)."""
    one = life.get("/grades", as_of=(TODAY - timedelta(days=100)).isoformat()).json()["grades"][0]
    assert (one["grade"], one["retrospective"]) == ("5", True)
    assert life.held(as_of="2019-12-31") == "no-grade-on-day"


def test_two_instants_are_compared_and_what_made_the_difference_is_named(life: Life) -> None:
    found = life.get("/grades/history/compare", known_at=before(life.known["retracted"])).json()["differences"]
    assert {one["cause"]["id"] for one in found} == {life.events["retracted"]["id"]}
    assert all(one["cause"]["type"] == "mingjian.entry.retracted.v1" for one in found)
    (today,) = [one for one in found if one["first"] <= TODAY.isoformat() and (one["last"] or "9") >= TODAY.isoformat()]
    assert (today["was"]["grade"], today["now"]["grade"], today["kind"]) == ("0", "5", "corrected")
    same = life.get("/grades/history/compare", known_at=life.known["late"], compared_to=before(life.known["retracted"]))
    assert same.json()["differences"] == []


def test_a_history_is_laid_out_as_known_then(life: Life) -> None:
    def grades(at: str) -> list[str | None]:
        (regime,) = life.get("/grades/history", known_at=at).json()["regimes"]
        assert regime["recorded_from"] == milliseconds_day(life.known["registered"])
        return [one["grade"] for one in regime["spans"] if one["status"] == "graded"]

    assert grades(before(life.known["late"])) == ["5"]
    assert grades(life.known["late"]) == ["5", "0"]
    assert grades(life.known["retracted"])[-1] == "5"


def milliseconds_day(text: str) -> str:
    """The day in the zone of the regime's rulebook, which is London's."""
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).astimezone(ZoneInfo("Europe/London")).date().isoformat()


def test_the_whole_subject_is_shown_as_known_then(life: Life) -> None:
    body = life.get("", known_at=before(life.known["late"])).json()
    ids = [one["event_id"] for one in body["facts"]]
    assert life.events["late"]["id"] not in ids and life.events["first"]["id"] in ids
    assert (body["name"], body["grades"][0]["grade"], body["known_at"]) == ("Made-up Café", "5", before(life.known["late"]))
    assert all(one["data"]["cause"]["known_from"] <= body["known_at"] for one in body["history"])
    assert life.get("", known_at=before(life.known["registered"])).json()["name"] is None


def test_pages_of_grades_and_lists_are_asked_the_same_way(life: Life) -> None:
    base = f"{life.desk.stack.ports.url('publication')}/api/v1"
    for at, wanted in (("first", "5"), ("late", "0")):
        body = httpx.get(f"{base}/grades", params={"regime": "fhrs", "known_at": life.known[at]}).json()
        assert [(one["subject"], one["grade"]) for one in body["items"]] == [(SUBJECT, wanted)] and body["known_at"] == life.known[at]
        assert httpx.get(f"{base}/grades", params={"grade": wanted, "known_at": life.known[at]}).json()["items"] == body["items"]
    early = httpx.get(f"{base}/grades", params={"regime": "fhrs", "known_at": "2020-01-01T00:00:00Z"}).json()
    assert early["items"] == [] and early["unanswered"][0]["reason"] == "before-first-record"


def test_what_is_entered_later_changes_no_byte_of_an_earlier_answer(life: Life) -> None:
    asked = [
        ("/grades", {"known_at": life.known["late"]}),
        ("/grades", {"as_of": TODAY.isoformat(), "known_at": life.known["retracted"]}),
        ("/grades/history", {"known_at": life.known["late"]}),
        ("/grades/history/compare", {"known_at": life.known["first"], "compared_to": life.known["retracted"]}),
        ("", {"known_at": life.known["late"]}),
    ]
    first = [life.get(path, **query) for path, query in asked]
    enter(life, "more", "inspection.recorded", inspection(TODAY - timedelta(days=1), 15))
    shown(life.desk, SUBJECT, lambda found: grade(found) not in ("5", "0"))
    again = [life.get(path, **query) for path, query in asked]
    assert [one.content for one in again] == [one.content for one in first]
    for (path, query), one in zip(asked, again, strict=True):
        headers = {"if-none-match": one.headers["etag"]}
        kept = httpx.get(str(one.url), headers=headers)
        assert (kept.status_code, kept.content) == (304, b""), (path, query)
        assert one.headers["cache-control"] == "public, max-age=86400"
    assert life.get("/grades").headers["cache-control"] == "public, max-age=0, must-revalidate"


def test_a_rebuilt_projection_gives_the_same_bytes(life: Life) -> None:
    query = {"known_at": life.known["late"]}
    before_it = life.get("/grades/history", **query)
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
    env |= {"MINGJIAN_PORT_BASE": str(life.desk.stack.ports.base)}
    command = [sys.executable, "-m", "services._cli.main", "--home", str(life.desk.stack.home), "projection", "rebuild"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert life.get("/grades/history", **query).content == before_it.content


def cli(life: Life, *arguments: str, code: int = 0) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
    env |= {"MINGJIAN_PORT_BASE": str(life.desk.stack.ports.base), "MINGJIAN_LANG": "en"}
    command = [sys.executable, "-m", "services._cli.main", "--home", str(life.desk.stack.home), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_command_line_asks_by_both_times(life: Life) -> None:
    told = cli(life, "explain", SUBJECT, "--as-of", TODAY.isoformat(), "--known-at", life.known["late"])
    assert f"as of {TODAY}" in told and life.known["late"] in told and "fhrs: 0" in told
    body = json.loads(cli(life, "explain", SUBJECT, "--known-at", life.known["late"], "--json"))
    assert body == life.get("/grades", known_at=life.known["late"]).json()
    table = cli(life, "history", SUBJECT, "--known-at", life.known["late"])
    assert life.known["late"] in table and "inspection.recorded" in table
    assert "entry.retracted" in cli(life, "history", SUBJECT)
    assert "still to come" in cli(life, "explain", SUBJECT, "--as-of", "2199-01-01", code=1)
