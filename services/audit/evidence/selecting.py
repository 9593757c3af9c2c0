"""What of a log belongs into the pack of a finding: three looks at its entries, of which only the first one reads all of them.

First every entry's place is noted, from the first bytes of its frame, and findings and registry are kept. Then come the records that the
finding names; they say whose facts and which partitions are wanted. Those are read last.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain

from schemas.topics import CONTROL_KEY, DUTIES, FACTS, FINDINGS, GRADES, PARTS, REFUSALS, REGISTRY
from services.audit.domain import tiles
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import STUB, FrameError, Stub, decode, oversize_path
from services.audit.evidence.records import FILES, Held, Wanted, held, places_named, wanted

ReadFile = Callable[[str], bytes | None]
Progress = Callable[[int, int], None]
"""Told the leaves looked at so far, and how many there are."""
_PLACE = struct.Struct(">IQ")
_KEPT = frozenset({FINDINGS, REGISTRY})
# Topics whose records are wanted by key; a subject may be graded with a parent that lies in another partition.
_EVERYWHERE = frozenset({GRADES, PARTS, DUTIES, REFUSALS})


class NoFinding(LookupError):
    """The log has no finding of that id under the checkpoint."""


class LogUnreadable(Exception):
    """A file of the log is missing or damaged; the message names it."""


@dataclass
class _Index:
    """Leaves by topic and partition, with their offsets, as they stand in the log."""

    offsets: dict[tuple[str, int], array[int]] = field(default_factory=dict)
    leaves: dict[tuple[str, int], array[int]] = field(default_factory=dict)
    kept: list[Held] = field(default_factory=list)

    def leaf(self, topic: str, partition: int, offset: int) -> int | None:
        offsets = self.offsets.get((topic, partition), array("Q"))
        at = bisect_left(offsets, offset)
        return self.leaves[topic, partition][at] if at < len(offsets) and offsets[at] == offset else None


class Log:
    """A log's entries, bundle by bundle. ``size``: leaves of the checkpoint."""

    def __init__(self, read: ReadFile, size: int) -> None:
        self._read, self.size = read, size

    def bundle(self, index: int) -> list[bytes]:
        """Raises ``LogUnreadable``."""
        width = tiles.width_at(self.size, 0, index)
        path = tiles.bundle_path(index, width)
        try:
            return tiles.decode_bundle(self._read(path) or self._read(tiles.bundle_path(index)) or b"", width)
        except tiles.TileError as error:
            raise LogUnreadable(f"the log's {path} is missing or damaged ({error}); `mingjian verify` says what is wrong") from None

    def held(self, leaf: int, entry: bytes) -> Held:
        """Raises ``LogUnreadable``."""
        try:
            found = decode(entry)
            return held(leaf, entry, self._read(oversize_path(found.sha256)) if isinstance(found, Stub) else None)
        except FrameError as error:
            raise LogUnreadable(f"leaf {leaf} of the log can't be read ({error}); `mingjian verify` says what is wrong with it") from None

    def some(self, leaves: Collection[int], having: Collection[bytes] = (b"",)) -> Iterator[Held]:
        """Of these leaves, in their order, those in whose entry one of some texts stands, and stubs."""
        now, entries = -1, list[bytes]()
        for leaf in sorted(leaves):
            index, at = divmod(leaf, tiles.WIDTH)
            if index != now:
                now, entries = index, self.bundle(index)
            entry = entries[at]
            if entry[1] == STUB or any(one in entry for one in having):
                yield self.held(leaf, entry)


def select(read: ReadFile, size: int, finding: str, progress: Progress) -> tuple[Wanted, dict[str, list[Held]]]:
    """What belongs into the pack, by file. Raises ``NoFinding``, ``LogUnreadable``."""
    log = Log(read, size)
    index = _index(log, progress)
    event = next((one.event for one in index.kept if one.event.get("id") == finding and one.event["type"] == TYPE), None)
    if event is None:
        raise NoFinding(f"none of the log's {size:,} leaves is a finding with the id {finding}")
    places = sorted(places_named(event))
    named = [leaf for place in places if (leaf := index.leaf(*place)) is not None]
    if len(named) < len(places):
        raise NoFinding(f"what the finding {finding} rests on is not all under the log's checkpoint yet: try again with the next one")
    asked = wanted(event, log.some(named), index.kept, ())
    if asked.subject is not None and not asked.partitions:
        # It names no fact, as what is about something that never came: whose it is says where to look.
        facts = [leaf for (topic, _), some in index.leaves.items() if topic == FACTS for leaf in some]
        asked = wanted(event, log.some(named), index.kept, log.some(facts, [asked.subject.encode()]))
    leaves = set[int]()
    for (topic, partition), some in index.leaves.items():
        if topic in _EVERYWHERE or (topic == FACTS and partition in asked.partitions):
            leaves.update(some)
    found: dict[str, list[Held]] = {name: [] for name in FILES}
    texts = [CONTROL_KEY, *(one.encode() for one in (asked.subject, *asked.affected, *asked.signers) if one)]
    every = chain(index.kept, log.some(named), log.some(leaves - set(named), texts))
    seen = set[int]()
    for one in every:
        if one.leaf not in seen and (name := asked.file(one)) is not None:
            seen.add(one.leaf)
            found[name].append(one)
    for some in found.values():
        some.sort(key=lambda one: one.leaf)
    return asked, found


def _index(log: Log, progress: Progress) -> _Index:
    found, leaf = _Index(), 0
    names = dict[bytes, str]()
    while leaf < log.size:
        for entry in log.bundle(leaf // tiles.WIDTH):
            end = 3 + entry[2]
            topic = names.get(entry[3:end]) or names.setdefault(entry[3:end], entry[3:end].decode("ascii", "replace"))
            partition, offset = _PLACE.unpack_from(entry, end)
            place = (topic, partition)
            if place not in found.offsets:
                found.offsets[place], found.leaves[place] = array("Q"), array("Q")
            found.offsets[place].append(offset)
            found.leaves[place].append(leaf)
            if topic in _KEPT:
                found.kept.append(log.held(leaf, entry))
            leaf += 1
        progress(leaf, log.size)
    return found
