"""A partition made again from its facts by another version: what was told already is not told again, what turns out otherwise is
corrected (ADR 0023).

A rebuild that is cut off starts over: what it has sent is on Kafka, so it is not sent twice.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import orjson

from schemas import topics
from schemas.envelope import NotAnEnvelope, derived_bytes, open_record
from schemas.events.derived import NOT_RATED
from services.rating.domain.emit import TYPE, TYPE_CORRECTED, corrected
from services.rating.domain.facts import Fact
from services.rating.domain.fold import Book, Told, Untold, edition_of, in_force
from services.rating.domain.grade import standing
from services.rating.domain.retelling import Difference, Life, Said, said
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from services.rating.ports import Record
from services.rating.work import Work

if TYPE_CHECKING:
    from services.rating.handlers import Rater
    from services.rating.partition import PartitionState

log = logging.getLogger("mingjian.rating")

TOLD = (topics.GRADES, topics.DUTIES, topics.QUARANTINE)
"""Where a worker writes about a partition of facts, in the partition of the same number."""


@dataclass(slots=True)
class Rebuild:
    """``last``: the newest cause of a grade that had been told when the rebuild began, ``end``: where grades ended then. ``upto``: the
    newest fact of which anything else stands on Kafka. ``sent``: marks of all that stands there."""

    last: int
    end: int
    upto: int = -1
    sent: set[int] = field(default_factory=set)
    lives: dict[str, Life] = field(default_factory=dict)
    corrections: int = 0

    def read(self, topic: str, record: Record) -> None:
        """Take note of what was told."""
        self.sent.add(_mark_of(topic, record.value or b"", record.headers))
        if topic != topics.GRADES:
            self.upto = max(self.upto, _fact_of(topic, record))
            return
        event = open_record(record.value).event
        one = said(event, _mark(record.value or b""), own=record.offset >= self.end)
        if one is None or one.cause > self.last:
            return
        life = self.lives.setdefault(event["subject"], Life())
        # The same bytes twice are one telling.
        if all(other.mark != one.mark for other in life.told):
            life.add(one)

    @property
    def through(self) -> int:
        """Up to this fact something stands on Kafka that may not go out again."""
        return max(self.last, self.upto)

    def unsent(self, work: Work) -> Work:
        """The same work without what stands on Kafka already."""
        fresh = [one for one in work.messages if _mark_of(one.topic, one.value, one.headers) not in self.sent]
        return Work(work.rows, fresh)


def last_cause(records: Iterable[Record]) -> int:
    """The highest offset that caused any of these grades, those of wholes left out; -1 for none."""
    said = (open_record(one.value).event["data"] for one in records)
    return max((one["cause"]["offset"] for one in said if "parts" not in one), default=-1)


def _fact_of(topic: str, record: Record) -> int:
    """The fact of this partition that a duty or a quarantined record is about; -1 for none, and for what can't be read."""
    try:
        if topic == topics.DUTIES:
            return int(open_record(record.value).event["data"]["cause"]["offset"])
        body = orjson.loads(record.value or b"") if topic == topics.QUARANTINE else {}
        return int(body["offset"]) if (body["topic"], body["partition"]) == (topics.FACTS, record.partition) else -1
    except (NotAnEnvelope, KeyError, TypeError, ValueError):
        return -1


