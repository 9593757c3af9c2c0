"""Questions about what was known at an instant, on the reading side's snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from schemas.topics import FACTS
from services.publication.domain.rows import copy_of
from services.publication.domain.search import Query, like
from services.publication.domain.subjects import MENDING_TYPES, REGISTER_TYPES, Registration

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GradeFilter:
    """Conditions of a page of grades; None means any. ``changed_since_ms``: known on or after, epoch ms."""

    regime: str | None = None
    grade: str | None = None
    status: str | None = None
    district: str | None = None
    changed_since_ms: int | None = None
    search: Query | None = None

    @property
    def values(self) -> dict[str, Any]:
        """For ``MATCH`` and the conditions beside it; what is left out is NULL."""
        return {
            "regime": self.regime,
            "grade": self.grade,
            "status": self.status,
            "district": self.district,
            "since": self.changed_since_ms,
            "tokens": self.search.tokens if self.search else None,
            "patterns": [like(term) for term in self.search.terms] if self.search else None,
        }


@dataclass(frozen=True, slots=True)
class OnDay:
    """Grades as of ``day``, as known at ``at_ms``. ``regimes``: those that have an answer; ``grades``: of a list, None for all."""

    day: date
    at_ms: int
    regimes: Sequence[str]
    grades: Sequence[str] | None = None


# A filter left out is NULL and drops out of the (custom) plan: no condition is ever put together from what a client sent.
MATCH = sql.SQL("""(%(tokens)s::text[] IS NULL OR (subject.tokens @> %(tokens)s::text[] AND NOT EXISTS (
    SELECT FROM unnest(%(patterns)s::text[]) AS wanted (pattern)
    WHERE NOT (subject.folded LIKE pattern OR subject.pinyin LIKE pattern OR subject.initials LIKE pattern))))""")
# The newest that was known and covers the day decides, whatever filters ask for. One regime at a time, in the order of the index, so
# that a page costs what stands on it and not what stands in the regime.
_ON_DAY = sql.SQL("""
    SELECT held.subject, held.regime, held.grade, held.status, held.in_force_from, held.corrected_to, held.seq,
        held.cause_known_ms AS known_ms, held.data -> 'clauses' AS clauses, held.suspended, subject.name, subject.district
    FROM (
        SELECT DISTINCT ON (change.subject) change.subject, seq
        FROM change_times AS change WHERE regime = %(name)s AND cause_known_ms <= %(at)s
        AND (in_force_from IS NULL OR in_force_from <= %(day)s) AND (corrected_to IS NULL OR corrected_to >= %(day)s)
        AND (%(from)s::text IS NULL OR change.subject >= %(from)s::text COLLATE "C")
        AND (%(after)s::text IS NULL OR change.subject > %(after)s::text COLLATE "C")
        ORDER BY change.subject, cause_known_ms DESC, cause_offset DESC, seq DESC) AS decides
    JOIN shown_change AS held ON held.seq = decides.seq
    LEFT JOIN subject ON subject.id = held.subject
    WHERE (%(grade)s::text IS NULL OR held.grade = %(grade)s::text)
    AND (%(grades)s::text[] IS NULL OR held.grade = ANY(%(grades)s::text[]))
    AND (%(status)s::text IS NULL OR held.status = %(status)s::text)
    AND (%(district)s::text IS NULL OR subject.district = %(district)s::text)
    AND (%(since)s::bigint IS NULL OR held.cause_known_ms >= %(since)s::bigint)
    AND {match}
    ORDER BY decides.subject LIMIT %(limit)s""").format(match=MATCH)


class KnownQuestions:
    """Within one read-only, repeatable transaction."""

    def __init__(self, connection: psycopg.AsyncConnection[Row]) -> None:
        self._connection = connection

    async def _all(self, query: Any, values: Any = None) -> list[Row]:
        return await (await self._connection.execute(query, values)).fetchall()

    async def _one(self, query: Any, values: Any = None) -> Row | None:
        return await (await self._connection.execute(query, values)).fetchone()

    async def newest_ms(self) -> int | None:
        """The newest instant of facts that was read, epoch ms; None before any."""
        row = await self._one("SELECT max(known_ms) AS newest FROM partition_position WHERE topic = %s AND next_offset > 0", (FACTS,))
        return row["newest"] if row else None

    async def told(self, subject: str, *, until_ms: int, regime: str | None = None) -> list[Row]:
        """Changes of a subject that were known by an instant, without their reasons; ``domain.knowledge`` puts them in order."""
        return await self._all(
            'SELECT seq, id, type, regime, grade, status, in_force_from, corrected_to, partition, "offset", known_ms, cause_offset, '
            "cause_known_ms, data -> 'cause' AS cause, data -> 'clauses' AS clauses, suspended FROM shown_change "
            "WHERE subject = %(subject)s AND cause_known_ms <= %(until)s "
            "AND (%(regime)s::text IS NULL OR regime = %(regime)s::text) ORDER BY regime, seq",
            {"subject": subject, "until": until_ms, "regime": regime},
        )

    async def change_data(self, numbers: Sequence[int]) -> dict[int, Row]:
        """``data`` of changes by number: reasons, decisive events, rulebook."""
        rows = await self._all("SELECT seq, data FROM shown_change WHERE seq = ANY(%s::bigint[])", (list(numbers),))
        return {row["seq"]: row["data"] for row in rows}

    async def any_known(self, regime: str | None, *, until_ms: int) -> bool:
        """Whether anything of the regime (None: of any) was known by an instant."""
        row = await self._one(
            "SELECT EXISTS (SELECT FROM change_times WHERE (%(regime)s::text IS NULL OR regime = %(regime)s::text) "
            "AND cause_known_ms <= %(until)s) AS found",
            {"regime": regime, "until": until_ms},
        )
        return bool(row and row["found"])

    async def came_past(self, subject: str, regime: str, *, ms: int) -> bool:
        """Whether rating has come past an instant with a subject: it tells each subject's changes in the order of their causes, so
        nothing more will come from before. Another subject's change says nothing: an evaluation may still be worked off (ADR 22)."""
        row = await self._one(
            "SELECT EXISTS (SELECT FROM change_times WHERE regime = %s AND subject = %s AND cause_known_ms > %s) AS found",
            (regime, subject, ms),
        )
        return bool(row and row["found"])

    async def registrations(self, subject: str, *, until_ms: int) -> list[Registration]:
        """Registration facts of a subject that were known by an instant."""
        rows = await self._all(
            'SELECT type, occurred_on, "offset", data, copy FROM fact WHERE subject = %s AND type = ANY(%s::text[]) AND known_ms <= %s',
            (subject, list(REGISTER_TYPES), until_ms),
        )
        return [
            Registration(
                row["type"],
                row["occurred_on"],
                row["offset"],
                row["data"],
                row["copy"],
                copy_of(row["data"]["entry"]) if row["type"] in MENDING_TYPES and row["data"].get("entry") else None,
            )
            for row in rows
        ]

    async def grades_on(self, asked: OnDay, wanted: GradeFilter, *, after: tuple[str, str] | None, limit: int) -> list[Row]:
        """Grades on a day as known at an instant, by (subject, regime); keyset. Names and districts are today's."""
        values = wanted.values | {"grades": list(asked.grades) if asked.grades is not None else None, "day": asked.day, "at": asked.at_ms}
        found: list[Row] = []
        for name in asked.regimes:
            # The subject at which the page before ended may have this regime yet to come.
            rest = after is not None and name > after[1]
            places = {"from": after[0] if after and rest else None, "after": after[0] if after and not rest else None}
            found += await self._all(_ON_DAY, values | places | {"name": name, "limit": limit})
        return sorted(found, key=lambda row: (row["subject"], row["regime"]))[:limit]
