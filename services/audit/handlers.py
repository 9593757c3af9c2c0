"""The detectors' step: a batch of facts in, findings and positions out, in one transaction.

Each partition is folded in its own order; doubles change nothing. A fact is judged with the registry as of its own
``entry.registry_offset`` and with the calendars that stand before it in its partition.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from schemas.envelope import NotAnEnvelope, Opened, open_record
from schemas.ids import scheme_of
from schemas.topics import FACTS, FINDINGS
from services.audit.domain.findings import Place as EventPlace
from services.audit.domain.findings import Raised, fact_from_json, fact_to_json, late_finding, unreadable_finding
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule, Fact, Unreadable, Verdict, fact_of, judge, word_of
from services.audit.domain.registry import Known, Registry
from services.audit.domain.workdays import WorkCalendar, YearTable
from services.audit.ports import DetectorWork, Finding, OpenVerdict, Place

REGISTERED = "mingjian.enterprise.registered.v1"
CALENDAR = "mingjian.calendar.issued.v1"
COUNTRY = "CN"

ReadRegistry = Callable[[int], Awaitable[Registry]]
"""The registry, read at least up to and with an offset."""

Entered = Callable[[int, str], None]
"""Hears of every judged fact: calendar days from the act to its entry, and the channel."""


def traceparent_of(record: Record) -> str | None:
    """The record's trace header, where it has a readable one."""
    for name, value in record.headers:
        if name == "traceparent" and value is not None and value.isascii():
            return value.decode()
    return None


class Detectors:
    """The detectors' memory between batches: the calendars of each partition. Rebuilt from PostgreSQL at every start."""

    def __init__(self, rules: Sequence[EntryRule], registry: ReadRegistry, entered: Entered = lambda days, channel: None) -> None:
        self._rules = rules
        self._entered = entered
        self._registry = registry
        self._calendars: dict[int, WorkCalendar] = {}
        self._seen: set[tuple[int, str]] = set()
        words = {word for rule in rules for value in rule.activities.values for word in value.value or ()}
        self._judged = frozenset(words)

    def remember_calendar(self, partition: int, event_id: str, data: Mapping[str, object]) -> None:
        """A calendar that an earlier run folded."""
        self._calendars[partition] = self._calendars.get(partition, WorkCalendar()).issue(YearTable.of(data))
        self._seen.add((partition, event_id))

    async def handle(self, batch: Mapping[Place, Sequence[Record]], work: DetectorWork) -> int:
        """Fold a batch within ``work``; returns how many findings are new. The caller commits."""
        new = 0
        for (topic, partition), records in batch.items():
            if topic == FINDINGS:
                await work.read_back([one.event["id"] for one in map(_opened, records) if one])
            elif topic == FACTS:
                new += await self._facts(partition, records, work)
        await work.move({place: records[-1].offset + 1 for place, records in batch.items() if records})
        return new

    async def _facts(self, partition: int, records: Sequence[Record], work: DetectorWork) -> int:
        opened = [(record, one) for record in records if (one := _opened(record))]
        judged = [(record, one) for record, one in opened if one.entry and word_of(one.event["type"]) in self._judged]
        regimes = await work.regimes_of({one.event["subject"] for _, one in judged}) if judged else {}
        registry = await self._registry(max((_stamp(one) for _, one in judged), default=-1))
        registered: dict[str, tuple[str, ...]] = {}
        new = 0
        for record, one in opened:
            kind = one.event["type"]
            try:
                if kind == REGISTERED:
                    registered[one.event["subject"]] = regimes[one.event["subject"]] = _regimes(one)
                elif kind == CALENDAR:
                    new += await self._calendar(partition, record, one, work)
                elif one.entry and word_of(kind) in self._judged:
                    new += await self._judge(record, one, regimes.get(one.event["subject"]), registry, work)
            except Unreadable:
                raised = unreadable_finding(record, registry.stack)
                new += await work.add(operational(raised, traceparent_of(record)), supersedes=False)
        if registered:
            await work.put_regimes(registered)
        return new

    async def _judge(self, record: Record, one: Opened, regimes: tuple[str, ...] | None, registry: Registry, work: DetectorWork) -> int:
        fact = fact_of(one.event, one.entry)
        if fact is None:
            return 0
        self._entered((datetime.fromisoformat(fact.received_at).date() - fact.occurred_on).days, fact.channel)
        at = EventPlace(record.topic, record.partition, record.offset, fact.id)
        known = registry.at(_stamp(one))
        named = one.event["data"].get("regime")
        new = 0
        for rule in self._rules:
            if not _applies(rule, fact, regimes, named):
                continue
            verdict = self._verdict(fact, rule, known, record.partition)
            if verdict is None:
                continue
            if verdict.late:
                raised = late_finding(fact=fact, at=at, verdict=verdict, rule=rule, ordinal=0, cause=at, cause_time=record.timestamp)
                new += await work.add(_finding(raised, fact, rule, traceparent_of(record)), supersedes=False)
            if not verdict.settled:
                kept = fact_to_json(fact)
                await work.put_open(
                    OpenVerdict(fact.id, fact.source, rule.regime, record.partition, record.offset, kept, _stamp(one), 1, verdict.late)
                )
        return new

    def _verdict(self, fact: Fact, rule: EntryRule, known: Known, partition: int) -> Verdict | None:
        calendar = self._calendars.get(partition, WorkCalendar())
        return judge(fact, rule=rule, calendar=calendar, go_live=known.go_live.get(rule.regime), outages=known.outages)

    async def _calendar(self, partition: int, record: Record, one: Opened, work: DetectorWork) -> int:
        """A schedule takes effect here in the partition; open verdicts that it touches are worked out again (R13)."""
        data, event_id = one.event["data"], one.event["id"]
        if data.get("country") != COUNTRY or (partition, event_id) in self._seen:
            return 0
        try:
            self.remember_calendar(partition, event_id, data)
        except (KeyError, ValueError, TypeError) as error:
            raise Unreadable("a calendar that can't be read") from error
        await work.put_calendar(partition, record.offset, event_id, data)
        rules = {rule.regime: rule for rule in self._rules}
        cause = EventPlace(record.topic, partition, record.offset, event_id)
        new = 0
        for still_open in await work.open_verdicts(partition):
            rule, fact = rules.get(still_open.regime), fact_from_json(still_open.fact)
            if rule is None or not _touched(fact, int(data["year"])):
                continue
            registry = await self._registry(still_open.registry_offset)
            verdict = self._verdict(fact, rule, registry.at(still_open.registry_offset), partition)
            if verdict is None:
                continue
            if verdict.late or still_open.late:
                at = EventPlace(record.topic, partition, still_open.offset, fact.id)
                raised = late_finding(
                    fact=fact, at=at, verdict=verdict, rule=rule, ordinal=still_open.judged, cause=cause, cause_time=record.timestamp
                )
                new += await work.add(_finding(raised, fact, rule, traceparent_of(record)), supersedes=True)
            if verdict.settled:
                await work.close_open(still_open)
            else:
                await work.put_open(_judged_again(still_open, verdict.late))
        return new