class Retelling:
    """The part of a rater that compares. ``version`` names the app whose word the corrections are."""

    def __init__(self, rater: Rater, version: str) -> None:
        self._rater, self._version = rater, version

    def before(self, state: PartitionState, subject: Subject, step: Fact, work: Work) -> None:
        """Compare with what was told for causes at which nothing is told any more, before a step is folded."""
        if state.rebuild is not None and (life := state.rebuild.lives.get(subject.subject)):
            self._silent(state, subject, life, min(step.offset, state.rebuild.last + 1), work)

    def out(self, state: PartitionState, subject: Subject, step: Fact, told: list[Told], untold: list[Untold]) -> list[Told]:
        """What of a step's words goes out: while a rebuild goes on, those that nobody has told, and corrections of those told otherwise."""
        rebuild = state.rebuild
        if rebuild is None or step.offset > rebuild.last or (life := rebuild.lives.get(subject.subject)) is None:
            return told
        if step.offset <= life.upto:
            return []
        new = [one for one in told if one.event["type"] not in (TYPE, TYPE_CORRECTED) or not life.knows(one.event["data"]["regime"])]
        words = [one for one in (said(each.event, _mark(derived_bytes(each.event))) for each in told) if one]
        failed = {one.regime for one in untold}
        return new + self._compared(state, subject, step, words, failed)

    def finish(self, state: PartitionState) -> Iterator[Work]:
        """The end of a rebuild, once the partition is past all that was told with nothing left to be worked off; nothing before."""
        rebuild = state.rebuild
        if rebuild is None or state.offset < rebuild.through or min(state.agenda, default=rebuild.through + 1) <= rebuild.through:
            return
        work = Work()
        for name, life in rebuild.lives.items():
            if life.causes_before(rebuild.last + 1):
                self._silent(state, state.aside(name, rebuild.last + 1), life, rebuild.last + 1, work)
        yield work
        log.warning(
            "facts/%d was made again: %d grades stood already, %d corrections, %d with other words",
            state.partition,
            sum(len(life.told) for life in rebuild.lives.values()) - rebuild.corrections,
            rebuild.corrections,
            sum(life.reworded for life in rebuild.lives.values()),
        )
        state.rebuild = None
        yield Work(rows=[state.rebuilt_row(-1, -1)])

    def _silent(self, state: PartitionState, subject: Subject, life: Life, offset: int, work: Work) -> None:
        for cause in life.causes_before(offset):
            step = self._step(state, subject, cause)
            if step is None:
                where = (state.partition, cause)
                log.error("facts/%d@%d caused a grade and is neither fact nor control any more; what was told by it stands", *where)
                life.upto = cause
                continue
            work.messages += self._rater.messages(state, subject.subject, self._compared(state, subject, step, [], set()))

    def _step(self, state: PartitionState, subject: Subject, offset: int) -> Fact | None:
        known = (*state.controls.facts, *subject.log.values())
        return next((one for one in known if one.offset == offset), None)

    def _compared(self, state: PartitionState, subject: Subject, step: Fact, now: list[Said], failed: set[str]) -> list[Told]:
        rebuild = state.rebuild
        assert rebuild is not None
        life = rebuild.lives[subject.subject]
        judged = [one for one in self._judged(state, step) if one not in failed and life.knows(one)]
        found = life.compare(step.offset, now, judged)
        told = []
        for regime, some in found.items():
            for one in some:
                told.append(Told(step, self._corrected(state, subject, self._rater.books[regime], step, one)))
                life.add(_as_said(step.offset, regime, one))
        rebuild.corrections += len(told)
        return told

    def _judged(self, state: PartitionState, step: Fact) -> Iterator[str]:
        """The regimes of which every edition in force by a step is held: another's words are not ours to correct."""
        for regime, book in self._rater.books.items():
            live = in_force(state.controls, book, regime, upto=step.offset, known=step.known) is not None
            if live and self._rater.not_held(state, regime, step) is None:
                yield regime

    def _corrected(self, state: PartitionState, subject: Subject, book: Book, step: Fact, one: Difference) -> dict:
        after = self._standing(state, subject, book, step, one)
        part = edition_of(state.controls, book, step, after)
        return corrected(
            subject=subject.subject,
            regime=book.rulebook.regime,
            version=part.rulebook.version,
            sha256=part.sha256,
            first=one.first,
            last=one.last,
            before=_plain(one.was, one.first) if one.was[1] else None,
            after=after,
            cause=step,
            rebuilt_by=self._version,
        )

    def _standing(self, state: PartitionState, subject: Subject, book: Book, step: Fact, one: Difference) -> Standing:
        """With its reasons, where the day by itself says the same as the history that was told."""
        try:
            found = standing(subject, state.controls, book, upto=step.offset, as_of=one.first)
        except Exception:
            found = None
        return found if found is not None and found.pair == one.now else _plain(one.now, one.first)


def _plain(pair: tuple[str | None, str | None], first: date) -> Standing:
    """A grade without reasons; ``not_rated`` where nothing is said of the days any more."""
    return Standing(pair[0], pair[1] or NOT_RATED, first, "correction", ())


def _as_said(cause: int, regime: str, one: Difference) -> Said:
    return Said(cause, regime, one.first, one.last, (one.now[0], one.now[1] or NOT_RATED), 0, own=True)


def _mark_of(topic: str, value: bytes, headers: Iterable[tuple[str, bytes]]) -> int:
    """What a second telling shares: the id, for the same id never goes out with other bytes; the bytes where there is none."""
    id = next((found for name, found in headers if name == "ce_id"), None)
    return _mark(topic.encode() + b"\n" + (value if id is None else id))


def _mark(value: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest())
