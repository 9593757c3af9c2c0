"""What the detectors keep, in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from services.audit.domain.clocks import Clock
from services.audit.domain.workdays import YearTable
from services.audit.ports import Decision, Finding, OpenVerdict, Place, Superseded

# One statement sees the table as it was before: what is returned was kept by an earlier step.
_REMEMBER = """
WITH added AS (
    INSERT INTO seen (name, content) SELECT * FROM unnest(%(names)s::bytea[], %(contents)s::bytea[]) ON CONFLICT (name) DO NOTHING
)
SELECT name, content FROM seen WHERE name = ANY(%(names)s::bytea[])
"""
_MOVE = """
UPDATE detector_position AS known SET next_offset = read.next, high = read.high, last = read.last, apart = read.apart
FROM unnest(%(topic)s::text[], %(partition)s::integer[], %(before)s::bigint[], %(next)s::bigint[], %(high)s::bigint[], %(last)s::bigint[],
            %(apart)s::boolean[]) AS read (topic, partition, before, next, high, last, apart)
WHERE (known.topic, known.partition, known.next_offset) = (read.topic, read.partition, read.before)
"""
_OPEN = "event_id, source, regime, partition, record_offset, fact, registry_offset, judged, late"


_ADD = """
INSERT INTO finding (id, type, kind, about, office, subject, regime, event_id, matter, retracted, record_key, value, traceparent)
VALUES (%(id)s, %(type)s, %(kind)s, %(about)s, %(office)s, %(subject)s, %(regime)s, %(event_id)s, %(matter)s, %(retracted)s, %(key)s,
        %(value)s, %(traceparent)s) ON CONFLICT (id) DO NOTHING
"""
_SUPERSEDE = """
UPDATE finding SET superseded = true
WHERE type = %(type)s AND id <> %(id)s AND (matter = %(matter)s
    OR (matter IS NULL AND about = 'entry' AND event_id = %(event_id)s AND office = %(office)s AND regime = %(regime)s))
"""
_LAST_STANDS = """
UPDATE finding AS earlier SET superseded = true
FROM (SELECT type, matter, coalesce(regime, '') AS regime, coalesce(affected, '') AS affected, max(sequence) AS sequence
      FROM finding WHERE matter = ANY(%s) GROUP BY type, matter, coalesce(regime, ''), coalesce(affected, '')) AS last
WHERE (earlier.type, earlier.matter, coalesce(earlier.regime, ''), coalesce(earlier.affected, ''))
    = (last.type, last.matter, last.regime, last.affected)
  AND earlier.sequence < last.sequence AND NOT earlier.superseded
