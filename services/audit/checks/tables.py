"""Which tables of PostgreSQL are held against the log, and by whom: the statements of ``contents``.

All are read in one snapshot, taken before Kafka's ends: what a table had not come to by then (its service's positions) is not asked of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from psycopg import sql

from schemas.topics import PUBLICATIONS
from services.audit.adapters.stored import Stored
from services.audit.domain.contents import Tell, Watcher
from services.audit.domain.kept_rows import Findings, Kept, Names, Plan, Refused, Rows
from services.audit.domain.published_rows import Changes, Facts, Lists
from services.audit.domain.verify import Place
from services.audit.reading import name_of


class Table(Watcher, Protocol):
    """A watcher of a table."""

    rows: int


def watchers_of(stored: Stored, size: int, whole: bool, fault: Tell) -> list[Table]:
    """Those of the services that have tables. ``size``: leaves of the checkpoint. Where the log is not ``whole``, lacking what Kafka had
    when the snapshot was taken, those alone that follow from its leaves one by one. Raises ``NotReadable``."""
    found: list[Table] = []
    if "audit" in stored.services:
        found += _plan(stored, size, fault)
    for service in stored.services if whole else ():
        found += _OF[service](stored, size, fault)
    return found


def _plan(stored: Stored, size: int, fault: Tell) -> list[Table]:
    [(planned, signed)] = stored.ask(_HEAD) or [(0, 0)]
    # The checkpoint is newer than the snapshot; the plan that it follows from is older than the checkpoint.
    [(planned_now, _)] = stored.ask_now(_HEAD) or [(0, 0)]
    spans = stored.stream("SELECT first, count, topic, partition, first_offset FROM audit.log_plan ORDER BY first")
    names = stored.stream("SELECT leaf, name FROM audit.log_event WHERE leaf < %s ORDER BY leaf", [min(planned, size)])
    return [
        Plan(planned, (planned_now, signed), spans, stored.ask(_ASTRAY), size, fault),
        Names(names, min(planned, size), name_of, fault),
    ]


def _audit(stored: Stored, size: int, fault: Tell) -> list[Table]:
    return [Findings(stored.stream(_FINDINGS), _positions(stored, "audit", "detector_position"), fault)]


def _intake(stored: Stored, size: int, fault: Tell) -> list[Table]:
    refused = stored.stream("SELECT sha256(value), source, event_hash, reason FROM intake.refusal WHERE sent")
    return [Kept(_of(stored, _FIRST_COPIES), _positions(stored, "intake", "partition_position"), fault), Refused(refused, fault)]


def _publication(stored: Stored, size: int, fault: Tell) -> list[Table]:
    positions = _positions(stored, "publication", "partition_position")
    untold = stored.ask(_UNTOLD, [PUBLICATIONS])
    return [
        Facts(_of(stored, _FACTS), positions, fault),
        Changes(_of(stored, _CHANGES), stored.stream(_GRADES), positions, fault),
        Lists(stored.stream(_MEMBERS), stored.stream(_LIST_CHANGES), frozenset(one for (one,) in untold), positions, fault),
    ]


_OF = {"audit": _audit, "intake": _intake, "publication": _publication}


def _positions(stored: Stored, schema: str, table: str) -> dict[Place, int]:
    rows = stored.ask(sql.SQL("SELECT topic, partition, next_offset FROM {}").format(sql.Identifier(schema, table)))
    return {(topic, partition): offset for topic, partition, offset in rows}


def _of(stored: Stored, question: str) -> Callable[[Place], Rows]:
    """The rows of a partition, by offset."""
    return lambda place: stored.stream(question, {"topic": place[0], "partition": place[1]})


_HEAD = "SELECT planned, signed FROM audit.log_head"
_UNTOLD = "SELECT DISTINCT convert_from(key, 'UTF8') FROM publication.outbox WHERE topic = %s AND key IS NOT NULL"
_ASTRAY = """
    SELECT topic, partition, position.next_offset, plan.next_offset FROM audit.log_position AS position
    FULL JOIN (SELECT topic, partition, max(first_offset + count) AS next_offset FROM audit.log_plan GROUP BY topic, partition) AS plan
    USING (topic, partition) WHERE position.next_offset IS DISTINCT FROM plan.next_offset ORDER BY topic, partition
"""
_FINDINGS = """
    SELECT id, sha256(value), record_key, read_back, superseded,
        about_one IS NOT NULL
            AND sequence < max(sequence) OVER (PARTITION BY type, about_one, coalesce(regime, ''), coalesce(affected, '')),
        type, kind, about, office, subject, regime, event_id, matter, retracted
    FROM (SELECT *, CASE WHEN kind IN ('late_entry', 'late_entry_retracted') AND num_nonnulls(event_id, office, regime) = 3
                     THEN concat_ws(' ', event_id, office, regime) ELSE matter END AS about_one FROM audit.finding) AS kept
"""
_FIRST_COPIES = """
    SELECT first."offset", source, id::text, first.event_hash, first.received_ms, first.known_ms, sha256(kept.value), kept.event_hash
    FROM intake.first_copy AS first LEFT JOIN intake.submission AS kept USING (source, id)
    WHERE first.topic = %(topic)s AND first.partition = %(partition)s ORDER BY first."offset"
"""
_FACTS = """
    SELECT "offset", event_id::text, event_hash, subject, type, received_at, known_ms, occurred_on::text, served_on::text, data
    FROM publication.fact WHERE partition = %(partition)s ORDER BY "offset"
"""
_CHANGES = """
    SELECT "offset", id::text, type, subject, regime, grade, status, in_force_from::text, corrected_to::text, known_ms, cause_offset,
        cause_known_ms, time, data
    FROM publication.change WHERE partition = %(partition)s ORDER BY "offset"
"""
_GRADES = """
    SELECT grade.regime, grade.subject, change.id::text, grade.grade, grade.status, grade.in_force_from::text, grade.known_ms
    FROM publication.grade JOIN publication.change USING (seq)
"""
_MEMBERS = "SELECT list, subject, regime, grade, since::text, clause, change_id::text FROM publication.list_member"
_LIST_CHANGES = 'SELECT id::text, list, subject, regime, entered, grade, "on"::text FROM publication.list_change'
