"""The file driver: facts from JSON lines through the same fold, without any server.

A line is an envelope (``{"event", "entry", …}``) or a bare event; a bare event's ``received_at`` beside its keys, or else its
``time``, stands for ``known_from``. Offsets are line numbers from 0, in one partition. The rulebook counts as activated before
the first line, from its earliest date, whatever the file's own ``rulebook.activated`` lines say; ``evaluation.closed`` lines
evaluate as on Kafka.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from schemas.times import milliseconds
from services.rating.domain.controls import Controls
from services.rating.domain.days import day
from services.rating.domain.facts import CONTROLS, Fact, compact
from services.rating.domain.fold import Book
from services.rating.domain.grade import standing
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject

ACTIVATION = Fact(0, -1, 0, 0, 0, "00000000-0000-8000-8000-000000000000", "/services/rating", "rulebook.activated", {})


class BadLine(ValueError):
    """A line that is no event; ``number`` counts from 1."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(f"line {number}: {message}")
        self.number = number


@dataclass(slots=True)
class Folded:
    """Every subject of the file and the controls, folded."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    controls: Controls = field(default_factory=Controls)
    lines: int = 0
    known: int = 0


def fold_lines(lines: Iterable[bytes], book: Book, *, as_of: date | None = None, known_at: int | None = None) -> Folded:
    """Fold a file. ``as_of`` leaves out what was known only after that day, ``known_at`` (epoch ms) what was known only after that
    instant. Raises ``BadLine``."""
    folded = Folded()
    folded.controls.apply(_activation(book))
    ends = ([_end_of(as_of, book)] if as_of else []) + ([known_at + 1] if known_at is not None else [])
    end = min(ends, default=None)
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        subject, fact = _read(number, line, folded.known)
        folded.lines += 1
        if fact is None or (end is not None and fact.known >= end):
            continue
        folded.known = fact.known
        if fact.name in CONTROLS:
            if fact.name == "evaluation.closed":
                folded.controls.apply(fact)
            continue
        if subject not in folded.subjects:
            folded.subjects[subject] = Subject(subject, 0)
        folded.subjects[subject].apply(fact)
    return folded


def follow(events: Iterable[bytes], book: Book) -> Iterator[tuple[Fact | None, Standing | None]]:
    """For each event of a file, in its order: the fact, and the standing right after it, on the day on which it happened.

    Both None for an event that rating doesn't ask for; without a day there is no standing. Raises ``BadLine``."""
    folded = Folded()
    folded.controls.apply(_activation(book))
    for number, line in enumerate(events):
        name, fact = _read(number, line, folded.known)
        if fact is None or fact.name in CONTROLS:
            yield None, None
            continue
        folded.known = fact.known
        subject = folded.subjects.setdefault(name, Subject(name, 0))
        subject.apply(fact)
        on = day(fact.data.get("occurred_on"))
        yield fact, standing(subject, folded.controls, book.rulebook, sha256=book.sha256, upto=number, as_of=on) if on else None


def rate(folded: Folded, book: Book, *, as_of: date) -> Iterator[tuple[str, Standing]]:
    """The standing of every subject that the regime rates, on ``as_of``, by subject."""
    for name in sorted(folded.subjects):
        found = standing(
            folded.subjects[name], folded.controls, book.rulebook, sha256=book.sha256, upto=folded.lines + 1_000_000, as_of=as_of
        )
        if found is not None:
            yield name, found


def row(subject: str, found: Standing) -> dict[str, Any]:
    """One subject's result, as ``mingjian rate --json`` prints it."""
    return {
        "subject": subject,
        "grade": found.grade,
        "status": found.status,
        "in_force_from": found.in_force_from.isoformat() if found.in_force_from else None,
        "proposed": None,
        "clauses": list(found.clauses),
        "decisive_events": [one.fact.id for one in found.decisive],
        "readings": list(found.readings),
        "duties": [],
        "reasons": [{"rule": one.rule, "grade": one.grade, "clause": one.clause, "zh": one.zh, "en": one.en} for one in found.reasons],
    }


def _activation(book: Book) -> Fact:
    first = min(rule.in_force_from for rule in book.rulebook.rules)
    data = {
        "regime": book.rulebook.regime,
        "version": book.rulebook.version,
        "sha256": book.sha256,
        "in_force_from": first.isoformat(),
    }
    return Fact(
        *(getattr(ACTIVATION, name) for name in ("partition", "offset", "known", "stamp", "received", "id", "source", "name")), data
    )


def _end_of(last: date, book: Book) -> int:
    midnight = datetime.combine(last + timedelta(days=1), datetime.min.time(), book.zone)
    return int(midnight.astimezone(UTC).timestamp() * 1000)


def _read(number: int, line: bytes, known: int) -> tuple[str, Fact | None]:
    try:
        value = orjson.loads(line)
        event = value["event"] if "event" in value else value
        entry = value.get("entry") or {}
        stamp = milliseconds(entry.get("received_at") or value.get("received_at") or event["time"])
        fact = compact(event, entry, partition=0, offset=number, known=max(known, stamp), stamp=stamp)
        return event["subject"], fact
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadLine(number + 1, f"this is neither an envelope nor an event ({error!r})") from None
