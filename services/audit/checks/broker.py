"""Every record of Kafka against its leaf, and the settings of the topics that would let records go."""

from __future__ import annotations

import asyncio

from schemas.topics import LOGGED_TOPICS, ClockMode, Topic, topic_config
from services.audit.adapters import replay_reader
from services.audit.checks.running import Broker, Run
from services.audit.domain.verify import MARKER, Fault

_LOSES = {
    "cleanup.policy": "Kafka may drop records that have a newer one of the same key",
    "retention.ms": "Kafka may delete records by their age",
    "retention.bytes": "Kafka may delete records for space",
    "unclean.leader.election.enable": "a replica that lacks records may take over",
    "message.timestamp.type": "the records' times are another clock's than genesis says",
}


def check(run: Run) -> None:
    """Partitions, settings, records."""
    if run.kafka is None:
        return
    for topic in LOGGED_TOPICS:
        _partitions(run, topic, run.kafka.counts[topic.name])
    asyncio.run(_settings(run, run.kafka))
    asyncio.run(_records(run, run.kafka))


def _partitions(run: Run, topic: Topic, on_kafka: int) -> None:
    """Records of partitions beyond the contract's are no leaves, and what is missing is lost."""
    if on_kafka != topic.partitions:
        run.fault("partitions", topic.name, f"Kafka has {on_kafka} partitions of it, the contract {topic.partitions}")


async def _settings(run: Run, kafka: Broker) -> None:
    topics = [one for one in LOGGED_TOPICS if kafka.counts[one.name]]
    found = await replay_reader.settings(kafka.connection, [one.name for one in topics])
    for topic in topics:
        if topic.name not in found:
            run.report.notices.append(Fault("settings", topic.name, "this user may not read the topic's settings on Kafka"))
            continue
        for key, wanted in _wanted(run, topic).items():
            actual = found[topic.name].get(key)
            if actual != wanted:
                why = _LOSES.get(key, "the contract sets it")
                run.fault("settings", f"{topic.name} {key}", f"is {actual}, the contract has {wanted}: {why}")


def _wanted(run: Run, topic: Topic) -> dict[str, str]:
    genesis = run.authority()
    mode: ClockMode = "simulated" if genesis and genesis["data"].get("clock_mode") == "simulated" else "wall"
    wanted = topic_config(topic, mode)
    if not genesis:
        # Nothing says which clock.
        del wanted["message.timestamp.type"]
    return wanted


async def _records(run: Run, kafka: Broker) -> None:
    logged, report, ends = run.log.next_offsets, run.report, kafka.ends
    for (topic, partition), (first, _) in sorted(ends.items()):
        if first:
            run.fault("deleted", f"{topic} {partition}:0", f"Kafka begins at offset {first}: what stood before it was deleted there")
    # Kafka may have moved on since the ends were asked, the log too: compare what both have.
    now = await replay_reader.bounds(kafka.connection, ends)
    wanted = {place: (now[place][0], min(now[place][1], logged.get(place, 0))) for place in ends}
    report.pending = sum(max(0, now[place][1] - logged.get(place, 0)) for place in ends)
    before = _resume(run, kafka, wanted)
    moved = run.bar.task("records on Kafka", sum(max(0, end - first) for first, end in wanted.values()) + before)
    async for records in replay_reader.read_through(kafka.connection, wanted):
        for record in records:
            run.log.compare(record)
        report.compared += len(records)
        moved(report.compared + before)
        run.progress.note_compared(run.log.progress)
    run.log.compared()
    for (topic, partition), (_, end) in sorted(ends.items()):
        missing = end - logged.get((topic, partition), 0)
        if missing > 0:
            what = f"{missing} records of Kafka are no leaves: audit does not run or is behind, or {MARKER} an offset"
            run.fault("unlogged", f"{topic} {partition}:{logged.get((topic, partition), 0)}", what)


def _resume(run: Run, kafka: Broker, wanted: dict[tuple[str, int], tuple[int, int]]) -> int:
    """Leave out what an interrupted run has compared with these very leaves; how many records that is."""
    before = 0
    for place, (following, digest) in run.progress.compared(kafka.connection.bootstrap).items():
        first, end = wanted.get(place, (0, 0))
        if first == 0 < following <= end and run.log.resume(place, following, digest):
            wanted[place] = (following, end)
            before += following
    if before:
        run.report.resumed["kafka"] = before
    return before
