"""What a restore of Kafka asks of intake: that it stands nowhere beyond what Kafka has, and sends again what was lost there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg

Place = tuple[str, int]


def positions(dsn: str) -> dict[Place, int]:
    """Where intake reads next; empty on a database where it never started."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        if connection.execute("SELECT to_regclass('partition_position')").fetchone() == (None,):
            return {}
        return {
            (topic, number): end
            for topic, number, end in connection.execute("SELECT topic, partition, next_offset FROM partition_position")
        }


def fall_back(
    dsn: str,
    reach: Mapping[Place, tuple[int, int | None]],
    *,
    copies: Iterable[tuple[str, str, int]],
    refusals: Iterable[bytes],
) -> int:
    """Take back every place beyond Kafka's end, so that the next start sends those events, copies and refusals again.

    ``reach``: by partition its next offset and the latest time in it (ms). ``copies``: (source, id, partition) of every control copy that
    is on facts; ``refusals``: the values that are on refusals. Returns how many events will be sent again. In one transaction."""
    columns = [[topic for topic, _ in reach], [number for _, number in reach], [end for end, _ in reach.values()]]
    there = list(copies)
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        again = connection.execute(
            'DELETE FROM first_copy AS c USING unnest(%s::text[], %s::integer[], %s::bigint[]) AS k (topic, partition, "end")'
            ' WHERE (c.topic, c.partition) = (k.topic, k.partition) AND c."offset" >= k."end"',
            columns,
        ).rowcount
        connection.execute(
            'UPDATE partition_position AS p SET next_offset = k."end", known_ms = coalesce(k.high, 0)'
            ' FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[]) AS k (topic, partition, "end", high)'
            ' WHERE (p.topic, p.partition) = (k.topic, k.partition) AND p.next_offset > k."end"',
            [*columns, [high for _, high in reach.values()]],
        )
        connection.execute(
            "UPDATE control_copy AS c SET sent = false WHERE sent AND NOT EXISTS (SELECT 1"
            " FROM unnest(%s::text[], %s::uuid[], %s::integer[]) AS k (source, id, partition)"
            " WHERE (k.source, k.id, k.partition) = (c.source, c.id, c.partition))",
            [[source for source, _, _ in there], [id for _, id, _ in there], [number for _, _, number in there]],
        )
        connection.execute("UPDATE refusal SET sent = false WHERE sent AND value <> ALL(%s::bytea[])", [list(refusals)])
    return again
