"""``Store`` on PostgreSQL: one statement for each batch wherever one is enough."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import orjson
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from schemas.ids import EVENT_ID
from services.intake.domain.standing import Known
from services.intake.ports import FirstCopy, Kept, Name, NotStorable, Place, Position, RefusalRow, Row, StoreUnavailable

log = logging.getLogger("mingjian.intake.postgres")

# Rows travel as one JSON text: an array for each column costs Python six times as much as everything else about storing.
_KEEP = """
    INSERT INTO submission (source, id, event_hash, topic, key, type, value, received_ms, traceparent)
    SELECT source, id, decode(hash, 'hex'), topic, key, type, convert_to(value, 'UTF8'), received_ms, traceparent
    FROM ROWS FROM (json_to_recordset(%s::text::json) AS (source text, id uuid, hash text, topic text, key text, type text, value text,
                                                    received_ms bigint, traceparent text))
         WITH ORDINALITY AS new (source, id, hash, topic, key, type, value, received_ms, traceparent, place)
    WHERE NOT EXISTS (SELECT 1 FROM first_copy AS old WHERE old.source = new.source AND old.id = new.id)
    ORDER BY place
    ON CONFLICT (source, id) DO NOTHING
    RETURNING seq, source, id
"""
_THERE = """
    SELECT asked.source, asked.id, coalesce(stored.event_hash, copied.event_hash)
    FROM unnest(%s::text[], %s::uuid[]) AS asked (source, id)
    LEFT JOIN submission AS stored USING (source, id) LEFT JOIN first_copy AS copied USING (source, id)
"""
_NOTE = """
    INSERT INTO first_copy (source, id, event_hash, topic, partition, "offset", received_ms, known_ms)
    SELECT source, id, decode(hash, 'hex'), topic, partition, "offset", received_ms, known_ms
    FROM json_to_recordset(%s::text::json) AS new (source text, id uuid, hash text, topic text, partition integer, "offset" bigint,
                                             received_ms bigint, known_ms bigint)
    ON CONFLICT (source, id) DO NOTHING
"""
_POSITION = """
    INSERT INTO partition_position (topic, partition, next_offset, known_ms)
    SELECT * FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[])
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, known_ms = excluded.known_ms
"""
_UNREAD = """
    SELECT seq, source, id, event_hash, topic, key, type, value, received_ms, traceparent,
           ARRAY(SELECT missing.partition FROM control_copy AS missing
                 WHERE missing.source = stored.source AND missing.id = stored.id AND NOT missing.sent ORDER BY missing.partition)
    FROM submission AS stored
    WHERE seq > %s AND NOT EXISTS (SELECT 1 FROM first_copy AS found WHERE found.source = stored.source AND found.id = stored.id)
    ORDER BY seq LIMIT %s
"""
_COPIES = """
    SELECT s.source, s.id, s.event_hash, s.topic, s.key, s.type, s.value, s.received_ms, s.traceparent,
           array_agg(c.partition ORDER BY c.partition)
    FROM control_copy AS c JOIN submission AS s ON s.source = c.source AND s.id = c.id
    WHERE NOT c.sent GROUP BY s.source, s.id ORDER BY s.seq
"""
_FACT = """
    INSERT INTO fact (subject, id, source, final)
    SELECT subject, id, source, final FROM json_to_recordset(%s::text::json) AS new (subject text, id uuid, source text, final text)
    ON CONFLICT (subject, id, source) DO NOTHING
"""
_STANDING = """
    SELECT source, fact.id, subject, final FROM fact JOIN unnest(%s::text[], %s::uuid[]) AS asked (subject, id) USING (subject, id)
    UNION SELECT source, id, subject, final FROM fact JOIN unnest(%s::text[], %s::text[]) AS asked (subject, final) USING (subject, final)
"""
_VALUES = "SELECT value FROM submission JOIN unnest(%s::text[], %s::uuid[]) AS asked (source, id) USING (source, id)"
# What an event lost with its table and brings again is there already: the first stands.
_PRIVATE = """
    INSERT INTO vault.private_value (source, id, field, key, nonce, box) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_COPY = "INSERT INTO control_copy (source, id, partition) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_REFUSE = """
    INSERT INTO refusal (key_id, event_hash, reason, source, value, received_ms) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (key_id, event_hash, reason) DO UPDATE SET reason = excluded.reason RETURNING value, xmax = 0
