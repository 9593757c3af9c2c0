"""The plan and the detectors' positions, brought in line with the log after Kafka or PostgreSQL were lost. Audit must not run.

What the log has and the plan hasn't (a database that is older, or new) is planned as it stands in the log, so that it goes on under
the same key. What the plan has beyond the checkpoint and Kafka hasn't any more is taken back: no checkpoint was signed over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import psycopg

from services.audit.adapters.plan import PostgresPlan
from services.audit.domain.frame import Record
from services.audit.ports import LogDamaged, Place, Span
from services.audit.reading import names_of

_TOGETHER = 20_000
_SPANS_CUT = """
UPDATE log_plan SET count = %(size)s - first WHERE first < %(size)s AND first + count > %(size)s
"""
_POSITIONS_CUT = """
UPDATE log_position AS p SET next_offset = coalesce((SELECT max(first_offset + count) FROM log_plan AS s
                                                     WHERE (s.topic, s.partition) = (p.topic, p.partition)), 0)
"""
_DETECTORS_CUT = """
UPDATE detector_position AS p SET next_offset = k."end", high = k.high, last = k.last
FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[]) AS k (topic, partition, "end", high, last)
WHERE (p.topic, p.partition) = (k.topic, k.partition) AND p.next_offset > k."end"
"""
# Read again from their beginning, so that only those that are not there are sent again.
_FINDINGS_AGAIN = "UPDATE detector_position SET next_offset = 0, high = NULL, last = NULL WHERE topic = %s"


@dataclass(frozen=True)
class Mended:
    """``planned``: leaves that the plan lacked; ``cut``: leaves beyond the checkpoint that were taken back."""

    planned: int
    cut: int


def head(dsn: str) -> tuple[int, int]:
    """Leaves planned and leaves noted as signed."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        row = connection.execute("SELECT planned, signed FROM log_head").fetchone()
    if row is None:
        raise LogDamaged("the plan has no head")
    return row


def positions(dsn: str) -> tuple[dict[Place, int], dict[Place, int]]:
    """What is planned of each partition, and where the detectors read next."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        log, detectors = (
            {(topic, number): end for topic, number, end in connection.execute(f"SELECT topic, partition, next_offset FROM {table}")}  # noqa: S608
            for table in ("log_position", "detector_position")
        )
    return log, detectors


def mend_plan(
    dsn: str, size: int, records: Callable[[int], Iterator[Record]], kafka: Mapping[Place, int], told: Callable[[int], None]
) -> Mended:
    """Make the plan that of a log of ``size`` leaves. ``records``: those of the leaves from one on; ``kafka``: next offsets there.

    Raises ``LogDamaged`` where the database noted a larger signed checkpoint: the log's folder is an old copy."""
    planned, signed = head(dsn)
    if signed > size:
        raise LogDamaged(
            f"the database noted a checkpoint of {signed} leaves, the log's folder has one of {size}: it is an old copy. "
            "Restore from the newest copy of the folder that there is"
        )
    cut = 0
    if planned > size and any(kafka.get(place, 0) < end for place, end in positions(dsn)[0].items()):
        cut = planned - size
        _cut(dsn, size)
    if planned < size:
        _go_on(dsn, planned, size, records(planned), told)
    return Mended(max(0, size - planned), cut)


def _cut(dsn: str, size: int) -> None:
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        connection.execute("UPDATE log_head SET epoch = epoch + 1, planned = %s", (size,))
        connection.execute("DELETE FROM log_plan WHERE first >= %s", (size,))
        connection.execute(_SPANS_CUT, {"size": size})
        connection.execute("DELETE FROM log_event WHERE leaf >= %s", (size,))
        connection.execute(_POSITIONS_CUT)


def _go_on(dsn: str, planned: int, size: int, records: Iterable[Record], told: Callable[[int], None]) -> None:
    plan = PostgresPlan(dsn)
    try:
        epoch = plan.take_over().epoch
        batch: list[Record] = []
        for one in records:
            batch.append(one)
            if len(batch) == _TOGETHER:
                planned = _commit(plan, epoch, planned, batch)
                batch = []
                told(planned)
        planned = _commit(plan, epoch, planned, batch)
        told(planned)
        plan.publish(epoch, size, lambda: None)
    finally:
        plan.close()


def _commit(plan: PostgresPlan, epoch: int, first: int, batch: list[Record]) -> int:
    if batch:
        plan.commit(epoch, first, spans_of_leaves(first, batch), names_of(first, batch))
    return first + len(batch)


def spans_of_leaves(first: int, records: Iterable[Record]) -> list[Span]:
    """The leaves from ``first`` on as spans, in the log's own order."""
    spans: list[Span] = []
    for leaf, one in enumerate(records, first):
        before = spans[-1] if spans else None
        if before and (before.topic, before.partition, before.first_offset + before.count) == (one.topic, one.partition, one.offset):
            spans[-1] = Span(before.first, before.count + 1, before.topic, before.partition, before.first_offset)
        else:
            spans.append(Span(leaf, 1, one.topic, one.partition, one.offset))
    return spans


def mend_detectors(dsn: str, reach: Mapping[Place, tuple[int, int | None, int | None]], findings: str) -> bool:
    """Take back the detectors' positions beyond Kafka's end; True where findings were lost, which will be sent again.

    ``reach``: by partition its next offset, its latest and its last time (ms). ``findings``: that topic's name."""
    _, detectors = positions(dsn)
    beyond = {place for place, end in detectors.items() if end > reach.get(place, (0, None, None))[0]}
    lost = any(topic == findings for topic, _ in beyond)
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        columns = [[topic for topic, _ in reach], [number for _, number in reach]]
        connection.execute(_DETECTORS_CUT, [*columns, *(list(one) for one in zip(*reach.values(), strict=True))])
        if lost:
            connection.execute("UPDATE finding SET read_back = false")
            connection.execute(_FINDINGS_AGAIN, (findings,))
    return lost
