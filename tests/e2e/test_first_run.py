"""The first run: one command from nothing to a town with grades, lists, a verified log, and exactly the late entries planted."""

from __future__ import annotations

import json
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.readme import README, first_run, shape
from tests.e2e.terminal import Staying, Terminal, terminal

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

LAST_LINE = r"Ctrl-C stops"
SMALL = ("--enterprises", "40", "--years", "2", "--seed", "5")


@pytest.fixture(scope="module")
def at() -> Iterator[Terminal]:
    with terminal() as one:
        yield one


@pytest.fixture(scope="module")
def town(at: Terminal) -> Iterator[Staying]:
    """The small town, up."""
    with at.staying("mingjian", "up", "--sample", *SMALL) as running:
        running.wait_for(LAST_LINE, 300)
        yield running


def planted(at: Terminal) -> dict[str, dict[str, object]]:
    found = json.loads((at.home / "sample" / "planted.json").read_text())
    return {one["id"]: one for one in found["late"]}


def test_the_steps_and_where_to_look_are_said_in_plain_lines(town: Staying) -> None:
    for step in ("[1/5]", "[2/5]", "[3/5]", "[4/5]", "[5/5]"):
        assert step in town.text
    assert "SAMPLE DATA: a made-up town" in town.text
    assert "verified ✓" in town.text
    assert "\x1b[" not in town.text


def test_the_readme_shows_what_a_first_run_says(town: Staying) -> None:
    assert shape(first_run(README.read_text(encoding="utf-8"))) == shape(town.text)


def test_every_grade_is_shown_on_the_portal(at: Terminal, town: Staying) -> None:
    with httpx.Client(base_url=at.ports.url("publication")) as http:
        rows = http.get("/api/v1/grades.csv", params={"regime": "liyujiang"}).text.splitlines()[1:]
        page = http.get("/")
    grades = Counter(row.split(",")[1] for row in rows)
    assert len(rows) == 40
    assert set("ABCDE") <= set(grades)
    assert page.status_code == 200 and "样例" in page.text


def test_the_late_entries_found_are_exactly_those_planted(at: Terminal, town: Staying) -> None:
    lines = at.mingjian("findings", "--kind", "late_entry", "--json").splitlines()
    found = {one["event"]["data"]["event"]["id"]: one["event"]["data"]["late"] for one in map(json.loads, lines)}
    names = next(iter(found.values())).keys() if found else ()
    assert {id: {name: one[name] for name in names} for id, one in planted(at).items()} == found
    assert len(found) == len(lines) > 10


def test_status_says_where_everything_is(at: Terminal, town: Staying) -> None:
    until = time.monotonic() + 120
    while (told := json.loads(at.mingjian("status", "--json")))["lag"] and time.monotonic() < until:
        time.sleep(1)
    assert told["ready"] is True and told["lag"] == 0
    assert told["endpoints"] == {name: at.ports.url(name) for name in ("intake", "publication", "audit")}
    assert told["log"]["dir"] == str(at.home / "log") and told["log"]["vkey"]


def test_the_log_verifies_from_the_command_line(at: Terminal, town: Staying) -> None:
    assert "root" in at.mingjian("verify")


def test_every_grade_is_what_the_facts_lead_to(at: Terminal, town: Staying) -> None:
    said = json.loads(at.mingjian("verify", "--grades", "--json"))
    assert said["verified"] and said["grades"]["compared"] == said["grades"]["events"] > 100
    until = time.monotonic() + 120
    while (night := json.loads(at.mingjian("status", "--json"))["grades"])["last"] is None or night["due"]:
        assert time.monotonic() < until, night
        time.sleep(1)
    assert (night["last"]["differences"], night["last"]["copies_missing"]) == (0, 0)


def test_the_night_finds_nothing_else(at: Terminal, town: Staying) -> None:
    kinds = Counter(json.loads(line)["event"]["data"]["kind"] for line in at.mingjian("findings", "--json").splitlines())
    assert set(kinds) == {"late_entry"}, kinds