def _opened(record: Record) -> Opened | None:
    """The record's envelope; None for what is no envelope: it is a leaf all the same, and quarantine is its readers' task."""
    try:
        return open_record(record.value)
    except NotAnEnvelope:
        return None


def _stamp(one: Opened) -> int:
    offset = one.entry.get("registry_offset")
    return offset if type(offset) is int else -1


def _regimes(one: Opened) -> tuple[str, ...]:
    regimes = one.event["data"].get("regimes")
    if not isinstance(regimes, list) or not all(isinstance(name, str) for name in regimes):
        raise Unreadable("a registration without a list of regimes")
    return tuple(regimes)


def _applies(rule: EntryRule, fact: Fact, regimes: tuple[str, ...] | None, named: str | None) -> bool:
    """The fact names the regime, or its subject is registered for it; of a subject nobody registered the scheme decides."""
    if named is not None:
        return named == rule.regime
    if regimes is not None:
        return rule.regime in regimes
    return scheme_of(fact.subject) in rule.schemes


def _touched(fact: Fact, year: int) -> bool:
    first = min(fact.occurred_on, fact.served_on or fact.occurred_on).year
    # One year on either side: civil days of the regime's zone, and terms that run over a year's end.
    return first <= year <= int(fact.received_at[:4]) + 1


def _judged_again(verdict: OpenVerdict, late: bool) -> OpenVerdict:
    return OpenVerdict(
        verdict.event_id,
        verdict.source,
        verdict.regime,
        verdict.partition,
        verdict.offset,
        verdict.fact,
        verdict.registry_offset,
        verdict.judged + 1,
        late,
    )


def _finding(raised: Raised, fact: Fact, rule: EntryRule, traceparent: str | None) -> Finding:
    return Finding(
        raised.id, raised.kind, "entry", fact.source, fact.subject, rule.regime, fact.id, fact.source.encode(), raised.value, traceparent
    )


def operational(raised: Raised, traceparent: str | None) -> Finding:
    """A finding about the machinery: no office, no subject. Its key is its own kind, so that each kind keeps its order."""
    return Finding(raised.id, raised.kind, "operation", None, None, None, None, raised.kind.encode(), raised.value, traceparent)
