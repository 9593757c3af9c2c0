"""The detectors' step: a batch of records in, findings and positions out, in one transaction.

Each partition is folded in its own order; of an id's copies the first one counts. What no detector can read is named in a finding
and stops nothing: whoever could write a record that ends this process could end audit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.envelope import Opened
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services.audit.domain import clocks, evaluations, regimes
from services.audit.domain.clocks import Clock
from services.audit.domain.findings import Raised
from services.audit.domain.frame import Record
from services.audit.domain.late import EntryRule, Unreadable
from services.audit.domain.operations import (
    apart_finding,
    changed_copy_finding,
    step_finding,
    unannounced_finding,
    unreadable_finding,
    unsigned_finding,
)
from services.audit.domain.registry import Registry
from services.audit.domain.workdays import YearTable
from services.audit.entries import CALENDAR, Entered, Entries, ReadRegistry, Unsigned
from services.audit.ports import DetectorWork, Finding, Place
from services.audit.reading import Read, opened, received_ms, stamp_of, traceparent_of, uuid_of


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch is judged with. ``regimes``: that rate the subjects by now; ``grown``: the subjects that this batch gave more."""

    registry: Registry
    regimes: dict[str, tuple[str, ...]]
    grown: set[str]


class Detectors:
    """The detectors' memory between batches: calendars and clock of each partition. Rebuilt from PostgreSQL at every start.

    ``stack``: the subject of genesis, whom findings about the operation concern."""

    def __init__(
        self, rules: Sequence[EntryRule], registry: ReadRegistry, stack: str, entered: Entered = lambda days, channel: None
    ) -> None:
        self._entries = Entries(rules, registry, entered)
        self._registry = registry
        self._stack = stack
        self._clocks: dict[Place, Clock] = {}

    def remember_calendar(self, partition: int, event_id: str, table: YearTable) -> None:
        """A calendar that an earlier run folded."""
        self._entries.remember_calendar(partition, event_id, table)

    def remember_clocks(self, known: Mapping[Place, Clock]) -> None:
        """The partitions' clocks as an earlier run left them."""
        self._clocks |= known

    async def handle(self, batch: Mapping[Place, Sequence[Record]], work: DetectorWork) -> int:
        """Fold a batch within ``work``; returns how many findings are new. The caller commits.

        Raises ``OtherRulebook`` before anything was remembered: the same batch may be given again."""
        facts = [one for (topic, _), records in batch.items() if topic == FACTS for one in map(opened, records) if one]
        registry = await self._registry(max((stamp_of(one) for one in facts if self._entries.concerned(one.event["type"])), default=-1))
        self._entries.check_rulebooks(registry)
        findings = [record for (topic, _), records in batch.items() if topic == FINDINGS for record in records]
        sent = [(one.event["id"], record.value or b"") for record in findings if (one := opened(record))]
        if sent:
            await work.read_back(sent)
        read = await self._read({place: records for place, records in batch.items() if place[0] != FINDINGS}, work)
        known = await self._known(facts, registry, work)
        new = 0
        for place, some in read.items():
            new += await self._changed(some, work)
            new += await self._times(place, batch[place], some, work)
            firsts = [found for found in some.values() if found.first]
            if place[0] == FACTS:
                new += await self._facts(firsts, known, work)
            elif place[0] == REGISTRY:
                new += await self._evaluations(firsts, work)
        if known.grown:
            await work.put_regimes({subject: known.regimes[subject] for subject in known.grown})
        await work.move({place: records[-1].offset + 1 for place, records in batch.items() if records}, self._clocks)
        return new

    async def _known(self, facts: Sequence[Opened], registry: Registry, work: DetectorWork) -> _Known:
        types = {one.event["type"] for one in facts}
        wanted = {kind for kind in types if kind in regimes.TYPES or self._entries.concerned(kind)}
        subjects = {one.event["subject"] for one in facts if one.event["type"] in wanted}
        return _Known(registry, await work.regimes_of(subjects) if subjects else {}, set())

    async def _read(self, batch: Mapping[Place, Sequence[Record]], work: DetectorWork) -> dict[Place, dict[int, Read]]:
        """Each partition's envelopes by offset, and which of them are first copies; the others change nothing."""
        envelopes = [(place, record, one) for place, records in batch.items() for record in records if (one := opened(record))]
        names = [_name(record, one) for _, record, one in envelopes]
        contents = [hashlib.sha256(record.value or b"").digest()[:16] for _, record, _ in envelopes]
        wanted: dict[bytes, bytes] = {}
        for name, content in zip(names, contents, strict=True):
            wanted.setdefault(name, content)
        kept = await work.remember(wanted) if wanted else {}
        found: dict[Place, dict[int, Read]] = {place: {} for place in batch}
        for (place, record, one), name, content in zip(envelopes, names, contents, strict=True):
            before = kept.get(name)
            found[place][record.offset] = Read(record, one, before is None, before not in (None, content))
            kept.setdefault(name, content)
        return found

    async def _changed(self, read: Mapping[int, Read], work: DetectorWork) -> int:
        new = 0
        for found in read.values():
            if found.changed:
                new += await self._add(changed_copy_finding(found.record, self._stack, uuid_of(found.one)), found.record, work)
        return new

    async def _times(self, place: Place, records: Sequence[Record], read: dict[int, Read], work: DetectorWork) -> int:
        """The partition's clock over these records, and what is to be said of it. Notes from when each was known."""
        clock, new = self._clocks.get(place, Clock()), 0
        for record in records:
            clock, step = clocks.tick(clock, record.timestamp, record.timestamp_type)
            if step is not None:
                new += await self._add(step_finding(record, step, self._stack), record, work)
            found = read.get(record.offset)
            if found is not None:
                # Intake's own times, on a simulated clock, never go back and are no broker's.
                known = record.timestamp if clock.high is None else clock.high
                found = read[record.offset] = replace(found, known=known)
            if found is None or not found.first or clock.high is None or (received := received_ms(found.one)) is None:
                continue
            apart = clocks.compare(clock, received)
            if apart is None:
                clock = replace(clock, apart=False) if clock.apart else clock
            elif not clock.apart:
                stamp = stamp_of(found.one)
                outages = (await self._registry(stamp)).at(stamp).outages
                if not clocks.covered(apart, outages, found.one.event["source"]):
                    clock = replace(clock, apart=True)
                    new += await self._add(apart_finding(record, apart, self._stack, uuid_of(found.one)), record, work)
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
                    new += await self._add(unannounced_finding(record, self._stack, uuid_of(found.one)), record, work)
            except (KeyError, TypeError):
                new += await self._add(unreadable_finding(record, self._stack), record, work)
        return new

    async def _facts(self, firsts: Sequence[Read], known: _Known, work: DetectorWork) -> int:
        new = 0
        for found in firsts:
            record, event = found.record, found.one.event
            kind, subject = event["type"], event["subject"]
            try:
                if kind in regimes.TYPES:
                    _grow(known, subject, regimes.regimes_in(event))
                if kind == CALENDAR:
                    new += await self._entries.issue(found, work)
                elif self._entries.concerned(kind):
                    new += await self._entries.judge(found, known.regimes.get(subject, ()), known.registry, work)
            except (Unreadable, OverflowError):
                new += await self._add(unreadable_finding(record, self._stack), record, work)
            except Unsigned:
                new += await self._add(unsigned_finding(record, self._stack, uuid_of(found.one)), record, work)
        return new


def _grow(known: _Known, subject: str, more: Sequence[str]) -> None:
    before = known.regimes.get(subject, ())
    after = tuple(dict.fromkeys((*before, *more)))
    if after != before:
        known.regimes[subject] = after
        known.grown.add(subject)


def _name(record: Record, one: Opened) -> bytes:
    """16 bytes that the copies of an event within a partition share: ids are unique per source."""
    return hashlib.sha256(f"{record.topic}\n{record.partition}\n{one.event['source']}\n{one.event['id']}".encode()).digest()[:16]


def operational(raised: Raised, traceparent: str | None) -> Finding:
    """A finding about the machinery: no office, no subject. Its key is its own kind, so that each kind keeps its order."""
    return Finding(raised.id, raised.kind, "operation", None, None, None, None, raised.kind.encode(), raised.value, traceparent)
