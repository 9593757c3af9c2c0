"""The reading side on PostgreSQL, with the read-only role: one snapshot a question, short limits, nothing but SELECT."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from services.publication.adapters.postgres_builds import reading_lock
from services.publication.adapters.postgres_known import MATCH, GradeFilter, KnownQuestions, Row
from services.publication.domain.registry import GO_LIVE, KEY, ROLE, RULEBOOK, Stack
from services.publication.domain.search import Query, like

_OPTIONS = (
    "-c search_path={schema} -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read "
    "-c statement_timeout={timeout_ms} -c idle_in_transaction_session_timeout={timeout_ms} -c plan_cache_mode=force_custom_plan"
)


@dataclass(frozen=True, slots=True)
class State:
    """``head``: last number given out; ``floor``: numbers before it can't be resumed from; ``revision``: effective batches;
    ``build``: id of this filling of the tables; ``fingerprint``, ``sample``: of genesis, empty and False before it was read;
    ``suspended``: a mark of all suspensions that run at the snapshot's instant, for days begin without a batch."""

    head: int
    floor: int
    revision: int
    build: str = ""
    fingerprint: str = ""
    sample: bool = False
    suspended: str = ""


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Conditions of a stream; None means any. ``grade``: the one that a change leads to or away from."""

    regime: str | None = None
    subject: str | None = None
    grade: str | None = None


class PostgresReader:
    """Questions the API and the pages ask. Every method sees committed batches only, each of them whole.

    There are ``size`` connections for everyone, so nobody may wait for a client while holding one; the server ends a transaction
    in which nothing is asked for ``timeout_ms``. ``now_ms``: the wall clock, epoch ms. By the stack's clock a snapshot shows grades or
    says that a stay suspends their publication (ADR 0036)."""

    def __init__(self, dsn: str, *, now_ms: Callable[[], int], schema: str = "publication", size: int = 8, timeout_ms: int = 5000) -> None:
        self._lock = reading_lock(schema)
        self._now_ms = now_ms
        options = _OPTIONS.format(schema=schema, timeout_ms=timeout_ms)
        self._pool = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=size,
            open=False,
            timeout=3.0,
            kwargs={"options": options, "row_factory": dict_row, "connect_timeout": 5},
            check=AsyncConnectionPool.check_connection,
        )

    async def open(self) -> None:
        """Start the pool; questions before the database is there raise ``psycopg_pool.PoolTimeout``."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """End the pool."""
        await self._pool.close(timeout=2.0)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Several questions on one state of the projection."""
        async with self._pool.connection() as connection:
            # Nobody puts another build in this one's place between two questions.
            await connection.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0)), set_config('mingjian.now_ms', %s, true)",
                (self._lock, str(self._now_ms())),
            )
            yield Snapshot(connection)


