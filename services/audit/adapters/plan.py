"""The plan in PostgreSQL: epoch, spans and positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation

from services.audit.ports import Head, LogDamaged, Place, Span, Superseded

# A writer that sleeps while it holds the head's row must not keep another from taking over for ever.
_IDLE_LIMIT = "10s"

_COMMIT_HEAD = "UPDATE log_head SET planned = planned + %(count)s WHERE epoch = %(epoch)s AND planned = %(planned)s"
_COMMIT_SPANS = """
INSERT INTO log_plan (first, count, topic, partition, first_offset, epoch)
SELECT first, count, topic, partition, first_offset, %(epoch)s
FROM unnest(%(first)s::bigint[], %(number)s::integer[], %(topic)s::text[], %(partition)s::integer[], %(offset)s::bigint[])
     AS span (first, count, topic, partition, first_offset)
"""
_COMMIT_POSITIONS = """
INSERT INTO log_position AS known (topic, partition, next_offset)
SELECT topic, partition, next FROM unnest(%(topic)s::text[], %(partition)s::integer[], %(next)s::bigint[]) AS read (topic, partition, next)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset WHERE known.next_offset < excluded.next_offset
"""
_COMMIT_NAMES = "INSERT INTO log_event (name, leaf) SELECT * FROM unnest(%(name)s::bytea[], %(leaf)s::bigint[])"


class PostgresPlan:
    """``Plan`` on one connection of its own. Not to be used from two threads at once."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True, application_name="mingjian-audit-log", connect_timeout=10)
        self._connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_LIMIT}'")

    def take_over(self) -> Head:
        """See ``Plan.take_over``."""
        row = self._connection.execute("UPDATE log_head SET epoch = epoch + 1 RETURNING epoch, planned, signed").fetchone()
        if row is None:
            raise LogDamaged("the plan has no head")
        return Head(*row)

    def positions(self) -> dict[Place, int]:
        """See ``Plan.positions``."""
        rows = self._connection.execute("SELECT topic, partition, next_offset FROM log_position").fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def spans(self, first: int, limit: int) -> list[Span]:
        """See ``Plan.spans``."""
        rows = self._connection.execute(
            "SELECT first, count, topic, partition, first_offset FROM log_plan WHERE first >= %s ORDER BY first LIMIT %s", (first, limit)
        ).fetchall()
        found = [Span(*row) for row in rows]
        for one, following in pairwise(found):
            if one.first + one.count != following.first:
                raise LogDamaged(f"the plan has a gap after leaf {one.first + one.count - 1}")
        if found and found[0].first != first:
            raise LogDamaged(f"the plan has no span that begins at leaf {first}")
        return found

    def commit(self, epoch: int, planned: int, spans: Sequence[Span], names: Sequence[tuple[bytes, int]] = ()) -> None:
        """See ``Plan.commit``."""
        following = {(span.topic, span.partition): span.first_offset + span.count for span in spans}
        columns: dict[str, Any] = {
            "epoch": epoch,
            "first": [one.first for one in spans],
            "number": [one.count for one in spans],
            "topic": [one.topic for one in spans],
            "partition": [one.partition for one in spans],
            "offset": [one.first_offset for one in spans],
        }
        positions: dict[str, Any] = {
            "topic": [topic for topic, _ in following],
            "partition": [partition for _, partition in following],
            "next": list(following.values()),
        }
        try:
            with self._connection.transaction():
                head = {"epoch": epoch, "planned": planned, "count": sum(one.count for one in spans)}
                if self._connection.execute(_COMMIT_HEAD, head).rowcount != 1:
                    raise Superseded(f"epoch {epoch} at {planned} leaves is not the plan's any more")
                self._connection.execute(_COMMIT_SPANS, columns)
                if self._connection.execute(_COMMIT_POSITIONS, positions).rowcount != len(following):
                    raise LogDamaged("an offset was planned twice")
                if names:
                    self._connection.execute(_COMMIT_NAMES, {"name": [name for name, _ in names], "leaf": [leaf for _, leaf in names]})
        except UniqueViolation as error:
            raise LogDamaged(f"an offset was planned twice: {error.diag.message_detail}") from error

    def publish(self, epoch: int, size: int, act: Callable[[], None]) -> None:
        """See ``Plan.publish``."""
        try:
            with self._connection.transaction():
                row = self._connection.execute("SELECT epoch FROM log_head FOR UPDATE").fetchone()
                if row != (epoch,):
                    raise Superseded(f"epoch {epoch} is over")
                act()
                self._connection.execute("UPDATE log_head SET signed = %s WHERE epoch = %s", (size, epoch))
        except psycopg.errors.IdleInTransactionSessionTimeout as error:
            raise Superseded("this process slept while it published") from error

    def close(self) -> None:
        """See ``Plan.close``."""
        self._connection.close()
