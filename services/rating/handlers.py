"""Records → work: load, decide, append. One ``Rater`` a process; its caller writes each piece of work before it asks for more.

What a step tells goes out together with the row of its fact; only when both are durable does the head move, and only then may
the record be acknowledged. A record that comes again (its offset is at or below what is kept) tells again what it told.

A fact that can be folded is kept, whatever a rulebook makes of it. Where a regime's standing can't be worked out, the record goes
to quarantine as untold, the subject is remembered as owed, and its other regimes and all other subjects go on.
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
from services.rating.domain.fold import Book, Told, Untold, attempt, attempts, concerned_by, due, in_force, merged, passed_over, today
from services.rating.domain.subject import Subject
from services.rating.partition import PartitionState
from services.rating.ports import Message, Record, Row

log = logging.getLogger("mingjian.rating")

# What a step told and what it could not tell; None where it was no step.
Attempt = tuple[list[Told], list[Untold]] | None
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
    untold: int = 0


@dataclass(slots=True)
class Scratch:
    """A second fold of a subject, for facts that came again."""

    subject: Subject
    facts: deque[Fact]

    def upto(self, fact: Fact) -> Fact:
        """Fold what stands before ``fact``; return the kept fact of its offset, or itself where none was kept."""
        while self.facts and self.facts[0].offset < fact.offset:
            self.subject.take(self.facts.popleft())
        return self.facts.popleft() if self.facts and self.facts[0].offset == fact.offset else fact


class Rater:
    """Rates by ``books`` (regime → loaded rulebook). ``states`` holds the partitions that are assigned."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self.books: dict[str, Book] = dict(books)
        self.states: dict[int, PartitionState] = {}
        self.counts = Counts()
        # By partition, for partitions are worked off side by side: the offset at hand and its trace.
        self._traces: dict[int, tuple[int, bytes]] = {}

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
                    yield from self._control(state, fact, record)
                elif fact.offset <= state.subject(subject).last_offset:
                    if subject in fresh:
                        work.rows += state.add(subject, fresh.pop(subject))
                    self._tell(state, subject, fact, self._repeated(state, subject, fact, again), record, work)
                else:
                    self._tell(state, subject, fact, self._fact(state, subject, fact, work, fresh), record, work)
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
        if trace := sampled(record.headers):
            self._traces[record.partition] = (record.offset, trace)
        return opened.event["subject"], fact

    def _fact(self, state: PartitionState, name: str, fact: Fact, work: Work, fresh: dict[str, list[Fact]]) -> Attempt:
        self.counts.facts += 1
        subject = state.subject(name)
        before = subject.count
        try:
            if not state.untold and passed_over(subject, state.controls, self.books, fact):
                fresh.setdefault(name, []).append(fact)
                return None
            found = attempt(subject, state.controls, self.books, fact)
        except Exception:
            # The fold stopped half-way: what is kept of the subject is right, what is decoded is not.
            state.forget(name)
            if name in fresh:
                work.rows += state.add(name, fresh.pop(name))
            raise
        state.due.pop(name, None)
        if subject.count > before:
            fresh.setdefault(name, []).append(fact)
            return found
        return None

    def _repeated(self, state: PartitionState, name: str, fact: Fact, again: dict[str, Scratch]) -> Attempt:
        """Fold the subject up to the fact and tell again. The scratch fold goes along with the batch, so that a run of repeated
        facts of one subject costs one fold and not one each."""
        self.counts.facts += 1
        self.counts.repeated += 1
        scratch = again.get(name)
        if scratch is None or scratch.subject.last_offset >= fact.offset:
            scratch = again[name] = Scratch(Subject(name, state.partition), deque(state.facts(name)))
        try:
            kept = scratch.upto(fact)
            before = scratch.subject.count
            found = attempt(scratch.subject, state.controls, self.books, kept)
        except Exception:
            again.pop(name)
            raise
        return found if scratch.subject.count > before else None

    def _tell(self, state: PartitionState, name: str, fact: Fact, found: Attempt, record: Record, work: Work) -> None:
        """Messages and rows of one fact. ``found`` None: a further copy, which is no step."""
        if found is None:
            return
        told, untold = found
        work.messages += self._messages(name, told)
        work.rows += self._settle(state, name, fact, untold)
        for one in untold:
            work.messages.append(self._quarantine(record, one.error, about=f" by {one.regime}; the fact is kept, its grade is untold"))

    def _settle(self, state: PartitionState, name: str, step: Fact, untold: Sequence[Untold]) -> list[Row]:
        """Who is owed a grade, and who no longer is: what a step tells is the standing, whatever was not told before it."""
        if not untold and not state.untold:
            return []
        self.counts.untold += len(untold)
        failed = {one.regime for one in untold}
        regimes = [book.rulebook.regime for book in concerned_by(step, self.books)]
        rows = []
        for regime in regimes:
            if regime in failed or regime not in state.refused:
                rows += state.settle(regime, name, step.offset if regime in failed else None)
        return rows

    def _control(self, state: PartitionState, fact: Fact, record: Record) -> Iterator[Work]:
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
        yield from self._all_subjects(state, step, names, record)

    def _all_subjects(self, state: PartitionState, step: Fact, names: Sequence[str], record: Record) -> Iterator[Work]:
        """Each subject by itself: one that can't be evaluated holds up no other. One quarantined record stands for all of them."""
        work = Work()
        failed: list[Untold] = []
        for position, name in enumerate(names, 1):
            told, untold = self._evaluated(state, name, step)
            work.messages += self._messages(name, told)
            work.rows += self._settle(state, name, step, untold)
            failed += untold
            if position % SLICE == 0:
                state.trim()
                yield work
                work = Work()
        if failed:
            regimes = ", ".join(sorted({one.regime for one in failed}))
            about = f" by {regimes}; {len(failed)} grades of the partition's subjects are untold"
            work.messages.append(self._quarantine(record, failed[0].error, about=about))
        yield work

    def _evaluated(self, state: PartitionState, name: str, step: Fact) -> tuple[list[Told], list[Untold]]:
        """One subject's attempt, and from when on a closed day has to look at it again."""
        try:
            subject = state.subject_before(name, step.offset)
            told, untold = attempt(subject, state.controls, self.books, step)
            if step.offset > state.offset:
                state.due.pop(name, None)
                if not untold:
                    state.due[name] = due(subject, state.controls, self.books, known=step.known)
            return told, untold
        except Exception as error:  # its kept facts can't be folded: that is one subject's trouble
            state.forget(name)
            state.due.pop(name, None)
            return [], [Untold(step, book.rulebook.regime, error) for book in concerned_by(step, self.books)]

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
        self._traces.pop(state.partition, None)
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
                self._made_up(state, name, book, since, work)
                if position % SLICE == 0:
                    yield work
                    work = Work()
            del state.refused[regime]
            work.rows.append(state.refused_row(regime))
            yield work
        yield from self._make_up_untold(state)

    def _make_up_untold(self, state: PartitionState) -> Iterator[Work]:
        """Other code or another rulebook may tell what could not be told."""
        work = Work()
        for position, ((regime, name), since) in enumerate(sorted(state.untold.items()), 1):
            if regime in self.books and regime not in state.refused:
                self._made_up(state, name, self.books[regime], since, work)
            if position % SLICE == 0:
                yield work
                work = Work()
        if work:
            yield work

    def _made_up(self, state: PartitionState, name: str, book: Book, since: int, work: Work) -> None:
        """Tell one subject's steps from an offset on, and who is owed a grade after the last of them."""
        regime, owed = book.rulebook.regime, None
        try:
            steps = merged(state.facts(name), state.controls)
            for told, untold in attempts(name, state.partition, steps, state.controls, {regime: book}, since=since):
                work.messages += self._messages(name, told)
                owed = (since if owed is None else owed) if untold else None
        except Exception as error:  # one subject's trouble
            log.error("partition %d: a subject's grades by %s can't be made up: %s", state.partition, regime, type(error).__name__)
            owed = since
        self.counts.untold += owed is not None
        state.forget(name)
        work.rows += state.settle(regime, name, owed)

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

    def untold(self) -> list[dict[str, object]]:
        """Regimes by which grades are owed because they could not be worked out, and of how many subjects; for /status and /readyz."""
        owed: dict[str, list[int]] = {}
        for partition, state in sorted(self.states.items()):
            for regime, _ in list(state.untold):
                owed.setdefault(regime, []).append(partition)
        return [{"regime": one, "subjects": len(found), "partitions": sorted(set(found))} for one, found in sorted(owed.items())]

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
        offset, trace = self._traces.get(told.step.partition, (-1, b""))
        if offset == told.step.offset:
            headers.append((HEADER, trace))
        return Message(topics.GRADES, name.encode(), derived_bytes(told.event), told.step.stamp, tuple(headers), told.step.partition)

    def _quarantine(self, record: Record, error: Exception, *, about: str = "") -> Message:
        """The whole record and the reason, under the source's key, as every service writes it."""
        self.counts.quarantined += 1
        where = traceback.extract_tb(error.__traceback__)
        place = f" in {where[-1].name}" if where and not isinstance(error, NotAnEnvelope) else ""
        log.error("facts/%d@%d goes to quarantine: %s%s%s", record.partition, record.offset, type(error).__name__, place, about)
        reason = str(error) if isinstance(error, NotAnEnvelope) else f"{type(error).__name__}{place}{about}"
        row = quarantined(topics.FACTS, record, service="rating", reason=reason)
        return Message(row.topic, row.key, row.value or b"", record.timestamp, row.headers, record.partition)
