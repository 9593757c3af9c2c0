"""Running numbers: every office numbers its documents of a kind through the year, in the order of their decisions."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import RETAIL, WHOLESALE

_SERIES = {
    "warning.issued": "警",
    "correction.ordered": "改",
    "penalty.decided": "罚",
    "obstruction.determined": "阻",
    "case.opened": "案",
}
_FIELDS = ("document_no", "case_no")
# One number in so many was drawn and not used.
_UNUSED = 9


def number(ground: Ground) -> None:
    """Replace what stands as a document's number by the next of its series. Two offices have each their own, so their numbers meet.

    Where a row says so, its number is of another day's, or another row's."""
    rng = Random(f"town {ground.plan.seed} falsified numbers")
    by_series: dict[tuple[str, str, int], list[Row]] = {}
    for row in ground.rows:
        if row.name in _SERIES and row.event["source"] in (RETAIL, WHOLESALE) and row.number_of is None:
            by_series.setdefault((row.event["source"], row.name, _day(row).year), []).append(row)
    new: dict[tuple[str, str, str], str] = {}
    given: dict[int, str] = {}
    for (source, name, year), rows in sorted(by_series.items()):
        last = 0
        for row in sorted(rows, key=lambda one: (_day(one), one.received, one.event["id"])):
            last += 1 if rng.randrange(_UNUSED) else 2
            given[id(row)] = f"样例{_SERIES[name]}〔{year}〕{last}号"
            new[source, row.event["subject"], _own(row)] = given[id(row)]
    for row in ground.rows:
        if row.number_of is not None:
            new[row.event["source"], row.event["subject"], _own(row)] = given[id(row.number_of)]
    for row in ground.rows:
        _renumber(row.data, row.event["source"], row.event["subject"], new)


def _day(row: Row) -> date:
    return row.number_as or row.day


def _own(row: Row) -> str:
    """The number that it was made with."""
    return row.data["case_no"] if row.name == "case.opened" else row.data["document_no"]


def _renumber(data: dict[str, Any], source: str, subject: str, new: dict[tuple[str, str, str], str]) -> None:
    for field in _FIELDS:
        if (words := new.get((source, subject, data.get(field) or ""))) is not None:
            data[field] = words
    if "replacement" in data:
        _renumber(data["replacement"]["data"], source, subject, new)
