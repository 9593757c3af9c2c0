"""What a restore of Kafka asks of publication: that it stands nowhere beyond what Kafka has."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

Place = tuple[str, int]


def positions(dsn: str) -> dict[Place, int]:
    """Where publication reads next; empty on a database where it never started."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        if connection.execute("SELECT to_regclass('partition_position')").fetchone() == (None,):
            return {}
        return {
            (topic, number): end
            for topic, number, end in connection.execute("SELECT topic, partition, next_offset FROM partition_position")
        }


def fall_back(dsn: str, reach: Mapping[Place, tuple[int, int | None]]) -> None:
    """Take back every position beyond Kafka's end. What was projected from records that are lost stays until
    ``mingjian projection rebuild``. ``reach``: by partition its next offset and the latest time in it (ms)."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        connection.execute(
            'UPDATE partition_position AS p SET next_offset = k."end", known_ms = coalesce(k.high, -1)'
            ' FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[]) AS k (topic, partition, "end", high)'
            ' WHERE (p.topic, p.partition) = (k.topic, k.partition) AND p.next_offset > k."end"',
            [
                [topic for topic, _ in reach],
                [number for _, number in reach],
                [end for end, _ in reach.values()],
                [high for _, high in reach.values()],
            ],
        )
