"""What was sown is what is found: by the exact detectors all of it and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from services._cli.sample.falsify.ground import CHOICES, Choice
from services.audit.domain.detectors import wording
from tests.detection.intervals import clopper_pearson
from tests.detection.measuring import ANSWERS, Size, measure, scanned
from tests.detection.page import PAGE, page, read
from tests.detection.truth import Answer, tally
from tests.detection.world import World, town_of

SMALL = Size(30, 2)
# One in every run; the others with ``make test-long``, on other seeds than those of the page.
SEEDS = [pytest.param(seed, marks=pytest.mark.sweep if seed < 102 else pytest.mark.long) for seed in range(101, 121)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_exact_detectors_find_what_was_planted_and_accuse_no_look_alike(seed: int) -> None:
    measured = measure(seed, "both", SMALL)
    exact = {kind: one for kind, one in measured.tallies.items() if ANSWERS[kind].exact}
    assert {kind: one.planted for kind, one in exact.items()} == {kind: one.found for kind, one in exact.items()}
    assert [(one.kind, one.what, one.why) for one in measured.wrong if ANSWERS[one.kind].exact] == []
    assert all(one.planted for one in exact.values())


@pytest.mark.sweep
@pytest.mark.timeout(600)
def test_in_a_town_in_which_nothing_was_planted_exact_detectors_find_nothing() -> None:
    measured = measure(103, "lookalikes", SMALL)
    assert [(one.kind, one.what, one.why) for one in measured.wrong if ANSWERS[one.kind].exact] == []


@pytest.mark.sweep
def test_a_falsified_town_is_the_same_every_time_and_says_what_was_sown() -> None:
    one, again = (town_of(5, 20, 2, "both") for _ in range(2))
    assert one == again
    ids = {sent.event["id"] for sent in (*one.sent, *one.past_intake)}
    assert len(ids) == len(one.sent) + len(one.past_intake)
    assert {entry["id"] for matter in one.matters for entry in matter["entries"]} <= ids


@pytest.mark.sweep
@pytest.mark.parametrize("choice", CHOICES)
def test_what_is_sown_is_what_was_asked_for(choice: Choice) -> None:
    sown = {matter["planted"] for matter in town_of(6, 20, 2, choice).matters} - {None}
    assert sown == {"both": {True, False}, "planted": {True}, "lookalikes": {False}, "clean": set()}[choice]


@pytest.mark.sweep
def test_what_a_sown_town_shows_has_names_and_words_in_chinese() -> None:
    """Whatever is seen has a name that people know; what is a word of the contract is said in Chinese."""
    found, _, _ = scanned(World(town_of(601, 25, 2, "both")).finish())
    seen = {(sign["kind"], value["name"], value["value"]) for sign in found for value in sign.get("values") or ()}
    assert len({kind for kind, _, _ in seen}) > 10
    assert set() == {(kind, name) for kind, name, _ in seen if name not in wording.NAMES}
    words = {(name, value) for _, name, value in seen if name in ("lacking", "rule", "result", "outcome", "kinds", "legal_field")}
    unsaid = {(name, value) for name, value in words if any(one.isascii() and one.isalpha() for one in wording.said(name, value)[0])}
    assert words and set() == unsaid


def test_the_generator_knows_nothing_of_the_detectors(repository: Path) -> None:
    """It imports nothing of the audit service and nothing of the tests, at whatever remove within the command line."""
    for path in (repository / "services" / "_cli" / "sample").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in getattr(node, "names", ())]
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert [name for name in names if name.startswith(("services.audit", "tests"))] == [], path


def test_the_page_is_what_the_detectors_declare_and_what_was_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read()), "python -m tests.detection --declared writes it"


def test_an_interval_is_that_of_the_tables() -> None:
    """Values of Clopper and Pearson as published: 0 of 10, 10 of 10, 5 of 10."""
    assert [round(bound, 4) for hits in (0, 10, 5) for bound in clopper_pearson(hits, 10)] == [0.0, 0.3085, 0.6915, 1.0, 0.1871, 0.8129]


def test_what_is_missed_accused_and_stray_is_counted_apart() -> None:
    matters = [
        {"kind": "a", "planted": True, "entries": [{"id": "1"}], "why": "planted and found"},
        {"kind": "a", "planted": True, "entries": [{"id": "2"}], "why": "planted and missed"},
        {"kind": "a", "planted": False, "entries": [{"id": "3"}], "why": "a look-alike"},
        {"kind": "b", "planted": True, "entries": [{"id": "4"}], "why": "of another kind"},
    ]
    findings = [{"kind": "d", "evidence": [{"id": id}], "detail_en": id, "event": None} for id in ("1", "3", "4", "5")]
    counts, wrong = tally("a", Answer("d"), matters, findings)
    assert (counts.planted, counts.found, counts.lookalikes, counts.accused, counts.true, counts.false) == (2, 1, 1, 1, 1, 3)
    assert sorted((one.what, one.why) for one in wrong) == [
        ("accused", "a look-alike"),
        ("missed", "planted and missed"),
        ("stray", "4"),
        ("stray", "5"),
    ]
