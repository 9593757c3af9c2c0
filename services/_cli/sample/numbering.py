"""Running numbers: every office numbers its documents of a kind through the year, in the order of their decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from random import Random
from typing import Any

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

New = Mapping[tuple[str, str, str], str]
"""By office, subject and the number that a document was made with: the one that it bears."""


@dataclass(frozen=True, eq=False)
class Paper:
    """An event that may bear a number. ``received``: the simulated instant of its entry; ``drawn``: the day on which its number was drawn,
    None for its own."""

    event: dict[str, Any]
    received: datetime
    drawn: date | None = None

    @property
    def name(self) -> str:
        return self.event["type"].removeprefix("mingjian.").removesuffix(".v1")

    @property
    def day(self) -> date:
        return self.drawn or date.fromisoformat(self.event["data"]["occurred_on"])

    @property
    def own(self) -> tuple[str, str, str]:
        """Office, subject, and the number that it was made with."""
        data = self.event["data"]
        return self.event["source"], self.event["subject"], data["case_no"] if self.name == "case.opened" else data["document_no"]


def numbers(papers: Iterable[Paper], rng: Random) -> dict[tuple[str, str, str], str]:
    """The next of its series for each paper of the town's two offices. Each has series of its own, so their numbers meet."""
    by_series: dict[tuple[str, str, int], list[Paper]] = {}
    for one in papers:
        if one.name in _SERIES and one.event["source"] in (RETAIL, WHOLESALE):
            by_series.setdefault((one.event["source"], one.name, one.day.year), []).append(one)
    new: dict[tuple[str, str, str], str] = {}
    for (_, name, year), some in sorted(by_series.items()):
        last = 0
        for one in sorted(some, key=lambda paper: (paper.day, paper.received, paper.event["id"])):
            last += 1 if rng.randrange(_UNUSED) else 2
            new[one.own] = f"样例{_SERIES[name]}〔{year}〕{last}号"
    return new


def renumber(event: Mapping[str, Any], new: New) -> None:
    """Put the new numbers where the old ones stand: in the document itself, and in what refers to it."""
    _renumber(event["data"], event["source"], event["subject"], new)


def _renumber(data: dict[str, Any], source: str, subject: str, new: New) -> None:
    for field in _FIELDS:
        if (words := new.get((source, subject, data.get(field) or ""))) is not None:
            data[field] = words
    if "replacement" in data:
        _renumber(data["replacement"]["data"], source, subject, new)
