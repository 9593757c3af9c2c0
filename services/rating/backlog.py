"""Control events that concern a whole partition: entered at their place, worked off behind it (ADR 0022).

Invariants
1. A subject is evaluated for the controls before a fact of its own before that fact is rated: what it is told, and in which order,
   is as if each control had been worked off at once.
2. A control leaves the agenda only when what it made due is durable, and its cursor moves past nobody of whom that isn't.
3. Whoever has a fact after a control, at or below the partition's offset, has been evaluated for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from services.rating.agenda import Pending
from services.rating.domain.facts import DAY_CLOSED, Fact
from services.rating.domain.fold import Book, Told, Untold, concerned_by, due, today
from services.rating.domain.subject import Subject
from services.rating.partition import PartitionState
from services.rating.ports import Record
from services.rating.work import Work

if TYPE_CHECKING:
    from services.rating.handlers import Rater

# Subjects of a partition evaluated between two writes; batches of facts come between.
SLICE = 24
# And between two breaths: what brings facts needs many turns of the loop for each, and none may be long.
BREATH = 2
# As many at a time where facts have to wait for it.
SLICE_AT_ONCE = 500
# Controls that facts may leave behind them: with more than these the oldest is worked off first, for each costs every fact a look.
MOST_PENDING = 8


class Backlog:
    """The part of a rater that works controls off. ``rater`` says how what is told goes out."""

    def __init__(self, rater: Rater) -> None:
        self._rater = rater

    @property
    def _books(self) -> Mapping[str, Book]:
        return self._rater.books

    def enter(self, state: PartitionState, step: Fact, record: Record) -> Work:
        """Put a control on the agenda; empty where it concerns nobody."""
        if not concerned_by(step, self._books) or step.offset in state.agenda:
            return Work()
        pending = Pending(step, record)
        if not state.agenda:
            pending.names = self._names(state, pending)
            if not pending.names:
                return Work()
        state.agenda[step.offset] = pending
        return Work(rows=pending.rows())

    def make_room(self, state: PartitionState) -> Iterator[Work]:
        """Work off the oldest of too many."""
        while len(state.agenda) > MOST_PENDING:
            yield from self.slice(state, SLICE_AT_ONCE)

    def slice(self, state: PartitionState, size: int, enough: Callable[[], bool] = lambda: False) -> Iterator[Work]:
        """Evaluate so many subjects for the oldest control. Each by itself: one that can't be evaluated holds up no other. Work without
        anything in it is a breath; after one it is ``enough`` where others wait."""
        pending = next(iter(state.agenda.values()), None)
        if pending is None:
            return
        if pending.names is None:
            pending.names = self._names(state, pending)
        # What is durable by now; a slice of its own for it would be one more wait for Kafka.
        work = Work(rows=[pending.cursor_row()] if pending.cursor else [])
        looked, name = 0, pending.cursor
        while pending.names and looked < size:
            name = pending.names.popleft()
            if waits(state, pending, name):
                self._evaluate(state, name, None, pending, work)
                looked += 1
                if looked % BREATH == 0:
                    yield Work()
                    if enough():
                        break
        if work:
            yield work
        pending.cursor = name
        if not pending.names:
            del state.agenda[pending.step.offset]
            yield Work(rows=pending.done_rows())

    def ahead(self, state: PartitionState, subject: Subject, fact: Fact, work: Work, *, again: bool) -> None:
        """Evaluate a subject for what is pending before its fact. ``again``: the fact comes again, and ``subject`` is a fold of its own."""
        if not subject.count:
            return
        for offset, pending in list(state.agenda.items()):
            if subject.last_offset < offset < fact.offset and subject.subject > pending.cursor:
                self._evaluate(state, subject.subject, subject, pending, work, again=again)

    def left(self, state: PartitionState) -> int:
        """How many evaluations are still to be made, at most."""
        return sum(len(state.chunks) if one.names is None else len(one.names) for one in list(state.agenda.values()))

    def _names(self, state: PartitionState, pending: Pending) -> deque[str]:
        step = pending.step
        on = today(self._books, step.known)
        found = state.falling_due(on) if on and step.name == DAY_CLOSED else state.chunks
        return deque(sorted(name for name in found if waits(state, pending, name)))

    def _evaluate(
        self, state: PartitionState, name: str, given: Subject | None, pending: Pending, work: Work, *, again: bool = False
    ) -> None:
        step = pending.step
        if step.name == DAY_CLOSED and not self._is_due(state, name, step):
            return
        told, untold = self._evaluated(state, name, given, step, again, work)
        work.messages += self._rater.messages(state, name, told, pending.record)
        work.rows += self._rater.settle(state, name, step, untold)
        if untold and not pending.failed:
            # One record stands for all of the partition's subjects.
            pending.failed = True
            regimes = ", ".join(sorted({one.regime for one in untold}))
            about = f" by {regimes}; it concerns the whole partition, and of one subject or more the grade is untold"
            work.messages.append(self._rater.quarantine(pending.record, untold[0].error, about=about))

    def _is_due(self, state: PartitionState, name: str, step: Fact) -> bool:
        on = today(self._books, step.known)
        day = state.due.get(name, on)
        return on is None or (day is not None and day <= on)

    def _evaluated(
        self, state: PartitionState, name: str, given: Subject | None, step: Fact, again: bool, work: Work
    ) -> tuple[list[Told], list[Untold]]:
        """One subject's attempt, and from when on a closed day has to look at it again."""
        try:
            subject = given or state.aside(name, step.offset)
            self._rater.retelling.before(state, subject, step, work)
            told, untold = self._rater.attempted(state, subject, step)
            # Of one whose later facts are kept already, for they come again, it says nothing.
            if not again and not state.has_after(name, step.offset):
                state.due.pop(name, None)
                if not untold:
                    state.due[name] = due(subject, state.controls, self._books, known=step.known)
            return told, untold
        except Exception as error:  # its kept facts can't be folded: that is one subject's trouble
            if given is None:
                state.forget(name)
            return [], [Untold(step, book.rulebook.regime, error) for book in concerned_by(step, self._books)]


def waits(state: PartitionState, pending: Pending, name: str) -> bool:
    """Whether a subject has still to be evaluated for a control: it had facts before it, and none since, see invariant 3."""
    chunks = state.chunks.get(name)
    if not chunks or name <= pending.cursor or chunks[0][0] > pending.step.offset:
        return False
    return not pending.step.offset < chunks[-1][1] <= state.offset
