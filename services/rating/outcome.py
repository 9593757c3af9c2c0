"""What the bulk drivers answer: the final standing of each subject, or all grade events that its facts led to, as lines.

A fact that can't be folded is left out and a regime whose standing can't be worked out is counted, as the live driver does both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from services.rating.domain.controls import Controls
from services.rating.domain.days import civil_day
from services.rating.domain.digest import duty_lines, final_line, step_line
from services.rating.domain.duties import Duty
from services.rating.domain.duty_events import TYPES as DUTY_TYPES
from services.rating.domain.facts import Fact
from services.rating.domain.fold import Book, attempts, duties_on, merged
from services.rating.domain.foldable import foldable
from services.rating.domain.grade import standing
from services.rating.domain.parts.entries import TYPE as PART_GRADED
from services.rating.domain.parts.entries import Entry, entry_of
from services.rating.domain.parts.telling import entries
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject, fold
from services.rating.domain.succession import joined, links

# No offset of a partition reaches it: everything gathered counts.
ALL = 2**62
ACTIVATION_ID = "00000000-0000-8000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Question:
    """``moment`` (epoch ms): the day of it in the regime's zone is asked where no ``as_of`` is given. ``instead``: regimes that are
    rated by the book given whatever the activated one is. ``sequence``: every grade event in place of the final standing."""

    books: Mapping[str, Book]
    moment: int
    as_of: date | None = None
    instead: frozenset[str] = frozenset()
    sequence: bool = False

    def day(self, book: Book) -> date:
        return self.as_of or civil_day(self.moment, book.zone)


@dataclass(frozen=True, slots=True)
class Aside:
    """A party to a succession, whose grade may follow from facts of other partitions (R19)."""

    subject: str
    partition: int
    facts: list[Fact]
    controls: Controls


@dataclass(slots=True)
class Outcome:
    """``lines``: see ``domain.digest``; ``words``: how many have each grade or status, by (regime, word); ``untold``: (subject, regime)
    pairs that could not be worked out; ``aside``: who is rated once all partitions are read."""

    lines: list[bytes] = field(default_factory=list)
    words: Counter[tuple[str, str]] = field(default_factory=Counter)
    subjects: int = 0
    facts: int = 0
    records: int = 0
    unreadable: int = 0
    untold: int = 0
    aside: list[Aside] = field(default_factory=list)
    # What subjects say to others, for the second pass (``replaying_wholes``).
    parts: list[Entry] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Put another partition's beside it."""
        self.lines += other.lines
        self.words.update(other.words)
        self.subjects += other.subjects
        self.facts += other.facts
        self.records += other.records
        self.unreadable += other.unreadable
        self.untold += other.untold
        self.aside += other.aside
        self.parts += other.parts


def activate(controls: Controls, book: Book) -> None:
    """Let a rulebook count from its earliest date, before all facts, where no activation of its regime is known."""
    regime = book.rulebook.regime
    if regime in controls.regimes():
        return
    first = min(rule.in_force_from for rule in book.rulebook.rules)
    data = {"regime": regime, "version": book.rulebook.version, "sha256": book.sha256, "in_force_from": first.isoformat()}
    controls.apply(Fact(0, -1, 0, 0, 0, f"{ACTIVATION_ID}#{regime}", "/services/rating", "rulebook.activated", data))


def final(subject: str, partition: int, facts: list[Fact], controls: Controls, asked: Question, into: Outcome) -> None:
    """The subject's standing by every book on the day asked; a line tells nothing of what is proposed."""
    final_of(fold(subject, partition, facts), controls, asked, into)


def successors(asked: Question, into: Outcome) -> None:
    """Rate those who were set aside, with the histories that they took over (R19)."""
    logs = {one.subject: list(foldable(one.subject, one.partition, one.facts, lambda: _count(into)).log.values()) for one in into.aside}
    successions = links(logs)
    for one in into.aside:
        final_of(joined(one.subject, one.partition, logs, successions), one.controls, asked, into)
    into.aside = []


def final_of(state: Subject, controls: Controls, asked: Question, into: Outcome) -> None:
    """The standing of a folded subject by every book on the day asked."""
    subject, partition, sound = state.subject, state.partition, False
    for regime, book in asked.books.items():
        if state.scheme not in book.rulebook.header.schemes:
            continue
        try:
            try:
                found = _standing(state, controls, book, asked)
            except Exception:
                if sound:
                    raise
                # As live: what can't be folded is left out, and a regime that fails all the same stays untold.
                state, sound = foldable(subject, partition, list(state.log.values()), lambda: _count(into)), True
                found = _standing(state, controls, book, asked)
            if book.rulebook.parts:
                into.parts += entries(state, controls, book, as_of=asked.day(book))
        except Exception:
            into.untold += 1
            continue
        if line := final_line(subject, regime, found):
            assert found is not None
            into.lines.append(line)
            into.lines += duty_lines(subject, regime, _duties(state, controls, book, asked))
            into.words[regime, found.grade or found.status] += 1


def _standing(state: Subject, controls: Controls, book: Book, asked: Question) -> Standing | None:
    return standing(state, controls, book, upto=ALL, as_of=asked.day(book), proposing=False)


def _duties(state: Subject, controls: Controls, book: Book, asked: Question) -> list[Duty]:
    return duties_on(state, controls, book, upto=ALL, as_of=asked.day(book))


def _count(into: Outcome) -> None:
    into.unreadable += 1


def told(subject: str, partition: int, facts: list[Fact], controls: Controls, asked: Question, into: Outcome) -> None:
    """Every event about the subject's grades and duties, in the order in which live rating tells them."""
    kept = list(foldable(subject, partition, facts, lambda: _count(into)).log.values())
    for regime, book in asked.books.items():
        places: Counter[bool] = Counter()
        for events, untold in attempts(subject, partition, merged(kept, controls), controls, {regime: book}):
            into.untold += len(untold)
            for one in events:
                if one.event["type"] == PART_GRADED:
                    into.parts.append(entry_of(one.event))
                    continue
                of_duty = one.event["type"] in DUTY_TYPES
                into.lines.append(step_line(one.event, places[of_duty]))
                places[of_duty] += 1
                into.words[regime, one.event["type"]] += 1
