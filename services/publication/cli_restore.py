"""What a restore of Kafka asks of publication: that it stands nowhere beyond what Kafka has."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from services._bus.positions import Place, take_back


def fall_back(dsn: str, reach: Mapping[Place, tuple[int, int | None]]) -> None:
    """Take back every position beyond Kafka's end. What was projected from records that are lost stays until
    ``mingjian projection rebuild``. ``reach``: by partition its next offset and the latest time in it (ms)."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        take_back(connection, reach, unknown_ms=-1)
