"""The late entries that the audit service's rule finds in the sample town are exactly those that were planted.

Two readings of 五(三) ¶1 that share no code but the calendar's table: the town's own, and the audit service's."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from schemas.rulebook import load_rulebook
from services._cli.sample.acts import ZONE, instant
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import Plan, Town, generate
from services.audit.domain.late import EntryRule, Outage, fact_of, judge
from services.audit.domain.workdays import WorkCalendar, YearTable

UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)
# Ten seeds; then a town that ends in the first days of a year, and one that ends right after a Spring Festival.
CASES = [
    *((seed, UNTIL) for seed in range(1, 11)),
    (11, datetime(2025, 1, 3, 9, tzinfo=ZONE)),
    (12, datetime(2026, 2, 26, 18, tzinfo=ZONE)),
]


def town_of(repository: Path, seed: int, until: datetime, *, enterprises: int = 60) -> Town:
    tables = calendar_tables(repository / "rulebooks", until.year - 4, until.year)
    return generate(Plan(seed=seed, enterprises=enterprises, years=3, until=until, tables=tables))


def found_by_audit(repository: Path, town: Town) -> dict[str, dict[str, object]]:
    rule = EntryRule.of(load_rulebook(repository / "rulebooks" / "liyujiang"))
    assert rule is not None
    calendar, go_live, outages = WorkCalendar(), None, []
    for sent in bootstrap(town.plan, source="/departments/yangli/offices/bureau", rulebooks=()):
        data = sent.event["data"]
        if sent.event["type"] == "mingjian.calendar.issued.v1":
            calendar = calendar.issue(YearTable.of(data))
        if sent.event["type"] == "mingjian.go_live.declared.v1":
            go_live = date.fromisoformat(data["occurred_on"])
        if sent.event["type"] == "mingjian.outage.declared.v1":
            outages.append(Outage(data["started"], data["ended"], sent.event["subject"].removeprefix("office:")))
    found = {}
    for sent in town.sent:
        fact = fact_of(sent.event, {"received_at": instant(sent.received), "channel": sent.channel})
        verdict = fact and judge(fact, rule=rule, calendar=calendar, go_live=go_live, outages=outages)
        if verdict and verdict.late:
            found[sent.event["id"]] = {
                "day_zero": verdict.day_zero.isoformat(),
                "deadline": verdict.deadline.isoformat(),
                "entered_on": verdict.entered_on.isoformat(),
                "working_days_late": verdict.working_days_late,
                "calendar_days_late": verdict.calendar_days_late,
                "signed_in_time": verdict.signed_in_time,
                "outage": verdict.outage,
                "provisional": verdict.provisional,
            }
    return found


@pytest.mark.parametrize(("seed", "until"), CASES)
def test_the_late_entries_found_are_exactly_those_planted(repository: Path, seed: int, until: datetime) -> None:
    town = town_of(repository, seed, until)
    found = found_by_audit(repository, town)
    planted = {one["id"]: {name: one[name] for name in next(iter(found.values()))} for one in town.planted}
    assert planted == found
    assert len(planted) > 20


def test_each_edge_of_the_calendar_has_an_entry_in_time_and_one_late(repository: Path) -> None:
    town = town_of(repository, 1, UNTIL)
    late = Counter(one["why"].partition(":")[0] for one in town.planted)
    in_time = Counter(one["why"].partition(":")[0] for one in town.lookalikes)
    for edge in ("before a festival", "deadline on a make-up day", "a make-up day within the term", "before a year's end"):
        assert late[edge] >= 2, edge
        assert in_time[edge] >= 2, edge


def test_nothing_from_the_archive_or_from_before_go_live_is_planted(repository: Path) -> None:
    town = town_of(repository, 1, UNTIL)
    words = Counter(one["why"] for one in town.lookalikes)
    assert words["from the paper archive"] > 0
    assert words["from before go-live, entered weeks later"] > 0
    assert all(date.fromisoformat(one["day_zero"]) >= town.plan.go_live for one in town.planted)


def test_an_outage_and_offline_work_are_marked_on_what_was_planted(repository: Path) -> None:
    marks = Counter()
    for seed in range(1, 11):
        for one in town_of(repository, seed, UNTIL).planted:
            marks.update(name for name in ("outage", "signed_in_time") if one[name])
    assert marks["signed_in_time"] >= 10
    assert marks["outage"] >= 1