"""


def row_of(finding: Finding) -> dict[str, Any]:
    """The columns of a finding."""
    return asdict(finding)


class PostgresDetectorWork:
    """``DetectorWork``: one transaction. ``read``: the positions it starts from; another process having moved them ends it."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], read: Mapping[Place, int]) -> None:
        self._connection = connection
        self._read = read

    async def regimes_of(self, subjects: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """See ``DetectorWork``."""
        rows = await self._connection.execute("SELECT subject, regimes FROM subject_regimes WHERE subject = ANY(%s)", (list(subjects),))
        return {subject: tuple(regimes) for subject, regimes in await rows.fetchall()}

    async def put_regimes(self, rows: Mapping[str, tuple[str, ...]]) -> None:
        """See ``DetectorWork``."""
        async with self._connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO subject_regimes VALUES (%s, %s) ON CONFLICT (subject) DO UPDATE SET regimes = excluded.regimes",
                [(subject, list(regimes)) for subject, regimes in sorted(rows.items())],
            )

    async def remember(self, names: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """See ``DetectorWork``."""
        rows = await self._connection.execute(_REMEMBER, {"names": list(names), "contents": list(names.values())}, binary=True)
        return {bytes(name): bytes(content) for name, content in await rows.fetchall()}

    async def put_calendar(self, partition: int, offset: int, event_id: str, table: YearTable) -> None:
        """See ``DetectorWork``."""
        await self._connection.execute(
            "INSERT INTO calendar (partition, year, event_id, record_offset, days_off, make_up_days)"
            " VALUES (%s, %s, %s, %s, %s::date[], %s::date[]) ON CONFLICT DO NOTHING",
            (partition, table.year, event_id, offset, sorted(table.days_off), sorted(table.make_up_days)),
        )

    async def put_decision(self, decision: Decision) -> None:
        """See ``DetectorWork``."""
        values = (decision.partition, decision.subject, decision.document, decision.source, decision.offset)
        await self._connection.execute(
            "INSERT INTO decision VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (*values, Jsonb(dict(decision.fact)), decision.registry_offset),
        )

    async def decisions(self, partition: int, subject: str, document: str) -> list[Decision]:
        """See ``DetectorWork``."""
        rows = await self._connection.execute(
            "SELECT partition, subject, document, source, record_offset, fact, registry_offset FROM decision"
            " WHERE (partition, subject, document) = (%s, %s, %s) ORDER BY record_offset",
            (partition, subject, document),
        )
        return [Decision(*row) for row in await rows.fetchall()]

    async def put_service(self, partition: int, subject: str, document: str, served_on: date) -> bool:
        """See ``DetectorWork``."""
        done = await self._connection.execute(
            "INSERT INTO service VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", (partition, subject, document, served_on)
        )
        return done.rowcount == 1

    async def service(self, partition: int, subject: str, document: str) -> date | None:
        """See ``DetectorWork``."""
        rows = await self._connection.execute(
            "SELECT served_on FROM service WHERE (partition, subject, document) = (%s, %s, %s)", (partition, subject, document)
        )
        row = await rows.fetchone()
        return row[0] if row else None

    async def open_verdicts(self, partition: int) -> list[OpenVerdict]:
        """See ``DetectorWork``."""
        rows = await self._connection.execute(
            f"SELECT {_OPEN} FROM open_verdict WHERE partition = %s ORDER BY record_offset, regime",  # noqa: S608 (constant columns)
            (partition,),
        )
        return [OpenVerdict(*row) for row in await rows.fetchall()]

    async def put_open(self, verdict: OpenVerdict) -> None:
        """See ``DetectorWork``. A second copy of a fact never takes the place of the first."""
        values = {
            "event_id": verdict.event_id,
            "source": verdict.source,
            "regime": verdict.regime,
            "partition": verdict.partition,
            "offset": verdict.offset,
            "fact": Jsonb(dict(verdict.fact)),
            "stamp": verdict.registry_offset,
            "judged": verdict.judged,
            "late": verdict.late,
        }
        await self._connection.execute(
            "INSERT INTO open_verdict AS kept VALUES (%(event_id)s, %(source)s, %(regime)s, %(partition)s, %(offset)s, %(fact)s, %(stamp)s,"
            " %(judged)s, %(late)s) ON CONFLICT (event_id, source, regime) DO UPDATE SET judged = excluded.judged, late = excluded.late"
            " WHERE kept.judged < excluded.judged",
            values,
        )

    async def close_open(self, verdict: OpenVerdict) -> None:
        """See ``DetectorWork``."""
        await self._connection.execute(
            "DELETE FROM open_verdict WHERE (event_id, source, regime) = (%s, %s, %s)", (verdict.event_id, verdict.source, verdict.regime)
        )

    async def add(self, finding: Finding, supersedes: bool) -> bool:
        """See ``DetectorWork``."""
        new = (await self._connection.execute(_ADD, row_of(finding))).rowcount == 1
        if new and supersedes:
            await self._connection.execute(_SUPERSEDE, row_of(finding))
        return new

    async def add_all(self, findings: Sequence[Finding]) -> None:
        """Keep those that are new, in order; of each matter the last one stands."""
        async with self._connection.cursor() as cursor:
            await cursor.executemany(_ADD, [row_of(one) for one in findings])
        await self._connection.execute(_LAST_STANDS, ([one.matter for one in findings if one.matter is not None],))

    async def read_back(self, sent: Sequence[tuple[str, bytes]]) -> None:
        """See ``DetectorWork``."""
        await self._connection.execute(
            "UPDATE finding SET read_back = true FROM unnest(%s::text[], %s::bytea[]) AS sent (id, value)"
            " WHERE (finding.id, finding.value) = (sent.id, sent.value) AND NOT read_back",
            ([id for id, _ in sent], [value for _, value in sent]),
        )

    async def move(self, positions: Mapping[Place, int], clocks: Mapping[Place, Clock]) -> None:
        """See ``DetectorWork``. Raises ``Superseded`` when the positions are not where this process left them."""
        if new := [place for place in positions if place not in self._read]:
            columns = [topic for topic, _ in new], [partition for _, partition in new]
            await self._connection.execute(
                "INSERT INTO detector_position (topic, partition, next_offset) SELECT topic, partition, 0"
                " FROM unnest(%s::text[], %s::integer[]) AS new (topic, partition) ON CONFLICT DO NOTHING",
                columns,
            )
        times = [clocks.get(place, Clock()) for place in positions]
        moved: dict[str, Any] = {
            "topic": [topic for topic, _ in positions],
            "partition": [partition for _, partition in positions],
            "before": [self._read.get(place, 0) for place in positions],
            "next": list(positions.values()),
            "high": [one.high for one in times],
            "last": [one.last for one in times],
            "apart": [one.apart for one in times],
        }
        done = await self._connection.execute(_MOVE, moved)
        if done.rowcount != len(positions):
            raise Superseded(f"{len(positions) - done.rowcount} of the detectors' positions are not where this process left them")


class PostgresDetectorStore:
    """The detectors' tables. One connection for the fold; pages are read with ``FindingReader``."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self.positions: dict[Place, int] = {}
        self.clocks: dict[Place, Clock] = {}

    @property
    def connection(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        return self._connection

    async def open(self) -> None:
        """Connect and read the positions and clocks."""
        self._connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, application_name="mingjian-audit-detectors", connect_timeout=10
        )
        rows = await self._connection.execute("SELECT topic, partition, next_offset, high, last, apart FROM detector_position")
        for topic, partition, offset, high, last, apart in await rows.fetchall():
            self.positions[topic, partition] = offset
            self.clocks[topic, partition] = Clock(high, last, apart)

    async def close(self) -> None:
        """Disconnect."""
        await self.connection.close()

    async def calendars(self) -> list[tuple[int, str, YearTable]]:
        """(partition, event id, year's schedule) in the order in which they took effect."""
        rows = await self.connection.execute(
            "SELECT partition, event_id, year, days_off, make_up_days FROM calendar ORDER BY partition, record_offset"
        )
        return [
            (partition, event_id, YearTable(year, frozenset(off), frozenset(worked)))
            for partition, event_id, year, off, worked in await rows.fetchall()
        ]

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PostgresDetectorWork]:
        """A transaction: committed at the end, rolled back on an exception. Positions and clocks follow what was moved."""
        moved: dict[Place, int] = {}
        ticked: dict[Place, Clock] = {}

        class _Work(PostgresDetectorWork):
            async def move(self, positions: Mapping[Place, int], clocks: Mapping[Place, Clock]) -> None:
                await super().move(positions, clocks)
                moved.update(positions)
                ticked.update({place: clock for place, clock in clocks.items() if place in positions})

        async with self.connection.transaction():
            yield _Work(self.connection, self.positions)
        self.positions |= moved
        self.clocks |= ticked

    async def unsent(self, sent: Collection[str], limit: int) -> list[tuple[int, str, bytes, bytes, str | None, str]]:
        """(sequence, id, key, value, traceparent, type) of findings that were not read back from Kafka, by sequence number, without
        those in ``sent``."""
        rows = await self.connection.execute(
            "SELECT sequence, id, record_key, value, traceparent, type FROM finding"
            " WHERE NOT read_back AND id <> ALL(%s) ORDER BY sequence LIMIT %s",
            (list(sent), limit),
        )
        return [(sequence, id, bytes(key), bytes(value), *rest) for sequence, id, key, value, *rest in await rows.fetchall()]
