"""Topics rebuilt on Kafka from the log: every leaf's record at its own offset, with its own time, key, headers and value.

Order of a restore, so that one that is cut off is simply begun again
1. The log is read whole and held against the pinned key and what was seen of it before (``sound``): of a log with one fault
   nothing is put back.
2. What Kafka has is compared with the leaves, record by record. A topic with any other record stops everything, untouched.
3. Rating's tables and positions are thrown away: they are a cache, and their next start must not go by offsets that are gone.
4. The topics that lack records are opened for their own times. Until step 7 a start of the stack finds them so and refuses.
5. Each partition is filled from its end on. The broker's answer names the offset of every batch; it must be the leaf's.
6. What was put back is read again and compared.
7. The caller mends the positions of other services (``done`` says how far each partition goes); then the topics are closed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from schemas.topics import LOGGED_TOPICS, RATING_APP, ClockMode, Topic, topic_config
from services._bus.kafka import Connection, Place
from services.audit.adapters import replay_reader
from services.audit.adapters.placing import Placer
from services.audit.adapters.topic_settings import CREATE_TIME, OPEN, STAMP, TopicSettings
from services.audit.domain import tiles
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.frame import Record, Stub, decode
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.policy import NOBODY, Policy
from services.audit.domain.putback import is_leaf
from services.audit.domain.verify import Fault, Verification, whole_of
from services.audit.seen import Memory
from services.audit.signatures import read_file

Told = Callable[[str, int, int], None]
"""Words, how much is done, of how much."""

_TOGETHER = 2_000
_TOGETHER_BYTES = 32 << 20


class Unrestorable(Exception):
    """Nothing was changed, or a restore that had begun can't go on; the message says what stands in the way and what to do."""


