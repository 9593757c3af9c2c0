"""A partition's facts → every event that rating's own fold makes of them, bytes and all: the one place of audit that uses rating.

Invariants
1. Records are taken as the live worker takes them: what it puts into quarantine is no fact here, of an id's copies the first counts.
2. What is told is a function of the facts up to its cause, so whatever is read beyond that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from schemas.envelope import NotAnEnvelope, derived_bytes, open_record
from schemas.rulebook import Rulebook
from schemas.topics import DUTIES, GRADES, PARTS
from services.audit.domain.frame import Record
from services.rating.domain.acts import Decision, decision_of
from services.rating.domain.approval import APPROVED, RETURNED
from services.rating.domain.book import Book
from services.rating.domain.controls import Controls, Evaluation
from services.rating.domain.days import ONE_DAY, civil_day
from services.rating.domain.digest import digest_of, step_line
from services.rating.domain.duty_events import TYPES as DUTY_TYPES
from services.rating.domain.effects import ACTING
from services.rating.domain.emit import TYPE as DETERMINED
from services.rating.domain.emit import TYPE_CORRECTED as CORRECTED
from services.rating.domain.facts import CONTROLS, DAY_CLOSED, Fact, compact, name_of
from services.rating.domain.fold import attempts, merged, not_held
from services.rating.domain.foldable import foldable
from services.rating.domain.grade import by_parts, standing
from services.rating.domain.law import law_of
from services.rating.domain.parts.chronicle import Chronicle
from services.rating.domain.parts.chronicle import steps as steps_of
from services.rating.domain.parts.entries import TYPE as PART_GRADED
from services.rating.domain.parts.entries import Entry, entry_of
from services.rating.domain.parts.membership import JOINED
from services.rating.domain.parts.whole import Whole as Counting
from services.rating.domain.retelling import Life, Said, differences, said
from services.rating.domain.silent import brings_nothing
from services.rating.domain.spans import NOTHING, Pair, pair_of, turns_of
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from services.rating.domain.view import regimes_of

__all__ = ["Book", "Expected", "Facts", "Whole", "books_of", "digest_of", "earlier", "same_days", "same_end", "wholes"]
# For what is supposed and shown (ADR 35): rating's own notions, by the names that it gives them.
__all__ += [
    "ACTING",
    "APPROVED",
    "CONTROLS",
    "DAY_CLOSED",
    "NOTHING",
    "ONE_DAY",
    "RETURNED",
    "Controls",
    "Decision",
    "Evaluation",
    "Fact",
    "Pair",
    "Standing",
]
__all__ += ["Subject", "brings_nothing", "by_parts", "civil_day", "compact", "decision_of", "foldable", "law_of", "merged", "pair_of"]
__all__ += ["PART_GRADED", "Counting", "Entry", "entry_of", "standing", "steps_of", "turns_of"]

ASIDE = frozenset(("stay.ordered", "stay.lifted", "truth.determined"))
"""Facts that rating leaves alone and the effect of an entry asks for."""
GRADED = frozenset((DETERMINED, CORRECTED))
"""Types that say what grade or status days have."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An event that facts lead to. ``cause``: partition and offset; ``about``: the subject whose step it was (of a part's word to its
    parent the part); ``order``: of a whole's event, the place of what made it due."""

    topic: str
    id: str
    subject: str
    regime: str
    cause: tuple[int, int]
    cause_id: str
    about: str
    stamp: int
    value: bytes
    event: Mapping[str, Any]
    order: tuple[int, int, int, str] | None = None


@dataclass(slots=True)
class Told:
    """What a subject's facts lead to by one regime, in order. ``untold``: steps that can't be worked out. ``lines``: for the digest."""

    events: list[Expected] = field(default_factory=list)
    untold: int = 0
    lines: list[bytes] = field(default_factory=list)


def rated_by(facts: Iterable[Fact]) -> list[str]:
    """The regimes that rate a subject because of any of these facts, sorted."""
    return sorted(frozenset().union(*map(regimes_of, facts)))


def books_of(editions: Mapping[str, Iterable[Rulebook]]) -> dict[str, Book]:
    """Rulebooks as the fold takes them. ``editions``: by regime, the newest first."""
    return {regime: Book.of(*many) for regime, many in editions.items()}


def earlier(book: Book) -> Iterator[Book]:
    """The book as it was when each of its other editions was the newest. Steps of that time ask for none of what was activated later."""
    editions = book.editions
    return (Book.of(one, *(other for other in editions if other is not one)) for one in editions[1:])


