"""Which leaf is which record: the plan, read for the API."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.topics import FACTS, REGISTRY
from services.audit.adapters.read_pool import ReadPool

# The last span that begins at or before what is asked, by the index; whether it reaches that far is asked here. With the end in the
# query an offset beyond the last one would read the whole plan.
_LEAF = """
    SELECT first, first_offset, count FROM log_plan
    WHERE topic = %(topic)s AND partition = %(partition)s AND first_offset <= %(offset)s ORDER BY first_offset DESC LIMIT 1
"""

# The copies of an event, each with its place. Intake copies a control event into every partition of facts: the original counts.
_EVENT = """
    SELECT copy.leaf, plan.topic, plan.partition, plan.first_offset + copy.leaf - plan.first AS record_offset
    FROM (SELECT leaf FROM log_event WHERE name = %(name)s ORDER BY leaf LIMIT 1000) AS copy
    CROSS JOIN LATERAL (
        SELECT first, topic, partition, first_offset FROM log_plan WHERE first <= copy.leaf ORDER BY first DESC LIMIT 1
    ) AS plan
    ORDER BY plan.topic <> %(registry)s, plan.topic <> %(facts)s, plan.topic, plan.partition, copy.leaf LIMIT 1
"""


@dataclass(frozen=True)
class Copy:
    """A record that carries an event, and its leaf."""

    leaf: int
    topic: str
    partition: int
    offset: int


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

    async def first_copy(self, name: bytes) -> Copy | None:
        """Of an event (by ``reading.name_of``) the original on the registry, else the first copy in the lowest partition.

        None where none is planned."""
        async with self._pool.connection() as connection:
            values = {"name": name, "registry": REGISTRY, "facts": FACTS}
            row = await (await connection.execute(_EVENT, values)).fetchone()
        return Copy(*row) if row is not None else None
