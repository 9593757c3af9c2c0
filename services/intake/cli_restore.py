"""What a restore of Kafka asks of intake: that it stands nowhere beyond what Kafka has, and sends again what was lost there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg

from services._bus.positions import Place, take_back


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
        take_back(connection, reach, unknown_ms=0)
        connection.execute(
            "UPDATE control_copy AS c SET sent = false WHERE sent AND NOT EXISTS (SELECT 1"
            " FROM unnest(%s::text[], %s::uuid[], %s::integer[]) AS k (source, id, partition)"
            " WHERE (k.source, k.id, k.partition) = (c.source, c.id, c.partition))",
            [[source for source, _, _ in there], [id for _, id, _ in there], [number for _, _, number in there]],
        )
        connection.execute("UPDATE refusal SET sent = false WHERE sent AND value <> ALL(%s::bytea[])", [list(refusals)])
    return again
