"""Which leaf is which record: the plan, read for the API."""

from __future__ import annotations

from services.audit.adapters.read_pool import ReadPool

# The last span that begins at or before what is asked, by the index; whether it reaches that far is asked here. With the end in the
# query an offset beyond the last one would read the whole plan.
_LEAF = """
    SELECT first, first_offset, count FROM log_plan
    WHERE topic = %(topic)s AND partition = %(partition)s AND first_offset <= %(offset)s ORDER BY first_offset DESC LIMIT 1
"""


class PlaceReader:
    """Raises ``psycopg.OperationalError`` where the database can't be asked just now."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def leaf(self, topic: str, partition: int, offset: int) -> int | None:
        """The index of a record's leaf; None where it is not planned."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_LEAF, {"topic": topic, "partition": partition, "offset": offset})).fetchone()
        if row is None or offset >= row[1] + row[2]:
            return None
        return int(row[0] + offset - row[1])
