"""The projection's writing side on PostgreSQL.

One connection holds both the advisory lock that makes this process the only writer and every transaction: when it is
lost, so are the right to write and the unit of work, and another process may take over without a gap or a double.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from services._bus.producer import Outgoing
from services.publication.adapters.postgres_builds import writing_lock
from services.publication.adapters.postgres_lists import ListWork, headers_of
from services.publication.adapters.postgres_stays import StayWork
from services.publication.domain.parts import PartRow
from services.publication.domain.registry import RegistryRow, Stack
from services.publication.domain.rows import ChangeRow, FactRow, copy_of
from services.publication.domain.search import Index
from services.publication.domain.story import Story
from services.publication.domain.subjects import MENDING_TYPES, REGISTER_TYPES, Registration, Subject
from services.publication.ports import OtherStack, Place, Position, Unstorable

NOTIFY_CHANNEL = "publication_changed"
_RETRY_S = 0.5


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


@contextmanager
def _may_pass() -> Iterator[None]:
    """Trouble of the server or of the way to it, in the port's word for what may pass; everything of the store goes through here."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise ConnectionError(type(error).__name__) from error


class PostgresStore:
    """``Projection`` on PostgreSQL. ``schema`` is where the tables are; a rebuild fills another one."""

    def __init__(self, dsn: str, *, schema: str = "publication") -> None:
        self._dsn = dsn
        self._schema = schema
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def acquire(self) -> None:
        """See ``Projection.acquire``. Waits without a limit: a second process stands by until the first one ends."""
        await self.close()
        options = f"-c search_path={self._schema} -c synchronous_commit=on"
        with _may_pass():
            connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, options=options, connect_timeout=10)
            try:
                while not await self._try_lock(connection):
                    await asyncio.sleep(_RETRY_S)
            except BaseException:
                await connection.close()
                raise
        self._connection = connection

    async def _try_lock(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        question = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
        row = await (await connection.execute(question, (f"mingjian publication writer {self._schema}",))).fetchone()
        return bool(row and row[0])

    async def close(self) -> None:
        """Give up the right to write."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            raise ConnectionError("the writer's connection is closed")
        return self._connection

    async def _ask(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Rows of one statement outside a unit of work."""
        with _may_pass():
            cursor = await self._open().execute(statement, values)
            return await cursor.fetchall() if cursor.description else []

    async def positions(self) -> dict[Place, Position]:
        """See ``Projection.positions``."""
        rows = await self._ask("SELECT topic, partition, next_offset, known_ms FROM partition_position")
        return {(topic, partition): Position(offset, known) for topic, partition, offset, known in rows}

    async def stack(self) -> Stack | None:
        """See ``Projection.stack``."""
        rows = await self._ask("SELECT sample, clock_mode, time_zone, fingerprint FROM stack")
        return Stack(*rows[0]) if rows else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresUnitOfWork]:
        """See ``Projection.transaction``."""
        connection = self._open()
        try:
            with _may_pass():
                async with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                    await cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", (writing_lock(self._schema),))
                    work = PostgresUnitOfWork(cursor)
                    yield work
                    await work.finish()
        except psycopg.DataError as error:
            raise Unstorable(type(error).__name__) from error

    async def outgoing(self, limit: int) -> list[tuple[int, Outgoing]]:
        """The oldest records that still have to be sent, with their place in the outbox."""
        rows = await self._ask("SELECT n, topic, key, value, headers, record_ms FROM outbox ORDER BY n LIMIT %s", (limit,))
        return [(n, Outgoing(topic, key, bytes(value), headers_of(headers), timestamp_ms=at)) for n, topic, key, value, headers, at in rows]

    async def sent(self, up_to: int) -> None:
        """Forget outbox records up to ``up_to``: the broker has acknowledged them all."""
        await self._ask("DELETE FROM outbox WHERE n <= %s", (up_to,))

    async def raise_floor(self, keep: int) -> None:
        """Let resuming reach back over the last ``keep`` numbers only. The changes themselves stay: they are history."""
        await self._ask("UPDATE sequence_state SET floor = GREATEST(floor, head - %s)", (keep,))


