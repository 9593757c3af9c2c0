"""The detector of late entries: facts, calendars and services of a partition in, findings about entries out.

A fact is judged with the registry as of its own ``entry.registry_offset`` and with the calendars that stand before it in its
partition, by every regime that rates its subject. A decision and the record that says when it was served come in either order:
the decision is judged when both are there, and the later record is what causes the finding.

Nothing is found of a record that nobody signed who had a key: what went past intake accuses nobody, and is named for itself. That
is checked where a finding would follow, now or later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.envelope import Opened
from schemas.ids import scheme_of
from services.audit.domain.findings import Place, fact_from_json, fact_to_json, late_finding, moment
from services.audit.domain.frame import Record
from services.audit.domain.late import SERVED, EntryRule, Fact, Unreadable, Verdict, fact_of, has_document, judge, word_of
from services.audit.domain.registry import Registry
from services.audit.domain.workdays import WorkCalendar, YearTable
from services.audit.ports import Decision, DetectorWork, Finding, OpenVerdict
from services.audit.reading import Read, stamp_of, traceparent_of

CALENDAR = "mingjian.calendar.issued.v1"
COUNTRY = "CN"

ReadRegistry = Callable[[int], Awaitable[Registry]]
"""The registry, read at least up to and with an offset; where Kafka has no such offset, as far as Kafka has it."""

Entered = Callable[[int, str], None]
"""Hears of every judged fact: calendar days from the act to its entry, and the channel."""


class Unsigned(Exception):
    """A record from which a finding would follow, and that no key signed which the registry had."""


class OtherRulebook(Exception):
    """A regime's rulebook here is not the one that was activated: nobody may be judged by it."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A fact to judge. ``place`` is its own, ``cause`` the record by which it can be judged now; ``stamp``: its registry offset.

    ``unproved``: the envelope of the fact where its signature was not checked yet."""

    fact: Fact
    place: Place
    stamp: int
    cause: Place
    record: Record
    unproved: Opened | None = None


class Entries:
    """``rules``: of the regimes that set a term for entries, of each the newest edition first. Its
    memory between batches are the partitions' calendars."""

    def __init__(self, rules: Sequence[EntryRule], registry: ReadRegistry, entered: Entered) -> None:
        self._rules = rules
        self._active = {regime: next(iter(held.values())) for regime, held in _by_regime(rules).items()}
        self._registry = registry
        self._entered = entered
        self._calendars: dict[int, WorkCalendar] = {}
        self._seen: set[tuple[int, str]] = set()
        self._words = frozenset(word for rule in rules for value in rule.activities.values for word in value.value or ())

    def concerned(self, event_type: str) -> bool:
        """True of types that are judged here, or by which others are."""
        return word_of(event_type) in self._words or has_document(event_type) or event_type == SERVED

    def check_rulebooks(self, registry: Registry) -> None:
        """Raises ``OtherRulebook`` where the registry activated an edition last that doesn't lie here; from now on judges by that one."""
        activated = registry.rulebooks()
        for regime, held in _by_regime(self._rules).items():
            newest = next(iter(held))
            named = activated.get(regime, newest)
            if named not in held:
                raise OtherRulebook(f"{regime}: rulebook {named[:16]}… was activated, {newest[:16]}… lies here")
            self._active[regime] = held[named]

    def remember_calendar(self, partition: int, event_id: str, table: YearTable) -> None:
        """A calendar takes effect in the partition."""
        self._calendars[partition] = self._calendars.get(partition, WorkCalendar()).issue(table)
        self._seen.add((partition, event_id))

    async def judge(self, read: Read, regimes: Iterable[str], registry: Registry, work: DetectorWork) -> int:
        """A fact of one of the types ``concerned``; the number of new findings. ``regimes``: those that rate its subject by now.

        Raises ``Unreadable``, ``Unsigned``, ``OverflowError``."""
        record, one = read.record, read.one
        if not 0 <= stamp_of(one) < registry.next_offset:
            raise Unreadable("no registry offset that Kafka has")
        fact = fact_of(one.event, one.entry)
        if fact is None:
            return 0
        if word_of(fact.type) in self._words:
            self._entered((datetime.fromisoformat(fact.received_at).date() - fact.occurred_on).days, fact.channel)
        fact = replace(fact, record_sha256=hashlib.sha256(record.value or b"").hexdigest(), known_from=moment(read.known))
        at = Place(record.topic, record.partition, record.offset, fact.id)
        case = _Case(fact, at, stamp_of(one), at, record, one)
        if fact.type == SERVED:
            return await self._served(await self._proved(case), _document(one), regimes, work)
        if has_document(fact.type):
            case = await self._decided(await self._proved(case), work)
        return await self._weigh(case, regimes, work)

    async def _proved(self, case: _Case) -> _Case:
        """The same, its signature checked: before anything follows from it. Raises ``Unsigned``."""
        if case.unproved is not None and not (await self._registry(case.stamp)).keys.signed(case.unproved):
            raise Unsigned
        return replace(case, unproved=None)

    async def _decided(self, case: _Case, work: DetectorWork) -> _Case:
        """A decision is kept for the record of its service; that may be there already."""
        fact, record = case.fact, case.record
        await work.put_decision(
            Decision(record.partition, fact.subject, fact.id, fact.source, record.offset, fact_to_json(fact), case.stamp)
        )
        if fact.served_on is not None:
            return case
        return replace(case, fact=replace(fact, served_on=await work.service(record.partition, fact.subject, fact.id)))

    async def _served(self, case: _Case, document: str, regimes: Iterable[str], work: DetectorWork) -> int:
        """A service is judged itself, and so are the decisions that waited for it."""
        fact, partition = case.fact, case.record.partition
        if fact.served_on is None:
            raise Unreadable("a service without its day")
        decisions = await work.decisions(partition, fact.subject, document)
        decided_on = fact_from_json(decisions[0].fact).occurred_on if decisions else None
        new = await self._weigh(replace(case, fact=replace(fact, decided_on=decided_on)), regimes, work)
        if not await work.put_service(partition, fact.subject, document, fact.served_on):
            return new
        for one in decisions:
            waiting = fact_from_json(one.fact)
            if waiting.served_on is None:
                place = Place(case.record.topic, partition, one.offset, waiting.id)
                served = replace(case, fact=replace(waiting, served_on=fact.served_on), place=place, stamp=one.registry_offset)
                new += await self._weigh(served, regimes, work)
        return new

    async def _weigh(self, case: _Case, regimes: Iterable[str], work: DetectorWork) -> int:
        new = 0
        for rule in _rules_of(list(self._active.values()), case.fact, regimes):
            verdict = await self._verdict(case.fact, rule, case.stamp, case.record.partition)
            if verdict is None:
                continue
            if verdict.late or not verdict.settled:
                case = await self._proved(case)
            if verdict.late:
                new += await work.add(_finding(case, verdict, rule, 0), supersedes=False)
            if not verdict.settled:
                fact, at = case.fact, case.place
                kept = fact_to_json(fact)
                await work.put_open(
                    OpenVerdict(fact.id, fact.source, rule.regime, at.partition, at.offset, kept, case.stamp, 1, verdict.late)
                )
        return new

    async def _verdict(self, fact: Fact, rule: EntryRule, stamp: int, partition: int) -> Verdict | None:
        known = (await self._registry(stamp)).at(stamp)
        if rule.regime not in known.active:
            return None
        calendar = self._calendars.get(partition, WorkCalendar())
        return judge(fact, rule=rule, calendar=calendar, go_live=known.go_live.get(rule.regime), outages=known.outages)

    async def issue(self, read: Read, work: DetectorWork) -> int:
        """A schedule takes effect here in the partition; open verdicts that it touches are worked out again (R13).

        Raises ``Unreadable``, ``Unsigned``."""
        record, data, event_id, partition = read.record, read.one.event["data"], read.one.event["id"], read.record.partition
        if data.get("country") != COUNTRY or (partition, event_id) in self._seen:
            return 0
        try:
            table = YearTable.of(data)
        except (KeyError, ValueError, TypeError) as error:
            raise Unreadable("a calendar that can't be read") from error
        if not (await self._registry(stamp_of(read.one))).keys.signed(read.one):
            raise Unsigned
        self.remember_calendar(partition, event_id, table)
        await work.put_calendar(partition, record.offset, event_id, table)
        rules = self._active
        cause = Place(record.topic, partition, record.offset, event_id)
        new = 0
        for still_open in await work.open_verdicts(partition):
            rule, fact = rules.get(still_open.regime), fact_from_json(still_open.fact)
            if rule is None or not _touched(fact, table.year):
                continue
            verdict = await self._verdict(fact, rule, still_open.registry_offset, partition)
            if verdict is None:
                continue
            if verdict.late or still_open.late:
                at = Place(record.topic, partition, still_open.offset, fact.id)
                case = _Case(fact, at, still_open.registry_offset, cause, record)
                new += await work.add(_finding(case, verdict, rule, still_open.judged), supersedes=True)
            if verdict.settled:
                await work.close_open(still_open)
            else:
                await work.put_open(replace(still_open, judged=still_open.judged + 1, late=verdict.late))
        return new


