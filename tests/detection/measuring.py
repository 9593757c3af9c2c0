"""Towns through all detectors: how much of what was sown is found, and who is accused for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from schemas.events import CATALOGUE
from schemas.rulebook import load_all_editions
from schemas.topics import FACTS, REGISTRY
from services._cli.sample.falsify.ground import Choice
from services.audit.domain.derived_entries import derived_types
from services.audit.domain.detectors.all import every
from services.audit.domain.detectors.model import Detector
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule
from services.audit.domain.registry import Registry
from services.audit.domain.replay import Book, books_of
from services.audit.domain.signs import SCAN, At
from services.audit.handlers import Detectors
from services.audit.reading import opened
from services.audit.scanning import derived_entries, scan
from tests.detection.truth import Answer, Tally, Wrong, standing, tally
from tests.detection.world import RULEBOOKS, World, books, town_of
from tests.unit.audit.fake_work import MemoryStore

LATE = "late_entry"
# Which detector is for which kind of what the generator sows. They share no word but here.
ANSWERS: Mapping[str, Answer] = {
    LATE: Answer(LATE),
    "entry_before_act": Answer("entry_before_act"),
    "number_out_of_order": Answer("numbers_out_of_order"),
    "same_number": Answer("same_number"),
    "entered_twice": Answer("entered_twice"),
    "contradiction": Answer("contradiction"),
    "sum_wrong": Answer("deductions_wrong"),
    "two_finals": Answer("two_final_scores"),
    "two_places": Answer("two_places"),
    "backdated_correction": Answer("backdated_correction"),
    "missing_here": Answer("not_entered", "number"),
    "told_without_visit": Answer("no_visit"),
    "determined_untrue": Answer("entry_untrue"),
    "authority_invalid": Answer("key_not_valid"),
    "approval_open": Answer("approval_open", "subject"),
    "silent_office": Answer("office_silent", "office", exact=False),
    "copied_findings": Answer("copied_findings", exact=False),
    "heaped_scores": Answer("heaped_scores", "officer", exact=False),
    "burst_before_evaluation": Answer("burst_before_evaluation", "officer", exact=False),
}


@dataclass(frozen=True)
class Size:
    """How large a town is."""

    enterprises: int = 40
    years: int = 2


@dataclass
class Measured:
    """Of one town or several. ``wrong``: what to look at; ``scans``: how many scans are on record."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)
    entries: int = 0
    scans: int = 0

    def add(self, other: Measured) -> None:
        for kind, one in other.tallies.items():
            self.tallies[kind] = self.tallies.get(kind, Tally()) + one
        self.wrong += other.wrong
        self.entries += other.entries
        self.scans += other.scans


def detectors() -> list[Detector]:
    """Fresh ones, as the nightly run makes them."""
    return every({regime: [book] for regime, book in books().items()})


@lru_cache
def rated() -> Mapping[str, Book]:
    """What rating's fold needs of the rulebooks, by digest or regime as it has them."""
    return books_of(load_all_editions(RULEBOOKS))


def measure(seed: int, choice: Choice, size: Size) -> Measured:
    """One town."""
    town = town_of(seed, size.enterprises, size.years, choice)
    world = World(town).finish()
    found, scans, entries = scanned(world)
    found += asyncio.run(late(world))
    stand = standing(found)
    have = {one.declared.kind for one in detectors()} | {LATE}
    measured = Measured(entries=entries, scans=scans)
    for kind, answer in ANSWERS.items():
        if answer.detector in have:
            counts, wrong = tally(kind, answer, town.matters, stand)
            measured.tallies[kind] = counts
            measured.wrong += wrong
    return measured


@dataclass
class _InMemory:
    """The records of a world, as a source of ``services.audit.scanning``: all of a partition at once."""

    world: World
    given: set[int] = field(default_factory=set)

    @property
    def total(self) -> int:
        return len(self.world.registry) + sum(map(len, self.world.partitions.values()))

    def registry(self) -> Sequence[Record]:
        return self.world.registry

    def more(self, partitions: Sequence[int]) -> Mapping[int, Sequence[Record]]:
        new = {number: self.world.partitions[number] for number in partitions if number not in self.given}
        self.given |= set(new)
        return new

    def whole(self, partition: int) -> Iterator[Sequence[Record]]:
        yield self.world.partitions[partition]

    def values(self, places: Sequence[At]) -> Mapping[At, bytes | None]:
        topics = {FACTS: self.world.partitions, REGISTRY: {0: self.world.registry}}
        return {one: topics[one.topic][one.partition][one.offset].value for one in places}


def scanned(world: World) -> tuple[list[dict[str, Any]], int, int]:
    """Data of all findings, proved; how many scans ran; how many entries there were."""
    records, fresh = _InMemory(world), detectors()
    types = derived_types({name for one in fresh for name in one.types})
    derived = derived_entries(records, rated(), types) if types else {}
    whole = scan(records, world.genesis, fresh, derived=derived)
    assert whole.odd == {}, f"a detector could not read what intake lets through: {whole.odd}"
    raised = [one for one in whole.found if one.type == TYPE]
    for one in raised:
        CATALOGUE[one.type].model.model_validate_json(orjson.dumps(one.data))
    return [one.data for one in raised], sum(one.type == SCAN for one in whole.found), whole.entries


async def late(world: World) -> list[dict[str, Any]]:
    """What the live detectors find late; of each the matter is its event."""
    registry = Registry(world.genesis)
    for record in world.registry:
        registry.apply(record.offset, opened(record))

    async def up_to(offset: int) -> Registry:
        return registry

    rules = [rule for book in books().values() if (rule := EntryRule.of(book))]
    store = MemoryStore()
    lives = Detectors(rules, up_to, world.genesis["subject"])
    for number, records in world.partitions.items():
        async with store.work() as work:
            await lives.handle({(FACTS, number): records}, work)
    return list(_late(orjson.loads(one.value)["event"]["data"] for one in await store.standing()))


def _late(findings: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for one in findings:
        if one["kind"] == LATE:
            yield {**one, "matter": one.get("matter") or one["event"]["id"]}
