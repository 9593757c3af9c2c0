"""The sample town shows every grade: rating's own fold gives nearly every enterprise what the town was asked to show."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from services._cli.sample.acts import ZONE
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.load import active_rulebooks, approved, in_order
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import Plan, Town
from services.rating.domain import emit
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, Fact, compact
from services.rating.domain.fold import Told, decide
from services.rating.domain.subject import Subject
from tests.cases.ledger import book

pytestmark = pytest.mark.sweep

UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)


def town_of(repository: Path, seed: int, enterprises: int = 100, years: int = 3) -> Town:
    tables = calendar_tables(repository / "rulebooks", 2022, 2026)
    return approved(Plan(seed=seed, enterprises=enterprises, years=years, until=UNTIL, tables=tables), repository / "rulebooks")


def told_by_rating(repository: Path, town: Town) -> dict[str, list[Told]]:
    """Every subject's grade events, as if the town's facts stood in one partition."""
    rulebooks = active_rulebooks(repository / "rulebooks", town.plan.first)
    control = bootstrap(town.plan, source="/departments/yangli/offices/bureau", rulebooks=rulebooks)
    books = {"liyujiang": book("liyujiang")}
    facts: dict[str, list[Fact]] = {}
    controls = Controls()
    for offset, sent in enumerate(in_order(control, town)):
        known = int(sent.received.timestamp() * 1000)
        fact = compact(sent.event, {}, partition=0, offset=offset, known=known, stamp=known)
        if fact is None:
            continue
        if fact.name in CONTROLS:
            controls.apply(fact)
        else:
            facts.setdefault(sent.event["subject"], []).append(fact)
    found: dict[str, list[Told]] = {}
    for subject, own in facts.items():
        state = Subject(subject, 0)
        found[subject] = []
        for step in sorted((*own, *controls.facts), key=lambda one: one.offset):
            found[subject] += [one for one in decide(state, controls, books, step) if one.event["type"] == emit.TYPE]
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_town_shows_what_it_was_asked_to_show(repository: Path, seed: int) -> None:
    town = town_of(repository, seed)
    told = told_by_rating(repository, town)
    last = {subject: events[-1].event["data"] for subject, events in told.items() if events}
    wanted = {one.subject: one.final for one in town.enterprises}
    shown = {subject: data["grade"] or data["status"] for subject, data in last.items()}
    differing = {subject: (wanted[subject], shown.get(subject)) for subject in wanted if shown.get(subject) != wanted[subject]}
    graded = {subject: pair for subject, pair in differing.items() if pair[0] in "ABCDE"}
    assert len(graded) <= 5, Counter(graded.values())
    counts = Counter(shown.values())
    assert all(counts[grade] >= least for grade, least in {"A": 9, "B": 35, "C": 14, "D": 7, "E": 3}.items()), counts
    assert counts["closed"] >= 1


def test_grades_rise_and_fall_over_the_years(repository: Path) -> None:
    told = told_by_rating(repository, town_of(repository, 1))
    moves = Counter()
    for events in told.values():
        letters = [one.event["data"]["grade"] for one in events if one.event["data"]["grade"]]
        moves.update("down" if after > before else "up" for before, after in zip(letters, letters[1:], strict=False) if after != before)
    assert moves["up"] > 20 and moves["down"] > 20


@pytest.mark.parametrize(("seed", "enterprises", "years"), [(1, 100, 3), (5, 40, 2), (6, 12, 1), (7, 7, 1)])
def test_the_story_s_enterprise_stood_better_until_the_fine_was_entered(repository: Path, seed: int, enterprises: int, years: int) -> None:
    town = town_of(repository, seed, enterprises, years)
    story = next(one for one in town.planted if one["why"].startswith("the story"))
    events = told_by_rating(repository, town)[story["subject"]]
    caused = next(one for one in events if story["id"] in {fact["id"] for fact in one.event["data"]["decisive_events"]})
    assert caused is events[-1], "what is told is why it stands where it stands"
    assert caused.event["data"]["grade"] in ("D", "E")
    before = caused.event["data"]["previous_grade"]
    assert before in ("A", "B", "C") or (before is None and years == 1)
