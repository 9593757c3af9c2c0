"""The detectors' step: a batch of records in, findings and positions out, in one transaction.

Each partition is folded in its own order; of an id's copies the first one counts. A fact is judged with the registry as of
its own ``entry.registry_offset`` and with the calendars that stand before it in its partition. What no detector can read is
named in a finding and stops nothing: whoever could write a record that ends this process could end audit.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.envelope import NotAnEnvelope, Opened, open_record
from schemas.ids import scheme_of
from schemas.times import milliseconds
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services.audit.domain import clocks, evaluations
from services.audit.domain.clocks import Clock
from services.audit.domain.findings import Place as EventPlace
from services.audit.domain.findings import Raised, fact_from_json, fact_to_json, late_finding
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule, Fact, Unreadable, Verdict, fact_of, judge, word_of
from services.audit.domain.operations import (
    apart_finding,
    changed_copy_finding,
    step_finding,
    unannounced_finding,
    unreadable_finding,
)
from services.audit.domain.registry import Known, Registry
from services.audit.domain.workdays import WorkCalendar, YearTable
from services.audit.ports import DetectorWork, Finding, OpenVerdict, Place

REGISTERED = "mingjian.enterprise.registered.v1"
CALENDAR = "mingjian.calendar.issued.v1"
COUNTRY = "CN"

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NUL = "\x00"

ReadRegistry = Callable[[int], Awaitable[Registry]]
"""The registry, read at least up to and with an offset; where Kafka has no such offset, as far as Kafka has it."""

Entered = Callable[[int, str], None]
"""Hears of every judged fact: calendar days from the act to its entry, and the channel."""


def traceparent_of(record: Record) -> str | None:
    """The record's trace header, where it has a readable one."""
    for name, value in record.headers:
        if name == "traceparent" and value is not None and _TRACEPARENT.fullmatch(value):
            return value.decode()
    return None