class PostgresUnitOfWork(ListWork, StayWork):
    """``UnitOfWork`` on one transaction's cursor."""

    def __init__(self, cursor: psycopg.AsyncCursor[Any]) -> None:
        super().__init__(cursor)
        self._revision: int | None = None
        self._head: int | None = None

    async def _batch_revision(self) -> int:
        if self._revision is None:
            await self._cursor.execute("UPDATE sequence_state SET revision = revision + 1 RETURNING revision")
            row = await self._cursor.fetchone()
            assert row is not None
            self._revision = row[0]
        return self._revision

    async def finish(self) -> None:
        """Wake the readers, with the transaction: nobody is told of what was not committed."""
        if self._revision is not None:
            await self._cursor.execute("SELECT pg_notify(%s, %s)", (NOTIFY_CHANNEL, str(self._head or "")))

    async def put_stack(self, stack: Stack) -> None:
        """See ``UnitOfWork.put_stack``."""
        await self._batch_revision()
        await self._cursor.execute(
            "INSERT INTO stack (sample, clock_mode, time_zone, fingerprint) VALUES (%s, %s, %s, %s) ON CONFLICT (one) DO NOTHING",
            (stack.sample, stack.clock_mode, stack.time_zone, stack.fingerprint),
        )
        await self._cursor.execute("SELECT fingerprint FROM stack")
        row = await self._cursor.fetchone()
        if row is None or row[0] != stack.fingerprint:
            raise OtherStack("the projection was built from another genesis; rebuild it")

    async def insert_registry(self, rows: Sequence[RegistryRow]) -> None:
        """See ``UnitOfWork.insert_registry``."""
        await self._batch_revision()
        await self._cursor.executemany(
            'INSERT INTO registry_event ("offset", type, event_id, subject, known_ms, data) VALUES (%s, %s, %s, %s, %s, %s) '
            'ON CONFLICT ("offset") DO NOTHING',
            [(row.offset, row.type, row.event_id, row.subject, row.known_ms, _json(row.data)) for row in rows],
        )

    async def insert_facts(self, rows: Sequence[FactRow]) -> set[tuple[int, int]]:
        """See ``UnitOfWork.insert_facts``."""
        await self._cursor.execute(
            _INSERT_FACTS,
            [
                _json(
                    [
                        {
                            "partition": row.partition,
                            "offset": row.offset,
                            "copy": row.copy,
                            "subject": row.subject,
                            "type": row.type,
                            "event_id": row.event_id,
                            "event_hash": row.event_hash,
                            "occurred_on": row.occurred_on,
                            "served_on": row.served_on,
                            "received_at": row.received_at,
                            "known_ms": row.known_ms,
                            "shown_on": row.shown_on,
                            "data": row.data,
                            "lifts": row.lifts,
                        }
                        for row in rows
                    ]
                )
            ],
        )
        return {(partition, offset) for partition, offset in await self._cursor.fetchall()}

    async def registrations(self, subjects: Sequence[str]) -> dict[str, list[Registration]]:
        """See ``UnitOfWork.registrations``."""
        await self._cursor.execute(
            'SELECT subject, type, occurred_on, "offset", data, copy FROM fact WHERE subject = ANY(%s::text[]) AND type = ANY(%s::text[])',
            (list(subjects), list(REGISTER_TYPES)),
        )
        found: dict[str, list[Registration]] = {}
        for subject, type_name, occurred_on, offset, data, copy in await self._cursor.fetchall():
            about = copy_of(data["entry"]) if type_name in MENDING_TYPES and data.get("entry") else None
            found.setdefault(subject, []).append(Registration(type_name, occurred_on, offset, data, copy, about))
        return found

    async def put_subjects(self, rows: Sequence[tuple[Subject, Index]]) -> None:
        """See ``UnitOfWork.put_subjects``."""
        revision = await self._batch_revision()
        kept = [
            {
                **{name: getattr(subject, name) for name in _SUBJECT_COLUMNS},
                "licence_numbers": list(subject.licence_numbers),
                "regimes": list(subject.regimes),
                "folded": index.folded,
                "pinyin": index.pinyin,
                "initials": index.initials,
                "tokens": index.tokens,
                "revision": revision,
            }
            for subject, index in rows
        ]
        await self._cursor.execute(_PUT_SUBJECTS, [_json(kept)])

    async def touch(self, subjects: Iterable[str]) -> None:
        """See ``UnitOfWork.touch``."""
        names = sorted(subjects)
        if names:
            await self._cursor.execute(
                "INSERT INTO subject (id, revision) SELECT s, %s FROM unnest(%s::text[]) AS row (s) "
                "ON CONFLICT (id) DO UPDATE SET revision = EXCLUDED.revision WHERE subject.revision <> EXCLUDED.revision",
                (await self._batch_revision(), names),
            )

    async def new_changes(self, ids: Sequence[str]) -> set[str]:
        """See ``UnitOfWork.new_changes``."""
        await self._cursor.execute("SELECT id FROM change WHERE id = ANY(%s::uuid[])", (list(ids),))
        return set(ids) - {str(row[0]) for row in await self._cursor.fetchall()}

    async def append_changes(self, rows: Sequence[ChangeRow]) -> int:
        """See ``UnitOfWork.append_changes``. The row lock on sequence_state would stop a second writer, were there one."""
        # No number is given out twice, whatever an earlier build has given out beyond this one's own.
        await self._cursor.execute(
            "SELECT GREATEST(head, (SELECT COALESCE(max(seq), 0) FROM kept_sequence)) FROM sequence_state FOR UPDATE OF sequence_state"
        )
        state = await self._cursor.fetchone()
        assert state is not None
        head = int(state[0])
        await self._cursor.execute("SELECT id, seq FROM kept_sequence WHERE id = ANY(%s::uuid[])", ([row.id for row in rows],))
        kept = {str(id): int(seq) for id, seq in await self._cursor.fetchall()}
        numbers: list[int] = []
        for row in rows:
            if row.id not in kept:
                head += 1
            numbers.append(kept.get(row.id, head))
        async with self._cursor.copy(_COPY_CHANGES) as copy:
            for number, row in zip(numbers, rows, strict=True):
                await copy.write_row(
                    (
                        number,
                        row.id,
                        row.type,
                        row.subject,
                        row.regime,
                        row.grade,
                        row.status,
                        row.in_force_from,
                        row.corrected_to,
                        row.partition,
                        row.offset,
                        row.known_ms,
                        row.cause_offset,
                        row.cause_known_ms,
                        row.time,
                        _json(row.data),
                    )
                )
        await self._cursor.execute("UPDATE sequence_state SET head = %s", (head,))
        self._head = head
        return head

    async def put_grades(self, rows: Sequence[ChangeRow]) -> None:
        """See ``UnitOfWork.put_grades``."""
        await self._cursor.execute(
            "INSERT INTO grade (regime, subject, seq, grade, status, in_force_from, known_ms) "
            "SELECT regime, subject, seq, grade, status, in_force_from, known_ms FROM change WHERE id = ANY(%s::uuid[]) "
            "ON CONFLICT (regime, subject) DO UPDATE SET seq = EXCLUDED.seq, grade = EXCLUDED.grade, status = EXCLUDED.status, "
            "in_force_from = EXCLUDED.in_force_from, known_ms = EXCLUDED.known_ms",
            ([row.id for row in rows],),
        )

    async def newest_causes(self, subjects: Sequence[str]) -> dict[tuple[str, str], int]:
        """See ``UnitOfWork.newest_causes``."""
        await self._cursor.execute(
            "SELECT grade.subject, grade.regime, cause_offset FROM grade JOIN change USING (seq) WHERE grade.subject = ANY(%s::text[])",
            (list(subjects),),
        )
        return {(subject, regime): int(offset) for subject, regime, offset in await self._cursor.fetchall()}

    async def put_parts(self, rows: Sequence[PartRow]) -> None:
        """See ``UnitOfWork.put_parts``."""
        kept = [
            {
                "id": row.id,
                "parent": row.parent,
                "part": row.part,
                "regime": row.regime,
                "cause_known_ms": row.cause_known_ms,
                "cause_offset": row.cause_offset,
                "stretches": row.stretches,
            }
            for row in rows
        ]
        await self._cursor.execute(
            "INSERT INTO part SELECT * FROM json_populate_recordset(NULL::part, %s::text::json) ON CONFLICT DO NOTHING", [_json(kept)]
        )

    async def keep_story(self, story: Story) -> None:
        """See ``UnitOfWork.keep_story``."""
        weight, finding = story.weight
        body = {"clause": story.clause, "event": story.event, "event_type": story.event_type, "late": story.late}
        await self._batch_revision()
        await self._cursor.execute(
            "INSERT INTO sample_story (weight, finding, subject, story) VALUES (%s, %s, %s, %s) ON CONFLICT (one) DO UPDATE SET "
            "weight = EXCLUDED.weight, finding = EXCLUDED.finding, subject = EXCLUDED.subject, story = EXCLUDED.story "
            "WHERE (EXCLUDED.weight, EXCLUDED.finding) > (sample_story.weight, sample_story.finding)",
            (weight, finding, story.subject, _json({**body, "detail_zh": story.detail_zh, "detail_en": story.detail_en})),
        )

    async def move(self, positions: Mapping[Place, Position]) -> None:
        """See ``UnitOfWork.move``."""
        await self._cursor.execute(
            "INSERT INTO partition_position (topic, partition, next_offset, known_ms) "
            "SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[]) ON CONFLICT (topic, partition) DO UPDATE "
            "SET next_offset = EXCLUDED.next_offset, known_ms = EXCLUDED.known_ms",
            [
                [place[0] for place in positions],
                [place[1] for place in positions],
                [position.next_offset for position in positions.values()],
                [position.known_ms for position in positions.values()],
            ],
        )


_SUBJECT_COLUMNS = (
    "id",
    "name",
    "business_kind",
    "address",
    "postcode",
    "district",
    "business_type",
    "local_ref",
    "registered_on",
    "operating_since",
    "operation",
    "closed_on",
    "closed_reason",
)
_COLUMNS = (*_SUBJECT_COLUMNS, "licence_numbers", "regimes", "folded", "pinyin", "initials", "tokens", "revision")
# Rows travel as one JSON text: an array for each column, or a statement for each row, costs Python several times as much.
_PUT_SUBJECTS = sql.SQL(
    "INSERT INTO subject ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::subject, %s::text::json) "
    "ON CONFLICT (id) DO UPDATE SET {sets}"
).format(
    columns=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
    sets=sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in _COLUMNS[1:]),
)
_INSERT_FACTS = (
    "INSERT INTO fact SELECT * FROM json_populate_recordset(NULL::fact, %s::text::json) "
    'ON CONFLICT DO NOTHING RETURNING partition, "offset"'
)
_COPY_CHANGES = (
    "COPY change (seq, id, type, subject, regime, grade, status, in_force_from, corrected_to, partition, "
    '"offset", known_ms, cause_offset, cause_known_ms, time, data) FROM STDIN'
)
