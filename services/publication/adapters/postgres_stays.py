"""Stays of acts and what they suspend, within a unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import psycopg

from services.publication.domain.stays import TYPES, Paper, Resting, Stay, StayedAct, Suspension, named_acts


class StayWork:
    """The part of ``UnitOfWork`` about stays."""

    def __init__(self, cursor: psycopg.AsyncCursor[Any]) -> None:
        self._cursor = cursor

    async def _rows(self, question: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        await self._cursor.execute(question, values)  # type: ignore[arg-type]
        return await self._cursor.fetchall()

    async def with_stays(self, subjects: Sequence[str] | None) -> list[str]:
        """See ``UnitOfWork.with_stays``."""
        rows = await self._rows(_WITH_STAYS, {"wanted": list(subjects) if subjects is not None else None})
        return sorted(subject for (subject,) in rows)

    async def papers(self, subjects: Sequence[str]) -> dict[str, list[Paper]]:
        """See ``UnitOfWork.papers``."""
        found = [(row[0], Paper(*row[1:])) for row in await self._rows(_STAYS, (list(subjects), list(TYPES)))]
        acts = [(row[0], Paper(*row[1:])) for row in await self._rows(_ENTRIES, (list(named_acts(one for _, one in found)),))]
        by_subject: dict[str, dict[Any, Paper]] = {subject: {} for subject in subjects}
        for subject, paper in (*found, *acts):
            if subject in by_subject:
                by_subject[subject][paper.copy] = paper
        return {subject: list(some.values()) for subject, some in by_subject.items()}

    async def put_stayed(self, subjects: Sequence[str], acts: Sequence[StayedAct]) -> list[int]:
        """See ``UnitOfWork.put_stayed``."""
        were = await self._rows("DELETE FROM stayed_act WHERE subject = ANY(%s::text[]) RETURNING act_id::text", (list(subjects),))
        await self._cursor.executemany(
            "INSERT INTO stayed_act (act_partition, act_offset, act_id, subject, stay_partition, stay_offset, stay_id, ordered_on, "
            "from_day, last, known_ms) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(one.partition, one.offset, one.id, *_stay_values(one.stay)) for one in acts],
        )
        ids = sorted({id for (id,) in were} | {one.id for one in acts})
        rows = await self._rows(_RESTING_ON, (ids,)) if ids else []
        return sorted(seq for (seq,) in rows)

    async def numbers(self, ids: Sequence[str]) -> list[int]:
        """See ``UnitOfWork.numbers``. Where nothing is stayed, and that is nearly always, it costs one look at an empty table."""
        rows = await self._rows(_NUMBERS, (list(ids),))
        return sorted(seq for (seq,) in rows)

    async def resting(self, numbers: Sequence[int]) -> list[Resting]:
        """See ``UnitOfWork.resting``."""
        rows = await self._rows(_RESTING, (list(numbers),))
        found: dict[int, tuple[str, str, set[Stay]]] = {}
        for seq, subject, regime, *stay in rows:
            found.setdefault(seq, (subject, regime, set()))[2].add(Stay(*stay))
        return [Resting(seq, subject, regime, tuple(stays)) for seq, (subject, regime, stays) in sorted(found.items())]

    async def suspended(self) -> list[int]:
        """See ``UnitOfWork.suspended``."""
        return [seq for (seq,) in await self._rows("SELECT DISTINCT seq FROM suspension")]

    async def put_suspensions(self, numbers: Sequence[int], rows: Sequence[Suspension]) -> None:
        """See ``UnitOfWork.put_suspensions``."""
        await self._cursor.execute("DELETE FROM suspension WHERE seq = ANY(%s::bigint[])", (list(numbers),))
        kept = [
            {
                **{"seq": one.number, "subject": one.subject, "regime": one.regime, "from_ms": one.from_ms, "to_ms": one.to_ms},
                **{"since": one.since, "until": one.until, "stay_subject": one.stay.subject, "stay_partition": one.stay.partition},
                **{"stay_offset": one.stay.offset, "stay_id": one.stay.id, "ordered_on": one.stay.ordered_on},
            }
            for one in rows
        ]
        await self._cursor.execute(
            "INSERT INTO suspension SELECT * FROM json_populate_recordset(NULL::suspension, %s::text::json)", [orjson.dumps(kept).decode()]
        )


def _stay_values(stay: Stay) -> tuple[Any, ...]:
    return (stay.subject, stay.partition, stay.offset, stay.id, stay.ordered_on, stay.from_day, stay.last, stay.known_ms)


# The partial index is asked: its condition has to stand in the statement.
_WITH_STAYS = (
    "SELECT DISTINCT subject FROM fact WHERE type = 'mingjian.stay.ordered.v1' "
    "AND (%(wanted)s::text[] IS NULL OR subject = ANY(%(wanted)s::text[]))"
)
_PAPER = (
    'fact.subject, fact.partition, fact."offset", fact.event_id::text, fact.copy, fact.type, fact.occurred_on, fact.known_ms, fact.data, '
    "fact.lifts"
)
_STAYS = f"SELECT {_PAPER} FROM fact WHERE subject = ANY(%s::text[]) AND type = ANY(%s::text[])"  # noqa: S608
# The acts that are named, and other entries that may be of the same decision.
_ENTRIES = (
    f"SELECT DISTINCT {_PAPER} FROM fact AS act JOIN fact ON fact.subject = act.subject "  # noqa: S608
    "AND (fact.copy = act.copy OR (fact.type = act.type AND fact.data ->> 'document_no' = act.data ->> 'document_no')) "
    "WHERE act.copy = ANY(%s::uuid[])"
)
_DECISIVE = "jsonb_to_recordset(change.data -> 'decisive_events') AS decisive (id uuid, partition integer, \"offset\" bigint)"
_SAME_PLACE = (
    'stayed_act.act_partition = decisive.partition AND stayed_act.act_offset = decisive."offset" AND stayed_act.act_id = decisive.id'
)
_RESTING = (
    "SELECT change.seq, change.subject, change.regime, stayed_act.subject, stay_partition, stay_offset, stay_id::text, ordered_on, "  # noqa: S608
    f"from_day, last, stayed_act.known_ms FROM change CROSS JOIN LATERAL {_DECISIVE} JOIN stayed_act ON {_SAME_PLACE} "
    "WHERE change.seq = ANY(%s::bigint[])"
)
_NUMBERS = (
    f"SELECT DISTINCT change.seq FROM change CROSS JOIN LATERAL {_DECISIVE} JOIN stayed_act ON {_SAME_PLACE} "  # noqa: S608
    "WHERE change.id = ANY(%s::uuid[]) AND EXISTS (SELECT FROM stayed_act)"
)
_RESTING_ON = "SELECT seq FROM change WHERE jsonb_path_query_array(data, '$.decisive_events[*].id') ?| %s::text[]"
