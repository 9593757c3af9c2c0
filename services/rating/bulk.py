"""The file driver: facts from JSON lines through the same fold, without any server.

A line is an envelope (``{"event", "entry", …}``) or a bare event; ``received_at``, of the entry or beside the event's keys, or else the
event's ``time``, stands for ``known_from``. Lines may stand in any order of subjects: each subject's own stand in the order in which
they became known, and ``known`` is their running maximum, as in a partition of their own. Offsets are line numbers from 0. Copies
of control events count once, however often they stand there.

The file's ``rulebook.activated`` lines count by the digests that they name, as far as these editions are held; for any other digest the
newest edition counts from the date that the line says. Where the file (or what of it was known) holds none of the regime, the newest
counts from its earliest date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson

from schemas.rulebook.paragraph import paragraph
from schemas.times import milliseconds
from services.rating.domain.controls import Controls
from services.rating.domain.days import day
from services.rating.domain.duties import Duty
from services.rating.domain.duty_events import row as duty_row
from services.rating.domain.emit import ahead, held
from services.rating.domain.facts import CONTROLS, Fact, compact
from services.rating.domain.fold import Book, duties_on
from services.rating.domain.foldable import foldable
from services.rating.domain.grade import standing
from services.rating.domain.outlook import outlook
from services.rating.domain.parts.entries import Entry
from services.rating.domain.parts.telling import entries
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from services.rating.domain.succession import joined, links, parties
from services.rating.gathering import also_concerned
from services.rating.outcome import ALL, activate
from services.rating.replaying_wholes import wholes


class BadLine(ValueError):
    """A line that is no event; ``number`` counts from 1, ``what`` says what is wrong and ``remedy`` how to mend it."""

    def __init__(self, number: int, what: str, remedy: str) -> None:
        super().__init__(f"line {number}: {what}. {remedy}.")
        self.number, self.what, self.remedy = number, what, remedy


@dataclass(slots=True)
class Folded:
    """The subjects of a file, as far as their facts were known, and the controls. ``lines``: all that were read, blank ones aside;
    ``known``: the newest instant among them (epoch ms)."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    controls: Controls = field(default_factory=Controls)
    lines: int = 0
    known: int = 0
    # What a grade by parts was counted from, by subject; filled by ``rate``.
    counted: dict[str, dict[str, Any]] = field(default_factory=dict)


def fold_lines(lines: Iterable[bytes], book: Book, *, known_at: int | None = None) -> Folded:
    """Read a file. ``known_at`` (epoch ms) leaves out what became known only after that instant. Raises ``BadLine``."""
    folded = Folded()
    newest: dict[str, int] = {}
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        folded.lines += 1
        subject, fact = _read(number, line, 0)
        if fact is None:
            continue
        folded.known = max(folded.known, fact.known)
        if fact.name in CONTROLS:
            if known_at is None or fact.known <= known_at:
                _apply(folded.controls, fact, book)
            continue
        for name in (subject, *also_concerned(fact.data)):
            known = newest[name] = max(newest.get(name, 0), fact.known)
            if known_at is None or known <= known_at:
                if name not in folded.subjects:
                    folded.subjects[name] = Subject(name, 0)
                folded.subjects[name].take(fact if fact.known == known else replace(fact, known=known))
    activate(folded.controls, book)
    logs = {name: list(one.log.values()) for name, one in folded.subjects.items() if parties(one.log.values())}
    successions = links(logs)
    for name in {one.successor for one in successions}:
        folded.subjects[name] = joined(name, 0, logs, successions)
    return folded


def _apply(controls: Controls, fact: Fact, book: Book) -> None:
    if fact.name == "rulebook.activated" and fact.data["regime"] == book.rulebook.regime and book.edition(fact.data["sha256"]) is None:
        fact.data["sha256"] = book.sha256
    controls.apply(fact)


def follow(events: Iterable[bytes], book: Book) -> Iterator[tuple[Fact | None, Standing | None]]:
    """For each event of a file, in its order: the fact, and the standing right after it, on the day on which it happened.

    Both None for an event that rating doesn't ask for; without a day there is no standing. Raises ``BadLine``."""
    folded = Folded()
    activate(folded.controls, book)
    for number, line in enumerate(events):
        name, fact = _read(number, line, folded.known)
        if fact is None or fact.name in CONTROLS:
            yield None, None
            continue
        folded.known = fact.known
        subject = folded.subjects.setdefault(name, Subject(name, 0))
        subject.apply(fact)
        on = day(fact.data.get("occurred_on"))
        yield fact, standing(subject, folded.controls, book, upto=number, as_of=on) if on else None


def rate(folded: Folded, book: Book, *, as_of: date) -> Iterator[tuple[str, Standing]]:
    """The standing on ``as_of`` of every subject that the regime rates, by subject, from all facts that were folded: what became
    known after that day tells of it, too."""
    by_parts = _wholes(folded, book, as_of)
    for name in sorted(folded.subjects):
        subject = folded.subjects[name]
        try:
            found = _standing(subject, folded, book, as_of)
        except Exception:  # as live: a fact that can't be folded is left out
            subject = folded.subjects[name] = foldable(name, 0, list(subject.log.values()), lambda: None)
            found = _standing(subject, folded, book, as_of)
        found = by_parts.get(name, found)
        if found is not None:
            yield name, found


