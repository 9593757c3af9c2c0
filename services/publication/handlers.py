"""load → decide → append: one batch of records, one transaction.

What a crash leaves: nothing, or the whole batch with the positions behind it. A batch read again adds nothing, because
facts are kept by first copy, changes by derived id, and everything else follows from those two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from schemas.envelope import NotAnEnvelope, open_record
from schemas.topics import FACTS, FINDINGS, GRADES, PARTS, REGISTRY
from services._bus.producer import Outgoing
from services._bus.telemetry import sampled
from services.publication import suspending
from services.publication.domain import registry, search, story, subjects
from services.publication.domain.lists import ListChange, ListRule, after, transitions
from services.publication.domain.parts import PartRow, part_row
from services.publication.domain.registry import RegistryRow, Stack
from services.publication.domain.rows import CORRECTED, ChangeRow, FactRow, Seen, change_row, fact_row
from services.publication.ports import Place, Position, Projection, Record, UnitOfWork, Unstorable

Quarantine = Callable[[Record, str], Outgoing]
"""Wraps a record that can't be read, with the reason, for the quarantine topic."""

_ORDER = {REGISTRY: 0, FACTS: 1, PARTS: 2, GRADES: 3, FINDINGS: 4}


@dataclass(slots=True)
class Batch:
    """Rows decided from records, before anything is stored."""

    stack: Stack | None = None
    registry: list[RegistryRow] = field(default_factory=list)
    facts: list[FactRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    parts: list[PartRow] = field(default_factory=list)
    story: story.Story | None = None
    rejected: list[Outgoing] = field(default_factory=list)
    moved: dict[Place, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did: records read, facts, changes and list moves that were new, records put in quarantine.

    ``published``: the changes that readers can see from now on; a change that was there before is not among them."""

    records: int = 0
    facts: int = 0
    changes: int = 0
    moves: int = 0
    rejected: int = 0
    published: tuple[ChangeRow, ...] = ()

    def __add__(self, other: Applied) -> Applied:
        return Applied(
            self.records + other.records,
            self.facts + other.facts,
            self.changes + other.changes,
            self.moves + other.moves,
            self.rejected + other.rejected,
            self.published + other.published,
        )


class Projector:
    """Applies records to the projection. ``rules(regime)`` gives the lists of the regime's rulebook, ``zone(regime)`` its time zone;
    None: the stack's."""

    def __init__(
        self,
        store: Projection,
        *,
        rules: Callable[[str], Sequence[ListRule]],
        zone: Callable[[str], ZoneInfo | None],
        quarantine: Quarantine,
    ) -> None:
        self._store = store
        self._zone = zone
        self._rules = rules
        self._quarantine = quarantine
        self._stack: Stack | None = None
        self._positions: dict[Place, Position] = {}

    @property
    def stack(self) -> Stack | None:
        """Genesis, once it was read."""
        return self._stack

    @property
    def positions(self) -> dict[Place, Position]:
        """Where reading goes on, as last committed."""
        return dict(self._positions)

    async def load(self) -> dict[Place, Position]:
        """Read the kept positions; also after a failed batch. What stays suspend is worked out again, for what a rulebook says of its
        time zone may have changed, and so may this code."""
        self._positions = await self._store.positions()
        self._stack = await self._store.stack()
        if self._stack is not None:
            async with self._store.transaction() as work:
                await suspending.by_facts(work, None, self._zones(self._stack.time_zone))
        return self.positions

    def _zones(self, time_zone: str) -> suspending.Zone:
        return lambda regime: self._zone(regime) or ZoneInfo(time_zone)

    async def apply(self, records: Sequence[Record]) -> Applied:
        """Apply records of several partitions, in offset order within each. Raises ``ConnectionError``, ``OtherStack``."""
        ordered = sorted(records, key=lambda one: (_ORDER[one.topic], one.partition, one.offset))
        return await self._apply(ordered, frozenset())

    async def _apply(self, records: Sequence[Record], poisoned: frozenset[tuple[str, int, int]]) -> Applied:
        batch = self._decide(records, poisoned)
        try:
            applied = await self._append(batch, len(records))
        except Unstorable:
            if len(records) == 1:
                one = records[0]
                return await self._apply(records, poisoned | {(one.topic, one.partition, one.offset)})
            half = len(records) // 2
            first = await self._apply(records[:half], poisoned)
            return first + await self._apply(records[half:], poisoned)
        self._positions.update(batch.moved)
        self._stack = batch.stack or self._stack
        return applied

    def _decide(self, records: Sequence[Record], poisoned: frozenset[tuple[str, int, int]]) -> Batch:
        batch = Batch()
        for record in records:
            place = (record.topic, record.partition)
            before = batch.moved.get(place) or self._positions.get(place) or Position(0, -1)
            if record.offset < before.next_offset:
                continue
            known_ms = max(before.known_ms, record.timestamp)
            batch.moved[place] = Position(record.offset + 1, known_ms)
            if (record.topic, record.partition, record.offset) in poisoned:
                batch.rejected.append(self._quarantine(record, "the value can't be stored"))
                continue
            try:
                opened = open_record(record.value)
                trace = sampled(record.headers)
                seen = Seen(
                    record.topic,
                    record.partition,
                    record.offset,
                    record.timestamp,
                    known_ms,
                    opened,
                    trace.decode() if trace else None,
                )
                self._sort(batch, seen)
            except NotAnEnvelope as error:
                batch.rejected.append(self._quarantine(record, str(error)))
        return batch

    def _sort(self, batch: Batch, seen: Seen) -> None:
        if seen.topic == FACTS:
            fact = fact_row(seen)
            if fact is not None:
                batch.facts.append(fact)
        elif seen.topic == GRADES:
            change = change_row(seen)
            if change is not None:
                batch.changes.append(change)
        elif seen.topic == PARTS:
            part = part_row(seen)
            if part is not None:
                batch.parts.append(part)
        elif seen.topic == REGISTRY:
            if seen.offset == 0:
                batch.stack = registry.stack(seen)
            row = registry.registry_row(seen, sample=self._sample(batch))
            if row is not None:
                batch.registry.append(row)
        elif seen.topic == FINDINGS and self._sample(batch):
            found = story.story(seen)
            if found is not None and (batch.story is None or found.weight > batch.story.weight):
                batch.story = found

    def _sample(self, batch: Batch) -> bool:
        stack = batch.stack or self._stack
        return stack is not None and stack.sample

    async def _append(self, batch: Batch, records: int) -> Applied:
        async with self._store.transaction() as work:
            if batch.stack is not None:
                await work.put_stack(batch.stack)
            if batch.registry:
                await work.insert_registry(batch.registry)
            facts = await _append_facts(work, batch.facts) if batch.facts else 0
            time_zone = (batch.stack or self._stack or Stack(False, "wall", "UTC", "")).time_zone
            if facts:
                await suspending.by_facts(work, sorted({row.subject for row in batch.facts}), self._zones(time_zone))
            changes, moves = await _append_changes(work, batch.changes, self._rules, time_zone) if batch.changes else ((), 0)
            if changes:
                await suspending.by_changes(work, [row.id for row in changes], self._zones(time_zone))
            if batch.parts:
                await work.put_parts(batch.parts)
                await work.touch({name for row in batch.parts for name in (row.parent, row.part)})
            if batch.story is not None:
                await work.keep_story(batch.story)
            if batch.rejected:
                await work.put_outbox(batch.rejected)
            await work.move(batch.moved)
        return Applied(records, facts, len(changes), moves, len(batch.rejected), changes)


def subject_index(subject: subjects.Subject) -> search.Index:
    """The search columns of a subject: name, address, postcode, district, and its number as people type it."""
    others = (subject.address, subject.postcode, subject.district, subject.id.partition(":")[2])
    return search.index(name=subject.name or "", others=tuple(one for one in others if one))


async def _append_facts(work: UnitOfWork, rows: Sequence[FactRow]) -> int:
    new = await work.insert_facts(rows)
    fresh = [row for row in rows if (row.partition, row.offset) in new]
    registered = sorted({row.subject for row in fresh if row.type in subjects.REGISTER_TYPES})
    if registered:
        known = await work.registrations(registered)
        folded = [subjects.fold(subject, known.get(subject, ())) for subject in registered]
        await work.put_subjects([(one, subject_index(one)) for one in folded])
    await work.touch({row.subject for row in fresh})
    return len(fresh)


async def _append_changes(
    work: UnitOfWork, rows: Sequence[ChangeRow], rules: Callable[[str], Sequence[ListRule]], time_zone: str
) -> tuple[tuple[ChangeRow, ...], int]:
    new = await work.new_changes([row.id for row in rows])
    fresh: list[ChangeRow] = []
    for row in rows:
        if row.id in new:
            new.remove(row.id)
            fresh.append(row)
    if not fresh:
        return (), 0
    holding = await _holding(work, fresh)
    await work.append_changes(fresh)
    current = {(row.subject, row.regime): row for row in holding}
    await work.put_grades(list(current.values()))
    moves = await _list_changes(work, holding, rules, time_zone)
    if moves:
        await work.append_list_changes(moves)
    await work.touch({row.subject for row in fresh})
    return tuple(fresh), len(moves)


async def _holding(work: UnitOfWork, rows: Sequence[ChangeRow]) -> list[ChangeRow]:
    """Those that say what holds now. A version of rating that works everything out again corrects from a cause on, and what was caused
    later holds all the same (ADR 23)."""
    found = [row for row in rows if row.in_effect]
    again = sorted({row.subject for row in found if row.type == CORRECTED})
    newest = await work.newest_causes(again) if again else {}
    holding = []
    for row in found:
        of = (row.subject, row.regime)
        if row.type != CORRECTED or row.cause_offset >= newest.get(of, -1):
            holding.append(row)
            newest[of] = max(row.cause_offset, newest.get(of, -1))
    return holding


async def _list_changes(
    work: UnitOfWork, rows: Iterable[ChangeRow], rules: Callable[[str], Sequence[ListRule]], time_zone: str
) -> list[ListChange]:
    members = await work.members(sorted({row.subject for row in rows}))
    found: list[ListChange] = []
    for row in rows:
        held = members.get((row.subject, row.regime), frozenset())
        moved = transitions(row, held, rules(row.regime), time_zone)
        members[(row.subject, row.regime)] = after(held, moved)
        found.extend(moved)
    return found
