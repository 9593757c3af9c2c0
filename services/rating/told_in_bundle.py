"""The grades that a bundle's log says were told, held against those that its facts lead to (ADR 34).

Of each subject and regime the last word counts: by when its cause was known, the cause's offset, and the order of telling, as publication
takes them. Copies of an event, byte for byte, count once, where they stand first; an id told a second time with other words counts as told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas import topics
from schemas.envelope import NotAnEnvelope, open_record
from schemas.times import milliseconds
from services.rating.adapters.leaves import Bundle
from services.rating.domain.digest import told_line
from services.rating.domain.emit import TYPE, TYPE_CORRECTED
from services.rating.domain.facts import Fact
from services.rating.domain.fold import attempts, merged
from services.rating.outcome import Question, foldable
from services.rating.replaying import gathering

Key = tuple[str, str]
"""Subject and regime."""

# What came so shortly before the checkpoint may well have been on its way through rating.
ON_ITS_WAY_MS = 600_000
# Each is worked out event by event; where more than so many differ, the rating itself does.
_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Word:
    """What a grade event said last. ``line``: as ``domain.digest`` writes a standing, None for one that is not rated; ``loose``: of a
    correction that holds on, whose grade and status alone are a standing's. ``where``: topic, partition and offset of its leaf."""

    line: bytes | None
    loose: bool
    where: str


@dataclass(frozen=True, slots=True)
class Difference:
    """``told``, ``found``: lines, None for no grade; ``where``: the leaf that told it, or that nothing did."""

    subject: str
    regime: str
    told: bytes | None
    found: bytes | None
    where: str


@dataclass(slots=True)
class Told:
    """``passed``: of each partition the newest cause of any grade in it: so far rating had come when the checkpoint was signed."""

    words: dict[Key, Word] = field(default_factory=dict)
    passed: dict[int, int] = field(default_factory=dict)
    events: int = 0


@dataclass(slots=True)
class Compared:
    """``grades``: how many were compared; ``waiting``: that differ only by what rating had not come to yet."""

    grades: int = 0
    differences: list[Difference] = field(default_factory=list)
    waiting: list[Difference] = field(default_factory=list)


def read_told(bundle: Bundle, regimes: Iterable[str], known_at: int | None) -> Told:
    """The last words in ``grades.v1`` of these regimes, of what was known at ``known_at`` (epoch ms). Raises ``BundleDamaged``."""
    told = _Telling(frozenset(regimes), known_at)
    for partition in sorted(number for topic, number in bundle.runs if topic == topics.GRADES):
        for entries in bundle.read(topics.GRADES, partition):
            for offset, _, _, value, _ in entries:
                told.take(value, f"{topics.GRADES} {partition}:{offset}")
    return told.found


@dataclass(slots=True)
class _Telling:
    """Last words while the events are read."""

    regimes: frozenset[str]
    until: int | None
    found: Told = field(default_factory=Told)
    order: dict[Key, tuple[int, int]] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)

    def take(self, value: bytes | None, where: str) -> None:
        """The next record. What is no grade of rating's is passed over: `mingjian verify` and audit's findings are about such."""
        try:
            event, mark = open_record(value).event, hashlib.sha256(value or b"").digest()[:16]
            if mark not in self.seen:
                self.seen.add(mark)
                self._event(event, where)
        except (NotAnEnvelope, KeyError, TypeError, ValueError, AttributeError):
            return

    def _event(self, event: Mapping[str, Any], where: str) -> None:
        data, cause = event["data"], event["data"]["cause"]
        # An older version's event does not say it: publication takes it at its time, too.
        known = milliseconds(cause.get("known_from") or event["time"])
        if self.until is not None and known > self.until:
            return
        self.found.events += 1
        own = cause["partition"]
        self.found.passed[own] = max(self.found.passed.get(own, -1), cause["offset"])
        holds_on = event["type"] == TYPE_CORRECTED and data["corrected_to"] is None
        key, at = (event["subject"], data["regime"]), (known, cause["offset"])
        if data["regime"] in self.regimes and (event["type"] == TYPE or holds_on) and at >= self.order.get(key, at):
            self.order[key] = at
            self.found.words[key] = Word(told_line(event), holds_on, where)