@dataclass
class SoundLog:
    """A log in which no fault was found. ``ends``: the first offset of each partition that is no leaf."""

    folder: Path
    checkpoint: Checkpoint
    check: Verification

    @property
    def ends(self) -> dict[Place, int]:
        return self.check.next_offsets

    def records(self, first: int = 0) -> Iterator[Record]:
        """The records of the leaves from ``first`` on, in the log's order; of stubs those that stand beside the log."""
        size = self.checkpoint.size
        for index in range(first // tiles.WIDTH, -(-size // tiles.WIDTH)):
            width = tiles.width_at(size, 0, index)
            data = read_file(self.folder, tiles.bundle_path(index, width)) or read_file(self.folder, tiles.bundle_path(index)) or b""
            entries = tiles.decode_bundle(data, width)
            for entry in entries[max(0, first - index * tiles.WIDTH) :]:
                found = decode(entry)
                place, offset = (found.topic, found.partition), found.offset
                if hashlib.sha256(entry).digest() != self.check.leaf_digest(place, offset):
                    raise Unrestorable(f"{self.folder} changed while it was read, at {place[0]} {place[1]}:{offset}")
                whole = whole_of(found, lambda path: read_file(self.folder, path)) if isinstance(found, Stub) else found
                if whole is None:
                    raise Unrestorable(f"the bytes beside the log of {place[0]} {place[1]}:{offset} are gone since they were verified")
                yield whole

    def digest(self, topic: Topic) -> str:
        """SHA-256 over the SHA-256 of every entry of the topic, by partition and offset. Equal digests: equal records."""
        whole = hashlib.sha256()
        for partition in range(topic.partitions):
            place = (topic.name, partition)
            for offset in range(self.ends.get(place, 0)):
                whole.update(self.check.leaf_digest(place, offset) or b"")
        return whole.hexdigest()


def sound(folder: Path, verifier: VerifierKey, memory: Path | None, told: Told, policy: Policy = NOBODY) -> SoundLog:
    """Read the log whole. Raises ``Unrestorable`` with its faults, ``NoteError`` for a checkpoint that the log didn't sign."""
    note = read_file(folder, "checkpoint")
    if note is None:
        raise Unrestorable(f"{folder} has no checkpoint: it is not a log's folder, or nothing was ever logged")
    point, _ = open_checkpoint(note, verifier)
    seen = Memory(memory, verifier, policy).seen() if memory else []
    check = Verification(point, lambda path: read_file(folder, path), seen)
    for done in check.tree():
        told("verifying the log", done, point.size)
    if check.faults:
        shown = "\n".join(f"  {one.code}: {one.where}: {one.what}" for one in check.faults[:10])
        raise Unrestorable(f"the log in {folder} does not verify, so nothing is restored from it ({len(check.faults)} faults):\n{shown}")
    return SoundLog(folder, point, check)


@dataclass(frozen=True)
class Reach:
    """How far a partition goes on Kafka. ``end``: its next offset; ``high``, ``last``: the latest and the last time of its leaves, ms,
    None where it has none."""

    end: int
    high: int | None = None
    last: int | None = None


@dataclass
class Restored:
    """What a restore did. ``put``: records by topic; ``newer``: records on Kafka that are no leaves yet; ``reach``: every partition;
    ``reset``: rating begins again from the facts."""

    put: dict[str, int] = field(default_factory=dict)
    newer: int = 0
    compared: int = 0
    made_anew: list[str] = field(default_factory=list)
    reach: dict[Place, Reach] = field(default_factory=dict)
    reset: bool = False


async def restore(
    log: SoundLog,
    connection: Connection,
    mode: ClockMode,
    *,
    done: Callable[[Restored], None],
    told: Told,
    anew: bool = False,
) -> Restored:
    """See the module. ``anew``: also topics that still hold records are made again, where the log has every one of them.

    Raises ``Unrestorable``, ``Displaced``, ``Unavailable``, ``KafkaError``."""
    settings = TopicSettings(connection)
    await settings.start()
    try:
        return await _restore(log, connection, mode, settings, done, told, anew)
    finally:
        await settings.stop()


async def _restore(
    log: SoundLog,
    connection: Connection,
    mode: ClockMode,
    settings: TopicSettings,
    done: Callable[[Restored], None],
    told: Told,
    anew: bool,
) -> Restored:
    result = Restored()
    bounds = await _bounds(connection, log)
    await _compare(log, connection, bounds, result, told)
    result.made_anew = _to_make_anew(log, bounds, anew)
    own = await settings.of([one.name for one in LOGGED_TOPICS])
    gone = set(result.made_anew)
    ends = {place: 0 if place[0] in gone else end for place, (_, end) in bounds.items()}
    lacking = sorted({place[0] for place, end in log.ends.items() if ends[place] < end})
    unfinished = [one.name for one in LOGGED_TOPICS if _is_open(own[one.name], one, mode)]
    if lacking or unfinished:
        result.reset = True
        await _reset_rating(settings, connection)
        if gone:
            await settings.make_anew(sorted(gone))
        await settings.put({name: own[name] | OPEN for name in {*lacking, *unfinished}})
    await _fill(log, connection, ends, lacking, result, told)
    if lacking:
        after = {place: (0, end) for place, end in log.ends.items() if place[0] in lacking}
        await _compare(log, connection, after, Restored(), told)
    result.newer = sum(max(0, end - log.ends.get(place, 0)) for place, end in ends.items())
    done(result)
    if lacking or unfinished:
        await settings.put(
            {topic.name: _closed(own[topic.name], topic, mode) for topic in LOGGED_TOPICS if topic.name in {*lacking, *unfinished}}
        )
    return result


async def _bounds(connection: Connection, log: SoundLog) -> dict[Place, tuple[int, int]]:
    counts = await replay_reader.partitions(connection, [one.name for one in LOGGED_TOPICS])
    for topic in LOGGED_TOPICS:
        if counts[topic.name] != topic.partitions:
            words = "no such topic" if not counts[topic.name] else f"{counts[topic.name]} partitions of it"
            raise Unrestorable(f"{topic.name}: Kafka has {words}; make it with {topic.partitions} partitions first")
    places = [(topic.name, partition) for topic in LOGGED_TOPICS for partition in range(topic.partitions)]
    if strange := sorted(set(log.ends) - set(places)):
        raise Unrestorable(f"the log has records of {strange[0][0]} {strange[0][1]}, which is no partition of ours")
    return await replay_reader.bounds(connection, places)


async def _compare(log: SoundLog, connection: Connection, bounds: Mapping[Place, tuple[int, int]], result: Restored, told: Told) -> None:
    """What Kafka has must be the leaves, as far as there are leaves. Raises ``Unrestorable`` naming the first other record."""
    wanted = {place: (first, min(end, log.ends.get(place, 0))) for place, (first, end) in bounds.items()}
    total = sum(max(0, end - first) for first, end in wanted.values())
    following = {place: first for place, (first, _) in wanted.items()}
    async for records in replay_reader.read_through(connection, wanted):
        for one in records:
            place = (one.topic, one.partition)
            expected = log.check.leaf_digest(place, one.offset)
            if one.offset != following[place] or expected is None or not is_leaf(one, expected):
                raise Unrestorable(_other(place, following[place] if one.offset != following[place] else one.offset))
            following[place] = one.offset + 1
        result.compared += len(records)
        told("comparing what Kafka has", result.compared, total)
    for place, (first, end) in wanted.items():
        if following[place] < max(first, end):
            raise Unrestorable(_other(place, following[place]))


def _other(place: Place, offset: int) -> str:
    return (
        f"{place[0]} {place[1]}:{offset} on Kafka is not the record in the log, so nothing was changed. `mingjian verify` names all that "
        f"differs; once nobody needs what stands there any more, delete the topic {place[0]} with Kafka's own tools and restore again"
    )


def _to_make_anew(log: SoundLog, bounds: Mapping[Place, tuple[int, int]], anew: bool) -> list[str]:
    """Topics of which a beginning is missing: offsets can't be given out twice, so they have to be made again. An empty one holds
    nothing to be lost; others only where they were asked for, and where the log has all that they hold."""
    found = []
    for topic in LOGGED_TOPICS:
        own = {place: bounds[place] for place in bounds if place[0] == topic.name}
        beginning = [place for place, (first, _) in own.items() if first]
        if not beginning:
            continue
        holds = sum(end - first for first, end in own.values())
        newer = sum(max(0, end - log.ends.get(place, 0)) for place, (first, end) in own.items() if end > first)
        partition, first = beginning[0][1], own[beginning[0]][0]
        if newer:
            raise Unrestorable(
                f"{topic.name} {partition}: Kafka begins at offset {first}, and the topic holds {newer} records that are no leaves. "
                "Let audit log them before the topic is made again"
            )
        if holds and not anew:
            raise Unrestorable(
                f"{topic.name} {partition}: Kafka begins at offset {first}; what is missing fits in only where the topic is made again. "
                f"The log has all {holds} records that it still holds: say --make-anew to have it deleted and filled from the log"
            )
        found.append(topic.name)
    return found


def _is_open(own: Mapping[str, str], topic: Topic, mode: ClockMode) -> bool:
    """True where a restore opened the topic and was cut off before it closed it."""
    wanted = topic_config(topic, mode)
    return own.get("max.message.bytes") == OPEN["max.message.bytes"] or (own.get(STAMP) == CREATE_TIME != wanted[STAMP])


def _closed(own: Mapping[str, str], topic: Topic, mode: ClockMode) -> dict[str, str]:
    return {name: value for name, value in own.items() if name not in OPEN} | topic_config(topic, mode)


async def _reset_rating(settings: TopicSettings, connection: Connection) -> None:
    """Throw away what rating keeps on Kafka, of every version: it makes it again from the facts and tells nothing twice (ADR 23)."""
    for group in sorted(one for one in await settings.groups() if one.startswith(f"{RATING_APP}-v")):
        await settings.forget(group)
    tables = sorted(one for one in await settings.names() if one.startswith(f"{RATING_APP}-v") and one.endswith("-changelog"))
    counts = await replay_reader.partitions(connection, tables)
    bounds = await replay_reader.bounds(connection, [(name, number) for name in tables for number in range(counts[name])])
    if used := sorted({place[0] for place, (_, end) in bounds.items() if end}):
        await settings.make_anew(used)


async def _fill(log: SoundLog, connection: Connection, ends: dict[Place, int], lacking: list[str], result: Restored, told: Told) -> None:
    total = sum(max(0, end - ends[place]) for place, end in log.ends.items())
    high: dict[Place, int] = {}
    last: dict[Place, int] = {}
    waiting: dict[Place, list[Record]] = {}
    kept = size = done = 0
    placer = Placer(connection)
    if lacking:
        await placer.start(lacking)
    try:
        for record in log.records():
            place = (record.topic, record.partition)
            high[place] = max(high.get(place, record.timestamp), record.timestamp)
            last[place] = record.timestamp
            if record.offset < ends[place]:
                continue
            waiting.setdefault(place, []).append(record)
            kept, size = kept + 1, size + len(record.value or b"") + len(record.key or b"")
            if kept >= _TOGETHER or size >= _TOGETHER_BYTES:
                done += await _put(placer, waiting, result)
                waiting, kept, size = {}, 0, 0
                told("putting records back", done, total)
        if waiting:
            told("putting records back", done + await _put(placer, waiting, result), total)
    finally:
        await placer.stop()
    result.reach = {place: Reach(max(end, log.ends.get(place, 0)), high.get(place), last.get(place)) for place, end in ends.items()}


async def _put(placer: Placer, waiting: Mapping[Place, list[Record]], result: Restored) -> int:
    """All partitions at once, each in its own order; returns how many records."""
    async with asyncio.TaskGroup() as group:
        for records in waiting.values():
            group.create_task(placer.write(records))
    for (topic, _), records in waiting.items():
        result.put[topic] = result.put.get(topic, 0) + len(records)
    return sum(map(len, waiting.values()))


__all__ = ["Fault", "NoteError", "Reach", "Restored", "SoundLog", "Unrestorable", "restore", "sound"]