class Snapshot(KnownQuestions):
    """Questions within one read-only, repeatable transaction."""

    async def state(self) -> State:
        """Where the projection is, and of which stack."""
        row = await self._one(
            "SELECT head, floor, revision, build::text, COALESCE(fingerprint, '') AS fingerprint, COALESCE(sample, false) AS sample, "
            "(SELECT COALESCE(md5(string_agg(running::text, ';' ORDER BY seq)), '') FROM running) AS suspended "
            "FROM sequence_state LEFT JOIN stack ON stack.one"
        )
        assert row is not None
        return State(**row)

    async def stack(self) -> Stack | None:
        """Genesis, once it was read."""
        row = await self._one("SELECT sample, clock_mode, time_zone, fingerprint FROM stack")
        return Stack(**row) if row else None

    async def positions(self) -> list[Row]:
        """topic, partition, next_offset, known_ms of every partition read so far."""
        return await self._all("SELECT topic, partition, next_offset, known_ms FROM partition_position ORDER BY topic, partition")

    async def registry(self) -> list[Row]:
        """Go-live dates and rulebook activations, oldest first."""
        return await self._all(
            'SELECT type, subject, known_ms, data FROM registry_event WHERE type = ANY(%s) ORDER BY "offset"', ([GO_LIVE, RULEBOOK],)
        )

    async def signer(self, key_id: str) -> list[Row]:
        """Role grants of the officer who holds a key (sample stacks only): officer, data."""
        return await self._all(
            "SELECT role.subject AS officer, role.data FROM registry_event key JOIN registry_event role ON role.subject = key.subject "
            'WHERE key.type = %s AND role.type = %s AND key.data #>> %s = %s ORDER BY role."offset"',
            (KEY, ROLE, ["key", "key_id"], key_id),
        )

    async def sample_target(self, *, regimes: Sequence[str], schemes: Sequence[str], grades: Sequence[str], turn: int) -> Row | None:
        """An enterprise to inspect on a sample stack, another one each turn: subject, regime, name."""
        return await self._one(
            "SELECT grade.subject, grade.regime, subject.name FROM shown_grade AS grade JOIN subject ON subject.id = grade.subject "
            "WHERE grade.regime = ANY(%s::text[]) AND split_part(grade.subject, ':', 1) = ANY(%s::text[]) "
            "AND grade.grade = ANY(%s::text[]) AND subject.closed_on IS NULL "
            "ORDER BY subject.business_kind IS DISTINCT FROM 'drug_retail', md5(grade.subject || %s::text) LIMIT 1",
            (list(regimes), list(schemes), list(grades), turn),
        )

    async def subject(self, id: str) -> Row | None:
        """Register data and revision."""
        return await self._one(
            "SELECT id, name, business_kind, address, postcode, district, business_type, local_ref, licence_numbers, regimes, "
            "registered_on, operating_since, operation, closed_on, closed_reason, revision FROM subject WHERE id = %s",
            (id,),
        )

    async def names(self, ids: Sequence[str]) -> dict[str, str | None]:
        """Names by id."""
        rows = await self._all("SELECT id, name FROM subject WHERE id = ANY(%s::text[])", (list(ids),))
        return {row["id"]: row["name"] for row in rows}

    async def grades_of(self, subject: str) -> list[Row]:
        """Current grade in each regime, with the whole change behind it."""
        return await self._all(
            "SELECT change.* FROM shown_grade AS grade JOIN shown_change AS change USING (seq) WHERE grade.subject = %s "
            "ORDER BY change.regime",
            (subject,),
        )

    async def parts_of(self, parent: str) -> list[Row]:
        """The newest that each part told a parent: part, name, regime, stretches. By regime and part."""
        return await self._all(_NEWEST_PARTS.format(by=sql.Identifier("parent"), of=sql.Identifier("part")), (parent,))

    async def parents_of(self, part: str) -> list[Row]:
        """The newest that a part told each parent: parent, name, regime, stretches."""
        return await self._all(_NEWEST_PARTS.format(by=sql.Identifier("part"), of=sql.Identifier("parent")), (part,))

    async def history(self, subject: str, *, before: int | None, limit: int, until_ms: int | None = None) -> list[Row]:
        """Changes of a subject, newest first, keyset on their number. ``until_ms``: those only that were known by then."""
        return await self._all(
            "SELECT * FROM shown_change WHERE subject = %(subject)s AND (%(before)s::bigint IS NULL OR seq < %(before)s::bigint) "
            "AND (%(until)s::bigint IS NULL OR cause_known_ms <= %(until)s::bigint) ORDER BY seq DESC LIMIT %(limit)s",
            {"subject": subject, "before": before, "limit": limit, "until": until_ms},
        )

    async def facts(self, subject: str, *, before: tuple[date, int] | None, limit: int, until_ms: int | None = None) -> list[Row]:
        """The public timeline, latest act first, keyset on (shown_on, offset). ``until_ms``: what was known by then only."""
        return await self._all(
            'SELECT partition, "offset", type, event_id, event_hash, copy, occurred_on, served_on, received_at, known_ms, shown_on, data '
            "FROM fact WHERE subject = %(subject)s "
            'AND (%(day)s::date IS NULL OR (shown_on, "offset") < (%(day)s::date, %(offset)s::bigint)) '
            "AND (%(until)s::bigint IS NULL OR known_ms <= %(until)s::bigint) "
            'ORDER BY shown_on DESC, "offset" DESC LIMIT %(limit)s',
            {
                "subject": subject,
                "day": before[0] if before else None,
                "offset": before[1] if before else None,
                "limit": limit,
                "until": until_ms,
            },
        )

    async def said_of_facts(self, subject: str, types: Sequence[str], *, limit: int) -> list[Row]:
        """The facts of these types, which name others, in the order in which they were entered."""
        return await self._all(
            'SELECT partition, "offset", type, event_id, occurred_on, data FROM fact WHERE subject = %s AND type = ANY(%s::text[]) '
            'ORDER BY "offset" LIMIT %s',
            (subject, list(types), limit),
        )

    async def fact_at(self, partition: int, offset: int) -> Row | None:
        """One fact by its place."""
        return await self._one('SELECT * FROM fact WHERE partition = %s AND "offset" = %s', (partition, offset))

    async def fact_count(self, subject: str) -> int:
        """How many facts the timeline has."""
        row = await self._one("SELECT count(*) AS n FROM fact WHERE subject = %s", (subject,))
        return int(row["n"]) if row else 0

    async def lists_of(self, subject: str) -> list[Row]:
        """Lists the subject stands on."""
        return await self._all("SELECT list, regime, grade, since, clause FROM shown_member WHERE subject = %s ORDER BY list", (subject,))

    async def grades(self, wanted: GradeFilter, *, after: tuple[str, str] | None, limit: int) -> list[Row]:
        """Current grades that match, by (subject, regime); keyset. Each with name, district, clauses."""
        return await self._all(
            _GRADES,
            wanted.values | {"after_subject": after[0] if after else None, "after_regime": after[1] if after else None, "limit": limit},
        )

    async def search(self, terms: Query, *, limit: int) -> list[Row]:
        """Subjects that match, best first: names that begin with the text, then those that hold it, shorter first."""
        if not terms.terms:
            return []
        return await self._all(
            _SEARCH,
            {
                "tokens": terms.tokens,
                "patterns": [like(term) for term in terms.terms],
                "start": like(" ".join(terms.terms))[1:],
                "limit": limit,
            },
        )

    async def counts(self) -> list[Row]:
        """How many subjects hold each grade or status: regime, grade, status, n."""
        return await self._all(
            "SELECT regime, grade, status, count(*) AS n FROM shown_grade GROUP BY regime, grade, status ORDER BY regime"
        )

    async def changed(self, *, from_ms: int, until_ms: int, limit: int) -> list[Row]:
        """What holds otherwise since it became known in [from, until), latest first; seq, subject, name, grades, when."""
        return await self._all(
            "SELECT change.seq, change.subject, subject.name, change.regime, change.grade, change.status, change.in_force_from, "
            "change.known_ms, change.data ->> 'previous_grade' AS previous_grade, change.data ->> 'previous_status' AS previous_status "
            "FROM shown_change AS change LEFT JOIN subject ON subject.id = change.subject "
            "WHERE change.known_ms >= %s AND change.known_ms < %s AND change.corrected_to IS NULL "
            "ORDER BY change.known_ms DESC, change.seq DESC LIMIT %s",
            (from_ms, until_ms, limit),
        )

    async def changed_count(self, *, from_ms: int, until_ms: int) -> int:
        """How many changes became known in [from, until)."""
        question = "SELECT count(*) AS n FROM shown_change WHERE known_ms >= %s AND known_ms < %s AND corrected_to IS NULL"
        row = await self._one(question, (from_ms, until_ms))
        return int(row["n"]) if row else 0

    async def list_counts(self) -> dict[str, int]:
        """Members by list."""
        return {row["list"]: row["n"] for row in await self._all("SELECT list, count(*) AS n FROM shown_member GROUP BY list")}

    async def list_members(self, name: str, *, after: str | None, limit: int) -> list[Row]:
        """Members of a list by subject, keyset."""
        return await self._all(
            "SELECT member.subject, subject.name, subject.district, member.regime, grade.grade, member.since, member.clause, "
            "member.known_ms FROM shown_member member LEFT JOIN subject ON subject.id = member.subject "
            "LEFT JOIN shown_grade AS grade ON grade.subject = member.subject AND grade.regime = member.regime "
            'WHERE member.list = %(list)s AND (%(after)s::text IS NULL OR member.subject > %(after)s::text COLLATE "C") '
            "ORDER BY member.subject LIMIT %(limit)s",
            {"list": name, "after": after, "limit": limit},
        )

    async def list_changes(self, name: str, *, limit: int) -> list[Row]:
        """The latest entries to and exits from a list."""
        return await self._all(
            'SELECT list_change.id, subject, name, entered, grade, "on", known_ms FROM shown_list_change AS list_change '
            "LEFT JOIN subject ON subject.id = list_change.subject WHERE list = %s ORDER BY known_ms DESC, list_change.id LIMIT %s",
            (name, limit),
        )

    async def changes(self, after: int, until: int, wanted: ChangeFilter, *, limit: int, span: int = 50_000) -> tuple[list[Row], int]:
        """Changes with numbers above ``after`` up to ``until`` that match, in order, and the number up to which there is no other.

        Looks at ``span`` numbers and gives ``limit`` rows at most, so that a filter that nothing passes never takes long."""
        reached = max(after, min(after + span, until))
        values = {"seq": after, "reached": reached, "limit": limit}
        rows = await self._all(_CHANGES, values | {"regime": wanted.regime, "subject": wanted.subject, "grade": wanted.grade})
        return rows, rows[-1]["seq"] if len(rows) == limit else reached

    async def suspensions(self) -> list[Row]:
        """The grades that hold and whose publication is suspended now: subject, regime, seq, suspended. By subject and regime."""
        return await self._all(
            "SELECT subject, regime, seq, suspended FROM shown_grade WHERE seq IN (SELECT seq FROM running) ORDER BY subject, regime"
        )

    async def ever_suspended(self) -> bool:
        """Whether a stay was ever known to suspend a publication, now, once, or some day to come."""
        row = await self._one("SELECT ever FROM ever_suspended")
        return bool(row and row["ever"])

    async def holding(self, subject: str, regime: str) -> Row | None:
        """The change that gave the grade that holds, as ``changes`` gives it."""
        row = await self._one("SELECT seq FROM shown_grade WHERE subject = %s AND regime = %s", (subject, regime))
        rows, _ = await self.changes(row["seq"] - 1, row["seq"], ChangeFilter(), limit=1) if row else ([], 0)
        return rows[0] if rows else None

    async def story(self) -> Row | None:
        """The story of a sample stack: subject, name, story."""
        return await self._one(
            "SELECT sample_story.subject, name, story FROM sample_story LEFT JOIN subject ON subject.id = sample_story.subject"
        )

    async def whole_regime(self, regime: str) -> bytes:
        """Every grade of a regime as lines of CSV, sorted by subject: subject, grade, status, in_force_from. PostgreSQL writes them."""
        query = (
            "COPY (SELECT subject, grade, status, in_force_from FROM shown_grade WHERE regime = %s ORDER BY subject) TO STDOUT (FORMAT csv)"
        )
        async with self._connection.cursor() as cursor, cursor.copy(query, (regime,)) as copy:
            return b"".join([bytes(part) async for part in copy])

    async def regimes(self) -> list[str]:
        """Regimes that have at least one grade."""
        return [row["regime"] for row in await self._all("SELECT DISTINCT regime FROM shown_grade ORDER BY regime")]


