"""Records → work: load, decide, append. One ``Rater`` a process; its caller writes each piece of work before it asks for more.

What a step tells goes out together with the row of its fact; only when both are durable does the head move, and only then may
the record be acknowledged. A record that comes again (its offset is at or below what is kept) tells again what it told.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas import topics
from schemas.envelope import NotAnEnvelope, derived_bytes, open_record
from services._bus.quarantine import quarantined
from services._bus.telemetry import HEADER, sampled
from services.rating.domain.controls import Activation
from services.rating.domain.facts import CONTROLS, DAY_CLOSED, Fact, compact
from services.rating.domain.fold import Book, Told, concerned_by, decide, due, history, in_force, merged, today
from services.rating.domain.subject import Subject
from services.rating.partition import PartitionState
from services.rating.ports import Message, Record, Row

log = logging.getLogger("mingjian.rating")

# Subjects evaluated between two writes when a control event concerns a whole partition.
SLICE = 500


@dataclass(slots=True)
class Work:
    """What must be durable before the records behind it count as done."""

    rows: list[Row] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.messages)


@dataclass(slots=True)
class Counts:
    """Since the process began."""

    records: int = 0
    facts: int = 0
    grades: int = 0
    repeated: int = 0
    quarantined: int = 0


@dataclass(slots=True)
class Scratch:
    """A second fold of a subject, for facts that came again."""

    subject: Subject
    facts: deque[Fact]

    def upto(self, fact: Fact) -> Fact:
        """Fold what stands before ``fact``; return the kept fact of its offset, or itself where none was kept."""
        while self.facts and self.facts[0].offset < fact.offset:
            self.subject.apply(self.facts.popleft())
        return self.facts.popleft() if self.facts and self.facts[0].offset == fact.offset else fact


class Rater:
    """Rates by ``books`` (regime → loaded rulebook). ``states`` holds the partitions that are assigned."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self.books: dict[str, Book] = dict(books)
        self.states: dict[int, PartitionState] = {}
        self.counts = Counts()
        self._traces: dict[int, bytes] = {}

    def work(self, state: PartitionState, records: Sequence[Record]) -> Iterator[Work]:
        """The work of one partition's records, in the order of their offsets. The head has moved when the last is taken."""
        work = Work()
        fresh: dict[str, list[Fact]] = {}
        again: dict[str, Scratch] = {}
        for record in records:
            self.counts.records += 1
            try:
                subject, fact = self._read(state, record)
                if fact is None:
                    pass
                elif fact.name in CONTROLS:
                    work.rows += self._rows(state, fresh)
                    if work:
                        yield work
                    work = Work()
                    yield from self._control(state, fact)
                else:
                    self._fact(state, subject, fact, work, fresh, again)
            except Exception as error:  # the fold is pure: what fails once fails always, so it isn't tried again
                work.messages.append(self._quarantine(record, error))
            if record.offset > state.offset:
                state.known = max(state.known, record.timestamp)
                state.offset = record.offset
        work.rows += self._rows(state, fresh)
        state.trim()
        if work:
            yield work

    def _read(self, state: PartitionState, record: Record) -> tuple[str, Fact | None]:
        opened = open_record(record.value)
        known = max(state.known, record.timestamp) if record.offset > state.offset else record.timestamp
        fact = compact(opened.event, opened.entry, partition=record.partition, offset=record.offset, known=known, stamp=record.timestamp)
        trace = sampled(record.headers)
        self._traces = {record.offset: trace} if trace else {}
        return opened.event["subject"], fact

    def _fact(
        self,
        state: PartitionState,
        name: str,
        fact: Fact,
        work: Work,
        fresh: dict[str, list[Fact]],
        again: dict[str, Scratch],
    ) -> None:
        self.counts.facts += 1
        subject = state.subject(name)
        if fact.offset <= subject.last_offset:
            if name in fresh:
                work.rows += state.add(name, fresh.pop(name))
            self._repeated(state, name, fact, work, again)
            return
        before = subject.count
        try:
            told = decide(subject, state.controls, self.books, fact)
        except Exception:
            # The fold stopped half-way: what is kept of the subject is right, what is decoded is not.
            state.forget(name)
            if name in fresh:
                work.rows += state.add(name, fresh.pop(name))
            raise
        state.due.pop(name, None)
        if subject.count > before:
            fresh.setdefault(name, []).append(fact)
        work.messages += self._messages(name, told)

    def _repeated(self, state: PartitionState, name: str, fact: Fact, work: Work, again: dict[str, Scratch]) -> None:
        """Fold the subject up to the fact and tell again. The scratch fold goes along with the batch, so that a run of repeated
        facts of one subject costs one fold and not one each."""
        self.counts.repeated += 1
        scratch = again.get(name)
        if scratch is None or scratch.subject.last_offset >= fact.offset:
            scratch = again[name] = Scratch(Subject(name, state.partition), deque(state.facts(name)))
        told = decide(scratch.subject, state.controls, self.books, scratch.upto(fact))
        work.messages += self._messages(name, told)

    def _control(self, state: PartitionState, fact: Fact) -> Iterator[Work]:
        """Evaluate every subject of the partition, in slices; when a day closes, those for which something can change by it. The
        control's own row goes first: a crash in between finds it there and, as the head has not moved, evaluates all again."""
        kept = next((one for one in state.controls.facts if one.offset == fact.offset), None)
        if kept is None and not state.controls.apply(fact):
            return
        step = kept or fact
        rows = [state.control_row(step)]
        # A rulebook may come into force with a day as well as with its activation.
        for regime in state.controls.regimes() if step.name == DAY_CLOSED else [step.data["regime"]]:
            rows += self._check(state, regime, step)
        yield Work(rows=rows)
        if not concerned_by(step, self.books):
            return
        on = today(self.books, step.known)
        names = state.falling_due(on) if on and step.name == DAY_CLOSED and not kept else list(state.chunks)
        yield from self._all_subjects(state, step, names)

    def _all_subjects(self, state: PartitionState, step: Fact, names: Sequence[str]) -> Iterator[Work]:
        work = Work()
        for position, name in enumerate(names, 1):
            subject = state.subject_before(name, step.offset)
            told = decide(subject, state.controls, self.books, step)
            if step.offset > state.offset:
                state.due[name] = due(subject, state.controls, self.books, known=step.known)
            work.messages += self._messages(name, told)
            if position % SLICE == 0:
                state.trim()
                yield work
                work = Work()
        yield work

    def _check(self, state: PartitionState, regime: str, step: Fact) -> list[Row]:
        """Refuse a regime whose activated rulebook is not the loaded one; remember since when."""
        activation = self._in_force(state, regime, step)
        book = self.books.get(regime)
        if activation is None or (book is not None and book.sha256 == activation.sha256):
            return []
        state.refused.setdefault(regime, activation.fact.offset)
        return [state.refused_row(regime)]

    def _in_force(self, state: PartitionState, regime: str, step: Fact | None = None) -> Activation | None:
        """The activation in force at a step, or else where the partition stands."""
        upto, known = (step.offset, step.known) if step else (state.offset, state.known)
        return in_force(state.controls, self.books.get(regime), regime, upto=upto, known=known)

    def make_up(self, state: PartitionState) -> Iterator[Work]:
        """Tell what was not told while a regime was refused, where its activated rulebook is now loaded; remember from where on
        one is refused that was not before. To be called when a state or the rulebooks have just been loaded."""
        self._traces = {}
        newly = self._newly_refused(state)
        if newly:
            yield Work(rows=newly)
        for regime, since in sorted(state.refused.items()):
            activation = self._in_force(state, regime)
            book = self.books.get(regime)
            if activation is None or book is None or book.sha256 != activation.sha256:
                continue
            work = Work()
            for position, name in enumerate(list(state.chunks), 1):
                steps = merged(state.facts(name), state.controls)
                for told in history(name, state.partition, steps, state.controls, {regime: book}, since=since):
                    work.messages += self._messages(name, [told])
                state.forget(name)
                if position % SLICE == 0:
                    yield work
                    work = Work()
            del state.refused[regime]
            work.rows.append(state.refused_row(regime))
            yield work

    def _newly_refused(self, state: PartitionState) -> list[Row]:
        """A worker that starts with other rulebooks than the one before it: what was told until now was told rightly."""
        rows = []
        for regime in state.controls.regimes():
            activation = self._in_force(state, regime)
            book = self.books.get(regime)
            if activation is not None and regime not in state.refused and (book is None or book.sha256 != activation.sha256):
                state.refused[regime] = state.offset + 1
                rows.append(state.refused_row(regime))
        return rows

    def refusals(self) -> list[dict[str, object]]:
        """Regimes that are not rated, with the digests that differ; for /status and /readyz."""
        found: dict[str, dict[str, object]] = {}
        for partition, state in sorted(self.states.items()):
            for regime in state.controls.regimes():
                activation = self._in_force(state, regime)
                book = self.books.get(regime)
                if activation is None or (book is not None and book.sha256 == activation.sha256):
                    continue
                entry = found.setdefault(
                    regime,
                    {
                        "regime": regime,
                        "activated": {"version": activation.version, "sha256": activation.sha256},
                        "loaded": {"version": book.rulebook.version, "sha256": book.sha256} if book else None,
                        "partitions": [],
                    },
                )
                partitions = entry["partitions"]
                assert isinstance(partitions, list)
                partitions.append(partition)
        return list(found.values())

    def _rows(self, state: PartitionState, fresh: dict[str, list[Fact]]) -> list[Row]:
        rows = [row for name, facts in fresh.items() for row in state.add(name, facts)]
        fresh.clear()
        return rows

    def _messages(self, name: str, told: Sequence[Told]) -> list[Message]:
        self.counts.grades += len(told)
        return [self._message(name, one) for one in told]

    def _message(self, name: str, told: Told) -> Message:
        headers = [
            ("ce_id", told.event["id"].encode()),
            ("ce_type", told.event["type"].encode()),
            ("content-type", b"application/json"),
        ]
        if trace := self._traces.get(told.step.offset):
            headers.append((HEADER, trace))
        return Message(topics.GRADES, name.encode(), derived_bytes(told.event), told.step.stamp, tuple(headers), told.step.partition)

    def _quarantine(self, record: Record, error: Exception) -> Message:
        """The whole record and the reason, under the source's key, as every service writes it."""
        self.counts.quarantined += 1
        where = traceback.extract_tb(error.__traceback__)
        place = f" in {where[-1].name}" if where and not isinstance(error, NotAnEnvelope) else ""
        log.error("facts/%d@%d goes to quarantine: %s%s", record.partition, record.offset, type(error).__name__, place)
        reason = str(error) if isinstance(error, NotAnEnvelope) else f"{type(error).__name__}{place}"
        row = quarantined(topics.FACTS, record, service="rating", reason=reason)
        return Message(row.topic, row.key, row.value or b"", record.timestamp, row.headers, record.partition)
