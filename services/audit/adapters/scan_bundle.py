"""Facts and registry of a log's folder (a bundle for auditors) for a scan: a partition's leaves in its own order, wherever they lie."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from schemas.topics import FACTS, REGISTRY
from services.audit.domain.bundle import genesis_in
from services.audit.domain.frame import FrameError, Record, Stub, decode, oversize_path
from services.audit.domain.signs import At
from services.audit.domain.tiles import WIDTH, bundle_path, decode_bundle
from services.audit.ports import Place

_TOPICS = (FACTS, REGISTRY)
# What a frame has in front of its topic's name, and behind it: version, kind, length; partition, offset.
_HEAD, _AFTER = 3, struct.Struct(">IQ")
# Entry bundles kept open at once: their leaves belong to all partitions, which are read in step.
_KEPT = 64


class BundleScan:
    """``Records`` over a folder whose ``size`` leaves were verified, or are taken as they are. ``topics``: whose leaves are looked up.

    Raises ``OSError``, ``ValueError``."""

    def __init__(
        self,
        folder: Path,
        size: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
        *,
        topics: Sequence[str] = _TOPICS,
    ) -> None:
        self._folder, self._size, self._topics = folder, size, topics
        # Of each partition its offsets and where their leaves stand, by offset.
        self._offsets: dict[Place, array[int]] = {}
        self._leaves: dict[Place, array[int]] = {}
        self._at: dict[Place, int] = {}
        self._cache: dict[int, list[bytes]] = {}
        for number in range((size + WIDTH - 1) // WIDTH):
            for within, entry in enumerate(self._entries(number)):
                self._note(number * WIDTH + within, entry)
            progress(min(size, (number + 1) * WIDTH), size)

    @property
    def total(self) -> int:
        """See ``Records``."""
        return sum(map(len, self._offsets.values()))

    def _note(self, leaf: int, entry: bytes) -> None:
        end = _HEAD + entry[2]
        topic = entry[_HEAD:end].decode("ascii", "replace")
        if topic in self._topics:
            partition, offset = _AFTER.unpack_from(entry, end)
            self._offsets.setdefault((topic, partition), array("Q")).append(offset)
            self._leaves.setdefault((topic, partition), array("Q")).append(leaf)

    def _entries(self, number: int) -> list[bytes]:
        found = self._cache.pop(number, None)
        if found is None:
            width = min(WIDTH, self._size - number * WIDTH)
            found = decode_bundle((self._folder / bundle_path(number, width)).read_bytes(), width)
        self._cache[number] = found
        if len(self._cache) > _KEPT:
            del self._cache[next(iter(self._cache))]
        return found

    def _record(self, leaf: int) -> Record:
        number, within = divmod(leaf, WIDTH)
        found = decode(self._entries(number)[within])
        if isinstance(found, Stub):
            found = decode((self._folder / oversize_path(found.sha256)).read_bytes())
        if isinstance(found, Stub):
            raise FrameError(f"leaf {leaf} is the stub of a stub")
        return found

    def registry(self) -> list[Record]:
        """See ``Records``."""
        return self.of((REGISTRY, 0))

    def of(self, place: Place) -> list[Record]:
        """All records of a partition, by offset."""
        return [self._record(leaf) for leaf in self._leaves.get(place, ())]

    def genesis(self) -> dict[str, object]:
        """The event with which the registry begins. Raises ``NoGenesis``."""
        leaves = self._leaves.get((REGISTRY, 0), ())
        return genesis_in({0: self._record(leaves[0]).value} if leaves else {}).event

    def more(self, partitions: Sequence[int]) -> Mapping[int, Sequence[Record]]:
        """See ``Records``."""
        found = {}
        for number in partitions:
            place = (FACTS, number)
            at, leaves = self._at.get(place, 0), self._leaves.get(place, array("Q"))
            if at >= len(leaves):
                return {}
            found[number] = [self._record(leaf) for leaf in leaves[at : at + WIDTH]]
            self._at[place] = at + len(found[number])
        return found

    def whole(self, partition: int) -> Iterator[Sequence[Record]]:
        """See ``Records``."""
        leaves = self._leaves.get((FACTS, partition), array("Q"))
        return ([self._record(leaf) for leaf in leaves[at : at + WIDTH]] for at in range(0, len(leaves), WIDTH))

    def values(self, places: Sequence[At]) -> Mapping[At, bytes | None]:
        """See ``Records``."""
        leaves = {}
        for at in places:
            offsets = self._offsets.get((at.topic, at.partition), array("Q"))
            place = bisect_right(offsets, at.offset) - 1
            if place >= 0 and offsets[place] == at.offset:
                leaves[at] = self._leaves[at.topic, at.partition][place]
        return {at: self._record(leaf).value for at, leaf in sorted(leaves.items(), key=lambda one: one[1])}
