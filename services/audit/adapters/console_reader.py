"""Findings with what they did, scans and nightly runs, as the console asks for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from services.audit.adapters.read_pool import ReadPool
from services.audit.domain.workdays import WorkCalendar, YearTable

_RAISED, _ASSESSED, _SCAN = "mingjian.finding.raised.v1", "mingjian.finding.assessed.v1", "mingjian.scan.ran.v1"
_MATTER = "coalesce(found.matter, found.id)"
_WANTED = f"""
FROM finding AS found LEFT JOIN LATERAL (
    SELECT max(days_least) AS days_least, max(days_most) AS days_most FROM finding AS effect
    WHERE effect.type = '{_ASSESSED}' AND effect.matter = found.matter AND NOT effect.superseded
) AS effect ON true
WHERE found.type = '{_RAISED}' AND NOT found.superseded AND found.retracted = %(retracted)s
  AND (%(kind)s::text IS NULL OR found.kind = %(kind)s) AND (%(about)s::text IS NULL OR found.about = %(about)s)
  AND (%(office)s::text IS NULL OR found.office = %(office)s) AND (%(subject)s::text IS NULL OR found.subject = %(subject)s)
  AND (%(officer)s::text IS NULL OR found.concerns ? %(officer)s)
  AND (%(within)s::text[] IS NULL OR {_MATTER} = ANY(%(within)s)) AND (%(without)s::text[] IS NULL OR NOT {_MATTER} = ANY(%(without)s))
"""  # noqa: S608 (constants)
_COLUMNS = f"SELECT found.*, {_MATTER} AS about_matter, effect.days_least AS least, effect.days_most AS most"
_GRAVEST = f"""
{_COLUMNS} {_WANTED}
  AND (%(after)s::bigint[] IS NULL
       OR ARRAY[coalesce(effect.days_most, -1), coalesce(effect.days_least, -1), found.sequence]::bigint[] < %(after)s::bigint[])
ORDER BY coalesce(effect.days_most, -1) DESC, coalesce(effect.days_least, -1) DESC, found.sequence DESC LIMIT %(limit)s
"""
_NEWEST = f"""
{_COLUMNS} {_WANTED} AND (%(after)s::bigint[] IS NULL OR found.sequence < (%(after)s::bigint[])[3])
ORDER BY found.sequence DESC LIMIT %(limit)s
"""
_COUNTS = f"SELECT found.kind, found.about, count(*) {_WANTED} GROUP BY 1, 2 ORDER BY 3 DESC, 1"
_OFFICES = f"SELECT found.office, count(*) {_WANTED} AND found.office IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(limit)s"
_ONE = "SELECT *, coalesce(matter, id) AS about_matter FROM finding WHERE type = %s AND id = %s"
_OF_MATTER = "SELECT id, kind, superseded, retracted, value FROM finding WHERE type = %s AND matter = %s ORDER BY sequence DESC LIMIT 20"
_EFFECTS = """
SELECT id, value FROM finding WHERE type = %s AND matter = %s AND NOT superseded
ORDER BY affected IS DISTINCT FROM subject, days_most DESC, days_least DESC, sequence DESC LIMIT 24
"""
_NAMED = """
SELECT DISTINCT ON (matter) matter, id, kind, value FROM finding WHERE type = %s AND matter = ANY(%s)
ORDER BY matter, sequence DESC
"""
_SCANS = f"""
SELECT sequence, value FROM finding WHERE type = '{_SCAN}' AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(after)s::bigint IS NULL OR sequence < %(after)s) ORDER BY sequence DESC LIMIT %(limit)s
"""  # noqa: S608 (constants)
_DETECTORS = f"""
SELECT kind, count(*) AS runs, sum(hits) AS hits, sum(looked_at) AS looked_at, min(first) AS first, max(through) AS through,
       (array_agg(alpha ORDER BY sequence DESC))[1] AS alpha
FROM (SELECT kind, sequence, (said ->> 'hits')::bigint AS hits, (said ->> 'looked_at')::bigint AS looked_at, said ->> 'first' AS first,
             said ->> 'through' AS through, said ->> 'alpha' AS alpha
      FROM (SELECT kind, sequence, data_of(value) AS said FROM finding WHERE type = '{_SCAN}') AS read) AS scan
