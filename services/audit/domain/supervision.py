"""The yearly supervision of how entries are managed: 五(三) ¶2, read as R16. Pure: a fold over registry, findings and facts.

Invariants
1. An entry belongs to the year in which it was received, a finding to that of its matter's first one; what became of it is told as known.
2. An entry is judged as ``domain.late`` judges it, with the registry as of its own stamp and the calendars issued by now.
3. A late entry whose matter was cleared counts as cleared: in no number of late entries, delays or days.
4. Nobody is named by a record that went past intake: what would be late and nobody signed is counted for itself.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from schemas.envelope import Opened
from schemas.ids import scheme_of
from schemas.times import civil_date
from services.audit.domain import regimes
from services.audit.domain.found import FATES, Fate, Findings, Matter, Scan, fate
from services.audit.domain.hearings import Hearing, Step
from services.audit.domain.late import KIND, SERVED, EntryRule, Fact, Unreadable, fact_of, has_document, judge
from services.audit.domain.people import acting
from services.audit.domain.registry import Registry
from services.audit.domain.workdays import WorkCalendar

# Classes of delay in working days, for the chart: up to and with each; the last one is open.
DELAYS = (1, 2, 5, 10, 20)
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LateOne:
    """A late entry. ``officer``: who signed it; days after the deadline."""

    office: str
    id: str
    officer: str
    working_days: int
    calendar_days: int
    excused: bool


@dataclass
class Row:
    """An office's year, or an officer's at it. ``migrated``: entries of old files, which have no term; ``with_term``: those that had to
    be entered in time; ``late`` and ``delays`` (by class of ``DELAYS``) without what was cleared. ``fates``: by kind of finding.

    ``moved``: late matters that stand and moved a grade; ``least``, ``most``: days of those; ``unassessed``: effect not worked out."""

    office: str
    officer: str | None = None
    entries: int = 0
    migrated: int = 0
    with_term: int = 0
    late: int = 0
    late_cleared: int = 0
    delays: list[int] = field(default_factory=lambda: [0] * (len(DELAYS) + 1))
    worst: int = 0
    excused: int = 0
    fates: dict[str, Counter[Fate]] = field(default_factory=dict)
    moved: int = 0
    least: int = 0
    most: int = 0
    unassessed: int = 0

    @property
    def in_time(self) -> int:
        """What was cleared counts as in time."""
        return self.with_term - self.late

    @property
    def share(self) -> float | None:
        return self.in_time / self.with_term if self.with_term else None

    def total(self, what: Fate) -> int:
        """Matters of all kinds."""
        return sum(one[what] for one in self.fates.values())


@dataclass(frozen=True, slots=True)
class Told:
    """A matter of the year with what became of it; ``officers``: whom it concerns, or who signed its entry."""

    matter: Matter
    fate: Fate
    officers: tuple[str, ...]
    hearing: Hearing | None
    late: LateOne | None


@dataclass
class Year:
    """The report's contents. ``through``: the last closed day; ``officers``: rows with an officer; ``scans``: those through a day of
    the year; ``unsigned``: entries that would be late and that nobody signed."""

    year: int
    through: date | None
    offices: list[Row]
    officers: list[Row]
    matters: list[Told]
    scans: list[Scan]
    unsigned: int
    unreadable: int
    provisional: int


class Supervision:
    """``rules``: by regime, of the edition activated last; ``named``: entries that notices name, whose people are gathered."""

    def __init__(
        self, year: int, registry: Registry, rules: Mapping[str, EntryRule], calendar: WorkCalendar, named: frozenset[Name] = frozenset()
    ) -> None:
        self.year, self._registry, self._rules, self._calendar, self._named = year, registry, rules, calendar, named
        self._years = {str(number) for number in (year - 1, year, year + 1)}
        self.people: dict[Name, frozenset[str]] = {}
        self.unsigned = self.unreadable = self.provisional = 0
        self._rows: dict[tuple[str, str], Row] = {}
        self._late: dict[Name, LateOne] = {}
        self._seen: set[bytes] = set()
        self._regimes: dict[str, tuple[str, ...]] = {}
        self._decisions: dict[tuple[int, str, str], tuple[Fact, Opened, str]] = {}
        self._services: dict[tuple[int, str, str], date] = {}

    def take(self, partition: int, one: Opened) -> None:
        """The next fact of a partition, by offset; copies of control events are left out by the caller."""
        event = one.event
        name = hashlib.sha256(f"{partition}\n{event['source']}\n{event['id']}".encode("utf-8", "surrogatepass")).digest()[:16]
        if name in self._seen:
            return
        self._seen.add(name)
        try:
            self._take(partition, one)
        except (Unreadable, KeyError, TypeError, ValueError, OverflowError):
            self.unreadable += 1

    def _take(self, partition: int, one: Opened) -> None:
        event, data = one.event, one.event["data"]
        if event["type"] in regimes.TYPES:
            more = regimes.regimes_in(event)
            self._regimes[event["subject"]] = tuple(dict.fromkeys((*self._regimes.get(event["subject"], ()), *more)))
        if self._far(event, one.entry):
            return
        officer = self._signer(one)
        if (event["source"], event["id"]) in self._named:
            self.people[event["source"], event["id"]] = acting(data) | {officer}
        fact = fact_of(event, one.entry)
        received = fact.received_at if fact else str(one.entry["received_at"])
        if civil_date(received, self._registry.time_zone).year == self.year:
            row = self._row(event["source"], officer)
            row.entries += 1
            row.migrated += one.entry.get("channel") == "migration"
        if fact is None:
            return
        if fact.type == SERVED:
            self._served(partition, fact, one, officer)
            return
        if has_document(fact.type):
            place = (partition, fact.subject, fact.id)
            if fact.served_on is None:
                fact = replace(fact, served_on=self._services.get(place))
            self._decisions[place] = (fact, one, officer)
        self._weigh(fact, one, officer)

    def _far(self, event: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
        """Whether nothing of the year can depend on it: received in another year by every clock on Earth, and neither a decision nor a
        service, which others wait for, nor an entry that a notice names."""
        near = str(entry["received_at"])[:4] in self._years
        waited_for = has_document(event["type"]) or event["type"] == SERVED
        return not near and not waited_for and (event["source"], event["id"]) not in self._named

    def _served(self, partition: int, fact: Fact, one: Opened, officer: str) -> None:
        """A service is judged itself, and so is the decision that waited for it."""
        if fact.served_on is None:
            raise Unreadable("a service without its day")
        place = (partition, fact.subject, str(one.event["data"]["document"]))
        decision = self._decisions.get(place)
        self._weigh(replace(fact, decided_on=decision[0].occurred_on if decision else None), one, officer)
        if self._services.setdefault(place, fact.served_on) == fact.served_on and decision and decision[0].served_on is None:
            served = replace(decision[0], served_on=fact.served_on)
            self._decisions[place] = (served, decision[1], decision[2])
            self._weigh(served, decision[1], decision[2])

    def _signer(self, one: Opened) -> str:
        try:
            return self._registry.keys.holder(one)
        except KeyError:
            return ""

    def _row(self, office: str, officer: str) -> Row:
        return self._rows.setdefault((office, officer), Row(office, officer))

    def _weigh(self, fact: Fact, one: Opened, officer: str) -> None:
        if civil_date(fact.received_at, self._registry.time_zone).year != self.year:
            return
        stamp = one.entry.get("registry_offset")
        known = self._registry.at(stamp if type(stamp) is int else -1)
        found = []
        for rule in self._rules_of(fact):
            if rule.regime in known.active:
                go_live = known.go_live.get(rule.regime)
                found.append(judge(fact, rule=rule, calendar=self._calendar, go_live=go_live, outages=known.outages))
        verdicts = [verdict for verdict in found if verdict is not None]
        if not verdicts:
            return
        self._row(fact.source, officer).with_term += 1
        self.provisional += any(verdict.provisional for verdict in verdicts)
        worst = max(verdicts, key=lambda verdict: (verdict.late, verdict.working_days_late))
        if not worst.late:
            return
        if not self._registry.keys.signed(one):
            self.unsigned += 1
            return
        excused = worst.signed_in_time or worst.outage
        late = LateOne(fact.source, fact.id, officer, worst.working_days_late, worst.calendar_days_late, excused)
        self._late[fact.source, fact.id] = late

    def _rules_of(self, fact: Fact) -> list[EntryRule]:
        """As the detector of late entries has it: by who rates the subject and what the fact names, else by the subject's scheme."""
        wanted = {*self._regimes.get(fact.subject, ()), *((fact.regime,) if fact.regime else ())}
        return [rule for rule in self._rules.values() if scheme_of(fact.subject) in rule.schemes and (not wanted or rule.regime in wanted)]

    def done(self, findings: Findings, hearings: Mapping[str, Hearing], through: date | None) -> Year:
        """Everything together."""
        told = [self._told(one, hearings) for one in findings.matters.values() if one.raised_on.year == self.year]
        told = [one for one in told if one.matter.about != "operation"]
        cleared = {one.matter.entry for one in told if one.fate == "cleared" and one.matter.kind == KIND}
        for late in self._late.values():
            self._count_late(self._row(late.office, late.officer), late, cleared=(late.office, late.id) in cleared)
        offices: dict[str, Row] = {}
        for row in self._rows.values():
            _add(offices.setdefault(row.office, Row(row.office)), row)
        for one in told:
            if one.matter.office is not None:
                _count(offices.setdefault(one.matter.office, Row(one.matter.office)), one, one.fate)
                for officer in one.officers:
                    _count(self._row(one.matter.office, officer), one, fate(one.matter, one.hearing, officer))
        scans = sorted(
            (one for one in findings.scans.values() if one.through.year == self.year), key=lambda one: (one.detector, one.through)
        )
        return Year(
            year=self.year,
            through=through,
            offices=sorted(offices.values(), key=lambda row: row.office),
            officers=sorted((row for row in self._rows.values() if row.officer), key=lambda row: (row.office, row.officer or "")),
            matters=sorted(told, key=lambda one: (one.matter.raised_on, one.matter.matter)),
            scans=scans,
            unsigned=self.unsigned,
            unreadable=self.unreadable + findings.unreadable,
            provisional=self.provisional,
        )

    def _told(self, matter: Matter, hearings: Mapping[str, Hearing]) -> Told:
        hearing = hearings.get(matter.matter)
        late = self._late.get(matter.entry) if matter.entry else None
        officers = matter.concerns or ((late.officer,) if late and late.officer else ())
        return Told(matter, fate(matter, hearing), officers, hearing, late)

    def _count_late(self, row: Row, late: LateOne, *, cleared: bool) -> None:
        if cleared:
            row.late_cleared += 1
            return
        row.late += 1
        row.excused += late.excused
        row.delays[bisect_left(DELAYS, late.working_days)] += 1
        row.worst = max(row.worst, late.working_days)


def _count(row: Row, one: Told, what: Fate) -> None:
    row.fates.setdefault(one.matter.kind, Counter())[what] += 1
    if one.matter.kind != KIND or what in ("cleared", "retracted"):
        return
    if one.matter.assessed is None:
        row.unassessed += 1
    elif one.matter.assessed.most:
        row.moved += 1
        row.least += one.matter.assessed.least
        row.most += one.matter.assessed.most


def _add(row: Row, more: Row) -> None:
    for name in ("entries", "migrated", "with_term", "late", "late_cleared", "excused"):
        setattr(row, name, getattr(row, name) + getattr(more, name))
    row.delays = [one + other for one, other in zip(row.delays, more.delays, strict=True)]
    row.worst = max(row.worst, more.worst)


def named_in(steps: Sequence[Step]) -> frozenset[Name]:
    """The entries that notices name."""
    return frozenset((one["source"], one["id"]) for step in steps if step.kind == "notified" for one in step.data["entries"])


__all__ = ["DELAYS", "FATES", "LateOne", "Name", "Row", "Supervision", "Told", "Year", "named_in"]