@dataclass(frozen=True, slots=True)
class Read:
    """A record with its envelope. ``first``: no copy of it stands before it in its partition; ``changed``: one with other bytes does."""

    record: Record
    one: Opened
    first: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch is judged with. ``regimes``: of subjects, by now; ``registered``: those that this batch registered."""

    registry: Registry
    regimes: dict[str, tuple[str, ...]]
    registered: dict[str, tuple[str, ...]]


class Detectors:
    """The detectors' memory between batches: calendars and clock of each partition. Rebuilt from PostgreSQL at every start.

    ``stack``: the subject of genesis, whom findings about the operation concern."""

    def __init__(
        self, rules: Sequence[EntryRule], registry: ReadRegistry, stack: str, entered: Entered = lambda days, channel: None
    ) -> None:
        self._rules = rules
        self._entered = entered
        self._registry = registry
        self._stack = stack
        self._calendars: dict[int, WorkCalendar] = {}
        self._clocks: dict[Place, Clock] = {}
        self._seen: set[tuple[int, str]] = set()
        words = {word for rule in rules for value in rule.activities.values for word in value.value or ()}
        self._judged = frozenset(words)

    def remember_calendar(self, partition: int, event_id: str, table: YearTable) -> None:
        """A calendar that an earlier run folded."""
        self._calendars[partition] = self._calendars.get(partition, WorkCalendar()).issue(table)
        self._seen.add((partition, event_id))

    def remember_clocks(self, known: Mapping[Place, Clock]) -> None:
        """The partitions' clocks as an earlier run left them."""
        self._clocks |= known

    async def handle(self, batch: Mapping[Place, Sequence[Record]], work: DetectorWork) -> int:
        """Fold a batch within ``work``; returns how many findings are new. The caller commits."""
        sent = [one.event["id"] for (topic, _), records in batch.items() if topic == FINDINGS for one in map(_opened, records) if one]
        if sent:
            await work.read_back(sent)
        read = await self._read({place: records for place, records in batch.items() if place[0] != FINDINGS}, work)
        facts = [found for (topic, _), some in read.items() if topic == FACTS for found in some.values() if found.first]
        judged = [found.one for found in facts if word_of(found.one.event["type"]) in self._judged]
        regimes = await work.regimes_of({one.event["subject"] for one in judged}) if judged else {}
        registry = await self._registry(max(map(_stamp, judged), default=-1))
        registered: dict[str, tuple[str, ...]] = {}
        new = 0
        for place, some in read.items():
            new += await self._changed(some, work)
            new += await self._times(place, batch[place], some, work)
            firsts = [found for found in some.values() if found.first]
            if place[0] == FACTS:
                new += await self._facts(firsts, _Known(registry, regimes, registered), work)
            elif place[0] == REGISTRY:
                new += await self._evaluations(firsts, work)
        if registered:
            await work.put_regimes(registered)
        await work.move({place: records[-1].offset + 1 for place, records in batch.items() if records}, self._clocks)
        return new

    async def _read(self, batch: Mapping[Place, Sequence[Record]], work: DetectorWork) -> dict[Place, dict[int, Read]]:
        """Each partition's envelopes by offset, and which of them are first copies; the others change nothing."""
        opened = [(place, record, one) for place, records in batch.items() for record in records if (one := _opened(record))]
        names = [_name(record, one) for _, record, one in opened]
        contents = [hashlib.sha256(record.value or b"").digest()[:16] for _, record, _ in opened]
        wanted: dict[bytes, bytes] = {}
        for name, content in zip(names, contents, strict=True):
            wanted.setdefault(name, content)
        kept = await work.remember(wanted) if wanted else {}
        found: dict[Place, dict[int, Read]] = {place: {} for place in batch}
        for (place, record, one), name, content in zip(opened, names, contents, strict=True):
            before = kept.get(name)
            found[place][record.offset] = Read(record, one, before is None, before not in (None, content))
            kept.setdefault(name, content)
        return found

    async def _changed(self, read: Mapping[int, Read], work: DetectorWork) -> int:
        new = 0
        for found in read.values():
            if found.changed:
                new += await self._add(changed_copy_finding(found.record, self._stack, _uuid(found.one)), found.record, work)
        return new

    async def _times(self, place: Place, records: Sequence[Record], read: Mapping[int, Read], work: DetectorWork) -> int:
        """The partition's clock over these records, and what is to be said of it."""
        clock, new = self._clocks.get(place, Clock()), 0
        for record in records:
            clock, step = clocks.tick(clock, record.timestamp, record.timestamp_type)
            if step is not None:
                new += await self._add(step_finding(record, step, self._stack), record, work)
            found = read.get(record.offset)
            if found is None or not found.first or clock.high is None or (received := _received(found.one)) is None:
                continue
            apart = clocks.compare(clock, received)
            if apart is None:
                clock = replace(clock, apart=False) if clock.apart else clock
            elif not clock.apart:
                stamp = _stamp(found.one)
                outages = (await self._registry(stamp)).at(stamp).outages
                if not clocks.covered(apart, outages, found.one.event["source"]):
                    clock = replace(clock, apart=True)
                    new += await self._add(apart_finding(record, apart, self._stack, _uuid(found.one)), record, work)
        self._clocks[place] = clock
        return new

    async def _add(self, raised: Raised, record: Record, work: DetectorWork) -> int:
        return int(await work.add(operational(raised, traceparent_of(record)), supersedes=False))

    async def _evaluations(self, firsts: Sequence[Read], work: DetectorWork) -> int:
        new = 0
        for found in firsts:
            record = found.record
            if found.one.event["type"] != evaluations.CLOSED:
                continue
            try:
                if evaluations.unannounced(found.one.event, record.offset, await self._registry(record.offset)):
                    new += await self._add(unannounced_finding(record, self._stack, _uuid(found.one)), record, work)
            except (KeyError, TypeError):
                new += await self._add(unreadable_finding(record, self._stack), record, work)
        return new

    async def _facts(self, firsts: Sequence[Read], known: _Known, work: DetectorWork) -> int:
        new = 0
        for found in firsts:
            record, one = found.record, found.one
            kind, subject = one.event["type"], one.event["subject"]
            try:
                if kind == REGISTERED:
                    known.registered[subject] = known.regimes[subject] = _regimes(one)
                elif kind == CALENDAR:
                    new += await self._calendar(record, one, work)
                elif word_of(kind) in self._judged:
                    new += await self._judge(record, one, known.regimes.get(subject), known.registry, work)
            except (Unreadable, OverflowError):
                new += await self._add(unreadable_finding(record, self._stack), record, work)
        return new

    async def _judge(self, record: Record, one: Opened, regimes: tuple[str, ...] | None, registry: Registry, work: DetectorWork) -> int:
        if not 0 <= _stamp(one) < registry.next_offset:
            raise Unreadable("no registry offset that Kafka has")
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

    async def _calendar(self, record: Record, one: Opened, work: DetectorWork) -> int:
        """A schedule takes effect here in the partition; open verdicts that it touches are worked out again (R13)."""
        data, event_id, partition = one.event["data"], one.event["id"], record.partition
        if data.get("country") != COUNTRY or (partition, event_id) in self._seen:
            return 0
        try:
            table = YearTable.of(data)
        except (KeyError, ValueError, TypeError) as error:
            raise Unreadable("a calendar that can't be read") from error
        self.remember_calendar(partition, event_id, table)
        await work.put_calendar(partition, record.offset, event_id, table)
        rules = {rule.regime: rule for rule in self._rules}
        cause = EventPlace(record.topic, partition, record.offset, event_id)
        new = 0
        for still_open in await work.open_verdicts(partition):
            rule, fact = rules.get(still_open.regime), fact_from_json(still_open.fact)
            if rule is None or not _touched(fact, table.year):
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
        one = open_record(record.value)
    except NotAnEnvelope:
        return None
    # No name of ours holds one, and PostgreSQL takes none.
    return None if any(_NUL in one.event[name] for name in ("id", "type", "subject", "source")) else one


def _name(record: Record, one: Opened) -> bytes:
    """16 bytes that the copies of an event within a partition share: ids are unique per source."""
    return hashlib.sha256(f"{record.topic}\n{record.partition}\n{one.event['source']}\n{one.event['id']}".encode()).digest()[:16]


def _uuid(one: Opened) -> str | None:
    """The event's id where it is one."""
    try:
        return str(uuid.UUID(one.event["id"]))
    except ValueError:
        return None


def _received(one: Opened) -> int | None:
    try:
        return milliseconds(one.entry["received_at"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _stamp(one: Opened) -> int:
    offset = one.entry.get("registry_offset")
    return offset if type(offset) is int else -1


def _regimes(one: Opened) -> tuple[str, ...]:
    regimes = one.event["data"].get("regimes")
    if not isinstance(regimes, list) or not all(isinstance(name, str) and _NUL not in name for name in regimes):
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