def _wholes(folded: Folded, book: Book, as_of: date) -> dict[str, Standing]:
    """The standings of those that are rated by their parts (ADR 0026)."""
    if book.rulebook.parts is None:
        return {}
    said: list[Entry] = []
    for name, subject in folded.subjects.items():
        try:
            said += entries(subject, folded.controls, book, as_of=as_of)
        except Exception:  # as live: a fact that can't be folded is left out
            subject = foldable(name, 0, list(subject.log.values()), lambda: None)
            said += entries(subject, folded.controls, book, as_of=as_of)
    found = {}
    for name, standing_of, counted in wholes(said, book, as_of=as_of):
        found[name], folded.counted[name] = standing_of, counted
    return found


def _standing(subject: Subject, folded: Folded, book: Book, as_of: date) -> Standing | None:
    return standing(subject, folded.controls, book, upto=ALL, as_of=as_of)


def in_order(folded: Folded) -> tuple[dict[str, list[Fact]], Controls]:
    """Facts by subject and controls with offsets as if all lines stood in one partition in the order in which they became known: for
    what is told step by step."""
    every = [
        (fact.known, fact.offset, name, fact)
        for name, subject in folded.subjects.items()
        for fact in subject.log.values()
        if not fact.through
    ]
    every += [(fact.known, fact.offset, "", fact) for fact in folded.controls.facts]
    facts: dict[str, list[Fact]] = {}
    controls = Controls()
    for offset, (_, _, name, fact) in enumerate(sorted(every, key=lambda one: one[:3])):
        moved = replace(fact, offset=offset)
        if name:
            facts.setdefault(name, []).append(moved)
        else:
            controls.apply(moved)
    return facts, controls


def explained(folded: Folded, book: Book, subject: str, found: Standing, as_of: date) -> dict[str, Any]:
    """What a better grade would take, beside a subject's result (see ``domain.outlook``), and all of it as a paragraph."""
    seen = ahead(outlook(folded.subjects[subject], folded.controls, book, found, upto=ALL, as_of=as_of))
    rulebook = found.by.rulebook if found.by else book.rulebook
    said = held(found) | seen
    counted = {"parts": folded.counted[subject]} if subject in folded.counted else {}
    return seen | counted | {"explanation": {"zh": paragraph(rulebook, said, "zh"), "en": paragraph(rulebook, said, "en")}}


def owed(folded: Folded, book: Book, subject: str, as_of: date) -> list[Duty]:
    """What offices owe about a subject, for ``row``."""
    return duties_on(folded.subjects[subject], folded.controls, book, upto=ALL, as_of=as_of)


def row(subject: str, found: Standing, duties: Iterable[Duty] = (), book: Book | None = None) -> dict[str, Any]:
    """One subject's result, as ``mingjian rate --json`` prints it. ``book``: by which the duties are."""
    return {
        "subject": subject,
        "grade": found.grade,
        "status": found.status,
        "in_force_from": found.in_force_from.isoformat() if found.in_force_from else None,
        "proposed": found.proposed.grade if found.proposed else None,
        "clauses": list(found.clauses),
        "decisive_events": [one.fact.id for one in found.decisive],
        "readings": list(found.readings),
        "duties": [{"duty": one.id, "state": one.state} | duty_row(one, book.rulebook) for one in duties] if book else [],
        "reasons": [{"rule": one.rule, "grade": one.grade, "clause": one.clause, "zh": one.zh, "en": one.en} for one in found.reasons],
    }


_FORM = 'Write one JSON object a line: an envelope {"event": {…}, "entry": {…}} or an event with id, source, type, subject, time, data'


def _read(number: int, line: bytes, known: int) -> tuple[str, Fact | None]:
    """A line's subject, and its fact where rating asks for its type; known at the earliest from ``known`` on."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadLine(number + 1, f"this is not JSON ({error})", _FORM) from None
    event = value.get("event", value) if isinstance(value, dict) else None
    if not isinstance(event, dict):
        raise BadLine(number + 1, "this is no object", _FORM)
    if missing := [name for name in ("id", "source", "type", "subject") if not isinstance(event.get(name), str)]:
        raise BadLine(number + 1, f"the event has no {', '.join(missing)}", _FORM)
    if not isinstance(event.get("data"), dict):
        raise BadLine(number + 1, "the event has no data", _FORM)
    stamp = _stamp(number, value, event)
    try:
        fact = compact(event, {}, partition=0, offset=number, known=max(known, stamp), stamp=stamp)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadLine(number + 1, f"the event's data is not that of a {event['type']} ({error!r})", "Compare docs/schemas.md") from None
    return event["subject"], fact


def _stamp(number: int, value: dict[str, Any], event: dict[str, Any]) -> int:
    entry = value.get("entry")
    said = (entry.get("received_at") if isinstance(entry, dict) else None) or value.get("received_at") or event.get("time")
    try:
        return milliseconds(said)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        what = f"received_at (or time) is {said!r}, which is no instant"
        raise BadLine(number + 1, what, "Write UTC, such as 2026-01-31T08:00:00.000Z") from None