def _document(one: Opened) -> str:
    document = one.event["data"].get("document")
    if not isinstance(document, str) or "\x00" in document:
        raise Unreadable("a service that names no document")
    return document


def _by_regime(rules: Sequence[EntryRule]) -> dict[str, dict[str, EntryRule]]:
    """Regime → digest → rule, in their order."""
    found: dict[str, dict[str, EntryRule]] = {}
    for rule in rules:
        found.setdefault(rule.regime, {})[rule.digest] = rule
    return found


def _rules_of(rules: Sequence[EntryRule], fact: Fact, regimes: Iterable[str]) -> list[EntryRule]:
    """Those of the regimes that rate the subject and of the one that the fact names; of a subject of whom nothing is known, and
    of a fact that names none, those that rate subjects of its scheme."""
    wanted = {*regimes, *((fact.regime,) if fact.regime is not None else ())}
    return [rule for rule in rules if scheme_of(fact.subject) in rule.schemes and (not wanted or rule.regime in wanted)]


def _touched(fact: Fact, year: int) -> bool:
    days = [one for one in (fact.occurred_on, fact.served_on, fact.result_on) if one is not None]
    # One year on either side: civil days of the regime's zone, and terms that run over a year's end.
    return min(days).year <= year <= int(fact.received_at[:4]) + 1


def _finding(case: _Case, verdict: Verdict, rule: EntryRule, ordinal: int) -> Finding:
    fact, time = case.fact, case.record.timestamp
    raised = late_finding(fact=fact, at=case.place, verdict=verdict, rule=rule, ordinal=ordinal, cause=case.cause, cause_time=time)
    about = ("entry", fact.source, fact.subject, rule.regime, fact.id)
    rest = (traceparent_of(case.record), raised.matter, not verdict.late)
    return Finding(raised.id, raised.kind, *about, fact.source.encode(), raised.value, *rest)
