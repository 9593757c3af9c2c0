"""Registry, findings and facts → the registry with its hearings, and a year's supervision. Everything comes as an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.envelope import NotAnEnvelope, open_record
from schemas.rulebook import Rulebook
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services.audit.domain.bundle import NoGenesis, genesis_in, is_sample
from services.audit.domain.findings import TYPE as RAISED
from services.audit.domain.found import Findings
from services.audit.domain.hearing_terms import HearingRule
from services.audit.domain.hearings import Hearing
from services.audit.domain.late import EntryRule
from services.audit.domain.registry import Registry, hearings_of
from services.audit.domain.supervision import Name, Supervision, Year, named_in
from services.audit.domain.workdays import WorkCalendar, YearTable
from services.audit.entries import CALENDAR, COUNTRY
from services.audit.reading import opened
from services.audit.supervision.reading import Records

_CONTROL = b"control"


@dataclass(frozen=True)
class Register:
    """The registry read whole. ``genesis``: its first event; ``calendar``: of all schedules issued; ``editions``: by regime the rulebook
    that was activated last, where it is at hand."""

    registry: Registry
    genesis: Mapping[str, Any]
    calendar: WorkCalendar
    editions: Mapping[str, Rulebook]

    @property
    def sample(self) -> bool:
        return is_sample(self.genesis)

    @property
    def through(self) -> date | None:
        """The last closed day."""
        found = max((day for _, day in self.registry.closings), default=None)
        return date.fromisoformat(found) if found else None

    def hearing_rules(self) -> dict[str, HearingRule]:
        """By regime."""
        return {regime: rule for regime, book in self.editions.items() if (rule := HearingRule.of(book))}

    def entry_rules(self) -> dict[str, EntryRule]:
        """By regime."""
        return {regime: rule for regime, book in self.editions.items() if (rule := EntryRule.of(book))}


def register(records: Records) -> Register:
    """Read the registry. Raises ``NoGenesis``, and what the source raises."""
    registry, genesis, calendar = None, None, WorkCalendar()
    for record in records.each(REGISTRY):
        one = opened(record)
        if registry is None or genesis is None:
            genesis = genesis_in({0: record.value}).event
            registry = Registry(genesis)
        registry.apply(record.offset, one)
        if one is not None and one.event["type"] == CALENDAR and one.event["data"].get("country") == COUNTRY and registry.keys.signed(one):
            try:
                calendar = calendar.issue(YearTable.of(one.event["data"]))
            except (KeyError, TypeError, ValueError):
                # Went past intake; audit's detectors name it.
                continue
    if registry is None or genesis is None:
        raise NoGenesis("the registry is empty")
    books = records.editions()
    active = {regime: books[name] for regime, name in registry.rulebooks().items() if name in books}
    return Register(registry, genesis, calendar, active)


def findings(records: Records, zone: str) -> Findings:
    """Read the findings topic."""
    found = Findings(zone)
    for record in records.each(FINDINGS):
        try:
            found.take(open_record(record.value).event)
        except NotAnEnvelope:
            found.unreadable += 1
    return found


def finding(records: Records, id: str) -> Mapping[str, Any] | None:
    """The event of a finding, where the topic has one of this id."""
    for record in records.each(FINDINGS):
        try:
            event = open_record(record.value).event
        except NotAnEnvelope:
            continue
        if event["id"] == id and event["type"] == RAISED:
            return event
    return None


def supervised(records: Records, year: int, known: Register, progress: Callable[[int], None] = lambda done: None) -> Year:
    """The year's supervision. ``progress`` hears of facts."""
    found = findings(records, known.registry.time_zone)
    whole = Supervision(year, known.registry, known.entry_rules(), known.calendar, named_in(known.registry.steps))
    for number, record in enumerate(records.each(FACTS)):
        if record.key != _CONTROL and (one := opened(record)) is not None:
            whole.take(record.partition, one)
        if number % 1_000 == 0:
            progress(number)
    return whole.done(found, hearings_of(known.registry, whole.people), known.through)


def heard(known: Register) -> Mapping[str, Hearing]:
    """The hearings by matter, without regard to who entered the entries."""
    return hearings_of(known.registry)


def people(records: Records, known: Register) -> dict[Name, frozenset[str]]:
    """Who entered or acted in the entries that notices name; reads all facts, where any is named."""
    named = named_in(known.registry.steps)
    whole = Supervision(0, known.registry, {}, known.calendar, named)
    for record in records.each(FACTS) if named else ():
        one = opened(record) if record.key != _CONTROL else None
        if one is not None and (one.event["source"], one.event["id"]) in named:
            whole.take(record.partition, one)
    return whole.people
