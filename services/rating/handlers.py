"""Records → work: load, decide, append. One ``Rater`` a process; its caller writes each piece of work before it asks for more.

A control event that concerns every subject of a partition is put on its agenda and worked off behind it (``backlog``).

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
from dataclasses import dataclass

from schemas import topics
from schemas.envelope import NotAnEnvelope, derived_bytes, open_record
from services._bus.quarantine import quarantined
from services._bus.telemetry import HEADER, sampled
from services.rating.backlog import Backlog
from services.rating.domain.controls import Activation
from services.rating.domain.duty_events import TYPES as DUTY_TYPES
from services.rating.domain.facts import CONTROLS, DAY_CLOSED, DUTY_CONTROLS, Fact, compact
from services.rating.domain.fold import Book, Told, Untold, attempt, attempts, concerned_by, merged, not_held, passed_over
from services.rating.domain.parts.entries import TYPE as PART_GRADED
from services.rating.domain.subject import Subject
from services.rating.partition import PartitionState
from services.rating.ports import Message, Record, Row
from services.rating.rebuild import Retelling
from services.rating.work import Work

log = logging.getLogger("mingjian.rating")

# What a step told and what it could not tell; None where it was no step.
Attempt = tuple[list[Told], list[Untold]] | None
# Subjects of which what was not told is made up for between two writes.
SLICE = 500


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

    def __init__(self, books: Mapping[str, Book], *, version: str = topics.rating_app()) -> None:
        self.books: dict[str, Book] = dict(books)
        self.states: dict[int, PartitionState] = {}
        self.counts = Counts()
        self.backlog = Backlog(self)
        self.retelling = Retelling(self, version)

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
                    self._tell(state, subject, fact, self._repeated(state, subject, fact, work, again), record, work)
                else:
                    self._tell(state, subject, fact, self._fact(state, subject, fact, work, fresh), record, work)
            except Exception as error:  # the fold is pure: what fails once fails always, so it isn't tried again
                work.messages.append(self.quarantine(record, error))
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
        return opened.event["subject"], fact

    def _fact(self, state: PartitionState, name: str, fact: Fact, work: Work, fresh: dict[str, list[Fact]]) -> Attempt:
        self.counts.facts += 1
        subject = state.subject(name)
        before = subject.count
        if state.agenda:
            self.backlog.ahead(state, subject, fact, work, again=False)
        self.retelling.before(state, subject, fact, work)
        try:
            if not state.untold and state.rebuild is None and passed_over(subject, state.controls, self.books, fact):
                fresh.setdefault(name, []).append(fact)
                return None
            found = self.attempted(state, subject, fact)
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

    def _repeated(self, state: PartitionState, name: str, fact: Fact, work: Work, again: dict[str, Scratch]) -> Attempt:
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
            if state.agenda:
                self.backlog.ahead(state, scratch.subject, fact, work, again=True)
            self.retelling.before(state, scratch.subject, fact, work)
            found = self.attempted(state, scratch.subject, kept)
        except Exception:
            again.pop(name)
            raise
        return found if scratch.subject.count > before else None

    def attempted(self, state: PartitionState, subject: Subject, step: Fact) -> tuple[list[Told], list[Untold]]:
        """Fold a step; what of its words goes out, and what it could not tell. Raises where it can't be folded."""
        told, untold = attempt(subject, state.controls, self.books, step)
        return self.retelling.out(state, subject, step, told, untold), untold

    def _tell(self, state: PartitionState, name: str, fact: Fact, found: Attempt, record: Record, work: Work) -> None:
        """Messages and rows of one fact. ``found`` None: a further copy, which is no step."""
        if found is None:
            return
        told, untold = found
        work.messages += self.messages(state, name, told, record)
        work.rows += self.settle(state, name, fact, untold)
        for one in untold:
            work.messages.append(self.quarantine(record, one.error, about=f" by {one.regime}; the fact is kept, its grade is untold"))

    def settle(self, state: PartitionState, name: str, step: Fact, untold: Sequence[Untold]) -> list[Row]:
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
        """Enter a control event: its own row, who is refused by it, and what it leaves to be worked off. All of that is durable before
        the head moves. One that comes again is worked off already, or stands on the agenda, unless the head had not moved past it."""
        kept = next((one for one in state.controls.facts if one.offset == fact.offset), None)
        if kept is None and not state.controls.apply(fact):
            return
        step = kept or fact
        rows = [state.control_row(step)]
        # A rulebook may come into force with a day as well as with its activation.
        regimes = state.controls.regimes() if step.name == DAY_CLOSED else () if step.name in DUTY_CONTROLS else (step.data["regime"],)
        for regime in regimes:
            rows += self._check(state, regime, step)
        if step.offset > state.offset:
            rows += self.backlog.enter(state, step, record).rows
        yield Work(rows=rows)
        yield from self.backlog.make_room(state)

    def _check(self, state: PartitionState, regime: str, step: Fact) -> list[Row]:
        """Refuse a regime of which an activated edition is not held; remember since when."""
        activation = self.not_held(state, regime, step)
        if activation is None:
            return []
        state.refused.setdefault(regime, activation.fact.offset)
        return [state.refused_row(regime)]

    def not_held(self, state: PartitionState, regime: str, step: Fact | None = None) -> Activation | None:
        """The first activation by a step, or else by where the partition stands, whose edition isn't held."""
        upto, known = (step.offset, step.known) if step else (state.offset, state.known)
        return not_held(state.controls, self.books.get(regime), regime, upto=upto, known=known)

    def make_up(self, state: PartitionState) -> Iterator[Work]:
        """Tell what was not told while a regime was refused, where its activated rulebook is now loaded; remember from where on
        one is refused that was not before. To be called when a state or the rulebooks have just been loaded."""
        newly = self._newly_refused(state)
        if newly:
            yield Work(rows=newly)
        for regime, since in sorted(state.refused.items()):
            book = self.books.get(regime)
            if book is None or self.not_held(state, regime):
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
                work.messages += self.messages(state, name, told)
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
            if regime not in state.refused and self.not_held(state, regime):
                # What is still on the agenda was not told by the rulebook before.
                state.refused[regime] = min(state.agenda, default=state.offset + 1)
                rows.append(state.refused_row(regime))
        return rows

    def refusals(self) -> list[dict[str, object]]:
        """Regimes that are not rated, with the digests that differ; for /status and /readyz."""
        found: dict[str, dict[str, object]] = {}
        for partition, state in sorted(self.states.items()):
            for regime in state.controls.regimes():
                activation, book = self.not_held(state, regime), self.books.get(regime)
                if activation is None:
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

    def messages(self, state: PartitionState, name: str, told: Sequence[Told], record: Record | None = None) -> list[Message]:
        """What goes out. ``record``: the one at hand, whose trace goes on with it."""
        self.counts.grades += sum(one.event["type"] not in DUTY_TYPES for one in told)
        trace = sampled(record.headers) if record and told else None
        return [_message(name, one, trace) for one in told]

    def quarantine(self, record: Record, error: Exception, *, about: str = "") -> Message:
        """The whole record and the reason, under the source's key, as every service writes it."""
        self.counts.quarantined += 1
        where = traceback.extract_tb(error.__traceback__)
        place = f" in {where[-1].name}" if where and not isinstance(error, NotAnEnvelope) else ""
        log.error("facts/%d@%d goes to quarantine: %s%s%s", record.partition, record.offset, type(error).__name__, place, about)
        reason = str(error) if isinstance(error, NotAnEnvelope) else f"{type(error).__name__}{place}{about}"
        row = quarantined(topics.FACTS, record, service="rating", reason=reason)
        return Message(row.topic, row.key, row.value or b"", record.timestamp, row.headers, record.partition)


def _message(name: str, told: Told, trace: bytes | None) -> Message:
    headers = [("ce_id", told.event["id"].encode()), ("ce_type", told.event["type"].encode()), ("content-type", b"application/json")]
    if trace:
        headers.append((HEADER, trace))
    value = derived_bytes(told.event)
    if told.event["type"] == PART_GRADED:
        # To the parent, which may lie in any partition (ADR 0026).
        return Message(topics.PARTS, told.event["subject"].encode(), value, told.step.stamp, tuple(headers))
    topic = topics.DUTIES if told.event["type"] in DUTY_TYPES else topics.GRADES
    return Message(topic, name.encode(), value, told.step.stamp, tuple(headers), told.step.partition)