"""


class PostgresStore:
    """A few connections; what was cut off is reported as ``StoreUnavailable`` and the next call connects again."""

    def __init__(self, dsn: str, *, patience_s: float = 5.0) -> None:
        self._pool = AsyncConnectionPool(
            dsn,
            min_size=2,
            max_size=6,
            open=False,
            timeout=patience_s,
            kwargs={"autocommit": True, "connect_timeout": 5, "options": "-c statement_timeout=20000"},
            check=AsyncConnectionPool.check_connection,
        )

    async def open(self) -> None:
        """Connect. Raises ``StoreUnavailable``."""
        await self._pool.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            # The class alone: the server's message repeats values.
            log.error("PostgreSQL refuses values: %s", type(error).__name__)
            raise NotStorable(type(error).__name__) from None
        except (psycopg.Error, PoolTimeout) as error:
            if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | PoolTimeout):
                # Not the server's absence but a statement that it refuses: somebody has to look, and the process goes on.
                log.error("PostgreSQL refused a statement", exc_info=error)
            raise StoreUnavailable(type(error).__name__) from error

    async def keep(self, rows: Sequence[Row]) -> list[Kept]:
        """See ``Store.keep``."""
        # The second of two equal ids in one batch finds the first.
        firsts: dict[Name, Row] = {}
        for row in rows:
            firsts.setdefault(row.name, row)
        # One transaction round all of it: whoever hears that it failed may not find half of it done.
        async with self._connection() as connection, connection.transaction():
            new = await self._insert(connection, list(firsts.values()))
            await self._beside(connection, [row for name, row in firsts.items() if name in new])
            await self._facts(connection, [row.known for name, row in firsts.items() if name in new and row.known])
            hashes = await self._there(connection, [name for name in firsts if name not in new])
        hashes |= {name: firsts[name].event_hash for name in new}
        return [Kept(new.pop(row.name, None), hashes[row.name]) for row in rows]

    async def _insert(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> dict[Name, int]:
        cursor = await connection.execute(_KEEP, [_json([_values(row) for row in rows])], binary=True)
        return {(source, str(id)): seq for seq, source, id in await cursor.fetchall()}

    async def _there(self, connection: psycopg.AsyncConnection, names: list[Name]) -> dict[Name, bytes]:
        if not names:
            return {}
        cursor = await connection.execute(_THERE, _names(names), binary=True)
        return {(source, str(id)): event_hash for source, id, event_hash in await cursor.fetchall() if event_hash is not None}

    async def _facts(self, connection: psycopg.AsyncConnection, known: Sequence[Known]) -> None:
        if known:
            rows = [{"subject": one.subject, "id": one.id, "source": one.source, "final": one.final} for one in known]
            await connection.execute(_FACT, [_json(rows)], binary=True)

    async def _beside(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> None:
        private = [(*row.name, one.field, one.key, one.nonce, one.box) for row in rows for one in row.private]
        copies = [(*row.name, partition) for row in rows for partition in row.copies]
        async with connection.cursor() as cursor:
            if private:
                await cursor.executemany(_PRIVATE, private)
            if copies:
                await cursor.executemany(_COPY, copies)

    async def refuse(self, rows: Sequence[RefusalRow]) -> list[tuple[bytes, bool]]:
        """See ``Store.refuse``."""
        found: list[tuple[bytes, bool]] = []
        async with self._connection() as connection, connection.transaction():
            for row in rows:
                values = (row.key_id, row.event_hash, row.reason, row.source, row.value, row.received_ms)
                cursor = await connection.execute(_REFUSE, values, binary=True)
                # A row that was just inserted has no deleting transaction; one that conflicted was locked by ours.
                stands = await cursor.fetchone()
                assert stands is not None
                found.append((bytes(stands[0]), stands[1]))
        return found

    async def note(self, found: Sequence[FirstCopy], positions: Mapping[Place, Position]) -> None:
        """See ``Store.note``."""
        places = [(*place, position.next_offset, position.known_ms) for place, position in positions.items()]
        async with self._connection() as connection, connection.transaction():
            if found:
                await connection.execute(_NOTE, [_json([_place(one) for one in found])], binary=True)
                await self._facts(connection, [one.known for one in found if one.known])
            if places:
                await connection.execute(_POSITION, [list(column) for column in zip(*places, strict=True)], binary=True)

    async def positions(self) -> dict[Place, Position]:
        """See ``Store.positions``."""
        async with self._connection() as connection:
            cursor = await connection.execute("SELECT topic, partition, next_offset, known_ms FROM partition_position")
            return {(topic, partition): Position(offset, known) for topic, partition, offset, known in await cursor.fetchall()}

    async def find(self, name: Name) -> tuple[Kept | None, FirstCopy | None]:
        """See ``Store.find``. What can't be an id is unknown."""
        try:
            key = (name[0], uuid.UUID(name[1]))
        except ValueError:
            return None, None
        if "\0" in name[0]:
            return None, None
        async with self._connection() as connection:
            cursor = await connection.execute("SELECT seq, event_hash FROM submission WHERE source = %s AND id = %s", key)
            stored = await cursor.fetchone()
            cursor = await connection.execute(
                'SELECT event_hash, topic, partition, "offset", received_ms, known_ms FROM first_copy WHERE source = %s AND id = %s', key
            )
            copied = await cursor.fetchone()
        return (Kept(*stored) if stored else None), (FirstCopy((name[0], str(key[1])), *copied) if copied else None)

    async def standing(self, mentioned: Sequence[tuple[str, str]], finals: Sequence[tuple[str, str]]) -> list[Known]:
        """See ``Store.standing``."""
        ids = [(subject, uuid.UUID(id)) for subject, id in mentioned if "\0" not in subject and EVENT_ID.fullmatch(id)]
        years = [(subject, final) for subject, final in finals if "\0" not in subject + final]
        asked = [[one[place] for one in some] for some in (ids, years) for place in (0, 1)]
        async with self._connection() as connection:
            cursor = await connection.execute(_STANDING, asked, binary=True)
            return [Known(source, str(id), subject, final) for source, id, subject, final in await cursor.fetchall()]

    async def values(self, names: Sequence[Name]) -> list[bytes]:
        """See ``Store.values``."""
        async with self._connection() as connection:
            cursor = await connection.execute(_VALUES, _names(names), binary=True)
            return [bytes(value) for (value,) in await cursor.fetchall()]

    async def unread(self, *, after: int, limit: int) -> list[tuple[int, Row]]:
        """See ``Store.unread``."""
        async with self._connection() as connection:
            cursor = await connection.execute(_UNREAD, (after, limit), binary=True)
            return [(seq, _row(rest, tuple(copies))) for seq, *rest, copies in await cursor.fetchall()]

    async def unsent_copies(self) -> list[Row]:
        """See ``Store.unsent_copies``."""
        async with self._connection() as connection:
            cursor = await connection.execute(_COPIES, binary=True)
            return [_row(rest, tuple(partitions)) for *rest, partitions in await cursor.fetchall()]

    async def copied(self, sent: Sequence[tuple[Name, int]]) -> None:
        """See ``Store.copied``."""
        async with self._connection() as connection:
            await connection.execute(
                """UPDATE control_copy AS c SET sent = true FROM unnest(%s::text[], %s::uuid[], %s::integer[]) AS s (source, id, partition)
                   WHERE (c.source, c.id, c.partition) = (s.source, s.id, s.partition)""",
                [*_names([name for name, _ in sent]), [partition for _, partition in sent]],
            )

    async def unsent_refusals(self, limit: int) -> list[RefusalRow]:
        """See ``Store.unsent_refusals``."""
        async with self._connection() as connection:
            cursor = await connection.execute(
                "SELECT key_id, event_hash, reason, source, value, received_ms FROM refusal WHERE NOT sent ORDER BY seq LIMIT %s", (limit,)
            )
            return [RefusalRow(*row) for row in await cursor.fetchall()]

    async def refusals_sent(self, sent: Sequence[RefusalRow]) -> None:
        """See ``Store.refusals_sent``."""
        async with self._connection() as connection:
            await connection.execute(
                """UPDATE refusal AS r SET sent = true FROM unnest(%s::text[], %s::bytea[], %s::text[]) AS s (key_id, event_hash, reason)
                   WHERE (r.key_id, r.event_hash, r.reason) = (s.key_id, s.event_hash, s.reason)""",
                [[one.key_id for one in sent], [one.event_hash for one in sent], [one.reason for one in sent]],
            )

    async def reached_today(self) -> bool:
        """See ``Store.reached_today``."""
        async with self._connection() as connection:
            row = await (await connection.execute("SELECT by_itself FROM simulated_clock")).fetchone()
            return bool(row and row[0])

    async def go_on_by_itself(self) -> None:
        """See ``Store.go_on_by_itself``."""
        async with self._connection() as connection:
            await connection.execute("UPDATE simulated_clock SET by_itself = true WHERE NOT by_itself")


def _names(names: Sequence[Name]) -> list[list[object]]:
    return [[source for source, _ in names], [uuid.UUID(id) for _, id in names]]


def _json(rows: Sequence[dict[str, object]]) -> str:
    return orjson.dumps(rows).decode()


def _values(row: Row) -> dict[str, object]:
    source, id = row.name
    return {
        "source": source,
        "id": id,
        "hash": row.event_hash.hex(),
        "topic": row.topic,
        "key": row.key,
        "type": row.type,
        "value": row.value.decode(),
        "received_ms": row.received_ms,
        "traceparent": row.traceparent,
    }


def _place(copy: FirstCopy) -> dict[str, object]:
    source, id = copy.name
    return {
        "source": source,
        "id": id,
        "hash": copy.event_hash.hex(),
        "topic": copy.topic,
        "partition": copy.partition,
        "offset": copy.offset,
        "received_ms": copy.received_ms,
        "known_ms": copy.known_ms,
    }


def _row(values: Sequence, copies: tuple[int, ...] = ()) -> Row:
    source, id, event_hash, topic, key, type, value, received_ms, traceparent = values
    return Row((source, str(id)), bytes(event_hash), topic, key, type, bytes(value), received_ms, traceparent, copies=copies)
