"""Two builds of the projection side by side on PostgreSQL: the one that is read, and one that is being filled to take its place.

Invariants
1. Every change keeps the number under which it was told, and nothing is published on Kafka twice. What the old build never had
   is numbered after everything that it had, when the new one takes its place.
2. The writer of the old build never sees half of the switch: each of its units of work holds a lock that the last look and the
   switch exclude. Neither does a reader: so does each of its snapshots.
3. Until the switch nothing of the old build is touched; a rebuild that ends early leaves a schema that the next one drops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql

from schemas.topics import QUARANTINE
from services.publication.adapters.migrations import migrate
from services.publication.ports import Place, Position

LIVE, NEXT, BEFORE = "publication", "publication_next", "publication_before"
_READERS = ("mj_publication_read", "mj_verify")
# Numbers of changes that the old build doesn't have, until it is known what they come after.
_PROVISIONAL = 2**61
_COMPARED: Mapping[str, tuple[str, ...]] = {
    "stack": (),
    "registry_event": (),
    "subject": ("revision",),
    # Rows of before migration 0006 lack what they lift.
    "fact": ("lifts",),
    "change": (),
    "grade": (),
    "part": (),
    "stayed_act": (),
    "suspension": (),
    "list_member": (),
    "list_change": (),
    "sample_story": (),
}


def writing_lock(schema: str) -> str:
    """The name of the lock that a unit of work shares and a switch takes alone."""
    return f"mingjian publication switch, writing {schema}"


def reading_lock(schema: str) -> str:
    """The same for snapshots of readers."""
    return f"mingjian publication switch, reading {schema}"


def _in(schema: str, text: str) -> sql.Composed:
    """``text`` with ``{old}`` and ``{new}`` for the two schemas."""
    names = {"old": sql.Identifier(LIVE), "new": sql.Identifier(schema), "quarantine": sql.Literal(QUARANTINE)}
    return sql.SQL(text).format(**names)  # type: ignore[arg-type]


class PostgresBuilds:
    """Work on both builds, by the role that owns them. Raises ``ConnectionError`` where PostgreSQL ends it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def begin(self) -> None:
        """An empty new build; what an earlier rebuild left is dropped."""
        async with self._connected() as connection:
            await connection.execute(_in(NEXT, "DROP SCHEMA IF EXISTS {new} CASCADE"))
            await connection.execute(_in(NEXT, "CREATE SCHEMA {new}"))
            for reader in _READERS:
                await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(NEXT), sql.Identifier(reader)))
        await asyncio.to_thread(migrate, self._dsn, schema=NEXT)
        async with self._connected() as connection:
            await connection.execute(_in(NEXT, "UPDATE {new}.sequence_state SET head = %s"), (_PROVISIONAL,))

    async def keep(self) -> dict[Place, Position]:
        """Carry over which numbers and publications the old build has given out so far; returns how far it had read then."""
        async with self._connected() as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            async with connection.transaction():
                for statement in _KEEP:
                    await connection.execute(_in(NEXT, statement))
                cursor = await connection.execute(_in(NEXT, "SELECT topic, partition, next_offset, known_ms FROM {old}.partition_position"))
                return {(topic, number): Position(offset, known) for topic, number, offset, known in await cursor.fetchall()}

    @asynccontextmanager
    async def writer_held(self) -> AsyncIterator[None]:
        """The old build's writer waits with its next unit of work until the block ends."""
        async with self._connected() as connection:
            await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (writing_lock(LIVE),))
            yield

    async def differences(self) -> dict[str, tuple[int, int]]:
        """Tables that differ: how many rows only the old build has, and only the new one. Only while the writer is held."""
        found = {}
        async with self._connected() as connection:
            for table, without in _COMPARED.items():
                cursor = await connection.execute(_COLUMNS, (NEXT, table))
                names = [sql.Identifier(name) for (name,) in await cursor.fetchall() if name not in without]
                either = sql.SQL(
                    "SELECT (SELECT count(*) FROM (SELECT {n} FROM {old} EXCEPT SELECT {n} FROM {new}) gone), "
                    "(SELECT count(*) FROM (SELECT {n} FROM {new} EXCEPT SELECT {n} FROM {old}) come)"
                ).format(n=sql.SQL(", ").join(names), old=sql.Identifier(LIVE, table), new=sql.Identifier(NEXT, table))
                row = await (await connection.execute(either)).fetchone()
                if row is not None and row != (0, 0):
                    found[table] = (int(row[0]), int(row[1]))
        return found

    async def switch(self) -> None:
        """Put the new build in the old one's place and drop that one. Only while the writer is held."""
        async with self._connected() as connection:
            async with connection.transaction():
                await connection.execute("SET CONSTRAINTS ALL DEFERRED")
                for statement in _NUMBER:
                    await connection.execute(_in(NEXT, statement), {"base": _PROVISIONAL})
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (reading_lock(LIVE),))
                await connection.execute(_in(BEFORE, "DROP SCHEMA IF EXISTS {new} CASCADE"))
                await connection.execute(_in(BEFORE, "ALTER SCHEMA {old} RENAME TO {new}"))
                await connection.execute(_in(NEXT, "ALTER SCHEMA {new} RENAME TO {old}"))
            await connection.execute(_in(BEFORE, "DROP SCHEMA {new} CASCADE"))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        try:
            async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=10) as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise ConnectionError(type(error).__name__) from error


_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY 1"
_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY 1"
_KEEP = (
    "INSERT INTO {new}.kept_sequence SELECT id, seq FROM {old}.kept_sequence ON CONFLICT (id) DO NOTHING",
    "INSERT INTO {new}.kept_sequence SELECT id, seq FROM {old}.change ON CONFLICT (id) DO NOTHING",
    "INSERT INTO {new}.kept_publication SELECT id FROM {old}.kept_publication ON CONFLICT (id) DO NOTHING",
    "INSERT INTO {new}.kept_publication SELECT id FROM {old}.list_change ON CONFLICT (id) DO NOTHING",
    "UPDATE {new}.sequence_state SET floor = old.floor FROM {old}.sequence_state old",
)
# Records that the old build has still to send go on waiting under their own numbers, for its writer may just be sending them; what it
# has put in quarantine already is not put there again.
_NUMBER = (
    "UPDATE {new}.change SET seq = change.seq - %(base)s + old.head FROM {old}.sequence_state old WHERE change.seq > %(base)s",
    "UPDATE {new}.grade SET seq = grade.seq - %(base)s + old.head FROM {old}.sequence_state old WHERE grade.seq > %(base)s",
    "UPDATE {new}.suspension SET seq = suspension.seq - %(base)s + old.head FROM {old}.sequence_state old WHERE suspension.seq > %(base)s",
    "UPDATE {new}.sequence_state SET head = sequence_state.head - %(base)s + old.head FROM {old}.sequence_state old",
    "DELETE FROM {new}.kept_sequence kept USING {new}.change WHERE change.id = kept.id",
    "DELETE FROM {new}.kept_publication kept USING {new}.list_change WHERE list_change.id = kept.id",
    "CREATE TEMPORARY TABLE untold ON COMMIT DROP AS SELECT * FROM {new}.outbox WHERE topic <> {quarantine}",
    "TRUNCATE {new}.outbox",
    "INSERT INTO {new}.outbox OVERRIDING SYSTEM VALUE SELECT * FROM {old}.outbox",
    "SELECT setval('{new}.outbox_n_seq', last_value + 1) FROM {old}.outbox_n_seq",
    "INSERT INTO {new}.outbox (topic, key, value, headers, record_ms) SELECT topic, key, value, headers, record_ms FROM untold ORDER BY n",
)
