"""Nightly runs in PostgreSQL: each in one transaction with what it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from services.audit.adapters.detector_store import PostgresDetectorWork
from services.audit.domain.findings import Raised
from services.audit.domain.signs import Found
from services.audit.handlers import operational
from services.audit.ports import Finding

if TYPE_CHECKING:
    from services.audit.regrading import Regraded

_LATEST = "SELECT * FROM replay_run ORDER BY registry_offset DESC LIMIT 1"
_ENTER = """
INSERT INTO replay_run (registry_offset, day, seconds, digest, facts, events, compared, differences, copies_missing, found, pending,
                        reworded, untold, unjudged)
VALUES (%(registry_offset)s, %(day)s, %(seconds)s, %(digest)s, %(facts)s, %(events)s, %(compared)s, %(differences)s, %(copies_missing)s,
        %(found)s, %(pending)s, %(reworded)s, %(untold)s, %(unjudged)s) ON CONFLICT DO NOTHING
"""


async def latest(dsn: str) -> dict[str, Any] | None:
    """The newest run's row; None before the first. Raises ``psycopg.Error``."""
    async with await _connect(dsn) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(_LATEST)).fetchone()


async def known(dsn: str, ids: Sequence[str]) -> set[str]:
    """Those of the findings that there are. Raises ``psycopg.Error``."""
    async with await _connect(dsn) as connection:
        rows = await connection.execute("SELECT id FROM finding WHERE id = ANY(%s)", (list(ids),))
        return {id for (id,) in await rows.fetchall()}


async def standing(dsn: str, type: str, kinds: Sequence[str]) -> list[bytes]:
    """The findings, or effects, of these kinds that stand, in the order in which they were put on record. Raises ``psycopg.Error``."""
    async with await _connect(dsn) as connection:
        rows = await connection.execute(
            "SELECT value FROM finding WHERE type = %s AND kind = ANY(%s) AND NOT superseded AND NOT retracted ORDER BY sequence",
            (type, list(kinds)),
        )
        return [bytes(value) for (value,) in await rows.fetchall()]


async def enter(
    dsn: str, closing: tuple[int, str], seconds: float, found: Regraded, missing: int, raised: Sequence[Raised], signs: Sequence[Found] = ()
) -> bool:
    """Put a run and what it found on record: differences, then signs and scans, in their order; those that are there already stay.

    False, and nothing is written, where that day's run is on record. Raises ``psycopg.Error``."""
    row = {
        "registry_offset": closing[0],
        "day": closing[1],
        "seconds": seconds,
        "digest": found.digest,
        "facts": found.facts,
        "events": found.events,
        "compared": found.compared,
        "differences": len(found.differences),
        "copies_missing": missing,
        "found": len(raised),
        "pending": found.pending,
        "reworded": found.reworded,
        "untold": found.untold,
        "unjudged": found.unjudged,
    }
    async with await _connect(dsn) as connection, connection.transaction():
        if not (await connection.execute(_ENTER, row)).rowcount:
            return False
        work = PostgresDetectorWork(connection, {})
        for one in raised:
            await work.add(operational(one, None), supersedes=False)
        await work.add_all([kept(one) for one in signs])
        return True


def kept(one: Found) -> Finding:
    """A sign, scan or effect as it is kept."""
    columns = {name: getattr(one, name) for name in Finding.__dataclass_fields__ if name != "traceparent"}
    return Finding(**columns)


async def _connect(dsn: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name="mingjian-audit-nightly", connect_timeout=10)