_NEWEST_PARTS = sql.SQL("""
    SELECT newest.*, subject.name FROM (
        SELECT DISTINCT ON (regime, {of}) regime, parent, part, stretches FROM shown_part WHERE {by} = %s AND parent <> part
        ORDER BY regime, {of}, cause_known_ms DESC, cause_offset DESC) AS newest
    LEFT JOIN subject ON subject.id = newest.{of} ORDER BY newest.regime, newest.{of}""")
_GRADES = sql.SQL("""
    SELECT grade.subject, subject.name, subject.district, grade.regime, grade.grade, grade.status, grade.in_force_from, grade.seq,
        grade.known_ms, change.data -> 'clauses' AS clauses, grade.suspended
    FROM shown_grade AS grade LEFT JOIN subject ON subject.id = grade.subject JOIN shown_change AS change ON change.seq = grade.seq
    WHERE (%(regime)s::text IS NULL OR grade.regime = %(regime)s::text)
    AND (%(grade)s::text IS NULL OR grade.grade = %(grade)s::text)
    AND (%(status)s::text IS NULL OR grade.status = %(status)s::text)
    AND (%(district)s::text IS NULL OR subject.district = %(district)s::text)
    AND (%(since)s::bigint IS NULL OR grade.known_ms >= %(since)s::bigint)
    AND {match}
    AND (%(after_subject)s::text IS NULL
        OR (grade.subject, grade.regime) > (%(after_subject)s::text COLLATE "C", %(after_regime)s::text COLLATE "C"))
    ORDER BY grade.subject, grade.regime LIMIT %(limit)s""").format(match=MATCH)
