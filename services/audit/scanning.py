"""Detectors over everything that is there: on Kafka, in a bundle for auditors, in a file of envelopes.

Partitions are read in step, each only as far as the day in hand needs it, so memory holds a batch of each and what detectors keep.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from schemas.topics import PARTITIONS
from services.audit.domain.derived_entries import derived_of
from services.audit.domain.detectors.model import Detector, Entry
from services.audit.domain.frame import Record
from services.audit.domain.registry import Registry
from services.audit.domain.replay import Book, Facts
from services.audit.domain.scanning import Scan, proved
from services.audit.domain.signs import At, Found, places

Progress = Callable[[int, int], None]
"""Told the records worked off so far, and how many there are."""


class Records(Protocol):
    """Where records come from."""

    @property
    def total(self) -> int:
        """How many there are."""

    def registry(self) -> Sequence[Record]:
        """The registry, whole, by offset."""

    def more(self, partitions: Sequence[int]) -> Mapping[int, Sequence[Record]]:
        """The next records of some of these partitions of facts, by offset; nothing where one of them has no more."""

    def whole(self, partition: int) -> Iterator[Sequence[Record]]:
        """All of a partition of facts, by offset, beside what ``more`` has got to."""

    def values(self, places: Sequence[At]) -> Mapping[At, bytes | None]:
        """The values at these places, which ``registry`` or ``more`` gave before."""


@dataclass
class Scanned:
    """``found``: what holds, in order; ``through``: the last day that has closed everywhere, None: none has. ``entries``: that detectors
    were shown; ``unproved``: signs left out, for nobody signed what they rest on who had a key; ``odd``: see ``Scan``."""

    found: list[Found] = field(default_factory=list)
    through: date | None = None
    records: int = 0
    entries: int = 0
    unproved: int = 0
    odd: dict[str, int] = field(default_factory=dict)


def scan(
    records: Records,
    genesis: Mapping[str, Any] | None,
    detectors: Sequence[Detector],
    *,
    derived: Mapping[int, Sequence[Entry]] | None = None,
    old: Callable[[Sequence[str]], set[str]] = lambda ids: set(),
    progress: Progress = lambda done, total: None,
) -> Scanned:
    """Run detectors over all of it. ``genesis``: the pinned event; None: nothing is known of keys, and signatures aren't asked for.
    ``old``: which of these findings are on record; they were proved then.

    Raises what the source raises."""
    whole = Scan(genesis or {"subject": "stack:file", "data": {}}, detectors, derived or {}, trusting=genesis is None)
    registry = records.registry()
    whole.read_registry(registry)
    done, found = len(registry), list[Found]()
    del registry
    while lacking := whole.lacking():
        got = records.more(lacking)
        if not got:
            break
        for partition, some in got.items():
            whole.take(partition, some)
            done += len(some)
        found += whole.found()
        progress(done, records.total)
    found += whole.found()
    progress(records.total, records.total)
    kept = found if genesis is None else _proved(found, records, whole.registry, old)
    return Scanned(kept, whole.through, done, whole.entries, len(found) - len(kept), whole.odd)


def _proved(found: Sequence[Found], records: Records, registry: Registry, old: Callable[[Sequence[str]], set[str]]) -> list[Found]:
    before = old([one.id for one in found])
    new = [one for one in found if one.id not in before]
    values, known = records.values(places(new)), dict[tuple[At, bool], bool]()
    return [one for one in found if one.id in before or proved(one, values, registry, known)]


def derived_entries(
    records: Records, books: Mapping[str, Book], types: Collection[str], progress: Progress = lambda done, total: None
) -> dict[int, list[Entry]]:
    """What rating's fold makes of all that is there, of these types, by partition, in order; a partition's facts at a time."""
    found, done = {}, 0
    for number in range(PARTITIONS):
        facts = Facts(number)
        for some in records.whole(number):
            for one in some:
                facts.take(one)
            done += len(some)
            progress(done, records.total)
        found[number] = derived_of(facts, books, types)
    return found
