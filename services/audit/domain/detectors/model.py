"""What every detector is made of: entries and closed days in, signs and scans out. All of it is pure.

Invariants
1. A detector is a fold over the first copies of facts in the order in which the system knew them, day by closed day: of each partition
   the prefix up to its own copy of the ``day.closed``, sorted by ``Order``. So a rerun tells what the nights told, byte for byte, and
   neither batches nor the order between partitions enter. What is not known by a closed day is looked at with the next one.
2. A sign names its matter. A later sign of the same matter takes the earlier's place; one with ``retracted`` ends it.
3. A detector lists innocent explanations and says which of them the records themselves support. It accuses nobody.
4. State is as small as the detector's keys need: a million entries of all types have to fit, with all detectors, into a gigabyte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple, Protocol

from services.audit.domain.registry import Registry
from services.audit.domain.workdays import WorkCalendar

Proposes = Literal["hearing", "check", "correction"]
About = Literal["entry", "office", "pattern"]
Proof = Literal["held", "made", "none"]
"""By whom records have to be signed for a sign to rest on them: by a key that held, by one that was registered, by nobody at all."""


@dataclass(frozen=True, slots=True)
class Innocent:
    """An innocent explanation. ``code``: a word, unique within the detector."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What a detector says of itself. ``kind``: the finding's; ``version`` rises with every change of what it finds.

    ``rests_on_*``: why it is worth looking, with its source; ``clears_*``: what would end the matter, in words. ``period``: of what span a
    statistical one tests the entries, once, at the span's first close; None for an exact one. ``unproved``: it asks who may sign, and is
    left out where nothing is known of keys."""

    kind: str
    version: int
    about: About
    proposes: Proposes
    clause: str | None
    readings: tuple[str, ...]
    zh: str
    en: str
    rests_on_zh: str
    rests_on_en: str
    explanations: tuple[Innocent, ...]
    clears_zh: str
    clears_en: str
    period: Literal["month", "year"] | None = None
    unproved: bool = False


class Order(NamedTuple):
    """The order in which the system knew entries. ``known``: epoch ms, running maximum of record time in the partition."""

    known: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Entry:
    """The first copy of a fact (of facts or registry). Times are epoch ms; ``type`` is the name without prefix and version.

    ``key_id``: who signed, as the record says; ``stamp``: its registry offset; ``sha256``: of the record's value, hex.
    What rating makes of facts comes as an entry, too (``topic`` of grades or duties, ``order`` that of its cause): it is no evidence by
    itself, its cause is."""

    topic: str
    order: Order
    received: int
    signed: int
    id: str
    source: str
    type: str
    subject: str
    channel: str
    key_id: str
    stamp: int
    data: Mapping[str, Any]
    marks: tuple[str, ...] = ()
    sha256: str = ""


class Shown(NamedTuple):
    """A record that a sign rests on. ``role``: a word for what it shows."""

    topic: str
    order: Order
    source: str
    id: str
    type: str
    sha256: str
    role: str


def shown(entry: Entry, role: str) -> Shown:
    """The entry as evidence."""
    return Shown(entry.topic, entry.order, entry.source, entry.id, entry.type, entry.sha256, role)


@dataclass(frozen=True, slots=True)
class Tested:
    """A test's result, as ``schemas.events.findings.Statistic`` has it; numbers as decimal text of at most 21 characters."""

    test: str
    population: int
    observed: str
    expected: str
    effect: str
    p_value: str
    adjusted: str
    tests: int
    false_alarms: str
    population_sha256: str


def population_sha256(names: Iterable[tuple[str, str]]) -> str:
    """The hash of a tested population. ``names``: source and id of each entry, in any order."""
    return hashlib.sha256("".join(sorted(f"{source} {id}\n" for source, id in names)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sign:
    """What a detector found. ``matter``: words that name it, stable while entries come; ``office``: whose entries (or duty) it is about.

    ``entry``: the one entry that is in question, where there is one; ``values``: name → what was seen, and what it is held against;
    ``supported``: codes of the innocent explanations that the records speak for; ``concerns``: officers' pseudonyms. ``proof``: what has
    to hold of every record shown; where one fails there is no sign."""

    matter: str
    office: str
    zh: str
    en: str
    subject: str | None = None
    regime: str | None = None
    entry: Shown | None = None
    shown: tuple[Shown, ...] = ()
    concerns: tuple[str, ...] = ()
    values: tuple[tuple[str, str, str | None], ...] = ()
    supported: frozenset[str] = field(default_factory=frozenset)
    tested: Tested | None = None
    retracted: bool = False
    proof: Proof = "held"


@dataclass(frozen=True, slots=True)
class Scanned:
    """That a detector went over a day or a period, hits or not. ``units``: what was tested; ``alpha``: level of the whole scan, as text.

    Statistical detectors tell it themselves; of an exact one that doesn't, the driver tells the days on which it had entries."""

    first: date
    looked_at: int
    units: int
    hits: int
    alpha: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What stood when an entry was received, or a day closed: the registry up to and with offset ``stamp``, and the calendar of the
    partition as issued by then. ``registry`` may have been read further: ask it ``at(stamp)``."""

    registry: Registry
    stamp: int
    calendar: WorkCalendar


@dataclass(frozen=True, slots=True)
class Closed:
    """The close of a day. ``through``: the last closed day; ``known``: epoch ms of the registry's record; ``scene``: as of then."""

    through: date
    known: int
    scene: Scene


class Detector(Protocol):
    """A fold. Both calls come in the one order of invariant 1."""

    declared: Declared
    types: frozenset[str]
    """Short type names that ``take`` is called for."""

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        """The next entry; signs that follow from it and what came before."""

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """A day ended. A statistical detector tests when this is the first close after its period, once."""
