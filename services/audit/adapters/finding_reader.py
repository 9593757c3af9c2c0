"""Findings for the API and the pages."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from services.audit.adapters.read_pool import ReadPool

_STANDS = "type = 'mingjian.finding.raised.v1' AND NOT superseded"
_SHOWN = """
SELECT sequence, subject, regime, superseded, value FROM finding
WHERE type = 'mingjian.finding.raised.v1' AND (%(office)s::text IS NULL OR office = %(office)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(about)s::text IS NULL OR about = %(about)s) AND (%(superseded)s OR NOT superseded)
"""
_OLDEST = _SHOWN + "AND sequence > %(after)s ORDER BY sequence LIMIT %(limit)s"
_NEWEST = _SHOWN + "AND (%(after)s = 0 OR sequence < %(after)s) ORDER BY sequence DESC LIMIT %(limit)s"


class FindingReader:
    """Raises ``psycopg.OperationalError`` where the database can't be asked just now."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def page(
        self, *, after: int, limit: int, office: str | None, kind: str | None, about: str | None, superseded: bool, newest: bool = False
    ) -> list[dict[str, Any]]:
        """Rows above the sequence number ``after``: ``sequence``, ``subject``, ``regime``, ``superseded``, ``value`` (bytes).

        ``newest``: the newest first, and those below ``after`` (0: from the top)."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = await cursor.execute(
                _NEWEST if newest else _OLDEST,
                {"after": after, "limit": limit, "office": office, "kind": kind, "about": about, "superseded": superseded},
            )
            return await rows.fetchall()

    async def offices(self, limit: int) -> list[tuple[str, int]]:
        """Offices with most findings about their entries, and how many stand."""
        async with self._pool.connection() as connection:
            rows = await connection.execute(
                f"SELECT office, count(*) FROM finding WHERE {_STANDS} AND NOT retracted AND about = 'entry'"  # noqa: S608 (constant)
                " GROUP BY office ORDER BY count(*) DESC, office LIMIT %s",
                (limit,),
            )
            return [(office, count) for office, count in await rows.fetchall()]

    async def counts(self) -> dict[str, int]:
        """Findings that stand, by kind."""
        async with self._pool.connection() as connection:
            rows = await connection.execute(
                f"SELECT kind, count(*) FROM finding WHERE {_STANDS} GROUP BY kind ORDER BY kind"  # noqa: S608 (constant)
            )
            return dict(await rows.fetchall())
