"""Which leaf is which record: the plan, read for the API."""

from __future__ import annotations

from typing import Any

from services.audit.adapters.read_pool import ReadPool

# The last span that begins at or before what is asked, by the index; whether it reaches that far is asked here. With the end in the
# query an offset or an index beyond the last one would read the whole plan.
_LEAF = """
    SELECT first, first_offset, count FROM log_plan
    WHERE topic = %(topic)s AND partition = %(partition)s AND first_offset <= %(offset)s ORDER BY first_offset DESC LIMIT 1
"""
_PLACE = "SELECT topic, partition, first_offset, first, count FROM log_plan WHERE first <= %(index)s ORDER BY first DESC LIMIT 1"


class PlaceReader:
    """Raises ``psycopg.OperationalError`` where the database can't be asked just now."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def leaf(self, topic: str, partition: int, offset: int) -> int | None:
        """The index of a record's leaf; None where it is not planned."""
        row = await self._one(_LEAF, {"topic": topic, "partition": partition, "offset": offset})
        if row is None or offset >= row[1] + row[2]:
            return None
        return int(row[0] + offset - row[1])

    async def place(self, index: int) -> tuple[str, int, int] | None:
        """Topic, partition and offset of a leaf; None where there is none."""
        row = await self._one(_PLACE, {"index": index})
        if row is None or index >= row[3] + row[4]:
            return None
        return str(row[0]), int(row[1]), int(row[2] + index - row[3])

    async def _one(self, query: str, values: dict[str, object]) -> tuple[Any, ...] | None:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, values)).fetchone()
