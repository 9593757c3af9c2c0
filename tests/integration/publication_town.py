"""The sample town written straight to Kafka: its facts by the command line's generator, its grades by rating's own fold.

What intake, rating and audit would have written, without running them, so that publication's pages can be tested alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.events import CATALOGUE
from schemas.rulebook import load_rulebook
from schemas.topics import FACTS, PARTITIONS
from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.load import active_rulebooks, approved, in_order
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import Plan, Sent, Town
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, compact
from services.rating.domain.fold import Book, decide
from services.rating.domain.subject import Subject
from tests.integration.publication_feed import Feed, Outgoing, event, genesis, partition_of, value

RULEBOOKS = Path(__file__).resolve().parents[2] / "rulebooks"
BUREAU = "/departments/yangli/offices/bureau"


@dataclass
class Fold:
    """Rating's state of one partition, and the offset of its next record."""

    controls: Controls
    subjects: dict[str, Subject]
    offset: int = 0


def make(*, enterprises: int, until: datetime) -> Town:
    """The town of seed 1 over three years."""
    tables = calendar_tables(RULEBOOKS, until.year - 4, until.year)
    return approved(Plan(seed=1, enterprises=enterprises, years=3, until=until, tables=tables), RULEBOOKS)


def write(feed: Feed, town: Town) -> dict[str, Any]:
    """Fill ``feed`` with the town and send it. Returns the planted story (see ``services._cli.sample``)."""
    rulebooks = active_rulebooks(RULEBOOKS, town.plan.first)
    books = {"liyujiang": Book.of(load_rulebook(RULEBOOKS / "liyujiang"))}
    folds = [Fold(Controls(), {}) for _ in range(PARTITIONS)]
    feed.registry(genesis(sample=True), ms=_ms(datetime(town.plan.first.year, town.plan.first.month, 1, tzinfo=town.plan.until.tzinfo)))
    places: dict[str, tuple[int, int]] = {}
    for sent in in_order(bootstrap(town.plan, source=BUREAU, rulebooks=rulebooks), town):
        for partition in _partitions(feed, sent):
            places[sent.event["id"]] = (partition, folds[partition].offset)
            _fold(feed, folds[partition], partition, sent, books)
    story = next(one for one in town.planted if one["why"].startswith("the story"))
    feed.finding(_finding(story, *places[story["id"]]))
    feed.send()
    return story


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _partitions(feed: Feed, sent: Sent) -> list[int]:
    """Write a fact or control event where intake would, and say to which partitions of facts it went."""
    route = CATALOGUE[sent.event["type"]].route
    ms = _ms(sent.received)
    if route == "facts":
        feed.fact(sent.event, ms=ms)
        return [partition_of(sent.event["subject"])]
    feed.registry(sent.event, ms=ms)
    if route != "broadcast":
        return []
    feed.waiting += [Outgoing(FACTS, partition, b"control", value(sent.event, ms=ms), ms) for partition in range(PARTITIONS)]
    return list(range(PARTITIONS))


def _fold(feed: Feed, fold: Fold, partition: int, sent: Sent, books: dict[str, Book]) -> None:
    ms = _ms(sent.received)
    fact = compact(sent.event, {}, partition=partition, offset=fold.offset, known=ms, stamp=ms)
    fold.offset += 1
    if fact is None:
        return
    if fact.name in CONTROLS:
        fold.controls.apply(fact)
        touched = list(fold.subjects.values())
    else:
        subject = sent.event["subject"]
        touched = [fold.subjects.setdefault(subject, Subject(subject, 0))]
    for state in touched:
        for told in decide(state, fold.controls, books, fact):
            feed.grade(told.event, ms=ms)


def _finding(story: dict[str, Any], partition: int, offset: int) -> dict[str, Any]:
    """The finding that audit would raise about the story."""
    cause = {"topic": FACTS, "partition": partition, "offset": offset, "id": story["id"]}
    names = ("day_zero", "deadline", "entered_on", "working_days_late", "calendar_days_late", "signed_in_time", "outage", "provisional")
    days = story["working_days_late"]
    data = {
        "kind": "late_entry",
        "about": "entry",
        "office": story["source"],
        "clause": "五(三) ¶1",
        "readings": ["R13"],
        "event": cause,
        "event_type": story["type"],
        "late": {name: story[name] for name in names},
        "detail_zh": f"文书于{story['day_zero']}送达，期限为{story['deadline']}，迟了{days}个工作日才录入。",
        "detail_en": f"Served on {story['day_zero']}, due by {story['deadline']}, entered {days} working days after the deadline.",
        "rule_version": "1",
        "cause": cause,
    }
    return event(story["subject"], "finding.raised", data, source="/services/audit")