def test_a_grade_is_explained_with_its_clauses_and_facts(at: Terminal, town: Staying) -> None:
    story = next(one for one in planted(at).values() if str(one["why"]).startswith("the story"))
    words = at.mingjian("explain", str(story["subject"]))
    assert "三(二)" in words and str(story["id"]) in words


def test_the_auditor_s_address_works_once(at: Terminal, town: Staying) -> None:
    # The one that `up` showed may have run out by now.
    assert re.search(r"http://\S+/enter\?once=\S+", town.text)
    [address] = re.findall(r"http://\S+/enter\?once=\S+", at.mingjian("enter"))
    with httpx.Client(follow_redirects=True) as http:
        assert http.get(address).status_code == 200
    with httpx.Client(follow_redirects=True) as http:
        assert http.get(address).status_code == 403


def test_the_start_page_s_button_changes_a_grade_on_a_first_run_too(at: Terminal, town: Staying) -> None:
    with httpx.Client(base_url=at.ports.url("publication")) as http:
        assert 'action="/sample/inspection' in http.get("/").text
        before = http.get("/status").json()["seq"]["head"]
        same = {"origin": at.ports.url("publication"), "accept": "application/json"}
        pressed = http.post("/sample/inspection", headers=same)
        assert pressed.status_code == 202, pressed.text
        end = time.monotonic() + 30
        while http.get("/status").json()["seq"]["head"] == before:
            assert time.monotonic() < end, "no grade changed"
            time.sleep(0.1)


def test_a_second_up_on_the_same_home_is_refused_in_a_sentence(at: Terminal, town: Staying) -> None:
    done = at.run("mingjian", "up", "--sample")
    assert done.returncode == 2
    assert "already running" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_town_is_brought_into_an_empty_sample_stack_once() -> None:
    with terminal() as other:
        assert other.run("mingjian", "init").returncode == 0
        real = other.run("mingjian", "up", "--sample")
        assert real.returncode == 2 and "holds a stack of its own" in real.stderr
        other.mingjian("reset", "--yes")
        other.mingjian("init", "--sample")
        with other.staying("mingjian", "up", "--no-sample") as running:
            running.wait_for(LAST_LINE, 300)
            assert "no sample town yet" in running.text
            assert "SAMPLE DATA" in other.mingjian("sample", "--enterprises", "7", "--years", "1")
            again = other.run("mingjian", "sample")
            assert again.returncode == 2 and "has had its town" in again.stderr


def test_ctrl_c_while_the_town_is_loaded_ends_in_a_line_and_leaves_half_a_town_that_is_known_as_such() -> None:
    with terminal() as other, other.staying("mingjian", "up", "--sample") as running:
        running.wait_for(r"\[5/5\] sample town [\d,]+ /", 300)
        assert running.interrupt(signal.SIGINT, 120) == 0
        assert running.lines[-1] == "stopped; the data stays"
        assert "Traceback" not in running.text and "gave no receipt" not in running.text and "doesn't answer" not in running.text
        assert json.loads((other.home / "sample" / "order.json").read_text())["done"] is False


def test_after_ctrl_c_it_stops_cleanly_and_comes_again_quickly_with_the_same_answers(at: Terminal, town: Staying) -> None:
    """Last in this file: it stops the town that the others look at."""
    with httpx.Client(base_url=at.ports.url("publication")) as http:
        before = http.get("/api/v1/grades.csv", params={"regime": "liyujiang"}).text
    assert town.interrupt(signal.SIGINT, 60) == 0
    assert at.run("mingjian", "status").returncode == 3
    began = time.monotonic()
    with at.staying("mingjian", "up", "--sample") as again:
        again.wait_for(LAST_LINE, 300)
        # How quickly depends on the machine; the time is for the reader of the output.
        print(f"again after {time.monotonic() - began:.1f} s")
        assert "already in" in again.text
        with httpx.Client(base_url=at.ports.url("publication")) as http:
            assert http.get("/api/v1/grades.csv", params={"regime": "liyujiang"}).text == before
        assert again.interrupt(signal.SIGTERM, 60) == 0