GROUP BY kind ORDER BY kind
"""  # noqa: S608 (constants)
_CALENDAR = "SELECT DISTINCT ON (year) year, days_off, make_up_days FROM calendar ORDER BY year, record_offset DESC"
_RUNS = "SELECT * FROM replay_run ORDER BY registry_offset DESC LIMIT %s"


class After(NamedTuple):
    """Where a page ended: most and least days of its last finding (−1: none), and its sequence number."""

    most: int
    least: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; None lets all pass. ``within``, ``without``: matters by what hearings say of them. ``retracted``: only those."""

    kind: str | None = None
    about: str | None = None
    office: str | None = None
    officer: str | None = None
    subject: str | None = None
    within: Collection[str] | None = None
    without: Collection[str] | None = None
    retracted: bool = False

    def values(self) -> dict[str, Any]:
        """For the statements."""
        lists = {name: None if (some := getattr(self, name)) is None else sorted(some) for name in ("within", "without")}
        names = ("kind", "about", "office", "officer", "subject", "retracted")
        return {name: getattr(self, name) for name in names} | lists


class ConsoleReader:
    """Raises ``psycopg.OperationalError`` where the database can't be asked just now."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def page(self, wanted: Wanted, *, gravest: bool, after: After | None, limit: int) -> list[dict[str, Any]]:
        """Findings that stand, each with ``about_matter`` and the days of its effect, of several the gravest: ``least``, ``most``,
        None where there is none. ``gravest``: most days first, else the newest first."""
        values = wanted.values() | {"after": list(after) if after else None, "limit": limit}
        return await self._rows(_GRAVEST if gravest else _NEWEST, values)

    async def counts(self, wanted: Wanted) -> list[tuple[str, str, int]]:
        """Kind, what it is about, how many."""
        return [(row["kind"], row["about"], row["count"]) for row in await self._rows(_COUNTS, wanted.values())]

    async def offices(self, wanted: Wanted, limit: int) -> list[tuple[str, int]]:
        """Those with most findings."""
        return [(row["office"], row["count"]) for row in await self._rows(_OFFICES, wanted.values() | {"limit": limit})]

    async def one(self, id: str) -> dict[str, Any] | None:
        """A finding, also one that no longer stands."""
        return next(iter(await self._rows(_ONE, (_RAISED, id))), None)

    async def of_matter(self, matter: str) -> list[dict[str, Any]]:
        """The matter's findings, the newest first."""
        return await self._rows(_OF_MATTER, (_RAISED, matter))

    async def effects(self, matter: str) -> list[dict[str, Any]]:
        """The assessments that stand, for each whose grades it is about and each regime one: the subject's own first, then the
        gravest first. ``id``, ``value``."""
        return await self._rows(_EFFECTS, (_ASSESSED, matter))

    async def named(self, matters: Collection[str]) -> dict[str, dict[str, Any]]:
        """The newest finding of each matter that there is."""
        return {row["matter"]: row for row in await self._rows(_NAMED, (_RAISED, sorted(matters)))}

    async def scans(self, *, kind: str | None, after: int | None, limit: int) -> list[dict[str, Any]]:
        """Scans, the newest first: ``sequence``, ``value``."""
        return await self._rows(_SCANS, {"kind": kind, "after": after, "limit": limit})

    async def detectors(self) -> list[dict[str, Any]]:
        """Of each detector that ran: ``runs``, ``hits``, ``looked_at``, ``first``, ``through`` and the newest ``alpha``."""
        return await self._rows(_DETECTORS, {})

    async def runs(self, limit: int) -> list[dict[str, Any]]:
        """Nightly runs, the newest first."""
        return await self._rows(_RUNS, (limit,))

    async def calendar(self) -> WorkCalendar:
        """The working days by every schedule that was issued."""
        found = WorkCalendar()
        for row in await self._rows(_CALENDAR, {}):
            found = found.issue(YearTable(row["year"], frozenset(row["days_off"]), frozenset(row["make_up_days"])))
        return found

    async def _rows(self, statement: str, values: Any) -> list[dict[str, Any]]:
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return await (await cursor.execute(statement, values)).fetchall()