def compare(bundle: Bundle, lines: Iterable[bytes], told: Told, asked: Question, known_at: int | None) -> Compared:
    """``lines``: those of the replay's outcome for the same question."""
    found: dict[Key, bytes] = {}
    for line in lines:
        said = orjson.loads(line)
        # A line of a duty has its kind in the third place and more of them.
        if len(said) == 7:
            found[said[0], said[1]] = line
    result = Compared(len(found.keys() | told.words.keys()))
    open_ones = [key for key in sorted(found.keys() | told.words.keys()) if not _same(told.words.get(key), found.get(key))]
    closer = _Closer(bundle, asked, known_at, {key[0] for key in open_ones[:_LOOKED_AT]}) if open_ones else None
    for number, key in enumerate(open_ones):
        word = told.words.get(key)
        one = Difference(*key, word.line if word else None, found.get(key), word.where if word else "nothing told it")
        last = closer.last.get(key) if closer and number < _LOOKED_AT else None
        if last is None:
            result.differences.append(one)
        elif not _same(word, last.line):
            on_its_way = last.offset > told.passed.get(last.partition, -1) and last.known >= asked.moment - ON_ITS_WAY_MS
            (result.waiting if on_its_way else result.differences).append(one)
    return result


def _same(word: Word | None, line: bytes | None) -> bool:
    told = word.line if word else None
    if word is not None and word.loose and told is not None and line is not None:
        return bool(orjson.loads(told)[2:4] == orjson.loads(line)[2:4])
    return told == line


@dataclass(frozen=True, slots=True)
class _Last:
    """The last event that a subject's facts lead to, as a line, and its cause."""

    line: bytes | None
    partition: int
    offset: int
    known: int


class _Closer:
    """Works subjects out event by event, as live rating tells them: what the day alone brings it tells when that day closes."""

    def __init__(self, bundle: Bundle, asked: Question, known_at: int | None, subjects: set[str]) -> None:
        self.last: dict[Key, _Last] = {}
        for partition, span in bundle.spans.items():
            gathered = gathering(partition, asked, known_at)
            bundle.gather(gathered, *span, lambda records: None)
            gathered.subjects = {key: raws for key, raws in gathered.subjects.items() if key.decode("utf-8", "replace") in subjects}
            for subject, facts in gathered.each(every=True):
                self._work(subject, partition, facts, gathered.controls, asked)

    def _work(self, subject: str, partition: int, facts: list[Fact], controls: Any, asked: Question) -> None:
        kept = list(foldable(subject, partition, facts, lambda: None).log.values())
        for regime, book in asked.books.items():
            for events, _ in attempts(subject, partition, merged(kept, controls), controls, {regime: book}):
                for one in events:
                    if one.event["type"] == TYPE:
                        self.last[subject, regime] = _Last(told_line(one.event), partition, one.step.offset, one.step.known)


def words_of(one: Difference) -> str:
    """A difference in a line."""
    return f"{one.subject} {one.regime}: told {_said(one.told)} ({one.where}), the facts lead to {_said(one.found)}"


def _said(line: bytes | None) -> str:
    if line is None:
        return "no grade"
    _, _, grade, status, since, period, clauses = orjson.loads(line)
    parts = [grade or status, f"since {since}" if since else "", f"of the period to {period}" if period else "", ", ".join(clauses)]
    return " ".join(part for part in parts if part)


def as_json(compared: Compared) -> Mapping[str, Any]:
    """For ``--json``."""
    return {"compared": compared.grades, "differences": _rows(compared.differences), "waiting": _rows(compared.waiting)}


def _rows(some: Iterable[Difference]) -> list[dict[str, Any]]:
    lines = [(one, one.told and orjson.loads(one.told), one.found and orjson.loads(one.found)) for one in some]
    return [{"subject": one.subject, "regime": one.regime, "where": one.where, "told": told, "found": found} for one, told, found in lines]
