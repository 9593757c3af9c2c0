"""List membership and the outbox, within a unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import psycopg

from schemas.topics import PUBLICATIONS
from services._bus.producer import Outgoing
from services._bus.telemetry import HEADER
from services.publication.domain.lists import ENTERED, LEFT, ListChange


class ListWork:
    """The part of ``UnitOfWork`` that moves subjects on and off lists and fills the outbox."""

    def __init__(self, cursor: psycopg.AsyncCursor[Any]) -> None:
        self._cursor = cursor

    async def members(self, subjects: Sequence[str]) -> dict[tuple[str, str], frozenset[str]]:
        """See ``UnitOfWork.members``."""
        await self._cursor.execute(
            "SELECT subject, regime, array_agg(list) FROM list_member WHERE subject = ANY(%s::text[]) GROUP BY subject, regime",
            (list(subjects),),
        )
        return {(subject, regime): frozenset(lists) for subject, regime, lists in await self._cursor.fetchall()}

    async def append_list_changes(self, rows: Sequence[ListChange]) -> None:
        """See ``UnitOfWork.append_list_changes``."""
        await self._cursor.executemany(
            'INSERT INTO list_change (id, list, subject, regime, entered, grade, "on", known_ms) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)',
            [(row.id, row.list, row.subject, row.regime, row.entered, row.grade, row.on, row.known_ms) for row in rows],
        )
        last = {(row.list, row.subject): row for row in rows}
        left = [row for row in last.values() if not row.entered]
        await self._cursor.executemany(
            "DELETE FROM list_member WHERE list = %s AND subject = %s", [(row.list, row.subject) for row in left]
        )
        await self._cursor.executemany(
            "INSERT INTO list_member (list, subject, regime, grade, since, clause, change_id, known_ms) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (list, subject) DO UPDATE SET grade = EXCLUDED.grade, "
            "since = EXCLUDED.since, clause = EXCLUDED.clause, change_id = EXCLUDED.change_id, known_ms = EXCLUDED.known_ms",
            [
                (row.list, row.subject, row.regime, row.grade, row.on, row.clause, row.cause, row.known_ms)
                for row in last.values()
                if row.entered
            ],
        )
        await self._cursor.execute("SELECT id FROM kept_publication WHERE id = ANY(%s::uuid[])", ([row.id for row in rows],))
        told = {str(row[0]) for row in await self._cursor.fetchall()}
        await self.put_outbox([_outgoing(row) for row in rows if row.id not in told])

    async def put_outbox(self, rows: Sequence[Outgoing]) -> None:
        """See ``UnitOfWork.put_outbox``."""
        await self._cursor.executemany(
            "INSERT INTO outbox (topic, key, value, headers, record_ms) VALUES (%s, %s, %s, %s, %s)",
            [(row.topic, row.key, row.value, _headers_json(row), row.timestamp_ms) for row in rows],
        )


def _outgoing(change: ListChange) -> Outgoing:
    headers = (
        ("ce_id", change.id.encode()),
        ("ce_type", (ENTERED if change.entered else LEFT).encode()),
        ("content-type", b"application/json"),
        *(((HEADER, change.trace.encode()),) if change.trace else ()),
    )
    return Outgoing(PUBLICATIONS, change.subject.encode(), change.value, headers, timestamp_ms=change.known_ms)


def _headers_json(row: Outgoing) -> str:
    return orjson.dumps({name: value.decode() for name, value in row.headers}).decode()


def headers_of(stored: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    """Headers as the outbox keeps them → as Kafka takes them."""
    return tuple((name, value.encode()) for name, value in stored.items())
