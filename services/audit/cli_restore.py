"""What ``mingjian restore`` and ``mingjian backup`` need of audit: the log verified, topics filled from it, the plan mended."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from schemas.envelope import NotAnEnvelope, open_record
from schemas.topics import CONTROL_KEY, FACTS, FINDINGS, LOGGED_TOPICS, REFUSALS, ClockMode
from services._bus import header_names
from services.audit.adapters import plan_mending, replay_reader
from services.audit.adapters.placing import Displaced
from services.audit.adapters.plan_mending import Mended
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.ports import LogDamaged, Place
from services.audit.relogging import write_log_again
from services.audit.restoring import Reach, Restored, SoundLog, Told, Unrestorable, sound
from services.audit.restoring import restore as restore_topics
from services.audit.wiring import genesis_event, kafka, log_key, migrate

__all__ = [
    "Displaced",
    "LogDamaged",
    "Mended",
    "NoteError",
    "Reach",
    "Restored",
    "SoundLog",
    "Unrestorable",
    "digests",
    "ends",
    "fill",
    "mend",
    "positions",
    "raw_public",
    "sound_log",
    "there",
    "write_again",
]

header_names.accept()


def sound_log(log_dir: Path, genesis: Path, memory: Path | None, told: Told) -> SoundLog:
    """The log of this genesis, read whole. Raises ``Unrestorable``, ``NoteError``, ``NotConfigured``."""
    return sound(log_dir, VerifierKey.parse(genesis_event(genesis)["data"]["log_vkey"]), memory, told)


def raw_public(vkey: str) -> bytes:
    """The 32 bytes of a log's verifier key."""
    return VerifierKey.parse(vkey).public


def fill(log: SoundLog, bootstrap: str, mode: ClockMode, *, anew: bool, done: Callable[[Restored], None], told: Told) -> Restored:
    """Put back what Kafka lacks; ``done`` mends the services' positions before the topics are closed again.

    Raises ``Unrestorable``, ``Displaced``, ``Unavailable``, ``KafkaError``."""
    return asyncio.run(restore_topics(log, kafka(bootstrap), mode, done=done, told=told, anew=anew))


def write_again(folder: Path, genesis: Path, keys: Path, dsn: str, bootstrap: str, mode: ClockMode, memory: Path, told: Told) -> int:
    """A lost log's folder from plan and Kafka; ``keys``: audit's own. Raises ``Unrestorable``, ``NotConfigured``, ``Unavailable``."""
    key = log_key(keys, VerifierKey.parse(genesis_event(genesis)["data"]["log_vkey"]))
    return write_log_again(folder, dsn=dsn, connection=kafka(bootstrap), key=key, mode=mode, memory=memory, told=told)


def digests(log: SoundLog) -> dict[str, tuple[int, str]]:
    """Topic → its records in the log, and their digest."""
    counts = {topic.name: sum(end for (name, _), end in log.ends.items() if name == topic.name) for topic in LOGGED_TOPICS}
    return {topic.name: (counts[topic.name], log.digest(topic)) for topic in LOGGED_TOPICS}


def ends(bootstrap: str) -> dict[Place, int]:
    """The next offset of every logged partition. Raises ``KafkaError``."""
    places = [(topic.name, number) for topic in LOGGED_TOPICS for number in range(topic.partitions)]
    return {place: end for place, (_, end) in asyncio.run(replay_reader.bounds(kafka(bootstrap), places)).items()}


def positions(dsn: str) -> dict[Place, int]:
    """The furthest that audit stands in each partition, as log or as detectors."""
    migrate(dsn)
    log, detectors = plan_mending.positions(dsn)
    return {place: max(log.get(place, 0), detectors.get(place, 0)) for place in {*log, *detectors}}


def mend(dsn: str, log: SoundLog, reach: Mapping[Place, Reach], told: Told) -> Mended:
    """Bring plan and detectors in line with log and Kafka. Raises ``LogDamaged``, ``psycopg.Error``."""
    migrate(dsn)
    size = log.checkpoint.size
    kafka_ends = {place: one.end for place, one in reach.items()}
    mended = plan_mending.mend_plan(dsn, size, log.records, kafka_ends, lambda at: told("planning what the log has", at, size))
    plan_mending.mend_detectors(dsn, {place: (one.end, one.high, one.last) for place, one in reach.items()}, FINDINGS)
    return mended


def there(log: SoundLog) -> tuple[list[tuple[str, str, int]], list[bytes]]:
    """Of the leaves: (source, id, partition) of each control copy on facts, and every value on refusals."""
    copies: list[tuple[str, str, int]] = []
    refusals: list[bytes] = []
    for one in log.records():
        if one.topic == REFUSALS and one.value is not None:
            refusals.append(one.value)
        elif one.topic == FACTS and one.key == CONTROL_KEY:
            try:
                event = open_record(one.value).event
                copies.append((event["source"], str(uuid.UUID(event["id"])), one.partition))
            except (NotAnEnvelope, ValueError):
                continue
    return copies, refusals
