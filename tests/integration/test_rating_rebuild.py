"""Another version of the live rating on a real broker: it tells nothing twice, corrects what turns out otherwise, and is done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from deploy.local.topics import ensure_topics
from schemas import topics
from services.audit.grades_check import check_grades
from services.audit.regrading import Source
from services.rating.domain.fold import Book
from tests.cases.ledger import book
from tests.integration.rating_live import Live, activation
from tests.integration.test_rating_live import evaluation, premises, town
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

# Code of another version that has lost the worst rule about scores; the rulebook is as activated. Found by every Python on this path.
FORGETFUL = """
from services.rating.domain.fold import Book
whole = Book.of
def forgetful(rulebook):
    one = whole(rulebook)
    kept = tuple(rule for rule in rulebook.rules if rule.id != "c_score")
    return Book(rulebook.model_copy(update={"rules": kept}), one.sha256, one.zone)
Book.of = staticmethod(forgetful)
"""


@pytest.fixture
def live() -> Iterator[Live]:
    """Servers with facts that the first version has rated: a town, its evaluation, and what came after it."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        one = Live(stack)
        for regime in ("fhrs", "liyujiang"):
            one.broadcast(activation(book(regime)))
        one.send(premises(1_000, 60) + town(1, 120))
        one.broadcast(evaluation())
        one.send(town(500, 30))
        one.raw(b"fhrs:1", b"no envelope")
        stack.start("rating")
        one.wait_worked_off()
        yield one


def become(live: Live, version: int, **env: str) -> dict:
    """Start another version; returns its status when it has worked off everything."""
    ensure_topics(live.stack.bootstrap, "wall", topics=topics.changelog_topics(version))
    live.stack.stop_one("rating")
    for name in ("PYTHONPATH", "MINGJIAN_RATING_VERSION"):
        live.stack._extra_env.pop(name, None)
    live.stack._extra_env |= {"MINGJIAN_RATING_VERSION": str(version), **env}
    live.stack.begin(["rating"])
    time.sleep(4.0)
    # Wherever it is by now: it begins again.
    live.stack.kill("rating")
    live.stack.start("rating")
    status = live.wait_worked_off()
    live.until(lambda one: (now := one.status()) and now["rebuilding"] == [])
    assert status["app"] == f"mingjian-rating-v{version}"
    return status


HONEST = {regime: book(regime) for regime in ("fhrs", "liyujiang")}
_KEPT = tuple(one for one in HONEST["liyujiang"].rulebook.rules if one.id != "c_score")
FORGOTTEN = replace(HONEST["liyujiang"], rulebook=HONEST["liyujiang"].rulebook.model_copy(update={"rules": _KEPT}))


def faults_by(live: Live, books: dict[str, Book]) -> set[str]:
    """What the audit service's run over all grades finds, with the rulebooks of its code."""
    found = check_grades(Source(live.stack.bootstrap), books, cores=2, progress=lambda done, total: None)
    assert found.compared == len(live.read(topics.GRADES)) and not found.pending and not found.untold
    return {one.code for one in found.faults}


def test_another_version_tells_nothing_twice_and_corrects_what_turns_out_otherwise(live: Live, tmp_path: Path) -> None:
    whole, junk = live.read(topics.GRADES), live.read(topics.QUARANTINE)
    assert live.expected() == live.grades() and junk
    become(live, 2)
    assert (whole, junk) == (live.read(topics.GRADES), live.read(topics.QUARANTINE))
    assert faults_by(live, HONEST) == set()
    (tmp_path / "sitecustomize.py").write_text(FORGETFUL)
    forgetful = {"PYTHONPATH": os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))}
    become(live, 3, **forgetful)
    came = [orjson.loads(one.value)["event"] for one in live.read(topics.GRADES)]
    corrected = [one for one in came if one["data"].get("rebuilt_by")]
    assert len(live.read(topics.GRADES)) == len(whole) + len(corrected) > len(whole)
    assert {("mingjian-rating-v3", "mingjian.grade.corrected.v1")} == {(one["data"]["rebuilt_by"], one["type"]) for one in corrected}
    scored = {f"uscc:{number:018d}" for number in (*range(1, 121), *range(500, 530))}
    assert {one["subject"] for one in corrected} <= scored and {"C"} == {one["data"]["previous_grade"] for one in corrected}
    assert all(one["data"]["corrected_to"] is None and one["data"]["in_force_from"] == "2026-01-15" for one in corrected)
    # Audit, with that code, finds nothing in what the version before told; with the other code it finds what was told wrongly.
    assert faults_by(live, {**HONEST, "liyujiang": FORGOTTEN}) == set()
    assert faults_by(live, HONEST) == {"grade_invented"}
    after = live.read(topics.GRADES)
    become(live, 4, **forgetful)
    assert after == live.read(topics.GRADES)
    live.send(premises(3_000, 20))
    live.wait_worked_off()
    assert len(live.read(topics.GRADES)) == len(after) + 20
    assert {orjson.loads(one.value)["event"]["data"].get("rebuilt_by") for one in live.read(topics.GRADES)} == {None, "mingjian-rating-v3"}
