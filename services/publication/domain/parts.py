"""Who belongs to whom, and what of it a page shows: the shops of a chain with their grades, the shares, and a shop's chain (ADR 0026).

Rating says it, on ``mingjian.parts.v1``; nothing is worked out again here but which stretch a day lies in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.envelope import NotAnEnvelope
from schemas.events.derived import BY_PARTS
from schemas.ids import ENTERPRISE_SCHEMES, scheme_of
from schemas.times import milliseconds
from services.publication.domain.disclosure import public_data
from services.publication.domain.rows import Seen

TYPE = "mingjian.part.graded.v1"


@dataclass(frozen=True, slots=True)
class PartRow:
    """All that a part told a parent at once; ``cause_known_ms``, ``cause_offset``: of the fact that made it due."""

    id: str
    parent: str
    part: str
    regime: str
    cause_known_ms: int
    cause_offset: int
    stretches: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Member:
    """A part on a day. ``grade`` None: none; ``since``: the first day of this grade or status."""

    subject: str
    name: str | None
    regime: str
    grade: str | None
    status: str
    since: date


def part_row(seen: Seen) -> PartRow | None:
    """The row of a record on parts; None for one of another type. Raises ``NotAnEnvelope``."""
    event = seen.opened.event
    if event["type"] != TYPE or scheme_of(event["subject"]) not in ENTERPRISE_SCHEMES:
        return None
    data = public_data(TYPE, event["data"])
    try:
        cause = data["cause"]
        known, offset = milliseconds(cause["known_from"]), int(cause["offset"])
        # Nulls don't pass disclosure.
        stretches = [{name: one.get(name) for name in ("first", "last", "grade", "status")} for one in data["stretches"]]
        for one in stretches:
            date.fromisoformat(one["first"])
        return PartRow(event["id"], event["subject"], str(data["part"]), str(data["regime"]), known, offset, stretches)
    except (KeyError, TypeError, ValueError) as error:
        raise NotAnEnvelope(f"no word of a part: {type(error).__name__}") from None


def members(rows: Iterable[Mapping[str, Any]], on: date, *, subject: str) -> list[Member]:
    """Who belongs there on a day, from each one's newest row; ``subject``: the column that names it."""
    found = []
    for row in rows:
        for one in row["stretches"]:
            first, last = date.fromisoformat(one["first"]), one["last"]
            if first <= on and (last is None or on <= date.fromisoformat(last)) and one["status"] != BY_PARTS:
                found.append(Member(row[subject], row["name"], row["regime"], one["grade"], one["status"], first))
    return found


def shares(found: Sequence[Member], grades: Sequence[str]) -> list[tuple[str, int, str]]:
    """Each grade, the best first, with how many parts have it and how many percent of those that have a grade, never rounded up."""
    counts = Counter(one.grade for one in found if one.grade is not None)
    whole = sum(counts.values())
    return [(grade, counts[grade], _percent(counts[grade], whole)) for grade in grades]


def _percent(some: int, whole: int) -> str:
    hundredths = 10_000 * some // whole if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")
