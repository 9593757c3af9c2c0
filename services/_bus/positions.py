"""Where a service that keeps its positions beside their effects (``partition_position``) reads next; and taking them back."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

Place = tuple[str, int]


def positions(dsn: str) -> dict[Place, int]:
    """Where the service reads next; empty on a database where it never started."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        if connection.execute("SELECT to_regclass('partition_position')").fetchone() == (None,):
            return {}
        return {
            (topic, number): end
            for topic, number, end in connection.execute("SELECT topic, partition, next_offset FROM partition_position")
        }


def take_back(connection: psycopg.Connection, reach: Mapping[Place, tuple[int, int | None]], *, unknown_ms: int) -> None:
    """Move every position beyond Kafka's end there, in the connection's transaction. ``reach``: by partition its next offset and the
    latest time in it (ms); ``unknown_ms``: the service's word for a partition in which nothing is left."""
    connection.execute(
        'UPDATE partition_position AS p SET next_offset = k."end", known_ms = coalesce(k.high, %s::bigint)'
        ' FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[]) AS k (topic, partition, "end", high)'
        ' WHERE (p.topic, p.partition) = (k.topic, k.partition) AND p.next_offset > k."end"',
        [
            unknown_ms,
            [topic for topic, _ in reach],
            [number for _, number in reach],
            [end for end, _ in reach.values()],
            [high for _, high in reach.values()],
        ],
    )
