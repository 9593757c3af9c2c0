"""Which leaf is which record: the plan, read for the API. A connection a call, read only."""

from __future__ import annotations

from typing import Any

import psycopg

_LEAF = """
    SELECT first + %(offset)s - first_offset FROM log_plan
    WHERE topic = %(topic)s AND partition = %(partition)s AND first_offset <= %(offset)s AND %(offset)s < first_offset + count
    ORDER BY first_offset DESC LIMIT 1
"""
_PLACE = """
    SELECT topic, partition, first_offset + %(index)s - first FROM log_plan
    WHERE first <= %(index)s AND %(index)s < first + count ORDER BY first DESC LIMIT 1
"""


class PlaceReader:
    """``dsn``: audit's own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def leaf(self, topic: str, partition: int, offset: int) -> int | None:
        """The index of a record's leaf; None where it is not planned."""
        row = await self._one(_LEAF, {"topic": topic, "partition": partition, "offset": offset})
        return int(row[0]) if row else None

    async def place(self, index: int) -> tuple[str, int, int] | None:
        """Topic, partition and offset of a leaf; None where there is none."""
        row = await self._one(_PLACE, {"index": index})
        return (str(row[0]), int(row[1]), int(row[2])) if row else None

    async def _one(self, query: str, values: dict[str, object]) -> tuple[Any, ...] | None:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as connection:
            return await (await connection.execute(query, values)).fetchone()