_CHANGES = sql.SQL("""
    SELECT seq, id, type, subject, regime, grade, data ->> 'previous_grade' AS previous_grade, time, known_ms, data, suspended
    FROM shown_change WHERE seq > %(seq)s AND seq <= %(reached)s
    AND (%(regime)s::text IS NULL OR regime = %(regime)s::text)
    AND (%(subject)s::text IS NULL OR subject = %(subject)s::text)
    AND (%(grade)s::text IS NULL OR suspended IS NOT NULL OR grade = %(grade)s::text OR data ->> 'previous_grade' = %(grade)s::text)
    ORDER BY seq LIMIT %(limit)s""")
_SEARCH = sql.SQL("""
    SELECT found.*, (
        SELECT jsonb_agg(jsonb_build_object('regime', regime, 'grade', grade, 'status', status, 'in_force_from', in_force_from,
            'suspended', suspended) ORDER BY regime)
        FROM shown_grade AS grade WHERE grade.subject = found.id) AS grades
    FROM (
        SELECT subject.id, subject.name, subject.address, subject.district, folded LIKE %(start)s AS first, length(name) AS size
        FROM subject WHERE {match} ORDER BY first DESC, size, subject.id LIMIT %(limit)s) AS found
    ORDER BY first DESC, size, id""").format(match=MATCH)
