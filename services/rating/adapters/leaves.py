"""Facts and grades from a bundle's log: rating's own reader of entry bundles and leaves (ADR 11, 34).

The log's writer and verifier have theirs. Neither imports the other, so a slip in one shows; a test holds both equal. What is read here
was held against the manifest (``Bundle.opened``); whether the manifest's log is the signed one is ``mingjian verify``'s question.
"""

from __future__ import annotations

import hashlib
import json
import struct
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas import topics
from services.rating.gathering import Entry, Gathered

WIDTH = 256
_FORMAT, _MANIFEST = "mingjian-bundle-v1", "manifest.json"
_ENTRIES = "tile/entries/"
_LENGTH, _PARTITION, _U32, _U16 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">I"), struct.Struct(">H")
_PLACE, _STUB = struct.Struct(">IQBq"), struct.Struct(">Q32s")
_WHOLE, _STUBBED, _WIDE, _NULL = 0, 1, 2, 0xFFFFFFFF
_TOPICS = (topics.FACTS, topics.GRADES)

Place = tuple[str, int]
Runs = Mapping[Place, "array[int]"]
"""Where a partition's leaves lie: bundle, first byte, byte after the last, again and again."""


class BundleDamaged(Exception):
    """What is wrong with which file of the bundle."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, looked through once. ``root``, ``last_known``, ``sample``, ``rulebooks``: as its manifest says; ``newest``: when its
    newest fact became known (epoch ms; 0: there is none); ``spans``: of each partition of facts, 0 and the offset after the last. Plain
    values, for other processes read it, too."""

    folder: Path
    size: int
    root: str
    last_known: str | None
    sample: bool
    rulebooks: tuple[Mapping[str, str], ...]
    runs: Runs = field(repr=False)
    spans: Mapping[int, tuple[int, int]]
    newest: int

    @staticmethod
    def opened(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Bundle:
        """Hold every file of the log and the rulebooks against the manifest, and note where the leaves lie.

        ``progress`` hears of leaves. Raises ``BundleDamaged``, ``FileNotFoundError``."""
        said = _manifest(folder)
        hashes = {one["path"]: one["sha256"] for one in said["files"]}
        size = said["size"]
        runs: dict[Place, array[int]] = {}
        for number in range((size + WIDTH - 1) // WIDTH):
            path = _bundle_path(number, min(WIDTH, size - number * WIDTH))
            _note(number, _held(folder, path, hashes), path, runs)
            progress(min(size, (number + 1) * WIDTH), size)
        for path in hashes:
            if not path.startswith(("tile/", "checkpoint")):
                _held(folder, path, hashes)
        found = Bundle(folder, size, said["root"], said["last_known"], bool(said.get("sample")), tuple(said["rulebooks"]), runs, {}, 0)
        spans, newest = {}, 0
        for (topic, partition), where in sorted(runs.items()):
            if topic == topics.FACTS:
                last = list(found._entries(where[-3:], f"{topic} {partition}"))[-1]
                spans[partition] = (0, last[0] + 1)
                newest = max(newest, last[1])
        return Bundle(folder, size, found.root, found.last_known, found.sample, found.rulebooks, runs, spans, newest)

    def reader(self) -> Bundle:
        """What a process of the replay reads with."""
        return self

    def gather(self, found: Gathered, first: int, end: int, moved: Callable[[int], None]) -> None:
        """A partition's facts from ``first`` on, below ``end``; ``moved`` hears how many were taken. Raises ``BundleDamaged``."""
        for entries in self.read(topics.FACTS, found.partition, first, end):
            found.take(entries)
            moved(found.records)
            if found.over:
                return

    def read(self, topic: str, partition: int, first: int = 0, end: int | None = None) -> Iterator[list[Entry]]:
        """A partition's records by offset, without a hole. Raises ``BundleDamaged``."""
        where = self.runs.get((topic, partition), array("Q"))
        following = first
        for at in range(0, len(where), 3):
            some = [one for one in self._entries(where[at : at + 3], f"{topic} {partition}") if first <= one[0]]
            for one in some:
                if one[0] != following:
                    raise BundleDamaged(f"{topic} {partition}: offset {following} is no leaf; offset {one[0]} comes next")
                following += 1
            if end is not None and following > end:
                some = [one for one in some if one[0] < end]
            if some:
                yield some
            if end is not None and following >= end:
                return

    def _entries(self, where: array[int], words: str) -> Iterator[Entry]:
        number, at, stop = where
        path = _bundle_path(number, min(WIDTH, self.size - number * WIDTH))
        with (self.folder / path).open("rb") as file:
            file.seek(at)
            data = file.read(stop - at)
        at = 0
        try:
            while at < len(data):
                end = at + 2 + _LENGTH.unpack_from(data, at)[0]
                yield self._record(data[at + 2 : end])
                at = end
        except (struct.error, IndexError, ValueError) as error:
            raise BundleDamaged(f"{path}: a leaf of {words} can't be read: {error}") from None

    def _record(self, entry: bytes) -> Entry:
        if entry[1] != _STUBBED:
            return record_of(entry)
        *_, digest = _STUB.unpack_from(entry, len(entry) - _STUB.size)
        name = digest.hex()
        path = f"oversize/{name[:2]}/{name}"
        whole = (self.folder / path).read_bytes()
        if hashlib.sha256(whole).digest() != digest:
            raise BundleDamaged(f"{path}: its bytes are not those that the leaf names")
        return record_of(whole)


def record_of(frame: bytes) -> Entry:
    """A whole frame's record. Raises ``ValueError``, ``IndexError`` or ``struct.error`` for what is none."""
    version, kind, length = frame[:3]
    if version != 1 or kind not in (_WHOLE, _WIDE):
        raise ValueError(f"a frame of version {version}, kind {kind}")
    at = 3 + length
    _, offset, _, timestamp = _PLACE.unpack_from(frame, at)
    key, at = _blob(frame, at + _PLACE.size)
    number = _U32 if kind == _WIDE else _U16
    (count,) = number.unpack_from(frame, at)
    at += number.size
    headers = []
    for _ in range(count):
        (length,) = number.unpack_from(frame, at)
        at += number.size + length
        name = frame[at - length : at].decode("utf-8", "surrogateescape")
        value, at = _blob(frame, at)
        headers.append((name, value))
    value, at = _blob(frame, at)
    if at != len(frame):
        raise ValueError("its lengths are not those of its bytes")
    return offset, timestamp, key, value, headers


def _blob(data: bytes, at: int) -> tuple[bytes | None, int]:
    (length,) = _U32.unpack_from(data, at)
    at += 4
    return (None, at) if length == _NULL else (data[at : at + length], at + length)


def _note(number: int, data: bytes, path: str, runs: dict[Place, array[int]]) -> None:
    """Where the leaves of the topics that matter lie in one bundle."""
    heads = [(topic, bytes((len(topic),)) + topic.encode()) for topic in _TOPICS]
    at, last = 0, None
    try:
        while at < len(data):
            end = at + 2 + _LENGTH.unpack_from(data, at)[0]
            for topic, head in heads:
                if data.startswith(head, at + 4):
                    place = topic, _PARTITION.unpack_from(data, at + 4 + len(head))[0]
                    where = runs.setdefault(place, array("Q"))
                    if place == last:
                        where[-1] = end
                    else:
                        where.extend((number, at, end))
                    last = place
                    break
            else:
                last = None
            at = end
    except struct.error:
        at = -1
    if at != len(data):
        raise BundleDamaged(f"{path}: the last entry is cut off")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads((folder / _MANIFEST).read_bytes())
        if said["format"] != _FORMAT:
            raise BundleDamaged(f"{_MANIFEST}: its format is {said['format']!r}; this version reads {_FORMAT}")
        texts = [said["root"], *(one[name] for one in said["files"] for name in ("path", "sha256"))]
        texts += [one[name] for one in said["rulebooks"] for name in ("regime", "folder", "sha256")]
        if not all(isinstance(one, str) for one in texts) or not isinstance(said["size"], int):
            raise BundleDamaged(f"{_MANIFEST}: a value is not of its kind")
        said.setdefault("last_known", None)
        return said
    except FileNotFoundError:
        raise BundleDamaged(f"{folder} is no bundle: it has no {_MANIFEST} (`mingjian export` makes one)") from None
    except (ValueError, KeyError, TypeError) as error:
        raise BundleDamaged(f"{_MANIFEST}: it can't be read: {error!r}") from None


def _held(folder: Path, path: str, hashes: Mapping[str, str]) -> bytes:
    try:
        data = (folder / path).read_bytes()
    except OSError as error:
        raise BundleDamaged(f"{path}: {error.strerror}") from None
    if hashes.get(path) != hashlib.sha256(data).hexdigest():
        raise BundleDamaged(f"{path}: its SHA-256 is not the one in {_MANIFEST}")
    return data


def _bundle_path(number: int, width: int) -> str:
    """C2SP tlog-tiles: groups of three digits, all but the last with x; the width where there are fewer than 256 entries."""
    groups = f"{number % 1000:03d}"
    while number := number // 1000:
        groups = f"x{number % 1000:03d}/{groups}"
    return f"{_ENTRIES}{groups}" + ("" if width == WIDTH else f".p/{width}")