@dataclass(slots=True)
class Facts:
    """One partition of facts, by subject. ``known``: running maximum of record times (ms); ``unreadable``: what rating quarantines;
    ``asides``: those of the types ``ASIDE``, with their whole data, and what puts such words in their place (``replacement`` by name)."""

    partition: int
    known: int = 0
    records: int = 0
    unreadable: int = 0
    offset: int = -1
    controls: Controls = field(default_factory=Controls)
    subjects: dict[str, list[Fact]] = field(default_factory=dict)
    asides: dict[str, list[Fact]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """The next record, by offset."""
        self.records += 1
        self.offset = record.offset
        self.known = max(self.known, record.timestamp)
        try:
            one = open_record(record.value)
            place = {"partition": self.partition, "offset": record.offset, "known": self.known, "stamp": record.timestamp}
            fact = compact(one.event, one.entry, **place)
            if fact is None:
                self._aside(one.event, record, dict(one.event["data"]))
            elif fact.name in CONTROLS:
                self.controls.apply(fact)
            else:
                self.subjects.setdefault(one.event["subject"], []).append(fact)
                if fact.name in ACTING and (words := one.event["data"].get("replacement")):
                    instead = {"name": name_of(words["type"]), "data": words["data"]}
                    self._aside(one.event, record, one.event["data"] | {"replacement": instead})
        except (NotAnEnvelope, KeyError, TypeError, ValueError, AttributeError, AssertionError):
            self.unreadable += 1

    def _aside(self, event: Mapping[str, Any], record: Record, data: dict[str, Any]) -> None:
        name = name_of(event["type"])
        if name in ASIDE or (data.get("replacement") or {}).get("name") in ASIDE:
            place = (self.partition, record.offset, self.known, record.timestamp, record.timestamp)
            self.asides.setdefault(event["subject"], []).append(Fact(*place, event["id"], event["source"], name, data))

    def unjudged(self, books: Mapping[str, Book]) -> set[str]:
        """Regimes of which an edition in force is not at hand: nothing is known of their grades."""
        regimes = self.controls.regimes()
        return {one for one in regimes if not_held(self.controls, books.get(one), one, upto=self.offset, known=self.known)}

    def named(self) -> set[str]:
        """Regimes that a control event of the partition names: by any other nothing is told of anybody."""
        return {one.data["regime"] for one in self.controls.facts if "regime" in one.data}

    def told(self, subject: str, book: Book) -> Told:
        """What the subject's facts lead to by a regime. Never raises: what can't be worked out is ``untold``."""
        found, regime = Told(), book.rulebook.regime

        places = {True: 0, False: 0}
        try:
            kept = list(foldable(subject, self.partition, self.subjects.get(subject, []), lambda: None).log.values())
            for events, untold in attempts(subject, self.partition, merged(kept, self.controls), self.controls, {regime: book}):
                found.untold += len(untold)
                for one in events:
                    found.events.append(_expected(one.event, one.step, subject))
                    if one.event["type"] != PART_GRADED:
                        of_duty = one.event["type"] in DUTY_TYPES
                        found.lines.append(step_line(one.event, places[of_duty]))
                        places[of_duty] += 1
        except Exception:  # the fold is pure: rating fails here as well
            found.untold += 1
        return found


def _expected(event: Mapping[str, Any], step: Fact, about: str) -> Expected:
    topic = PARTS if event["type"] == PART_GRADED else DUTIES if event["type"] in DUTY_TYPES else GRADES
    cause = (step.partition, step.offset)
    value = derived_bytes(dict(event))
    return Expected(topic, event["id"], event["subject"], event["data"]["regime"], cause, step.id, about, step.stamp, value, event)


@dataclass(slots=True)
class Whole:
    """What a parent's parts lead to by a regime. ``failed``: it can't be worked out."""

    parent: str
    regime: str
    events: list[Expected] = field(default_factory=list)
    failed: bool = False
    lines: list[bytes] = field(default_factory=list)


def wholes(words: Iterable[Mapping[str, Any]], books: Mapping[str, Book]) -> list[Whole]:
    """Every parent's events from all that parts say (``part.graded`` events, in any order), by name."""
    of: dict[tuple[str, str], Chronicle] = {}
    for event in words:
        entry: Entry = entry_of(event)
        book = books.get(entry.regime)
        if book is not None and book.rulebook.parts is not None:
            of.setdefault((entry.parent, entry.regime), Chronicle(entry.parent, book)).add(entry)
    found = []
    for (parent, regime), chronicle in sorted(of.items()):
        whole = Whole(parent, regime)
        try:
            for place, (entry, event) in enumerate(chronicle.settle()):
                cause, value = entry.cause, derived_bytes(event)
                at = (cause.partition, cause.offset)
                one = Expected(GRADES, event["id"], parent, regime, at, cause.id, parent, cause.stamp, value, event, entry.order)
                whole.events.append(one)
                whole.lines.append(step_line(event, place))
        except Exception:  # as in the live worker, which leaves such a whole untold
            whole.failed = True
        found.append(whole)
    return found


def words_of(subject: str, partition: int, facts: Iterable[Fact], controls: Controls, book: Book) -> list[Entry]:
    """What a subject says to those that are graded by it, and where it is graded by its parts, of itself: all that its facts lead to, in
    order. Their places are those of ``facts``, whose very facts the stretches name. Raises what the fold raises."""
    facts, found = list(facts), list[Entry]()
    if not _speaks(facts, book):
        return found
    by_place = {(one.partition, one.offset): one for one in facts}
    for events, untold in attempts(subject, partition, merged(facts, controls), controls, {book.rulebook.regime: book}):
        if untold:
            raise untold[0].error
        for one in events:
            if one.event["type"] == PART_GRADED:
                said = entry_of(one.event)
                found.append(_with(said, said.cause, lambda fact: by_place.get((fact.partition, fact.offset), fact)))
    return found


def _speaks(facts: Iterable[Fact], book: Book) -> bool:
    """Whether anybody is graded by it: it joined somebody, or is registered as what parts grade; by whatever words."""
    parts = book.rulebook.parts
    if parts is None:
        return False
    said = [words for one in facts for words in ((one.name, one.data), _worded(one))]
    return any(name == JOINED or data.get("business_kind") in parts.business_kinds for name, data in said)


def _worded(fact: Fact) -> tuple[str, Mapping[str, Any]]:
    words = fact.data.get("replacement") or {}
    return str(words.get("name", "")), words.get("data") or {}


def moved(said: Entry, place: Callable[[int], int]) -> Entry:
    """A word at other places: ``place`` of each offset."""

    def at(fact: Fact) -> Fact:
        return replace(fact, offset=place(fact.offset))

    return _with(said, at(said.cause), at)


def _with(said: Entry, cause: Fact, of: Callable[[Fact], Fact]) -> Entry:
    stretches = (replace(one, decisive=tuple(replace(each, fact=of(each.fact)) for each in one.decisive)) for one in said.stretches)
    return replace(said, cause=cause, stretches=tuple(stretches))


def order_of(event: Mapping[str, Any]) -> tuple[int, int, int, str]:
    """The place of a part's word in its parent's log. Raises ``KeyError``, ``TypeError``, ``ValueError``."""
    return entry_of(event).order


def same_days(stands: Iterable[Mapping[str, Any]], should: Iterable[Mapping[str, Any]], regime: str) -> bool:
    """Whether two tellings of one subject by one regime say the same of every day after every cause (ADR 0023): ``stands`` with the
    corrections by which a later version put right what an earlier one told. Raises what a malformed event makes of it."""
    life = Life()
    for one in _said(stands, 1):
        life.add(one)
    now = _said(should, 2)
    for cause in sorted({one.cause for one in (*life.told, *now)}):
        if life.compare(cause, [one for one in now if one.cause == cause], [regime]):
            return False
    return True


def same_end(stands: Iterable[Mapping[str, Any]], should: Iterable[Mapping[str, Any]]) -> bool:
    """Whether two tellings of one whole say the same of every day in the end, of those known together the newest told."""

    def newest_last(events: Iterable[Mapping[str, Any]]) -> list[Said]:
        ordered = sorted(events, key=lambda one: (one["data"]["cause"]["known_from"], one["data"]["cause"]["offset"]))
        return [_days(one) for one in ordered]

    return not differences(newest_last(stands), newest_last(should))


def _said(events: Iterable[Mapping[str, Any]], mark: int) -> list[Said]:
    return [one for one in (said(dict(event), mark) for event in events) if one]


def _days(event: Mapping[str, Any]) -> Said:
    data = event["data"]
    first, last = (date.fromisoformat(data[name]) if data.get(name) else None for name in ("in_force_from", "corrected_to"))
    return Said(0, data["regime"], first or date.min, last, (data.get("grade"), data["status"]), 0)
